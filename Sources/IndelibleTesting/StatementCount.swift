import Indelible
import LocalMariaDB
import MariaDBDriver

/// The statements that a server was sent.
public struct StatementCount: Sendable, Hashable, CustomStringConvertible {
    /// In the server's order, with their values in them. An INSERT of many rows that are bound as arrays is one statement, and has `?` in place
    /// of the values.
    public let statements: [String]

    /// Also those that lock what they read.
    public var selects: Int { count("SELECT") + count("WITH") }
    public var inserts: Int { count("INSERT") }
    /// `COMMIT`s. A statement outside of a transaction commits by itself, and is not counted here.
    public var commits: Int { count("COMMIT") }
    public var rollbacks: Int { count("ROLLBACK") }
    /// All statements, also those that begin a transaction or set a variable.
    public var total: Int { statements.count }

    private func count(_ verb: String) -> Int {
        statements.count { $0.drop(while: \.isWhitespace).prefix { $0.isLetter }.uppercased() == verb }
    }

    /// The counts, and the beginning of each statement.
    public var description: String {
        "\(total) statements: \(selects) SELECT, \(inserts) INSERT, \(commits) COMMIT, \(rollbacks) ROLLBACK"
            + statements.map { "\n  " + $0.replacing("\n", with: " ").prefix(160) }.joined()
    }
}

extension TestBook {
    /// Counts what the server was sent by the login of this book while `body` ran.
    ///
    /// The server says so, not the driver: its general log is on meanwhile, for everybody, which makes it slower. Statements count when
    /// they are run; preparing one does not. What other programs send with this book's login is counted too. Programs that count on
    /// one server at the same time switch the log off under each other, so leave it to one.
    public func countingStatements(_ body: () async throws -> Void) async throws -> StatementCount {
        try await generalLog.open(self)
        do {
            let start = try await text("SELECT CAST(NOW(6) AS CHAR)")
            try await body()
            let rows = try await asAdmin {
                try await $0.query(
                    """
                    SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE event_time >= \(start)
                    AND SUBSTRING_INDEX(user_host, '[', 1) = \(location.user) AND command_type IN ('Query', 'Execute')
                    """)
            }
            try await generalLog.close(self)
            return StatementCount(statements: try rows.map { row in
                guard case .text(let statement) = row[0] else { throw WatchError("the general log has a statement that is no text") }
                return statement
            })
        } catch {
            try? await generalLog.close(self)
            throw error
        }
    }

    /// How many sessions of this book's login have a transaction open at this moment, in which they have read or written something.
    ///
    /// The server keeps its list of transactions for a tenth of a second, so this waits until it is one from after the call.
    public func openTransactions() async throws -> Int {
        try await transactionList.look(self)
    }

    fileprivate func text(_ sql: SQL) async throws -> String {
        let rows = try await asAdmin { try await $0.query(sql) }
        guard rows.count == 1, case .text(let text) = rows[0][0] else { throw WatchError("the server gives no text") }
        return text
    }

    fileprivate func asAdmin<T: Sendable>(_ body: (MariaDBConnection) async throws -> T) async throws -> T {
        try await MariaDBConnection.with(
            ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, password: Password("")), body)
    }
}

private struct WatchError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

private let generalLog = GeneralLog()

/// The general logs of servers, on while somebody counts.
private actor GeneralLog {
    private var counting: [String: Int] = [:]
    private var switching: Task<Void, any Error>?

    func open(_ book: TestBook) async throws {
        let path = book.server.socketPath
        counting[path, default: 0] += 1
        do { try await set(book) } catch {
            counting[path, default: 1] -= 1
            throw error
        }
    }

    func close(_ book: TestBook) async throws {
        counting[book.server.socketPath, default: 1] -= 1
        try await set(book)
    }

    /// Brings the server to what is wanted when it is its turn.
    private func set(_ book: TestBook) async throws {
        let before = switching
        let task = Task {
            _ = await before?.result
            let isWanted = counting[book.server.socketPath, default: 0] > 0
            try await book.asAdmin { connection in
                if isWanted { try await connection.execute(unprepared: "SET GLOBAL log_output = 'TABLE'") }
                try await connection.execute(unprepared: isWanted ? "SET GLOBAL general_log = ON" : "SET GLOBAL general_log = OFF")
            }
        }
        switching = task
        try await task.value
    }
}

private let transactionList = TransactionList()

/// One at a time, because each look lets the server keep its list longer.
private actor TransactionList {
    private var looking: Task<Int, any Error>?

    func look(_ book: TestBook) async throws -> Int {
        let before = looking
        let task = Task {
            _ = await before?.result
            return try await Self.count(book)
        }
        looking = task
        return try await task.value
    }

    private static func count(_ book: TestBook) async throws -> Int {
        try await book.asAdmin { connection in
            // A list that has this very transaction is not an older one.
            try await connection.execute(unprepared: "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            for _ in 0..<100 {
                let rows = try await connection.query(
                    """
                    SELECT CAST(COALESCE(SUM(t.trx_mysql_thread_id = CONNECTION_ID()), 0) AS SIGNED),
                    CAST(COALESCE(SUM(p.USER = \(book.location.user)), 0) AS SIGNED) FROM information_schema.INNODB_TRX t
                    LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
                    """)
                guard rows.count == 1, case .int(let own) = rows[0][0], case .int(let count) = rows[0][1] else {
                    throw WatchError("the server gives no numbers")
                }
                if own == 1 { return Int(count) }
                try await Task.sleep(for: .milliseconds(Int.random(in: 110...140)))
            }
            throw WatchError("the server's list of transactions is never a new one: others look at it all the time")
        }
    }
}
