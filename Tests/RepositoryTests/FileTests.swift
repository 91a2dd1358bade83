import Foundation
import Testing

/// What holds of every file.
@Suite struct FileTests {
    @Test func `no file names a path of the machine it was written on`() throws {
        let files = try Repository.sources() + Repository.files(in: "sql", ".sql") + Repository.files(in: "docs", ".md")
            + Repository.files(in: "docs", ".swift") + Repository.files(in: "scripts", "")
            + ["start", "load"].flatMap { try Repository.files(in: "docs/examples/service", $0) }
        for file in files {
            for (number, line) in file.lines.enumerated() {
                #expect(!Self.namesMachine(line), "\(file.path):\(number + 1): \(line)")
            }
        }
    }

    @Test(arguments: ["cd /" + "work/some", "\"/" + "root/.profile\"", "(/home/me/book)", "/Users/me/book"])
    func `such a path is recognised`(_ line: String) { #expect(Self.namesMachine(line[...])) }

    @Test func `no source has more than 500 lines and no test more than 300`() throws {
        for file in try Repository.sources() { #expect(file.lines.count <= 501, "\(file.path): \(file.lines.count)") }
        let service = "docs/examples/service/"
        for file in try Repository.files(in: service + "Sources", ".swift") { #expect(file.lines.count <= 501, "\(file.path): \(file.lines.count)") }
        for file in try Repository.files(in: "Tests", ".swift") + Repository.files(in: service + "Tests", ".swift") {
            #expect(file.lines.count <= 301, "\(file.path): \(file.lines.count)")
        }
    }

    @Test func `money is never floating point`() throws {
        for target in ["LedgerModel", "LedgerStore", "LedgerDatabase", "MariaDBDriver"] {
            for file in try Repository.files(in: "Sources/" + target, ".swift") {
                for (number, line) in file.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                    #expect(!line.contains(/\b(?:Double|Float|CGFloat)\b/), "\(file.path):\(number + 1): \(line)")
                }
            }
        }
    }

    private static func namesMachine(_ line: Substring) -> Bool {
        line.contains(/(?:^|[\s"'(=:])\/(?:work|root|home|Users)\//)
    }
}
