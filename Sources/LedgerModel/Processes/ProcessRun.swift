/// One process after its steps, and how it goes on. Pure: the router folds it from a stream, and the test kit runs it in memory.
package struct ProcessRun<P: ProcessManager>: Sendable {
    package let stream: StreamName
    package private(set) var state: P
    /// The steps that were taken.
    package private(set) var steps: Set<EntryID> = []
    /// Timers that run, by name: the entry that started each.
    package private(set) var timers: [String: EntryID] = [:]
    /// What happens once, and has.
    package private(set) var once: Set<String> = []
    /// After some input the process had ended, for ever: what comes now is taken in and answered, and nothing follows from it.
    package private(set) var isEnded = false

    /// - Throws: `invalidEntry` for an id that can be none.
    package init(id: String) throws(LedgerError) {
        stream = try P.stream(id)
        state = P(id: id)
    }

    // MARK: - Folding what is recorded

    /// Takes in a step that is recorded.
    package mutating func fold(step: EntryID, _ input: P.Input, once names: [String]) {
        steps.insert(step)
        once.formUnion(names)
        state.evolve(input)
        isEnded = isEnded || state.isEnded
    }

    package mutating func fold(timer name: String, startedBy set: EntryID) { timers[name] = set }

    package mutating func fold(endOf set: EntryID) { timers = timers.filter { $0.value != set } }

    // MARK: - The next step

    /// Takes an input, and says what is to be recorded because of it.
    /// - Throws: what ``Entry/validate()`` throws for an entry that it wants to post, `invalidTime` and `invalidEntry` for a timer.
    package mutating func take(_ input: P.Input, _ entry: RecordedEntry) throws(LedgerError) -> ProcessStep {
        let id = EntryID.processStep(of: stream, on: entry.id)
        var step = ProcessStep(id: id, stream: stream, input: entry)
        let hadEnded = isEnded
        fold(step: id, input, once: [])
        guard !hadEnded else {
            step.outcome = .answered
            return step
        }
        for (index, effect) in state.react(to: input).enumerated() { try perform(effect, index, &step) }
        if isEnded {
            step.outcome = .ended
            for name in timers.keys.sorted() { cancel(name, &step) }
        }
        return step
    }

    private mutating func perform(_ effect: Effect, _ index: Int, _ step: inout ProcessStep) throws(LedgerError) {
        switch effect {
        case .post(let entry, let name): try post(entry, name, index, &step)
        case .send(let command, let name):
            guard let id = id(once: name, index, &step) else { return }
            step.effects.append(ProcessEffect(id: id, operation: try command.operation(id: id, sentAt: SentTime(step.input.recordedAt))))
        case .capture(let hold, let amounts):
            settle(hold, UnitOperation(.capture(hold, amounts: amounts)), &step)
        case .void(let hold): settle(hold, UnitOperation(.void(hold)), &step)
        case .timer(let name, let due):
            guard (1...ProcessStep.timerNameCharactersMax).contains(name.count) else {
                throw LedgerError(.invalidEntry, "“\(name)” is no name of a timer: 1 to \(ProcessStep.timerNameCharactersMax) characters")
            }
            cancel(name, &step)
            let set = EntryID.processEffect(of: step.id, index)
            step.timers.append(.set(set, name, due: try due.instant(from: step.input.recordedAt)))
            timers[name] = set
        case .cancelTimer(let name): cancel(name, &step)
        }
    }

    /// The id of an effect that has none of its own; nil if it has happened before, and does once.
    private mutating func id(once name: String?, _ index: Int, _ step: inout ProcessStep) -> EntryID? {
        guard let name else { return .processEffect(of: step.id, index) }
        guard once.insert(name).inserted else { return nil }
        step.once.append(name)
        return .processEffect(of: stream, once: name)
    }

    private mutating func post(_ entry: Entry, _ name: String?, _ index: Int, _ step: inout ProcessStep) throws(LedgerError) {
        guard let id = id(once: name, index, &step) else { return }
        var entry = entry
        let isNamed = !entry.id.isMinted
        if !isNamed { entry.id = id }
        try entry.validate()
        step.effects.append(ProcessEffect(id: entry.id, operation: UnitOperation(.post(entry)), mayStand: isNamed))
    }

    private func settle(_ hold: EntryID, _ operation: UnitOperation, _ step: inout ProcessStep) {
        step.effects.append(ProcessEffect(id: .settlement(of: hold), operation: operation, mayStand: true))
    }

    private mutating func cancel(_ name: String, _ step: inout ProcessStep) {
        guard let set = timers.removeValue(forKey: name) else { return }
        step.timers.append(.cancelled(set, name))
    }
}

/// What is recorded because of one input of a process: the step, and its effects behind it.
package struct ProcessStep: Sendable, Hashable {
    package enum Outcome: String, Sendable {
        case continued
        /// The process has ended with it.
        case ended
        /// The process had ended before: nothing else happened.
        case answered
    }

    package enum TimerChange: Sendable, Hashable {
        case set(EntryID, String, due: Timestamp)
        /// With the entry that had started it.
        case cancelled(EntryID, String)
    }

    package let id: EntryID
    package let stream: StreamName
    package let input: RecordedEntry
    package var outcome = Outcome.continued
    package var timers: [TimerChange] = []
    /// Entries, commands and settlements, in order.
    package var effects: [ProcessEffect] = []
    package var once: [String] = []

    package static let timerNameCharactersMax = 64

    /// As a unit of work records it: the step and the timers claim revisions of the process's stream; what is posted is of no stream.
    /// - Parameter standing: of the effects that may, those that are recorded already.
    package func operations(after revision: UInt64, except standing: Set<EntryID> = []) -> [UnitOperation] {
        var payload: [String: JSON] = [
            "input": .string(input.id.description), "input_kind": .string(input.kind.text), "outcome": .string(outcome.rawValue),
        ]
        if !effects.isEmpty { payload["effects"] = .array(effects.map { .string($0.id.description) }) }
        if !once.isEmpty { payload["once"] = .array(once.map(JSON.string)) }
        var own = [Entry(id: id, kind: .processStep, payload: payload)]
        for timer in timers {
            switch timer {
            case .set(let id, let name, let due):
                own.append(Entry(id: id, kind: .timerSet, payload: ["timer": .string(name), "due_at": .string(due.description)]))
            case .cancelled(let set, let name): own.append(.timerEnd(.timerCancelled, of: set, name))
            }
        }
        let steps = own.enumerated().map { offset, entry in
            UnitOperation(.post(entry), append: StreamAppend(stream, .expects(.exact(revision + UInt64(offset)))))
        }
        return steps + effects.filter { !standing.contains($0.id) }.map(\.operation)
    }
}

/// What a step records in the book beside its own.
package struct ProcessEffect: Sendable, Hashable {
    /// Of its entry.
    package let id: EntryID
    package let operation: UnitOperation
    /// Its id follows from something else than the step, so somebody may have recorded it before.
    package var mayStand = false
}

extension Entry {
    /// A timer has ended: it was cancelled, or has fired.
    package static func timerEnd(_ kind: EntryKind, of set: EntryID, _ name: String) -> Entry {
        Entry(id: .timerEnd(of: set), kind: kind, payload: ["timer": .string(name), "set": .string(set.description)])
    }
}
