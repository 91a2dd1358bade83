import LedgerDatabase
import LedgerModel

/// Reads the streams of processes and writes their steps.
struct ProcessBook: Sendable {
    let ledger: Ledger

    /// How often a step is decided anew because somebody was faster.
    private static let attemptsMax = 50

    /// What is stored of a process, in the order of the journal, as of one moment.
    func stored(_ stream: StreamName) async throws -> [ProcessRecord] {
        try await ledger.database.read { try ProcessRecord.all(of: stream, $0) }
    }

    /// The process after all its steps, and how many have claimed a revision of its stream.
    func run<P: ProcessManager>(_ type: P.Type, _ id: String) async throws -> (run: ProcessRun<P>, revision: UInt64) {
        var run = try ProcessRun<P>(id: id)
        let records = try await stored(run.stream)
        let asked = records.compactMap(\.input)
        let standing = asked.isEmpty ? [:] : try await ledger.standing(asked)
        let inputs = Dictionary(try await ledger.recorded(Array(standing.values)).map { ($0.id, $0) }) { $1 }
        for record in records {
            switch record.kind {
            case .processStep:
                guard let input = record.input.flatMap({ inputs[$0] }) else {
                    throw LedgerError(.integrity, "the step of \(run.stream) at position \(record.position) answers an entry that is not there", id: record.id)
                }
                guard let own = try P.inputs(of: input).first(where: { $0.id == id })?.input else {
                    throw LedgerError(
                        .integrity, "the step of \(run.stream) at position \(record.position) answers a \(input.kind), which `\(P.self).inputs` does not "
                            + "take for it: what was taken once has to stay readable", id: record.id)
                }
                run.fold(step: record.id, own, once: record.once)
            case .timerSet: run.fold(timer: record.timer ?? "", startedBy: record.id)
            case .timerCancelled, .timerFired: if let set = record.set { run.fold(endOf: set) }
            default: break
            }
        }
        return (run, records.reduce(0) { max($0, $1.revision ?? 0) })
    }

    /// Takes one input of a process, once: writes the step and its effects, unless it is recorded already.
    /// - Parameter cache: processes as they were left by steps before; nil to begin with what is stored.
    /// - Returns: whether this call has recorded it.
    /// - Throws: `integrity` for an effect that the book refuses.
    func take<P: ProcessManager>(_ type: P.Type, _ id: String, _ input: P.Input, _ entry: RecordedEntry, _ cache: ProcessCache<P>) async throws -> Bool {
        let stream = try P.stream(id)
        let step = EntryID.processStep(of: stream, on: entry.id)
        for attempt in 1...Self.attemptsMax {
            var (run, revision): (ProcessRun<P>, UInt64)
            if attempt == 1, let known = cache.find(stream) { (run, revision) = known } else { (run, revision) = try await self.run(type, id) }
            if run.steps.contains(step) {
                cache.keep(run, revision)
                return false
            }
            let next = try run.take(input, entry)
            do {
                let operations = next.operations(after: revision, except: try await standing(next))
                let trace = Trace(unit: EntryID.minted().description, correlation: entry.correlation, causation: entry.id.description)
                let receipts = try await ledger.commit(operations, trace)
                cache.keep(run, revision + UInt64(operations.count { $0.append != nil }))
                return receipts.first?.isRepeat == false
            } catch let error as LedgerError {
                cache.forget(stream)
                guard [.revisionConflict, .conflict, .busy].contains(error.code), attempt < Self.attemptsMax else { throw error }
                // An effect may stand for something else, which is no race.
                if error.code == .conflict, error.id != step, try await stands(step) == false, attempt > 3 { throw error }
                if attempt > 1 { try await Task.sleep(for: .microseconds(Int.random(in: 0...min(50_000, 500 << min(attempt, 7))))) }
            }
        }
        throw LedgerError(.busy, "others were faster again and again at \(stream)")
    }

    /// Of the effects that may stand already, whoever has recorded them, those that do.
    /// - Throws: `conflict` if something else stands in such a place, `holdSettled` for a hold that was settled otherwise.
    private func standing(_ step: ProcessStep) async throws -> Set<EntryID> {
        let effects = step.effects.filter(\.mayStand)
        guard !effects.isEmpty else { return [] }
        let posted = effects.compactMap { if case .post(let entry) = $0.operation.action { entry } else { nil } }
        for conflict in try await ledger.conflicts(posted) { if let conflict { throw conflict } }
        let standing = try await ledger.standing(effects.map(\.id))
        for effect in effects {
            guard let entry = standing[effect.id], let problem = effect.operation.action.problem(ifSettledBy: entry) else { continue }
            throw LedgerError(.holdSettled, problem, id: effect.id, standing: entry.receipt(isRepeat: true))
        }
        return Set(standing.keys)
    }

    private func stands(_ id: EntryID) async throws -> Bool { try await ledger.standing([id])[id] != nil }

    /// Fires a timer, unless it has ended.
    /// - Returns: whether this call has fired it.
    func fire(_ set: EntryID, _ name: String, of stream: StreamName) async throws -> Bool {
        for attempt in 1...Self.attemptsMax {
            let records = try await stored(stream)
            guard records.contains(where: { $0.id == set }), !records.contains(where: { $0.set == set }) else { return false }
            let revision = records.reduce(0) { max($0, $1.revision ?? 0) }
            let fired = UnitOperation(.post(.timerEnd(.timerFired, of: set, name)), append: StreamAppend(stream, .expects(.exact(revision))))
            do {
                let receipts = try await ledger.commit([fired], Trace(unit: EntryID.minted().description, causation: set.description))
                return receipts.first?.isRepeat == false
            } catch {
                guard [.revisionConflict, .conflict, .busy].contains(error.code), attempt < Self.attemptsMax else { throw error }
                try await Task.sleep(for: .microseconds(Int.random(in: 0...min(50_000, 500 << min(attempt, 7)))))
            }
        }
        throw LedgerError(.busy, "others were faster again and again at \(stream)")
    }
}

extension UnitOperation.Action {
    /// Why the entry that has settled a hold is not what this would have recorded.
    fileprivate func problem(ifSettledBy entry: JournalEntry) -> String? {
        switch self {
        case .post: return nil
        case .void(let hold):
            return entry.kind == .holdVoided ? nil : "the hold \(hold) cannot be voided: position \(entry.position) is a \(entry.kind)"
        case .capture(let hold, let amounts):
            let captured = entry.postings.filter { $0.status == .posted }.map { Int64(clamping: $0.amount) }
            let isSame = amounts.map { $0.map(\.minorUnits).filter { $0 > 0 } == captured } ?? !captured.isEmpty
            return entry.kind == .holdCaptured && isSame ? nil : "the hold \(hold) cannot be captured so: position \(entry.position) is another \(entry.kind)"
        }
    }
}

/// An entry of the stream of a process.
struct ProcessRecord: Sendable {
    let id: EntryID
    let position: Position
    let revision: UInt64?
    let kind: EntryKind
    let recordedAt: Timestamp
    let payload: JSON

    /// The entry that a step has taken.
    var input: EntryID? { payload["input"]?.string.flatMap(EntryID.init(hex:)) }
    var inputKind: String? { payload["input_kind"]?.string }
    var outcome: ProcessStep.Outcome? { payload["outcome"]?.string.flatMap(ProcessStep.Outcome.init(rawValue:)) }
    var once: [String] { Self.texts(payload["once"]) }
    /// What a step has posted.
    var effects: [EntryID] { Self.texts(payload["effects"]).compactMap(EntryID.init(hex:)) }
    var timer: String? { payload["timer"]?.string }
    var dueAt: Timestamp? { payload["due_at"]?.string.flatMap { try? Timestamp($0) } }
    /// The entry that has started the timer that ended.
    var set: EntryID? { payload["set"]?.string.flatMap(EntryID.init(hex:)) }

    private static func texts(_ json: JSON?) -> [String] {
        if case .array(let items)? = json { items.compactMap(\.string) } else { [] }
    }

    static func all(of stream: StreamName, _ executor: borrowing some SQLExecutor & ~Copyable) throws -> [ProcessRecord] {
        try executor.run(
            .select(
                """
                entry.id, entry.position, s.revision, entry.kind, entry.recorded_at, entry.payload
                FROM stream_entry s STRAIGHT_JOIN entry ON entry.id = s.entry_id WHERE s.stream = \(stream.text) ORDER BY s.revision
                """)
        ).map { row in
            guard let recordedAt = Timestamp(sqlText: try row.text(4)) else {
                throw LedgerError(.integrity, "the entry at position \(try row.uint(1)) has a time that is none")
            }
            return ProcessRecord(
                id: try EntryID(bytes: try row.bytes(0)), position: Position(try row.uint(1)), revision: row.isNull(2) ? nil : try row.uint(2),
                kind: try EntryKind(try row.text(3)), recordedAt: recordedAt, payload: try JSON(parsing: try row.optionalText(5) ?? "{}"))
        }
    }
}
