import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Synchronization

extension TestBook {
    private func withOwner<T: Sendable>(_ body: (MariaDBConnection) async throws -> T) async throws -> T {
        try await MariaDBConnection.with(
            ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, database: name), body)
    }

    /// How many rows the tables of the book have, by table.
    func rows() async throws -> [String: Int64] {
        try await withOwner { connection in
            var counts: [String: Int64] = [:]
            for row in try await connection.query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()") {
                let table = try row.text(0)
                guard let name = SQLIdentifier(table) else { throw Unreadable() }
                counts[table] = try await connection.query("SELECT COUNT(*) FROM \(identifier: name)")[0].integer(0)
            }
            return counts
        }
    }

    /// The rows that came while `body` ran, by table.
    func rowsAdded(_ body: () async throws -> Void) async throws -> [String: Int64] {
        let before = try await rows()
        try await body()
        return try await rows().reduce(into: [:]) { added, table in
            let count = table.value - before[table.key, default: 0]
            if count != 0 { added[table.key] = count }
        }
    }

    /// Takes a position and rolls back, as a program does that is killed before its COMMIT.
    func losePosition() async throws {
        try await withOwner { connection in
            try await connection.execute(unprepared: "START TRANSACTION")
            _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (\(EntryID.minted().bytes), 'lost')")
            try await connection.execute(unprepared: "ROLLBACK")
        }
    }

    /// How many entries of a kind stand.
    func entries(_ kind: EntryKind) async throws -> Int64 {
        try await withOwner { try await $0.query("SELECT COUNT(*) FROM entry WHERE kind = \(kind.text)")[0].integer(0) }
    }
}

extension LocalMariaDB {
    /// How many database transactions a user has open.
    func openTransactions(of user: String) async throws -> Int64 {
        let look = ConnectionConfiguration(address: .socket(socketPath), user: adminUser, database: "mysql")
        return try await MariaDBConnection.with(look) { connection in
            try await connection.query(
                """
                SELECT COUNT(*) FROM information_schema.INNODB_TRX t
                JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id WHERE p.USER = \(user)
                """)[0].integer(0)
        }
    }
}

extension MariaDBConnection {
    /// How many SELECTs this session ran while `body` did.
    func selects(_ body: () async throws -> Void) async throws -> Int64 {
        func count() async throws -> Int64 {
            try await query("SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'COM_SELECT'")[0].integer(0)
        }
        let before = try await count()
        try await body()
        // Asking is a SELECT too.
        return try await count() - before - 1
    }
}

/// Set once, and seen by all.
final class Flag: Sendable {
    private let value = Mutex(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}

/// Something outside of the program that answers when the test says so.
actor SlowService {
    private(set) var calls = 0
    private var isAnswered = false
    private var callers: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    func call() async {
        calls += 1
        for watcher in watchers { watcher.resume() }
        watchers = []
        if !isAnswered { await withCheckedContinuation { callers.append($0) } }
    }

    func untilCalled() async {
        if calls == 0 { await withCheckedContinuation { watchers.append($0) } }
    }

    func answer() {
        isAnswered = true
        for caller in callers { caller.resume() }
        callers = []
    }
}
