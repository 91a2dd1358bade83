import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Synchronization
import Testing

/// What the server saw of a book.
@Suite struct WatchTests {
    private static func connect(_ book: TestBook) async throws -> MariaDBConnection {
        try await MariaDBConnection.connect(
            ConnectionConfiguration(
                address: .socket(book.server.socketPath), user: book.location.user, password: Password(book.password), database: book.name,
                role: BookRole.writer.name(book: book.name)))
    }

    @Test func `each statement of the book's login counts, by its verb, when it is run`() async throws {
        try await withBook { book in
            let connection = try await Self.connect(book)
            let count = try await book.countingStatements {
                _ = try await connection.query("SELECT 1")
                for number in 0..<3 { _ = try await connection.query("SELECT \(number)") }
                try await connection.transaction { session in
                    try session.query("INSERT INTO currency (code, exponent) VALUES ('AAA', 2)")
                    try session.query("INSERT INTO currency (code, exponent) VALUES (\("it's; SELECT"), 2)")
                }
                await #expect(throws: LedgerError.self) {
                    try await connection.transaction { session in
                        try session.query("SELECT code FROM currency FOR UPDATE")
                        throw LedgerError(.busy, "no")
                    }
                }
            }
            #expect(count.selects == 5, "\(count)")
            #expect(count.inserts == 2, "\(count)")
            #expect(count.commits == 1, "\(count)")
            #expect(count.rollbacks == 1, "\(count)")
            // And what begins the two transactions.
            #expect(count.total == 11, "\(count)")
            #expect(count.statements.contains { $0.contains("it\\'s; SELECT") }, "\(count)")
            #expect(count.description.hasPrefix("11 statements: 5 SELECT, 2 INSERT, 1 COMMIT, 1 ROLLBACK\n  "))
            await connection.close()
        }
    }

    @Test func `nothing before, after or beside it counts`() async throws {
        try await withBook { book in
            try await withBook { other in
                let (connection, beside) = (try await Self.connect(book), try await Self.connect(other))
                _ = try await connection.query("SELECT 'before'")
                let outer = try await other.countingStatements {
                    let count = try await book.countingStatements { _ = try await beside.query("SELECT 'beside'") }
                    #expect(count.total == 0, "\(count)")
                    // Of two that count, the first to end leaves the other's log on.
                    _ = try await beside.query("SELECT 'still'")
                    _ = try await connection.query("SELECT 'after'")
                }
                #expect(outer.statements == ["SELECT 'beside'", "SELECT 'still'"])
                await connection.close()
                await beside.close()
            }
        }
    }

    @Test func `what the body throws comes through`() async throws {
        try await withBook { book in
            await #expect(throws: LedgerError(.busy, "no")) { _ = try await book.countingStatements { throw LedgerError(.busy, "no") } }
            let count = try await book.countingStatements {}
            #expect(count.total == 0)
        }
    }

    @Test func `a post of a batch is one transaction, and its postings one statement`() async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("sales", in: .eur, type: .income)
            func entries(_ count: Int) -> [Entry] {
                (0..<count).map { _ in
                    Entry(kind: "sold", postings: [Posting(debit: "cash", credit: "sales", amount: Amount(minorUnits: 1, .eur))])
                }
            }
            _ = try await book.ledger.post(entries(2))
            let few = try await book.countingStatements { _ = try await book.ledger.post(entries(2)) }
            let many = try await book.countingStatements { _ = try await book.ledger.post(entries(100)) }
            #expect(few.commits == 1, "\(few)")
            #expect(few.inserts == 2, "\(few)")
            #expect(many.total == few.total, "\(few)\n\(many)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func `open transactions are those of the book's login, at this moment`() async throws {
        try await withBook { book in
            #expect(try await book.openTransactions() == 0)
            let counts = Mutex<[Int]>([])
            let (one, two) = (try await Self.connect(book), try await Self.connect(book))
            for connection in [one, two] {
                try await connection.execute(unprepared: "START TRANSACTION")
                // One that has touched nothing yet holds nothing.
                try await note(book, in: counts)
                _ = try await connection.query("SELECT COUNT(*) FROM entry")
                try await note(book, in: counts)
            }
            try await one.execute(unprepared: "COMMIT")
            try await note(book, in: counts)
            await two.close()
            try await note(book, in: counts)
            #expect(counts.withLock { $0 } == [0, 1, 1, 2, 1, 0])
            await one.close()
        }
    }

    private func note(_ book: TestBook, in counts: borrowing Mutex<[Int]>) async throws {
        let count = try await book.openTransactions()
        counts.withLock { $0.append(count) }
    }

    @Test(.timeLimit(.minutes(1))) func `many may look at once`() async throws {
        try await withBook { book in
            let connection = try await Self.connect(book)
            try await connection.execute(unprepared: "START TRANSACTION")
            _ = try await connection.query("SELECT COUNT(*) FROM entry")
            let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await book.openTransactions() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counts == Array(repeating: 1, count: 8))
            await connection.close()
        }
    }
}
