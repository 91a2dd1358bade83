import LedgerDatabase
import LedgerModel

/// Reads streams: a state to begin with and what came after it.
struct StreamReader: Sendable {
    let memory: StreamMemory
    let snapshots: Snapshots?

    /// Streams in one statement.
    private static let streamsPerRead = 1000

    /// What is stored of these streams, in the same order.
    ///
    /// In a snapshot, or where nobody else can append. The number of statements does not depend on how many streams there are (up to a thousand),
    /// nor on how long they are.
    func histories(
        _ requests: [StreamRequest], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [StreamHistory] {
        var histories: [StreamHistory] = []
        for start in stride(from: 0, to: requests.count, by: Self.streamsPerRead) {
            histories += try chunk(Array(requests[start..<min(start + Self.streamsPerRead, requests.count)]), executor)
        }
        return histories
    }

    private struct Base {
        var baseline = StreamHistory.Baseline.none
        var revision: UInt64 = 0
        /// Entries up to here are in it, whatever they claimed.
        var position: UInt64 = 0
        var isRemembered: Bool { if case .remembered = baseline { true } else { false } }
    }

    private func chunk(
        _ requests: [StreamRequest], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [StreamHistory] {
        var bases: [StreamName: Base] = [:]
        for request in requests {
            guard let known = memory.find(request.stream, request.type) else { continue }
            bases[request.stream] = Base(baseline: .remembered(known.state), revision: known.revision)
        }
        try beginWithSnapshots(requests.filter { bases[$0.stream] == nil }, &bases, executor)
        var events = try read(requests.map(\.stream), bases, executor)
        // What claims nothing may lie before what is remembered.
        let mixed = requests.filter { request in
            bases[request.stream]?.isRemembered == true && events[request.stream]?.contains { $0.revision == nil } == true
        }
        if !mixed.isEmpty {
            for request in mixed {
                memory.forget(request.stream)
                bases[request.stream] = nil
            }
            try beginWithSnapshots(mixed, &bases, executor)
            events.merge(try read(mixed.map(\.stream), bases, executor)) { $1 }
        }
        return requests.map { request in
            let base = bases[request.stream] ?? Base()
            return StreamHistory(
                stream: request.stream, baseline: base.baseline, baselineRevision: base.revision, events: events[request.stream] ?? [])
        }
    }

    private func beginWithSnapshots(
        _ requests: [StreamRequest], _ bases: inout [StreamName: Base], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws {
        for (stream, snapshot) in try snapshots?.newest(requests, executor) ?? [:] {
            bases[stream] = Base(baseline: .snapshot(snapshot.state), revision: snapshot.revision, position: snapshot.position.number)
        }
    }

    /// What came after the bases, in the order of the journal.
    private func read(
        _ streams: [StreamName], _ bases: [StreamName: Base], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [StreamName: [StoredEvent]] {
        let whole = streams.filter { bases[$0] == nil }
        var condition: SelectText = whole.isEmpty ? "FALSE" : "s.stream IN \(list: whole.map { .text($0.text) })"
        for stream in streams {
            guard let base = bases[stream] else { continue }
            condition = """
                \(condition) OR s.stream = \(stream.text) AND (s.revision > \(base.revision) OR s.revision IS NULL AND entry.position > \(base.position))
                """
        }
        var events: [StreamName: [StoredEvent]] = [:]
        let rows = try executor.run(
            .select(
                """
                s.stream, \(StoredEvent.columns)
                FROM stream_entry s STRAIGHT_JOIN entry ON entry.id = s.entry_id WHERE \(condition) ORDER BY entry.position
                """))
        var names: [String: StreamName] = [:]
        for row in rows {
            let text = try row.text(0)
            let name: StreamName
            if let known = names[text] { name = known } else {
                name = try StreamName(parsing: text)
                names[text] = name
            }
            events[name, default: []].append(try StoredEvent(row, from: 1))
        }
        return events
    }

    /// Keeps a state that was folded from a history, where that is of use.
    func remember<A: Aggregate>(_ state: A, of stream: StreamName, after history: StreamHistory) {
        if case .snapshot = history.baseline { return }
        guard history.revision > 0, !history.events.contains(where: { $0.revision == nil }) else { return }
        memory.keep(stream, .init(state: state, type: ObjectIdentifier(A.self), revision: history.revision))
    }
}

extension StoredEvent {
    /// Of `stream_entry s` and `entry`.
    static let columns: SelectText = """
        s.revision, entry.position, entry.id, entry.kind, entry.payload, JSON_VALUE(entry.payload, '$.ledger.version')
        """

    /// Reads ``columns`` that begin at this one.
    init(_ row: Row, from first: Int) throws {
        let position = Position(try row.uint(first + 1))
        guard let version = try row.optionalText(first + 5).flatMap({ Int($0) }), let payload = try row.optionalText(first + 4) else {
            throw LedgerError(.integrity, "the entry at position \(position) is of a stream, and its payload does not say so")
        }
        self.init(
            id: try EntryID(bytes: try row.bytes(first + 2)), position: position, revision: row.isNull(first) ? nil : try row.uint(first),
            kind: try EntryKind(try row.text(first + 3)), version: version, payload: payload)
    }
}
