import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// A disk that is full, on the server or where the output goes; a reader that has gone.
@Suite struct RoomTests {
    /// The tables cannot grow beyond 20 MB, so the server itself answers that a table is full.
    private static let tight = ["--innodb_file_per_table=0", "--innodb_data_file_path=ibdata1:12M;ibdata2:8M"]
    /// The same with another file.
    private static let wide = [tight[0], tight[1] + ";ibdata3:8M:autoextend"]

    @Test func `a server without room refuses the batch, keeps what it has and works again`() async throws {
        let folder = try Folder()
        let own = folder.path + "/.indelible"
        let server = try await LocalMariaDB.start(.init(folder: own, idleShutdownSeconds: 120, extraOptions: Self.tight))
        for arguments in [
            ["init"], ["account", "open", "cash", "EUR", "--type", "asset"],
            ["account", "open", "alice", "EUR", "--type", "liability"],
        ] {
            let finished = try await indelible(arguments, folder: folder.path)
            #expect(finished.status == 0, "\(finished.all)")
        }
        let memo = String(repeating: "m", count: 4000)
        var full: (command: [String], finished: Finished)?
        for file in 1...12 {
            let lines = (1...500).map {
                #"{"key":"\#(file)-\#($0)","description":"\#(memo)","postings":[{"debit":"cash","credit":"alice","#
                    + #""amount":"1","currency":"EUR"}]}"#
            }
            try folder.write("f\(file).jsonl", lines.joined(separator: "\n"))
            let command = ["import", "f\(file).jsonl"]
            let finished = try await indelible(command, folder: folder.path)
            if finished.status != 0 {
                full = (command, finished)
                break
            }
        }
        let (command, refused) = try #require(full, "20 MB held 24 MB")
        expectFailure(refused, 69, "the database has no room left, nothing was written", "full")
        expectFailure(refused, 69, "1114", "full")
        // All of a batch, or nothing: 500 postings each.
        let counts = try await sql(
            server, "SELECT COUNT(*) FROM book.posting; SELECT COUNT(*) FROM book.entry WHERE kind = 'imported'")
        #expect(counts[0] == counts[1])
        #expect(Int(counts[0])! % 500 == 0)
        // The projector may not have room for its rows either; the journal is whole all the same.
        let reconciled = try await indelible(["reconcile", "--max-lag", "1000000"], folder: folder.path)
        #expect(reconciled.status == 0, "\(reconciled.all)")

        // With room again the same command goes on where it was.
        try await server.stop()
        let wider = try await LocalMariaDB.start(.init(folder: own, idleShutdownSeconds: 120, extraOptions: Self.wide))
        for command in [command, ["project", "once"], ["reconcile"]] {
            let finished = try await indelible(command, folder: folder.path)
            #expect(finished.status == 0, "\(command): \(finished.all)")
        }
        #expect(try await sql(wider, "SELECT COUNT(*) FROM book.posting") == [String(Int(counts[0])! + 500)])
        try await wider.stop()
        folder.remove()
    }

    @Test func `output that cannot be written is an error`() async throws {
        let book = try await standing.value
        let environment = ["INDELIBLE_FOLDER": book.folder, "INDELIBLE_BOOK": book.name]
        let finished = try await shell("$I balance > /dev/full", environment: environment)
        expectFailure(finished, 75, "cannot write the output: No space left on device", "/dev/full")
    }

    @Test(arguments: ["balance --all a", "balance --all a --format csv", "account list", "balance --all a --format json"])
    func `a reader that goes away ends the command quietly`(_ command: String) async throws {
        let book = try await manyAccounts.value
        let environment = ["INDELIBLE_FOLDER": book.folder, "INDELIBLE_BOOK": book.name]
        for reader in ["head -1", "true", "head -c 1"] {
            let finished = try await shell(
                "$I \(command) | \(reader) >/dev/null; echo ${PIPESTATUS[0]}", environment: environment)
            #expect(finished.output == "0\n", "\(reader)")
            #expect(finished.error == "", "\(reader)")
        }
    }
}

/// A book with more accounts than a pipe holds.
private let manyAccounts = Task {
    let book = try await StandingBook.make()
    let folder = try Folder()
    defer { folder.remove() }
    let long = String(repeating: "n", count: 200)
    let rows = (1...800).map { "a:\(long)\($0),EUR,asset\n" }
    try folder.write("accounts.csv", "account,currency,type\n" + rows.joined())
    let finished = try await indelible(
        ["import", "accounts.csv", "--folder", book.folder, "--book", book.name], folder: folder.path)
    guard finished.status == 0 else { throw TestFailure(finished.all) }
    return book
}
