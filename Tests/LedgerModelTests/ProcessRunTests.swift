import LedgerModel
import Testing

/// One process in memory: what it records because of an input, and what it does once.
@Suite struct ProcessRunTests {
    enum Input: Sendable { case begun, paid, over, stopped }

    struct Thank: Command {
        static let name: EntryKind = "rent.thank"
        let to: String
        var subject: StreamName { get throws { try StreamName("tenant", to) } }
    }

    /// Its payload has a member that is the ledger's own.
    struct Unsendable: Command {
        static let name: EntryKind = "x"
        let ledger = "mine"
        var subject: StreamName { get throws { try StreamName("x", "1") } }
        enum CodingKeys: String, CodingKey { case ledger }
    }

    struct Rent: ProcessManager {
        static let name: ProcessName = "rent"
        static var inputs: [InputType<Rent>] {
            [.entry("rent.begun", for: { $0.reference }, as: { _ in .begun }), .timer("due", as: .over)]
        }
        let id: String
        var seen: [String] = []
        var isEnded = false
        init(id: String) { self.id = id }

        mutating func evolve(_ input: Input) {
            seen.append("\(input)")
            if case .stopped = input { isEnded = true }
        }

        func react(to input: Input) -> [Effect] {
            switch input {
            case .begun: [.startTimer("due", after: .seconds(60)), .post(Entry(kind: "rent.confirmed"), once: "confirmed")]
            case .paid: [.cancelTimer("due"), .cancelTimer("other"), .command(Thank(to: id))]
            case .over: [.post(Entry(id: EntryID(key: "reminder"), kind: "rent.reminded"))]
            case .stopped: [.startTimer("due", at: Timestamp(microseconds: 5))]
            }
        }
    }

    private static func entry(_ key: String, _ kind: EntryKind = "rent.begun", payload: String? = nil) throws -> RecordedEntry {
        try RecordedEntry(
            id: EntryID(key: key), position: Position(1), kind: kind, effectiveAt: Timestamp(microseconds: 0), recordedAt: Timestamp(microseconds: 1_000_000),
            payload: payload, postings: [])
    }

    @Test func `a step has an id that follows from process and input, and so have its effects`() throws {
        var (one, again, other) = (try ProcessRun<Rent>(id: "1"), try ProcessRun<Rent>(id: "1"), try ProcessRun<Rent>(id: "2"))
        let step = try one.take(.begun, try Self.entry("a"))
        #expect(try again.take(.begun, try Self.entry("a")) == step)
        let elsewhere = try other.take(.begun, try Self.entry("a"))
        #expect(elsewhere.id != step.id && elsewhere.effects[0].id != step.effects[0].id)
        #expect(step.stream.text == "process-rent:1" && one.steps == [step.id])
        #expect(step.effects.map(\.kind) == ["rent.confirmed"] && step.once == ["confirmed"])
        guard case .set(let set, "due", let due)? = step.timers.first else { throw LedgerError(.integrity, "no timer") }
        #expect(due == Timestamp(microseconds: 61_000_000) && one.timers == ["due": set])
    }

    @Test func `what happens once is not done again, and a timer that runs is cancelled before it is started anew`() throws {
        var run = try ProcessRun<Rent>(id: "1")
        let first = try run.take(.begun, try Self.entry("a"))
        guard case .set(let set, _, _)? = first.timers.first else { throw LedgerError(.integrity, "no timer") }
        let second = try run.take(.begun, try Self.entry("b"))
        #expect(second.effects.isEmpty && second.timers.count == 2 && second.timers.first == .cancelled(set, "due"))
        // What does not run is not cancelled.
        let third = try run.take(.paid, try Self.entry("c"))
        #expect(third.timers.count == 1 && run.timers.isEmpty)
        #expect(third.effects.map(\.kind) == ["rent.thank"] && third.effects[0].entry?.payload == ["to": "1"])
        let header = CommandHeader(subject: try StreamName("tenant", "1"), sentAt: SentTime(third.input.recordedAt))
        #expect(third.effects[0].operation.command == header && third.effects[0].entry?.id == third.effects[0].id)
    }

    @Test func `an id that the process gives stays`() throws {
        var run = try ProcessRun<Rent>(id: "1")
        let step = try run.take(.over, try Self.entry("a"))
        #expect(step.effects[0].id == EntryID(key: "reminder") && step.effects[0].mayStand)
    }

    @Test func `what comes after the end is taken in, and nothing follows from it`() throws {
        var run = try ProcessRun<Rent>(id: "1")
        _ = try run.take(.begun, try Self.entry("a"))
        let end = try run.take(.stopped, try Self.entry("b"))
        // The timer that ran, and the one that the last reaction has started in its place.
        #expect(end.outcome == .ended && end.timers.count == 3 && run.timers.isEmpty)
        let late = try run.take(.over, try Self.entry("c"))
        #expect(late.outcome == .answered && late.effects.isEmpty && late.timers.isEmpty)
        #expect(run.isEnded && run.state.seen == ["begun", "stopped", "over"])
    }

    @Test func `a step claims a revision, and so does each timer; what is posted is of no stream`() throws {
        var run = try ProcessRun<Rent>(id: "1")
        let operations = try run.take(.begun, try Self.entry("a")).operations(after: 7)
        #expect(operations.map { $0.append?.rule } == [.expects(.exact(7)), .expects(.exact(8)), nil])
        #expect(operations.allSatisfy { $0.append == nil || $0.append?.stream.text == "process-rent:1" })
        guard case .post(let step) = operations[0].action else { throw LedgerError(.integrity, "no step") }
        #expect(step.kind == .processStep && step.payload["input"]?.string == EntryID(key: "a").description && step.payload["outcome"] == "continued")
    }

    @Test func `an entry is for the process that its type of input says, and a firing for the one that has set the timer`() throws {
        let begun = try Self.entry("a", payload: #"{"reference":"9","ledger":{"unit":"x","correlation":"c"}}"#)
        #expect(begun.correlation == "c" && begun.payload == ["reference": "9"])
        #expect(try Rent.inputs(of: begun).map(\.id) == ["9"])
        #expect(try Rent.inputs(of: try Self.entry("a")).isEmpty)
        #expect(try Rent.inputs(of: try Self.entry("a", "rent.other")).isEmpty)
        func fired(_ timer: String, _ stream: String) throws -> RecordedEntry {
            try Self.entry("f", .timerFired, payload: #"{"timer":"\#(timer)","set":"00","ledger":{"stream":"\#(stream)","revision":2}}"#)
        }
        #expect(try Rent.inputs(of: try fired("due", "process-rent:a:b")).map(\.id) == ["a:b"])
        #expect(try Rent.inputs(of: try fired("other", "process-rent:1")).isEmpty)
        #expect(try Rent.inputs(of: try fired("due", "process-rents:1")).isEmpty)
    }

    @Test func `timers and entries that no book would keep are refused`() throws {
        struct Wrong: ProcessManager {
            static let name: ProcessName = "wrong"
            static var inputs: [InputType<Wrong>] { [] }
            init(id: String) {}
            mutating func evolve(_ input: Effect) {}
            func react(to input: Effect) -> [Effect] { [input] }
            var isEnded: Bool { false }
        }
        let effects: [Effect] = [
            .startTimer("", after: .zero), .startTimer(String(repeating: "x", count: 65), after: .zero), .post(Entry(kind: "ledger.claimed")),
            .startTimer("x", after: .seconds(Int64.max)), .startTimer("x", at: Timestamp(microseconds: .max)),
            .command(Unsendable()),
        ]
        for effect in effects {
            var run = try ProcessRun<Wrong>(id: "1")
            #expect(throws: LedgerError.self) { try run.take(effect, try Self.entry("a")) }
        }
        #expect(throws: LedgerError.self) { try ProcessRun<Wrong>(id: "") }
        for name in ["", "Process", "1st", "a_b", String(repeating: "a", count: 25)] { #expect(throws: LedgerError.self) { try ProcessName(name) } }
        for category in ["process-rent", "process-"] { #expect(throws: LedgerError.self) { try StreamCategory(category) } }
        #expect(try StreamName(parsing: "process-rent:1") == Rent.stream("1"))
    }
}

extension ProcessEffect {
    fileprivate var entry: Entry? { if case .post(let entry) = operation.action { entry } else { nil } }
    fileprivate var kind: EntryKind? { entry?.kind }
}
