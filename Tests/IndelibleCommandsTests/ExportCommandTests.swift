import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// `import` of plain text and `export`, from the command line.
@Suite struct ExportCommandTests {
    private static let journal = """
        txnidx,date,description,account,amount,commodity
        1,2026-01-01,food,Ausgaben:food,5,€
        1,2026-01-01,food,assets:cash,-5,€
        2,2026-01-02,exchange,assets:cash,-2,€
        2,2026-01-02,exchange,assets:bank,2.20,

        """

    @Test func `a journal goes in, out, and into another book`() async throws {
        let server = try await TestServer.shared()
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("j.csv", Self.journal)
        func run(_ arguments: [String], _ book: String) async throws -> Finished {
            try await indelible(arguments + ["--folder", server.folder, "--book", book], folder: folder.path)
        }
        let (book, other) = (bookName(), bookName())
        for name in [book, other] { #expect(try await run(["init"], name).status == 0) }
        expectFailure(try await run(["import", "j.csv"], book), 65, "j.csv:2:19: “Ausgaben” tells no type", "no type")
        let options = ["--account-type", "Ausgaben=expense", "--commodity", "=USD", "--conversion-account", "equity:fx"]
        let imported = try await run(["import", "j.csv", "--format", "json"] + options, book)
        #expect(imported.output == #"{"accounts":5,"posted":2,"rejected":0,"repeated":0}"# + "\n", "\(imported.all)")
        let hash = try await run(["export", "--hash", "-q"], book)
        #expect(hash.status == 0 && hash.output.utf8.count == 65 && hash.error == "", "\(hash.all)")
        for format in ["hledger", "jsonl", "csv"] {
            let piped = try await run(["export", "--format", format], book)
            #expect(piped.status == 0 && piped.error == "9 records, positions 1 to 9\n", "\(piped.all)")
            let written = try await run(["export", "--format", format, "--output", "out.\(format)"], book)
            #expect(written.status == 0 && written.output == "", "\(written.all)")
            #expect(try String(contentsOfFile: folder.path + "/out.\(format)", encoding: .utf8) == piped.output)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.csv.partial"))
        let again = try await run(["import", "out.csv"], other)
        #expect(again.status == 0, "\(again.all)")
        #expect(try await run(["export", "--hash", "-q"], other).output == hash.output)
        let nowhere = try await run(["export", "--output", "no/such/folder"], other)
        expectFailure(nowhere, 65, "cannot be written", "no folder")
        expectFailure(try await run(["export", "--to-position", "10"], other), 65, "position 10 is not decided yet", "range")
    }

    @Test(arguments: [
        (["export", "--hash", "--output", "x"], Int32(64), "--hash writes no file"),
        (["export", "--from-position", "5", "--to-position", "4"], 64, "--to-position is before"),
        (["export", "--format", "table"], 64, "table"),
        (["import", "j.csv", "--account-type", "x"], 64, "write NAME=VALUE"),
        (["import", "j.csv", "--account-type", "x=y"], 64, "asset, liability"),
        (["import", "j.csv", "--commodity", "x=a b"], 65, "no currency code"),
        (["import", "j.csv", "--conversion-account", "a::b"], 65, "no account path"),
    ])
    func `a wrong command is refused`(_ arguments: [String], _ status: Int32, _ message: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("j.csv", Self.journal)
        let ran = try await indelible(arguments, folder: folder.path)
        #expect(ran.status == status && ran.all.contains(message), "\(ran.all)")
    }
}
