import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// Jobs from the command line: their states, and rebuild → compare → switch → switch --back → retire.
@Suite struct ProjectCommandTests {
    private static func book() async throws -> LimitCommandTests.Book {
        let book = try await LimitCommandTests.Book.make()
        for number in 1...5 { try await book.ok("post --debit cash --credit alice --amount \(number) --currency EUR --key p\(number)") }
        return book
    }

    private static func status(_ book: LimitCommandTests.Book, _ options: String = "") async throws -> (Int32, [[String: Any]]) {
        let finished = try await book.run("project status --format json \(options)")
        let data = try JSONSerialization.jsonObject(with: Data(finished.output.utf8))
        return (finished.status, try #require(data as? [[String: Any]]))
    }

    @Test func `status tells behind, stuck, caught up and paused apart, also by its exit code`() async throws {
        let book = try await Self.book()
        let (early, behind) = try await Self.status(book, "--stuck-after 3600")
        #expect(early == 3 && behind.map { $0["state"] as? String } == ["behind", "behind", "behind"])
        let sums = try #require(behind[0]["unprojected"] as? [[String: String]])
        #expect(sums == [["currency": "EUR", "amount": "15.00"]])
        #expect(try await Self.status(book, "--stuck-after 3600 --max-lag 1000").0 == 0)
        let (late, stuck) = try await Self.status(book, "--stuck-after 0 --max-lag 1000")
        #expect(late == 3 && stuck.allSatisfy { $0["state"] as? String == "stuck" && $0["needs_attention"] as? Bool == true })
        #expect(try await book.run("project status --stuck-after 0").output.contains("is a projector running"))

        try await book.ok("project pause balance")
        #expect(try await book.ok("project pause balance").contains("paused already"))
        try await book.refused("project rebuild balance", 3, "the job balance is paused")
        let once = try await book.run("project once")
        #expect(once.status == 3 && once.error.contains("project resume balance"))
        let (paused, states) = try await Self.status(book)
        #expect(paused == 3 && states.map { $0["state"] as? String } == ["caughtUp", "paused", "caughtUp"])
        try await book.ok("project resume balance")
        #expect(try await book.ok("project resume balance").contains("is not paused"))
        #expect(try await book.ok("project retry balance").contains("has not failed"))
        try await book.ok("project once balance --format json")
        let (done, caughtUp) = try await Self.status(book)
        #expect(done == 0 && caughtUp.allSatisfy { $0["state"] as? String == "caughtUp" && $0["lag"] as? Int == 0 })
        try await book.refused("project pause fees", 65, "the book has no job “fees”")
        try await book.refused("project once fees", 65, "knows no job “fees”")
    }

    @Test func `rebuild, compare, switch, back and retire`() async throws {
        let book = try await Self.book()
        try await book.ok("project once")
        for job in ["balance", "account_line"] {
            let rebuilt = try await book.ok("project rebuild \(job)")
            #expect(rebuilt.contains("Generation 2 of \(job) is computed") && rebuilt.contains("project compare \(job) --generation 2"))
            #expect(try await book.ok("project compare \(job) --generation 2").contains("are equal"))
            #expect(try await book.ok("project compare \(job) --generation 2 --journal").contains("and the journal are equal"))
            try await book.ok("project compare \(job) --generation 2 --account alice --currency EUR --at 5")
            #expect(try await book.ok("project switch \(job) 2") == "Generation 2 of \(job) is live; generation 1 was.\n")
            #expect(try await book.ok("project switch \(job) --back") == "Generation 1 of \(job) is live again; generation 2 was.\n")
            try await book.refused("project retire \(job) 1", 65, "is the live one")
            try await book.ok("project switch \(job) 2")
            try await book.ok("project retire \(job) 1")
            try await book.refused("project switch \(job) --back", 65, "retired")
            try await book.refused("project compare \(job) --generation 2 --with 1", 65, "retired")
            try await book.refused("project compare \(job) --generation 2", 65, "with itself")
        }
        #expect(try await book.ok("balance alice --at projected").contains("15.00"))
        try await book.ok("reconcile")

        try await book.ok("project rebuild balance --no-wait")
        let nothing = try await book.run("project compare balance --generation 3")
        #expect(nothing.status == 3 && nothing.output.contains("no position in common"))
        try await book.ok("project once")
        try await book.ok("project compare balance --generation 3 --format json")
    }

    @Test func `what differs is printed, and ends with 1; what stands ends with 4`() async throws {
        try await withOwnFolder { folder in
            for line in ["init", "account open cash EUR --type asset", "account open alice EUR --type liability",
                         "post --debit cash --credit alice --amount 5 --currency EUR", "project once", "project rebuild balance"] {
                let finished = try await indelible(line.split(separator: " ").map(String.init), folder: folder)
                #expect(finished.status == 0, "\(line): \(finished.all)")
            }
            let server = try #require(LocalMariaDB.attach(folder: folder + "/.indelible"))
            try await sql(
                server,
                """
                INSERT INTO book.balance_g2 SELECT account, through - 1, debits_posted + 7, credits_posted, 0, 0, '' FROM book.balance_g2
                WHERE debits_posted > 0; INSERT INTO book.balance_g2 SELECT 77, through, 1, 0, 0, 0, '' FROM book.balance_g2 LIMIT 1
                """)
            let differs = try await indelible(["project", "compare", "balance", "--generation", "2"], folder: folder)
            #expect(differs.status == 1 && differs.output.contains("differ in 1"), "\(differs.all)")
            let json = try await indelible(["project", "compare", "balance", "--generation", "2", "--journal", "--format", "json"], folder: folder)
            #expect(json.status == 1 && json.output.contains("only generation 2 has it"), "\(json.all)")
            _ = try await indelible(["post", "--debit", "cash", "--credit", "alice", "--amount", "5", "--currency", "EUR"], folder: folder)
            let head = try await sql(server, "SELECT MAX(position) FROM book.entry")[0]
            try await sql(server, "INSERT INTO book.posting (position, line, debit, credit, amount) VALUES (\(head), 2, 1, 2, 5)")
            let failed = try await indelible(["project", "once"], folder: folder)
            #expect(failed.status == 4 && failed.error.contains("at \(head)"), "\(failed.all)")
            let status = try await indelible(["project", "status"], folder: folder)
            #expect(status.status == 4 && status.output.contains("project retry balance"), "\(status.all)")
            let rebuild = try await indelible(["project", "rebuild", "balance"], folder: folder)
            #expect(rebuild.status == 4 && rebuild.error.contains("generation 3") && rebuild.error.contains("at \(head)"), "\(rebuild.all)")
        }
    }

    @Test func `progress says how long it will take`() async throws {
        let book = try await Self.book()
        // `script` gives it a terminal.
        let line = "script -qec \"$I project rebuild balance --folder \(book.folder) --book \(book.name)\" /dev/null"
        let finished = try await shell(line)
        #expect(finished.status == 0 && finished.output.contains("balance generation 2 "), "\(finished.all)")
        let piped = try await book.run("project rebuild balance")
        #expect(piped.error == "")
    }
}
