import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import OrdersTutorial

/// Reconcile finds what was forged in processes. Each forgery is made as the owner, with the triggers away, on a server of its own, and taken back.
@Suite struct ProcessForgeryTests {
    private static let forgeries: [(name: String, finding: String, statement: String)] = [
        (
            "a step on another input", "answers no entry before it",
            "UPDATE entry SET payload = JSON_REPLACE(payload, '$.input', REPEAT('0', 32)) WHERE kind = 'ledger.process-step' LIMIT 1"
        ),
        (
            "a step with an id of its own", "has not the id that follows from it",
            "UPDATE entry SET id = REPEAT('x', 16) WHERE kind = 'ledger.process-step' LIMIT 1"
        ),
        ("an effect that is gone", "which is not there", "UPDATE entry SET id = REPEAT('y', 16) WHERE kind = 'order.call-off'"),
        (
            "a firing of another timer", "ends none that was set before it",
            "UPDATE entry SET payload = JSON_REPLACE(payload, '$.set', REPEAT('0', 32)) WHERE kind = 'ledger.timer-fired'"
        ),
        ("a second end", "has not its id", "UPDATE entry SET id = REPEAT('z', 16) WHERE kind = 'ledger.timer-fired'"),
        ("a timer that was not set", "ends none that was set before it", "UPDATE entry SET kind = 'note.made' WHERE kind = 'ledger.timer-set'"),
    ]

    @Test func `reconcile finds every forgery of steps and timers`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let router = ProcessRouter(of: OrderPayment.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            try await BookOwner(book.owner).createGeneration(of: Timers())
            try await BookOwner(book.owner).switchLive(Timers(), to: 1)
            try await ProcessRouterTests.tell(.placed, of: "1", book.ledger)
            let far = FakeClock(try Timestamp("2900-01-01"))
            try await book.withProjector([router, Timers()]) { projector in
                _ = try await projector.catchUp()
                _ = try await projector.catchUp()
                #expect(try await TimerRunner(book.ledger, clock: far).fireDue() == 1)
                _ = try await projector.catchUp()
            }
            _ = try await book.project()
            let clean = try await book.reconcile()
            #expect(clean.verdict == .clean)
            #expect(clean.checks.first { $0.name == "processes" }?.examined == 4)
            try await book.withOwner { owner in
                for event in ["update", "delete"] { try await owner.execute(unprepared: "DROP TRIGGER entry_no_\(event)") }
                try await owner.execute(unprepared: "CREATE TABLE kept_entry AS SELECT * FROM entry")
            }
            for forgery in Self.forgeries {
                try await book.withOwner { try await $0.execute(unprepared: forgery.statement) }
                let findings = try await book.reconcile().checks.first { $0.name == "processes" }?.findings ?? []
                #expect(findings.contains { $0.contains(forgery.finding) }, "\(forgery.name): \(findings)")
                try await book.withOwner { owner in
                    try await owner.execute(unprepared: "DELETE FROM entry")
                    try await owner.execute(unprepared: "INSERT INTO entry SELECT * FROM kept_entry")
                }
            }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }
}
