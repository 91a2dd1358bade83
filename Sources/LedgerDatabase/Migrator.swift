import Crypto
import Foundation
internal import LedgerSchema
internal import MariaDBDriver

/// Runs migrations once, in their order, and refuses a book whose record does not fit the files.
struct Migrator: Sendable {
    let connection: MariaDBConnection
    let book: String
    let files: [LedgerSchema.File]
    let resume: Bool
    var waitSeconds = 30

    private struct Started {
        let attempt: UInt64
        let name: String
        let checksum: [UInt8]
        let connection: UInt64
        let startedAt: String
    }

    func run() async throws -> BookOwner.Plan {
        try await connection.execute(
            unprepared: "CREATE DATABASE IF NOT EXISTS `\(book)` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        try await connection.execute(unprepared: "USE `\(book)`")
        for statement in SQLScript.statements(LedgerSchema.migrationRecord.text) {
            try await connection.execute(unprepared: statement)
        }
        var plan = try await check()
        while let name = plan.pending.first {
            let number = plan.finished.count + 1
            if try await !runOne(number, files[number - 1]) {
                try await waitForOther(number, name)
            }
            plan = try await check()
        }
        return plan
    }

    /// What `run` would do; changes nothing.
    func plan() async throws -> BookOwner.Plan {
        let tables = try await connection.query(
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = \(book) AND TABLE_NAME = 'migration_started'")
        guard tables[0][0] != .int(0), tables[0][0] != .uint(0) else {
            return BookOwner.Plan(finished: [], pending: files.map(\.name))
        }
        try await connection.execute(unprepared: "USE `\(book)`")
        return try await check()
    }

    // MARK: - One migration

    /// True if it was run here; false if another program has claimed it.
    private func runOne(_ number: Int, _ file: LedgerSchema.File) async throws -> Bool {
        let attempt: UInt64
        if let standing = try await lastStart(number) {
            guard resume, try await !isRunning(standing) else { return false }
            attempt = standing.attempt + 1
        } else {
            attempt = 1
        }
        let isClaimed = try await connection.inserts(
            """
            INSERT INTO migration_started (number, attempt, name, checksum, connection)
            VALUES (\(number), \(attempt), \(file.name), \(Self.checksum(file)), CONNECTION_ID())
            """)
        guard isClaimed else { return false }
        for statement in SQLScript.statements(file.text) { try await connection.execute(unprepared: statement) }
        _ = try await connection.query("INSERT INTO migration_finished (number, attempt) VALUES (\(number), \(attempt))")
        return true
    }

    private func waitForOther(_ number: Int, _ name: String) async throws {
        let deadline = ContinuousClock.now + .seconds(waitSeconds)
        while try await !isFinished(number) {
            guard let standing = try await lastStart(number) else { return }
            guard try await isRunning(standing) else {
                // It may have finished between the two looks.
                if try await isFinished(number) { return }
                throw DatabaseError(
                    kind: .schema,
                    message: "migration \(name) of the book \(book) was started at \(standing.startedAt) UTC and stopped in the "
                        + "middle. Its statements can be run again: look at the server's log for why it stopped, then "
                        + "run `indelible init --resume`")
            }
            guard ContinuousClock.now < deadline else {
                throw DatabaseError(
                    kind: .tryAgain,
                    message: "migration \(name) of the book \(book) is being run by connection \(standing.connection) since "
                        + "\(standing.startedAt) UTC; waited \(waitSeconds) s for it. Try again when it is done")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func isFinished(_ number: Int) async throws -> Bool {
        try await !connection.query("SELECT number FROM migration_finished WHERE number = \(number)").isEmpty
    }

    private func isRunning(_ start: Started) async throws -> Bool {
        try await !connection.query("SELECT ID FROM information_schema.PROCESSLIST WHERE ID = \(start.connection)").isEmpty
    }

    private func lastStart(_ number: Int) async throws -> Started? {
        try await connection.query(
            """
            SELECT attempt, name, checksum, connection, started_at FROM migration_started
            WHERE number = \(number) ORDER BY attempt DESC LIMIT 1
            """
        ).first.map(Self.started)
    }

    private static func started(_ row: SQLRow) throws -> Started {
        let row = Row(row: row)
        return Started(
            attempt: try row.uint(0), name: try row.text(1), checksum: try row.bytes(2), connection: try row.uint(3),
            startedAt: try row.text(4))
    }

    // MARK: - The record against the files

    private func check() async throws -> BookOwner.Plan {
        let rows = try await connection.query(
            """
            SELECT s.attempt, s.name, s.checksum, s.connection, s.started_at, s.number, f.number FROM migration_started s
            LEFT JOIN migration_finished f ON f.number = s.number ORDER BY s.number, s.attempt
            """)
        var finished: [String] = []
        for row in rows {
            let start = try Self.started(row)
            let number = try Row(row: row).uint(5)
            guard let index = Int(exactly: number), (1...files.count).contains(index) else {
                throw DatabaseError(
                    kind: .schema,
                    message: "the book \(book) has migration \(number) (\(start.name)), which this program does not know: it is "
                        + "older than the book; use the newer program")
            }
            let file = files[index - 1]
            guard start.name == file.name, start.checksum == Self.checksum(file) else {
                throw DatabaseError(
                    kind: .schema,
                    message: "migration \(number) was run on the book \(book) as \(start.name) with checksum "
                        + "\(Self.short(start.checksum)), and this program has \(file.name) with \(Self.short(Self.checksum(file))): "
                        + "a migration is never edited or reordered once it was run; put the file back and add a new one")
            }
            if !Row(row: row).isNull(6), finished.count < index { finished.append(file.name) }
        }
        return BookOwner.Plan(finished: finished, pending: files.dropFirst(finished.count).map(\.name))
    }

    static func checksum(_ file: LedgerSchema.File) -> [UInt8] { Array(SHA256.hash(data: Data(file.bytes))) }

    private static func short(_ checksum: [UInt8]) -> String {
        checksum.prefix(4).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "…"
    }
}
