import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

/// Draws on one account with a limit from eight connections of the application's own: the limit holds at every position.
@Suite struct ExecutorRaceTests {
    private static let drawers = 8

    private struct Drawn: Sendable {
        var done = 0
        var refused = 0
        var busy = 0
    }

    /// Draws 1 to 200 until nothing more is there for a while.
    private static func draw(_ ledger: Ledger, _ own: TextExecutor, _ isolation: String, _ begin: String, _ random: inout Seeded) throws -> Drawn {
        var drawn = Drawn()
        while drawn.refused < 12 {
            let entry = LimitTests.drawn("alice", Int64.random(in: 1...200, using: &random))
            // Whoever is overtaken begins again, with the same id.
            attempts: for attempt in 1... {
                #expect(attempt < 5000, "overtaken without end")
                do {
                    let pause = Double.random(in: 0...0.002, using: &random)
                    let receipt = try own.transaction(isolation, begin: begin) {
                        // The snapshot grows old.
                        Thread.sleep(forTimeInterval: pause)
                        return try ledger.post(entry, in: own)
                    }
                    #expect(!receipt.isRepeat)
                    drawn.done += 1
                    break attempts
                } catch let error as LedgerError {
                    switch error.code {
                    case .busy: drawn.busy += 1
                    case .limitExceeded:
                        drawn.refused += 1
                        break attempts
                    default: throw error
                    }
                }
            }
        }
        return drawn
    }

    @Test(
        .timeLimit(.minutes(2)),
        arguments: [("READ COMMITTED", "START TRANSACTION"), ("REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT")])
    func `eight who draw at once never break the limit`(isolation: String, begin: String) async throws {
        let random = Seeded("executor race, \(isolation)")
        try await withTwo(paid: 2000) { book, one, two in
            let paying = Task {
                for _ in 0..<40 {
                    try await two.post(LimitTests.paid("alice", 100))
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            let drawn = try await withThrowingTaskGroup(of: Drawn.self) { group in
                for number in 0..<Self.drawers {
                    group.addTask {
                        try await TextExecutor.with(book) { own in
                            var random = Seeded(seed: random.seed &+ UInt64(number))
                            return try Self.draw(one, own, isolation, begin, &random)
                        }
                    }
                }
                return try await group.reduce(into: Drawn()) {
                    $0 = Drawn(done: $0.done + $1.done, refused: $0.refused + $1.refused, busy: $0.busy + $1.busy)
                }
            }
            try await paying.value
            print("\(isolation): \(drawn)")
            #expect(drawn.done >= 10 && drawn.refused >= 12 * Self.drawers)
            // In a snapshot that is older than the last draw nobody can decide.
            if isolation == "REPEATABLE READ" { #expect(drawn.busy > 0) }
            let (draws, lowest, last) = try await TextExecutor.withOwner(book) { owner in
                try owner.query("SET @alice = (SELECT id FROM account WHERE path = 'alice')")
                let line = """
                    SELECT position, SUM(IF(credit = @alice, amount, -CAST(amount AS SIGNED))) OVER (ORDER BY position) AS balance
                    FROM posting WHERE @alice IN (debit, credit)
                    """
                return (
                    try owner.number("SELECT COUNT(*) FROM entry WHERE kind = 'drawn'"),
                    try owner.number("SELECT MIN(balance) FROM (\(line)) line"),
                    try owner.number("SELECT balance FROM (\(line)) line ORDER BY position DESC LIMIT 1")
                )
            }
            #expect(draws == drawn.done)
            #expect(lowest >= 0 && lowest < 200, "\(lowest)")
            #expect(try await one.balance(of: "alice", in: .eur).minorUnits == Int128(last))
        }
    }

    @Test func `in a snapshot that others have overtaken a draw is busy, whatever it shows`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let (taken, drawn) = (Gate(), Gate())
            async let late = TextExecutor.with(book) { own -> LedgerError? in
                ExecutorTests.refusal {
                    try own.transaction("REPEATABLE READ", begin: "START TRANSACTION WITH CONSISTENT SNAPSHOT") {
                        taken.open()
                        drawn.wait()
                        #expect(try own.number("SELECT COUNT(*) FROM entry WHERE kind = 'drawn'") == 0)
                        return try one.post(LimitTests.drawn("alice", 100), in: own)
                    }
                }
            }
            try await TextExecutor.with(book) { own in
                taken.wait()
                _ = try own.transaction { try two.post(LimitTests.drawn("alice", 100), in: own) }
                drawn.open()
            }
            #expect(try await late?.code == .busy)
            try await book.expect(available: 0, balance: 0)
        }
    }
}
