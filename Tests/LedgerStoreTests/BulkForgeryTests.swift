import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// Reconcile finds what was forged of bulks. Each forgery is made as the owner, with the triggers away, on a server of its own, and taken back.
@Suite struct BulkForgeryTests {
    private static let forgeries: [(name: String, finding: String, statement: String)] = [
        ("a bulk with another id", "for customers:c0001 is of a bulk that does not stand before it", "UPDATE entry SET id = REPEAT('x', 16) WHERE kind = 'charge.all'"),
        (
            "a bulk that is none", "for customers:c0001 is of a bulk that does not stand before it",
            "UPDATE entry SET payload = JSON_REMOVE(payload, '$.ledger.command.selection') WHERE kind = 'charge.all'"
        ),
        (
            "a bulk behind its members", "for customers:c0003 is of a bulk that does not stand before it",
            "UPDATE entry SET position = position + 1000000 WHERE kind = 'charge.all'"
        ),
        (
            "an account that is opened later", "for customers:c0002 is for an account that was not open before its bulk", """
            UPDATE entry SET position = position + 1000000 WHERE kind = 'ledger.account-opened' AND payload LIKE '%customers:c0002%'
            """
        ),
        (
            "another account", "for customers:c0003 has not the id that follows from bulk and account",
            "UPDATE entry SET payload = REPLACE(payload, 'c0002', 'c0003') WHERE kind = 'charge.one' AND payload LIKE '%c0002%'"
        ),
        ("another id", "has not the id that follows from bulk and account", "UPDATE entry SET id = REPEAT('x', 16) WHERE kind = 'charge.one' AND payload LIKE '%c0003%'"),
        (
            "a member that is gone", "says that it has 3 members, and has 2",
            "UPDATE entry SET payload = JSON_REMOVE(payload, '$.ledger.command.bulk') WHERE kind = 'charge.one' AND payload LIKE '%c0003%'"
        ),
        (
            "a number that is too high", "says that it has 4 members, and has 3",
            "UPDATE entry SET payload = REPLACE(payload, '\"members\":3', '\"members\":4') WHERE kind = 'ledger.command-done'"
        ),
        (
            "no number", "says that it has no members, and has 3",
            "UPDATE entry SET payload = JSON_REMOVE(payload, '$.members') WHERE kind = 'ledger.command-done'"
        ),
    ]

    @Test func `reconcile finds every forgery of bulks and their members`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            try await BookOwner(book.owner).createCommands()
            try await BulkSupport.open(3, { $0 == 1 ? .noOverdraft : .none }, book)
            try await book.ledger.enqueue(ChargeAll(units: 2), id: EntryID(key: "fees"))
            try await book.decideBulks()
            // A member again is a command of its own, with another id.
            let again = try await book.ledger.retry(command: .member(of: EntryID(key: "fees"), "customers:c0001", in: .eur))
            #expect(try await book.ledger.command(again.id).command.header.membership?.account == "customers:c0001")
            try await book.project()
            let clean = try #require(try await book.reconcile().checks.first { $0.name == "commands" })
            #expect(clean.holds && clean.examined == 4)
            try await book.withOwner { try await $0.keepRows(of: ["entry"]) }
            for forgery in Self.forgeries { try await Self.check(forgery, book) }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }

    private static func check(_ forgery: (name: String, finding: String, statement: String), _ book: TestBook) async throws {
        try await book.withOwner { try await $0.execute(unprepared: forgery.statement) }
        // A position that is moved away leaves a gap, behind which nothing is examined: it is filled.
        try await book.withOwner { try await fillGaps($0) }
        let findings = try await book.reconcile().checks.first { $0.name == "commands" }?.findings.joined(separator: "\n") ?? ""
        #expect(findings.contains(forgery.finding), "\(forgery.name): \(findings)")
        try await book.withOwner { try await $0.restoreRows(of: ["entry"]) }
    }

    /// Tombstones where a position is missing.
    private static func fillGaps(_ connection: MariaDBConnection) async throws {
        try await connection.execute(
            unprepared: """
                INSERT INTO entry (position, kind) SELECT n.seq, 'ledger.tombstone' FROM seq_1_to_1000 n LEFT JOIN entry e ON e.position = n.seq
                WHERE e.position IS NULL AND n.seq < (SELECT MAX(position) FROM entry WHERE position < 1000000)
                """)
    }
}
