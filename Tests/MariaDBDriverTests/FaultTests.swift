import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

@testable import MariaDBDriver

/// Breaks the link before the k-th call of the C client, for every k: no connection is left in an unknown state, none leaks,
/// nothing hangs, and what is said of the outcome is true.
@Suite struct FaultTests {
    /// Counts calls and breaks the k-th.
    private final class Saboteur: Sendable {
        private let calls = Locked(0)
        private let target: Int
        private let hit = Locked<ClientCall?>(nil)

        init(breaking target: Int) { self.target = target }

        var broken: ClientCall? { hit.withLock { $0 } }

        func willCall(_ call: ClientCall) -> ClientFault? {
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            guard number == target else { return nil }
            hit.withLock { $0 = call }
            return .linkBroken
        }
    }

    @Test(.timeLimit(.minutes(3))) func `a fault at every call leaves nothing behind`() async throws {
        try await withTable("k INT, step INT, PRIMARY KEY (k, step)") { observer, database in
            // With a role the database is chosen by a call of its own.
            try await observer.execute(unprepared: "CREATE ROLE \(database)_role")
            try await observer.execute(unprepared: "GRANT ALL ON \(database).* TO \(database)_role")
            var kinds: Set<ClientCall> = []
            var k = 0
            while true {
                k += 1
                let saboteur = Saboteur(breaking: k)
                var sabotaged = configuration(try await TestServer.shared())
                sabotaged.database = database
                sabotaged.role = "\(database)_role"
                sabotaged.willCall = { saboteur.willCall($0) }
                var limits = MariaDBPool.Limits(connectionsMax: 2)
                limits.pingAfterIdleSeconds = 0
                let pool = MariaDBPool(sabotaged, limits: limits)
                let outcome = await run(pool, k)
                // Whatever broke, the pool has all connections back and lends good ones.
                #expect(await pool.status.lent == 0)
                var good = 0
                for _ in 0..<3 where await failure({ try await pool.withConnection { try await $0.query("SELECT 1") } }) == nil {
                    good += 1
                }
                // The one fault may have been in one of these.
                #expect(good >= 2)
                await pool.close()
                #expect(await pool.status.connections == 0)
                try await check(outcome, observer, k)
                guard let broken = saboteur.broken else { break }
                kinds.insert(broken)
            }
            #expect(k > 30, "only \(k) calls were made")
            try await observer.execute(unprepared: "DROP ROLE \(database)_role")
            #expect(kinds == Set(ClientCall.allCases), "never broken: \(Set(ClientCall.allCases).subtracting(kinds))")
        }
    }

    private struct Outcome {
        var committed: MariaDBError?
        var inserted: MariaDBError?
    }

    /// Uses everything once. Each part goes on after a failure of the one before.
    private func run(_ pool: MariaDBPool, _ k: Int) async -> Outcome {
        var outcome = Outcome()
        _ = await failure { try await pool.withConnection { try await $0.query("SELECT \(k), REPEAT('x', 1000)") } }
        outcome.inserted = await failure {
            try await pool.withConnection { try await $0.query("INSERT INTO thing VALUES (\(k), 1)") }
        }
        outcome.committed = await failure {
            try await pool.transaction { transaction in
                try transaction.query("INSERT INTO thing VALUES (\(k), 2)")
                try transaction.bulk("INSERT INTO thing VALUES (?, ?)", [.int([Int64(k), Int64(k)]), .int([3, 4])])
            }
        }
        _ = await failure {
            try await pool.withConnection { connection in
                try await connection.withRows("SELECT seq FROM seq_1_to_20", batchRows: 8) { rows in
                    for try await row in rows where row[0] == .uint(12) || row[0] == .int(12) { break }
                }
            }
        }
        _ = await failure {
            try await pool.withConnection { connection in
                try await connection.session { try $0.forEachRow("SELECT seq FROM seq_1_to_3") { _ in } }
            }
        }
        return outcome
    }

    private func check(_ outcome: Outcome, _ observer: MariaDBConnection, _ k: Int) async throws {
        let steps = Set(try await observer.query("SELECT step FROM thing WHERE k = \(k)").map { $0[0] })
        let transaction = [2, 3, 4].map { steps.contains(.int($0)) }
        #expect(Set(transaction).count == 1, "half a transaction after fault \(k)")
        switch outcome.committed {
        case nil: #expect(transaction[0], "acknowledged and lost, fault \(k)")
        case let error? where error.retry != .outcomeUnknown: #expect(!transaction[0], "refused and done, fault \(k): \(error)")
        default: break
        }
        switch outcome.inserted {
        case nil: #expect(steps.contains(.int(1)), "acknowledged and lost, fault \(k)")
        case let error? where error.retry != .outcomeUnknown:
            #expect(!steps.contains(.int(1)), "refused and done, fault \(k): \(error)")
        default: break
        }
    }
}
