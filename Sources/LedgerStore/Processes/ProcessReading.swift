import LedgerDatabase
public import LedgerModel

/// A process as it stands.
public struct ProcessState<P: ProcessManager>: Sendable {
    public let state: P
    /// How many entries have claimed a revision of its stream; 0 before the first input.
    public let revision: UInt64
    /// Names of the timers that run, in order.
    public let timers: [String]
    public let isEnded: Bool
}

/// A process as a list has it: without its type.
public struct ProcessSummary: Sendable, Hashable {
    public let process: ProcessName
    public let id: String
    /// Inputs that it took.
    public let steps: UInt64
    /// Timers that run.
    public let timers: UInt64
    public let isEnded: Bool
    public let firstRecordedAt: Timestamp
    public let lastRecordedAt: Timestamp
    /// Of the last entry of its stream.
    public let lastPosition: Position
}

/// Something that a process did, or that happened to it.
public struct ProcessEvent: Sendable, Hashable {
    public enum What: Sendable, Hashable {
        /// It took an input: the entry, and what that brought about.
        case step(input: EntryID, kind: String, outcome: String)
        case timerSet(String, dueAt: Timestamp)
        case timerCancelled(String)
        case timerFired(String)
        /// It posted an entry, or sent a command.
        case posted(EntryKind)
    }

    public let what: What
    public let id: EntryID
    public let position: Position
    public let recordedAt: Timestamp
}

extension Ledger {
    /// A process after everything that it took.
    /// - Throws: `invalidEntry` for an id that can be none, `integrity` if what it took cannot be read.
    public func process<P: ProcessManager>(_ type: P.Type, _ id: String) async throws(LedgerError) -> ProcessState<P> {
        if let elsewhere = try await elsewhere() { return try await elsewhere.process(type, id) }
        return try await translated {
            let (run, revision) = try await ProcessBook(ledger: self).run(type, id)
            return ProcessState(state: run.state, revision: revision, timers: run.timers.keys.sorted(), isEnded: run.isEnded)
        }
    }

    /// Processes in the order of their names and ids. Their streams are read for it.
    /// - Parameters:
    ///   - name: only of this type.
    ///   - isEnded: only those that have ended, or have not; nil for both.
    ///   - after: those that come after this one.
    ///   - limit: at most so many.
    public func processes(
        _ name: ProcessName? = nil, isEnded: Bool? = nil, after: ProcessSummary? = nil, limit: Int = 100
    ) async throws(LedgerError) -> [ProcessSummary] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.processes(name, isEnded: isEnded, after: after, limit: limit) }
        return try await translated {
            let prefix = name.map(StreamName.prefix(of:)) ?? "process-"
            let start = after.map { StreamName.prefix(of: $0.process) + $0.id } ?? ""
            let ended: SelectText =
                switch isEnded {
                case nil: "TRUE"
                case true?: "ended > 0"
                case false?: "ended = 0"
                }
            let rows = try await database.run(
                .select(
                    """
                    s.stream, SUM(e.kind = 'ledger.process-step'),
                    SUM(e.kind = 'ledger.timer-set') - SUM(e.kind IN ('ledger.timer-cancelled', 'ledger.timer-fired')),
                    SUM(e.kind = 'ledger.process-step' AND JSON_VALUE(e.payload, '$.outcome') = 'ended') AS ended,
                    MIN(e.recorded_at), MAX(e.recorded_at), MAX(e.position)
                    FROM stream_entry s STRAIGHT_JOIN entry e ON e.id = s.entry_id
                    WHERE s.stream LIKE CONCAT(\(prefix), '%') AND s.stream > \(start) GROUP BY s.stream HAVING \(ended)
                    ORDER BY s.stream LIMIT \(max(0, limit))
                    """))
            return try rows.map(ProcessSummary.init)
        }
    }

    /// What a process did, in the order of the journal; nil if there is no such process.
    public func processHistory(_ name: ProcessName, _ id: String) async throws(LedgerError) -> [ProcessEvent]? {
        if let elsewhere = try await elsewhere() { return try await elsewhere.processHistory(name, id) }
        return try await translated {
            let stream = try StreamName(.process(name), id)
            let records = try await ProcessBook(ledger: self).stored(stream)
            guard !records.isEmpty else { return nil }
            let effects = try await standing(records.flatMap(\.effects))
            let own = records.compactMap { record -> ProcessEvent? in
                guard let what = record.what else { return nil }
                return ProcessEvent(what: what, id: record.id, position: record.position, recordedAt: record.recordedAt)
            }
            let posted = effects.map { id, entry in
                ProcessEvent(what: .posted(entry.kind), id: id, position: entry.position, recordedAt: entry.recordedAt)
            }
            return (own + posted).sorted { $0.position < $1.position }
        }
    }
}

extension ProcessRecord {
    fileprivate var what: ProcessEvent.What? {
        switch kind {
        case .processStep: input.map { .step(input: $0, kind: inputKind ?? "", outcome: outcome?.rawValue ?? "") }
        case .timerSet: dueAt.map { .timerSet(timer ?? "", dueAt: $0) }
        case .timerCancelled: .timerCancelled(timer ?? "")
        case .timerFired: .timerFired(timer ?? "")
        default: nil
        }
    }
}

extension ProcessSummary {
    fileprivate init(_ row: Row) throws {
        let name = try StreamName(parsing: try row.text(0)).text
        let parts = name.dropFirst("process-".count).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = Timestamp(sqlText: try row.text(4)), let last = Timestamp(sqlText: try row.text(5)) else {
            throw LedgerError(.integrity, "\(name) is the stream of no process")
        }
        self.init(
            process: try ProcessName(String(parts[0])), id: String(parts[1]), steps: UInt64(clamping: try row.decimal(1)),
            timers: UInt64(clamping: try row.decimal(2)), isEnded: try row.decimal(3) > 0, firstRecordedAt: first, lastRecordedAt: last,
            lastPosition: Position(try row.uint(6)))
    }
}
