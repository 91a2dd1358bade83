import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

/// A server of its own for the old code, which sends UPDATE and DELETE, and as many connections to a database on it as are asked for.
func withOldServer<T>(
    connections count: Int = 1, options: [String] = [], _ body: (LocalMariaDB, [MariaDBConnection]) async throws -> T
) async throws -> T {
    try await TestServer.withOwn(extraOptions: options) { server in
        let admin = ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, database: "mysql")
        try await MariaDBConnection.with(admin) { try await $0.execute(unprepared: "CREATE DATABASE old") }
        var connections: [MariaDBConnection] = []
        for _ in 0..<count {
            let connection = try await MariaDBConnection.connect(
                ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, database: "old"))
            try await connection.execute(unprepared: "SET SESSION innodb_lock_wait_timeout = 1")
            connections.append(connection)
        }
        for table in OldTables.all { try await connections[0].execute(unprepared: table) }
        let result = try await body(server, connections)
        for connection in connections { await connection.close() }
        return result
    }
}

/// The tables of the old program: what is true now, in rows that are changed.
enum OldTables {
    static let all = [
        """
        CREATE TABLE account (
            id      BIGINT      NOT NULL PRIMARY KEY,
            owner   VARCHAR(64) NOT NULL,
            balance BIGINT      NOT NULL
        ) ENGINE = InnoDB
        """,
        """
        CREATE TABLE withdrawal (
            account_id BIGINT      NOT NULL,
            place      INT         NOT NULL,
            amount     BIGINT      NOT NULL,
            purpose    VARCHAR(64) NOT NULL,
            PRIMARY KEY (account_id, place)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TABLE movement (
            id         BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
            account_id BIGINT      NOT NULL,
            amount     BIGINT      NOT NULL,
            made_at    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
            KEY account (account_id)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TABLE member (
            id      BIGINT      NOT NULL PRIMARY KEY,
            name    VARCHAR(64) NOT NULL,
            email   VARCHAR(64) NOT NULL,
            stories INT         NOT NULL CHECK (stories <= 100)
        ) ENGINE = InnoDB
        """,
        """
        CREATE TABLE story (
            id        BIGINT      NOT NULL PRIMARY KEY,
            author_id BIGINT      NOT NULL,
            title     VARCHAR(64) NOT NULL,
            KEY author (author_id)
        ) ENGINE = InnoDB
        """,
    ]
}

struct Unreadable: Error {}

extension SQLRow {
    /// A whole number, also one that the server computed as DECIMAL.
    func integer(_ column: Int) throws -> Int64 {
        switch self[column] {
        case .int(let number): return number
        case .uint(let number): return Int64(number)
        case .text(let text): if let number = Int64(text) { return number }
        default: break
        }
        throw Unreadable()
    }

    func text(_ column: Int) throws -> String {
        guard case .text(let text) = self[column] else { throw Unreadable() }
        return text
    }
}
