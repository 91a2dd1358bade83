import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

enum LocalMariaDBAgain {
    /// Starts the server of a folder again.
    static func start(_ folder: String) async throws -> LocalMariaDB {
        try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: 120))
    }
}

@Suite struct PoolTests {
    @Test func `many callers share a few connections`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 4)
        let threads = try await withThrowingTaskGroup(of: SQLValue.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await pool.withConnection { try await $0.query("SELECT CONNECTION_ID()")[0][0] }
                }
            }
            return try await group.reduce(into: Set<SQLValue>()) { $0.insert($1) }
        }
        #expect((1...4).contains(threads.count))
        await pool.close()
        await #expect(throws: MariaDBError.self) { try await pool.withConnection { _ in } }
    }

    @Test func `a caller that is cancelled while it waits leaves the queue`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 1)
        try await pool.withConnection { connection in
            let waiting = Task { try await pool.withConnection { _ in } }
            try await Task.sleep(for: .milliseconds(50))
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            _ = try await connection.query("SELECT 1")
        }
        _ = try await pool.withConnection { try await $0.query("SELECT 1") }
        await pool.close()
    }

    @Test func `waiting connections do not block the program`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 32)
        let clock = ContinuousClock()
        let time = try await clock.measure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<32 {
                    group.addTask { _ = try await pool.withConnection { try await $0.query("SELECT SLEEP(0.3)") } }
                }
                try await group.waitForAll()
            }
        }
        // One after the other, or two at a time, they would take 4.8 s or more.
        #expect(time < .seconds(4))
        await pool.close()
    }
}
