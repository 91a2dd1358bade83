import Indelible
import IndelibleTesting
import Testing

@testable import LedgerStore

/// Timers fire once, in due order, and not before; firing and cancelling are one slot.
@Suite struct TimerTests {
    enum Input: Sendable { case asked(Timestamp), withdrawn, over }

    /// Reminds at an instant, unless that is withdrawn.
    struct Reminder: ProcessManager {
        static let name: ProcessName = "reminder"
        static var inputs: [InputType<Reminder>] {
            [
                .entry("reminder.asked", for: { $0.reference }, as: { .asked(try Timestamp($0.payload["at"]?.string ?? "")) }),
                .entry("reminder.withdrawn", for: { $0.reference }, as: { _ in .withdrawn }),
                .timer("remind", as: .over),
            ]
        }
        let id: String
        var asked: Set<Timestamp> = []
        var isWithdrawn = false
        var reminded = 0
        init(id: String) { self.id = id }

        mutating func evolve(_ input: Input) {
            switch input {
            case .asked(let instant): asked.insert(instant)
            case .withdrawn: isWithdrawn = true
            case .over: reminded += 1
            }
        }

        func react(to input: Input) -> [Effect] {
            switch input {
            case .asked(let instant): [.startTimer("remind", at: instant)]
            case .withdrawn: []
            case .over: [.post(Entry(kind: "reminder.sent", payload: ["to": .string(id)]))]
            }
        }
        var isEnded: Bool { isWithdrawn }
    }

    private static func withReminders<T>(_ body: (TestBook, ProcessRouter<Reminder>) async throws -> T) async throws -> T {
        try await withBook { book in
            let router = ProcessRouter(of: Reminder.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            try await BookOwner(book.owner).createGeneration(of: Timers())
            try await BookOwner(book.owner).switchLive(Timers(), to: 1)
            return try await body(book, router)
        }
    }

    private static func ask(_ id: String, _ at: String, _ book: TestBook) async throws {
        try await book.ledger.post(Entry(kind: "reminder.asked", reference: id, payload: ["at": .string(at)]))
    }

    @Test func `timers fire in due order, a week late too, and not before they are due`() async throws {
        try await Self.withReminders { book, router in
            for (id, day) in [("c", 3), ("a", 1), ("e", 5), ("b", 2), ("d", 4)] { try await Self.ask(id, "2031-01-0\(day)T12:00:00Z", book) }
            try await book.withProjector([router, Timers()]) { projector in
                _ = try await projector.catchUp()
                _ = try await projector.catchUp()
                let clock = FakeClock(try Timestamp("2031-01-01T11:59:59.999999Z"))
                let timers = TimerRunner(book.ledger, clock: clock)
                #expect(try await timers.fireDue() == 0)
                clock.set(try Timestamp("2031-01-01T12:00:00Z"))
                #expect(try await timers.fireDue() == 1)
                clock.set(try Timestamp("2031-01-12T00:00:00Z"))
                // Another program, which knows nothing of before.
                #expect(try await TimerRunner(book.ledger, clock: clock).fireDue() == 4)
                #expect(try await timers.fireDue() == 0)
                _ = try await projector.catchUp()
                #expect(try await book.entries("reminder.sent").map { try JSON(parsing: $0.payload ?? "")["to"] } == ["a", "b", "c", "d", "e"])
                #expect(try await book.ledger.process(Reminder.self, "e").state.reminded == 1)
                // One that was due long ago is due at once.
                try await Self.ask("a", "2001-01-01T00:00:00Z", book)
                _ = try await projector.catchUp()
                _ = try await projector.catchUp()
                #expect(try await timers.fireDue() == 1)
            }
            _ = try await book.project()
            try await book.expectClean()
        }
    }

    @Test func `a timer that was cancelled, replaced or whose process has ended does not fire`() async throws {
        try await Self.withReminders { book, router in
            try await Self.ask("ended", "2031-01-01T12:00:00Z", book)
            try await Self.ask("moved", "2031-01-01T12:00:00Z", book)
            try await book.withProjector([router, Timers()]) { projector in
                _ = try await projector.catchUp()
                try await book.ledger.post(Entry(kind: "reminder.withdrawn", reference: "ended"))
                try await Self.ask("moved", "2031-01-02T12:00:00Z", book)
                _ = try await projector.catchUp()
                _ = try await projector.catchUp()
                let clock = FakeClock(try Timestamp("2031-01-01T13:00:00Z"))
                let timers = TimerRunner(book.ledger, clock: clock)
                #expect(try await timers.fireDue() == 0)
                clock.set(try Timestamp("2031-01-02T13:00:00Z"))
                #expect(try await timers.fireDue() == 1)
                // Asked after the end: it is a step, and no timer.
                try await Self.ask("ended", "2031-01-01T12:00:00Z", book)
                _ = try await projector.catchUp()
                #expect(try await timers.fireDue() == 0)
            }
            let ended = try await book.ledger.process(Reminder.self, "ended")
            #expect(ended.isEnded && ended.timers.isEmpty && ended.state.asked.count == 1)
            let history = try #require(try await book.ledger.processHistory(Reminder.name, "ended"))
            guard case .step(_, "reminder.asked", "answered")? = history.last?.what else { throw LedgerError(.integrity, "\(history)") }
            #expect(try await book.ledger.process(Reminder.self, "moved").state.reminded == 1)
        }
    }

    @Test func `of those that fire a timer at once, one does; and what cancels it at that moment decides with it`() async throws {
        try await Self.withReminders { book, router in
            let ids = (1...24).map { "r\($0)" }
            for id in ids { try await Self.ask(id, "2031-01-01T12:00:00Z", book) }
            try await book.withProjector([router, Timers()]) { projector in
                _ = try await projector.catchUp()
                _ = try await projector.catchUp()
                for id in ids where id.hasSuffix("1") || id.hasSuffix("2") || id.hasSuffix("3") {
                    try await book.ledger.post(Entry(kind: "reminder.withdrawn", reference: id))
                }
                let clock = FakeClock(try Timestamp("2031-01-02T00:00:00Z"))
                let fired = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<3 { group.addTask { try await TimerRunner(book.ledger, clock: clock).fireDue() } }
                    group.addTask {
                        _ = try await projector.catchUp()
                        return 0
                    }
                    return try await group.reduce(0, +)
                }
                _ = try await projector.catchUp()
                let (set, ended) = (try await book.entries(.timerSet).count, try await book.entries(.timerFired).count)
                #expect(set == ids.count && ended == fired)
                #expect(try await book.entries(.timerCancelled).count == set - fired)
                for id in ids {
                    let process = try await book.ledger.process(Reminder.self, id)
                    let history = try #require(try await book.ledger.processHistory(Reminder.name, id))
                    #expect(process.timers.isEmpty && process.state.reminded == history.count { $0.what == .timerFired("remind") })
                }
            }
            _ = try await book.project()
            try await book.expectClean()
        }
    }

    @Test func `a book that is exported with its processes goes on where it is imported`() async throws {
        let exported = try await Self.withReminders { book, router in
            for id in ["a", "b"] { try await Self.ask(id, "2031-01-01T12:00:00Z", book) }
            try await book.ledger.post(Entry(kind: "reminder.withdrawn", reference: "b"))
            try await book.withProjector([router, Timers()]) { _ = try await $0.catchUp() }
            return try await book.exported(.jsonl)
        }
        try await Self.withReminders { book, router in
            _ = try await book.run([file(exported, "book.jsonl")])
            #expect(try await book.entries(.processStep).count == 3)
            try await book.withProjector([router, Timers()]) { projector in
                _ = try await projector.catchUp()
                #expect(try await book.entries(.processStep).count == 3)
                let clock = FakeClock(try Timestamp("2031-01-02T00:00:00Z"))
                #expect(try await TimerRunner(book.ledger, clock: clock).fireDue() == 1)
                _ = try await projector.catchUp()
            }
            #expect(try await book.ledger.process(Reminder.self, "a").state.reminded == 1)
            _ = try await book.project()
            try await book.expectClean()
        }
    }

    @Test func `the queue gives timers by due time, then by position`() throws {
        var (queue, random) = (TimerQueue(), Seeded("timer queue"))
        let stream = try Reminder.stream("1")
        var timers = (0..<200).map { number in
            TimerQueue.Timer(
                dueAt: Timestamp(microseconds: Int64.random(in: 0..<20, using: &random)), position: UInt64(number), set: EntryID(key: "\(number)"),
                stream: stream, name: "x")
        }
        for timer in timers.shuffled(using: &random) { queue.insert(timer) }
        timers.sort { $0.isBefore($1) }
        for timer in timers {
            #expect(queue.first == timer)
            queue.remove(timer)
        }
        #expect(queue.first == nil && queue.count == 0)
    }
}
