import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

/// Relaxed and pessimistic units of work, joined ones, and what follows the task.
@Suite struct UnitModeTests {
    // MARK: - Relaxed

    @Test(arguments: [(0, true), (5_000_000, true), (5_000_001, false), (60_000_000, false)])
    func `a comment comes in for as long after the closing as the window says`(age: Int64, isAccepted: Bool) async throws {
        try await StreamAppendTests.withUnits { book, _ in
            let clock = FakeClock(Timestamp(microseconds: 0))
            let units = Units(book.ledger, clock: clock)
            try await units.run { try await $0.load(Story.self, "1").apply(StoryOpened(title: "One")) }
            let late = units.begin(.relaxed(window: .seconds(5)))
            let story = try await late.load(Story.self, "1")
            try await units.run { try await $0.load(Story.self, "1").apply(StoryClosed()) }
            let closedAt = try #require(try await book.entries("story.closed").first).recordedAt
            clock.set(closedAt)
            clock.advance(by: .microseconds(age))
            try story.apply(try story.state.comment("decided before the closing"))
            if isAccepted {
                try await late.commit()
            } else {
                let error = await #expect(throws: LedgerError.self) { try await late.commit() }
                #expect(error?.code == .revisionConflict)
                // Run again, it sees that the story is closed.
                await #expect(throws: Story.Refusal.closed) {
                    try await units.run(.relaxed(window: .seconds(5))) { try await Self.comment($0) }
                }
            }
            let after = try await units.begin().load(Story.self, "1")
            #expect(after.state.comments.count == (isAccepted ? 1 : 0) && after.revision == 2)
        }
    }

    private static func comment(_ unit: UnitOfWork) async throws {
        let story = try await unit.load(Story.self, "1")
        try story.apply(try story.state.comment("again"))
    }

    private static func commentRelaxed(_ units: Units) async throws {
        try await units.run(.relaxed(window: .seconds(60)), attemptsMax: 1) { try await comment($0) }
    }

    private static func commentClaiming(_ units: Units, _ text: String) async throws {
        try await units.run(attemptsMax: 50) { unit in _ = try await unit.load(Story.self, "1").apply(CommentAdded(text: text)) }
    }

    @Test func `relaxed comments by many conflict with nobody, nor with who claims`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            try await units.run { try await $0.load(Story.self, "1").apply(StoryOpened(title: "One")) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 { group.addTask { try await Self.commentRelaxed(units) } }
                for number in 0..<4 { group.addTask { try await Self.commentClaiming(units, "\(number)") } }
                try await group.waitForAll()
            }
            let story = try await units.begin().load(Story.self, "1")
            #expect(story.state.comments.count == 20 && story.revision == 5)
        }
    }

    // MARK: - Pessimistic

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    private static func countStory(_ units: Units, _ runs: Counter) async throws {
        try await units.exclusively([try Units.Claim(Member.self, "bob")]) { unit in
            runs.add()
            try unit.loaded(Member.self, "bob").swap { $0.stories += 1 }
        }
    }

    @Test func `who claims first is not overtaken, and nobody runs twice`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            try await units.run { try await $0.load(Member.self, "bob").swap { $0.email = "bob@example.org" } }
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await Self.countStory(units, runs) }
                }
                try await group.waitForAll()
            }
            let member = try await units.begin().load(Member.self, "bob")
            #expect(member.state.stories == 16 && member.revision == 17)
            #expect(runs.count == 16)
            #expect(try await book.entries("member.saved").count == 17)
        }
    }

    @Test func `what was claimed and not used is checked, or rolled back with everything`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let claims = [try Units.Claim(Story.self, "1"), try Units.Claim(Story.self, "2"), try Units.Claim(Wallet.self, "a"), try Units.Claim(Story.self, "1")]
            try await units.exclusively(claims) { unit in
                #expect(UnitOfWork.current === unit)
                try unit.loaded(Story.self, "1").apply([StoryOpened(title: "One"), CommentAdded(text: "x")] as [any DomainEvent<Story>])
                // Its entry has an id of its own.
                try unit.loaded(Wallet.self, "a").apply(WalletReserved(wallet: "a", units: 5))
                #expect(throws: LedgerError.self) { try unit.loaded(Story.self, "3") }
            }
            let (one, two, wallet) = (
                try await units.begin().load(Story.self, "1"), try await units.begin().load(Story.self, "2"), try await units.begin().load(Wallet.self, "a")
            )
            #expect(one.revision == 2 && two.revision == 1 && two.state.title == nil && wallet.revision == 2 && wallet.state.reserved == 5)
            // Nothing decided: nothing recorded.
            try await units.exclusively(claims) { _ in }
            await #expect(throws: Story.Refusal.closed) { try await units.exclusively(claims) { _ in throw Story.Refusal.closed } }
            #expect(try await units.begin().load(Story.self, "2").revision == 1)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    // MARK: - Ending

    @Test func `nobody hears of an event before it is committed, nor ever of one that is rolled back`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let (kept, dropped) = (units.begin(), units.begin())
            for (unit, id) in [(kept, "1"), (dropped, "2")] {
                _ = try await unit.load(Story.self, id).apply(StoryOpened(title: id))
                #expect(unit.operations.count == 1)
            }
            let before = try await book.project()
            #expect(try await book.entries("story.opened").isEmpty)
            dropped.rollBack()
            #expect(dropped.operations.isEmpty && dropped.receipts.isEmpty)
            let receipts = try await kept.commit()
            #expect(receipts == kept.receipts && receipts.count == 1 && receipts[0].position > before)
            #expect(try await book.project() == receipts[0].position)
            #expect(try await book.entries("story.opened").map(\.position) == receipts.map(\.position))
        }
    }

    // MARK: - Joining

    private struct Broken: Error {}

    @Test func `repositories join the unit of the task, and a part that fails dooms all of it`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            try await units.run { outer in
                try await Self.publish("1", units) { $0 === outer }
                try await Self.publish("2", units) { $0 === outer }
            }
            #expect(try await units.begin().load(Story.self, "2").isNew == false)
            // By itself it begins and commits a unit.
            try await Self.publish("3", units) { $0.isOpen }
            #expect(try await units.begin().load(Story.self, "3").isNew == false)
            let error = await #expect(throws: LedgerError.self) {
                try await units.run { _ in
                    try await Self.publish("4", units) { _ in true }
                    try? await units.join { _ in throw Broken() }
                }
            }
            #expect(error?.code == .unitEnded)
            #expect(try await units.begin().load(Story.self, "4").isNew)
        }
    }

    private static func publish(_ id: String, _ units: Units, _ isRight: @Sendable (UnitOfWork) -> Bool) async throws {
        try await units.join { unit in
            #expect(isRight(unit) && UnitOfWork.current === unit)
            try await unit.load(Story.self, id).apply(StoryOpened(title: id))
        }
    }

    // MARK: - What follows the task

    @Test func `unit and correlation follow the task into its children, and not into detached work`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let unit = try await Trace.withCorrelation("request-7", causation: "message-3") {
                #expect(Trace.current == Trace(correlation: "request-7", causation: "message-3"))
                return try await units.run { unit in
                    try await Self.lookAround(unit)
                    try unit.post(Entry(kind: "note.made"))
                    try await book.ledger.post(Entry(kind: "note.beside"))
                    return unit
                }
            }
            #expect(UnitOfWork.current == nil && Trace.current.isEmpty)
            // A task that outlives the unit is in none.
            await unit.perform { #expect(UnitOfWork.current == nil) }
            let made = try JSON(parsing: try #require(try await book.entries("note.made").first?.payload))
            #expect(made == ["ledger": ["unit": .string(try #require(unit.trace.unit)), "correlation": "request-7", "causation": "message-3"]])
            let beside = try JSON(parsing: try #require(try await book.entries("note.beside").first?.payload))
            #expect(beside == ["ledger": ["correlation": "request-7", "causation": "message-3"]])
        }
    }

    private static func lookAround(_ unit: UnitOfWork) async throws {
        #expect(UnitOfWork.current === unit && Trace.current == unit.trace)
        async let inChild = UnitOfWork.current
        #expect(await inChild === unit)
        let detached = await Task.detached { (UnitOfWork.current, Trace.current) }.value
        #expect(detached.0 == nil && detached.1.isEmpty)
    }

    @Test func `the same request with another correlation is a repeat`() async throws {
        try await StreamAppendTests.withUnits { book, _ in
            let entry = Entry(id: EntryID(key: "order-1"), kind: "note.made", payload: ["text": "hello"])
            let first = try await Trace.withCorrelation("a") { try await book.ledger.post(entry) }
            let second = try await Trace.withCorrelation("b") { try await book.ledger.post(entry) }
            let third = try await book.ledger.post(entry)
            #expect(second.isRepeat && third.isRepeat && second.position == first.position && third.position == first.position)
        }
    }

    @Test func `a closure that waits holds no database transaction`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            try await units.run { unit in
                let story = try await unit.load(Story.self, "1")
                try story.apply(StoryOpened(title: "One"))
                try await Task.sleep(for: .milliseconds(50))
                #expect(try await book.openTransactions() == 0)
            }
            // One that is open is seen: it stays until it has been, a minute at the most.
            let isSeen = DispatchSemaphore(value: 0)
            async let exclusive: Void = units.exclusively([try Units.Claim(Story.self, "1")]) { _ in _ = isSeen.wait(timeout: .now() + 60) }
            try await book.eventually("the open transaction is seen") { try await book.openTransactions() == 1 }
            isSeen.signal()
            try await exclusive
        }
    }
}
