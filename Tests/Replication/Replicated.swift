public import Indelible
public import IndelibleTesting
public import LocalMariaDB
import MariaDBDriver

/// A book on a server of its own, and a second server that replicates it: real ones, by GTID.
public struct Replicated: Sendable {
    /// On the primary; its login has the book's three roles there and on the replica.
    public let book: TestBook
    /// The book on the replica, for the same login.
    public let replica: BookLocation
    /// Who runs the replica.
    public let replicaServer: LocalMariaDB
    /// At 127.0.0.1.
    public let primaryPort: Int
    public var replicaPort: Int { primaryPort + 1 }

    /// Runs `body` with two servers, which are stopped and removed afterwards.
    public static func with<T>(_ body: (Replicated) async throws -> T) async throws -> T {
        let port = Int.random(in: 20_000..<31_000)
        return try await TestServer.withOwn(extraOptions: ["--server-id=1"], tcpPort: port) { primary in
            try await TestServer.withOwn(
                extraOptions: ["--server-id=2", "--read-only=1", "--report-host=replica"], tcpPort: port + 1
            ) { replica in
                try await follow(replica, primary, port)
                // Made now, so that the replica has all of it: schema, roles and logins.
                let book = try await TestBook.make(on: primary)
                var location = book.location
                location.server = .socket(path: replica.socketPath)
                let replicated = Replicated(book: book, replica: location, replicaServer: replica, primaryPort: port)
                try await replicated.catchUp()
                do {
                    let result = try await body(replicated)
                    await book.ledger.close()
                    return result
                } catch {
                    await book.ledger.close()
                    throw error
                }
            }
        }
    }

    private static func follow(_ replica: LocalMariaDB, _ primary: LocalMariaDB, _ port: Int) async throws {
        let position = try await asAdmin(primary) { connection in
            try await connection.execute(unprepared: "CREATE USER replicator@'127.0.0.1' IDENTIFIED BY 'replicated'")
            try await connection.execute(unprepared: "GRANT REPLICATION SLAVE ON *.* TO replicator@'127.0.0.1'")
            return try await Self.text("SELECT @@GLOBAL.gtid_binlog_pos", connection)
        }
        try await asAdmin(replica) { connection in
            try await connection.execute(unprepared: "RESET MASTER")
            try await connection.execute(unprepared: "SET GLOBAL gtid_slave_pos = '\(position)'")
            try await connection.execute(
                unprepared: """
                    CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = \(port), MASTER_USER = 'replicator', MASTER_PASSWORD = 'replicated',
                    MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1
                    """)
            try await connection.execute(unprepared: "START SLAVE")
        }
    }

    // MARK: - Lag

    /// Lets the replica fall behind: it hears of what is written and does not repeat it, until ``resume()``.
    public func stall() async throws {
        try await Self.asAdmin(replicaServer) { try await $0.execute(unprepared: "STOP SLAVE SQL_THREAD") }
    }

    public func resume() async throws {
        try await Self.asAdmin(replicaServer) { try await $0.execute(unprepared: "START SLAVE SQL_THREAD") }
    }

    /// Returns when the replica has everything that the primary has now.
    public func catchUp() async throws {
        let position = try await Self.asAdmin(book.server) { try await Self.text("SELECT @@GLOBAL.gtid_binlog_pos", $0) }
        let waited = try await Self.asAdmin(replicaServer) { connection in
            try await Self.text("SELECT CAST(MASTER_GTID_WAIT(\(position), 30) AS CHAR)", connection)
        }
        guard waited == "0" else {
            let error = try await Self.asAdmin(replicaServer) { connection in
                try await connection.query("SHOW SLAVE STATUS").first.map { row in
                    (0..<row.count).map { "\(row[$0])" }.filter { $0.contains("rror") }.joined(separator: " ")
                }
            }
            throw ReplicationError(description: "the replica does not come to \(position): \(error ?? "it is none")")
        }
    }

    // MARK: - Looking

    /// Runs SQL on the replica as its administrator.
    public func onReplica(_ statement: String) async throws {
        try await Self.asAdmin(replicaServer) { try await $0.execute(unprepared: statement) }
    }

    /// Runs SQL on the primary as its administrator.
    public func onPrimary(_ statement: String) async throws {
        try await Self.asAdmin(book.server) { try await $0.execute(unprepared: statement) }
    }

    /// What the login of the book sends to the replica while `body` runs.
    public func statementsOnReplica(_ body: () async throws -> Void) async throws -> [String] {
        try await onReplica("SET GLOBAL log_output = 'TABLE'")
        try await onReplica("SET GLOBAL general_log = ON")
        try await body()
        try await onReplica("SET GLOBAL general_log = OFF")
        return try await Self.asAdmin(replicaServer) { connection in
            try await connection.query(
                """
                SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log
                WHERE SUBSTRING_INDEX(user_host, '[', 1) = \(replica.user) AND command_type IN ('Query', 'Execute')
                """
            ).map { row in
                guard case .text(let statement) = row[0] else { throw ReplicationError(description: "the general log has a statement that is no text") }
                return statement
            }
        }
    }

    private static func text(_ sql: SQL, _ connection: MariaDBConnection) async throws -> String {
        let rows = try await connection.query(sql)
        switch rows[0][0] {
        case .text(let text): return text
        case let other: throw ReplicationError(description: "the server answers \(other), and a text was asked for")
        }
    }

    private static func asAdmin<T: Sendable>(_ server: LocalMariaDB, _ body: (MariaDBConnection) async throws -> T) async throws -> T {
        try await MariaDBConnection.with(
            ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, password: Password("")), body)
    }
}

struct ReplicationError: Error, CustomStringConvertible {
    let description: String
}
