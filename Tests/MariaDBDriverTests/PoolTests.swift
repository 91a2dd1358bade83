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

    @Test func `1,000 callers on 8 connections are all served`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 8)
        let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 1...1000 {
                group.addTask {
                    try await pool.withConnection { connection in
                        guard case .int(let answer) = try await connection.query("SELECT \(number) + 0")[0][0] else { return 0 }
                        return answer
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 500_500)
        let status = await pool.status
        #expect(status.connections <= 8 && status.lent == 0 && status.waiting == 0)
        await pool.close()
        #expect(await pool.status.connections == 0)
    }

    @Test func `limits of time and of the queue are kept`() async throws {
        var limits = MariaDBPool.Limits(connectionsMax: 1)
        limits.waitersMax = 1
        limits.acquireTimeoutSeconds = 1
        let pool = MariaDBPool(configuration(try await TestServer.shared()), limits: limits)
        try await pool.withConnection { connection in
            async let patient = failure { try await pool.withConnection { _ in } }
            while await pool.status.waiting == 0 { try await Task.sleep(for: .milliseconds(5)) }
            let refused = await failure { try await pool.withConnection { _ in } }
            #expect(refused?.message.contains("wait for a connection already") == true)
            #expect(await patient?.message.contains("within 1 s") == true)
            _ = try await connection.query("SELECT 1")
        }
        await pool.close()
    }

    @Test func `closing waits for what is lent`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 2)
        let working = Task { try await pool.withConnection { try await $0.query("SELECT SLEEP(0.5)")[0][0] } }
        while await pool.status.lent == 0 { try await Task.sleep(for: .milliseconds(5)) }
        await pool.close()
        #expect(await pool.status.connections == 0)
        #expect(try await working.value == .int(0))
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

    @Test func `connections that wait for the server do not block each other or the program`() async throws {
        let server = try await TestServer.shared()
        var waiting: [MariaDBConnection] = []
        for _ in 0..<16 { waiting.append(try await MariaDBConnection.connect(configuration(server))) }
        let watcher = try await MariaDBConnection.connect(configuration(server))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in waiting {
                group.addTask { _ = try await connection.query("SELECT SLEEP(3), 'sixteen at once'") }
            }
            // On the shared pool of Swift Concurrency only as many as there are cores would ever be waiting.
            var most = SQLValue.int(0)
            for _ in 0..<3000 where most != .int(16) {
                most = try await watcher.query(
                    """
                    SELECT COUNT(*) FROM information_schema.PROCESSLIST
                    WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Sleep' AND INFO LIKE '%sixteen at once%'
                    """)[0][0]
            }
            #expect(most == .int(16))
            try await group.waitForAll()
        }
        for connection in waiting + [watcher] { await connection.close() }
    }
}
