import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A cancelled task ends its statement on the server and leaves the connection usable or discarded.
@Suite struct CancellationTests {
    @Test func `a cancelled query is ended on the server, and the connection goes on`() async throws {
        try await withConnection { connection in
            let start = ContinuousClock.now
            let waiting = Task { try await connection.query("SELECT SLEEP(60), 'cancel me'") }
            try await untilRunning("cancel me")
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            #expect(start.duration(to: .now) < .seconds(50))
            let one = try await connection.query("SELECT 1")[0][0]
            #expect(one == .int(1))
        }
    }

    @Test func `a call cancelled before its turn sends nothing and disturbs nobody`() async throws {
        try await withConnection { connection in
            let first = Task { try await connection.query("SELECT SLEEP(600), 'first in line'") }
            try await untilRunning("first in line")
            let second = Task { try await connection.query("SELECT 2") }
            try await Task.sleep(for: .milliseconds(50))
            second.cancel()
            try await Task.sleep(for: .milliseconds(300))
            // It is still at work: the cancellation of the other was none of its business.
            try await untilRunning("first in line")
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            await #expect(throws: CancellationError.self) { try await second.value }
            let one = try await connection.query("SELECT 1")[0][0]
            #expect(one == .int(1))
        }
    }

    @Test func `a cancelled transaction is rolled back`() async throws {
        try await withTable("n INT") { connection, _ in
            let waiting = Task {
                try await connection.transaction { transaction in
                    try transaction.query("INSERT INTO thing VALUES (1)")
                    _ = try transaction.query("SELECT SLEEP(60), 'roll me back'")
                }
            }
            try await untilRunning("roll me back")
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let count = try await connection.query("SELECT COUNT(*) FROM thing")[0][0]
            #expect(count == .int(0))
        }
    }

    @Test func `a kill that comes too late never meets the next statement`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 4)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<150 {
            let work = Task { try await pool.withConnection { try await $0.query("SELECT SLEEP(0.003)") } }
            try await Task.sleep(for: .microseconds(Int.random(in: 0...6000, using: &random)))
            work.cancel()
            _ = await work.result
            let next = try await pool.withConnection { try await $0.query("SELECT SLEEP(0.001)")[0][0] }
            #expect(next == .int(0), "the next statement was interrupted")
        }
        #expect(await pool.status.lent == 0)
        await pool.close()
    }

    @Test func `with a server that answers nobody the connection is broken off`() async throws {
        try await TestServer.withOwn { server in
            let pool = MariaDBPool(configuration(server), connectionsMax: 2)
            let waiting = Task { try await pool.withConnection { try await $0.query("SELECT SLEEP(300)") } }
            while await pool.status.lent == 0 { try await Task.sleep(for: .milliseconds(10)) }
            try await Task.sleep(for: .milliseconds(300))
            kill(server.pid, SIGSTOP)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            kill(server.pid, SIGCONT)
            let one = try await pool.withConnection { try await $0.query("SELECT 1")[0][0] }
            #expect(one == .int(1))
            await pool.close()
        }
    }

    @Test func `a statement that takes too long is ended by the server`() async throws {
        var configuration = configuration(try await TestServer.shared())
        configuration.statementTimeoutSeconds = 1
        let connection = try await MariaDBConnection.connect(configuration)
        // SLEEP itself is let through with a value of its own; a scan is ended.
        let error = await failure {
            try await connection.query("SELECT COUNT(*) FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq * b.seq % 7 = 3")
        }
        #expect(error?.number == 1969)
        let one = try await connection.query("SELECT 1")[0][0]
        #expect(one == .int(1))
        await connection.close()
    }

    private func untilRunning(_ mark: String) async throws {
        try await withConnection { try await untilRunning(mark, $0) }
    }

    private func untilRunning(_ mark: String, _ watcher: MariaDBConnection) async throws {
        let pattern = "%\(mark)%"
        for _ in 0..<6000 {
            let rows = try await watcher.query(
                """
                SELECT ID FROM information_schema.PROCESSLIST
                WHERE COMMAND <> 'Sleep' AND STATE = 'User sleep' AND ID <> CONNECTION_ID() AND INFO LIKE \(pattern)
                """)
            if !rows.isEmpty { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("the statement “\(mark)” never ran")
    }
}
