import LedgerDatabase
import LedgerModel

/// The newest revisions of the streams that a group of entries appends to, while it is decided entry by entry. It knows no order but that
/// of the claims: whoever inserts a revision that somebody else has gets a duplicate key, and all of it is decided anew.
struct StreamHeads {
    /// The unique key that decides.
    static let key = "stream_revision"

    private struct Head {
        var revision: UInt64 = 0
        var position = Position.zero
        var exists = false
        /// Whose the value is that this stream stands for.
        var holder: String?
    }

    private var heads: [StreamName: Head] = [:]
    /// When a revision was recorded, where it decides.
    private var recorded: [StreamName: [UInt64: Timestamp]] = [:]
    private var now: Timestamp?

    init() {}

    /// Reads what the appends of these entries rely on.
    init(_ drafts: [Draft], _ now: Timestamp?, _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        self.now = now
        let appends = drafts.compactMap { $0.origin?.append }.filter { $0.rule != .expects(.any) }
        guard !appends.isEmpty else { return }
        try readNewest(Set(appends.map(\.stream)).sorted(), executor)
        try readExisting(Set(appends.filter { $0.rule == .expects(.exists) && heads[$0.stream] == nil }.map(\.stream)).sorted(), executor)
        for append in appends {
            guard case .readAt(let revision, _, _) = append.rule, let head = heads[append.stream], head.revision > revision else { continue }
            try readRecorded(append.stream, revision + 1, executor)
        }
    }

    private mutating func readNewest(_ streams: [StreamName], _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        for start in stride(from: 0, to: streams.count, by: 1000) {
            let list = streams[start..<min(start + 1000, streams.count)].map { LedgerValue.text($0.text) }
            // From the end of each stream: for a maximum the server may read all of it.
            let rows = try executor.run(
                .select(
                    """
                    first.stream, newest.revision, entry.position, IF(first.stream LIKE 'ledger-claim:%', JSON_VALUE(entry.payload, '$.holder'), NULL)
                    FROM stream_entry first
                    JOIN stream_entry newest ON newest.stream = first.stream AND newest.revision =
                     (SELECT last.revision FROM stream_entry last WHERE last.stream = first.stream ORDER BY last.revision DESC LIMIT 1)
                    LEFT JOIN entry ON entry.id = newest.entry_id
                    WHERE first.stream IN \(list: list) AND first.revision = 1
                    """))
            for row in rows {
                heads[try StreamName(parsing: try row.text(0))] = Head(
                    revision: try row.uint(1), position: Position(row.isNull(2) ? 0 : try row.uint(2)), exists: true,
                    holder: try row.optionalText(3))
            }
        }
    }

    private mutating func readExisting(_ streams: [StreamName], _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        for stream in streams {
            let rows = try executor.run(.select("1 FROM stream_entry WHERE stream = \(stream.text) LIMIT 1"))
            if !rows.isEmpty { heads[stream] = Head(exists: true) }
        }
    }

    private mutating func readRecorded(
        _ stream: StreamName, _ revision: UInt64, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws {
        guard recorded[stream]?[revision] == nil else { return }
        let rows = try executor.run(
            .select(
                """
                entry.recorded_at FROM stream_entry JOIN entry ON entry.id = stream_entry.entry_id
                WHERE stream_entry.stream = \(stream.text) AND stream_entry.revision = \(revision)
                """))
        if let row = rows.first { recorded[stream, default: [:]][revision] = Timestamp(sqlText: try row.text(0)) }
    }

    // MARK: - Deciding

    /// The entry with the revision that it claims, if its stream is as it expects.
    /// - Throws: `revisionConflict`, `claimTaken`.
    mutating func placed(_ draft: Draft) throws(LedgerError) -> Draft {
        guard let origin = draft.origin, let append = origin.append else { return draft }
        var head = heads[append.stream] ?? Head()
        var claimed: UInt64?
        switch append.rule {
        case .expects(.any): break
        case .expects(.exact(let revision)):
            claimed = try claim(revision, after: &head, origin, draft)
        case .expects(.none):
            claimed = try claim(0, after: &head, origin, draft)
        case .expects(.exists):
            guard head.exists else { throw refusal(.revisionConflict, "\(append.stream) has no entries, and is expected to have some", draft) }
        case .readAt(let revision, let window, let clock): try checkWindow(revision, window, clock ?? now, head, append.stream, draft)
        case .unclaimed:
            guard head.revision % 2 == 0 else { throw refusal(.claimTaken, "\(append.stream.claimed) is claimed by \(head.holder ?? "somebody")", draft) }
            claimed = try claim(head.revision, after: &head, origin, draft)
            head.holder = draft.payload?["holder"]?.string
        case .claimed(let holder):
            guard head.revision % 2 == 1, head.holder == holder else {
                let whose = head.revision % 2 == 0 ? "claimed by nobody" : "claimed by \(head.holder ?? "somebody")"
                throw refusal(.claimTaken, "\(append.stream.claimed) is \(whose), so \(holder) cannot release it", draft)
            }
            claimed = try claim(head.revision, after: &head, origin, draft)
        }
        head.exists = true
        var placed = draft
        placed.origin = origin.placed(at: claimed)
        // Entries of the same group follow by themselves.
        if claimed != nil { placed.refersTo = max(placed.refersTo, head.position) }
        heads[append.stream] = head
        return placed
    }

    private func claim(_ expected: UInt64, after head: inout Head, _ origin: Origin, _ draft: Draft) throws(LedgerError) -> UInt64 {
        let next = expected + 1
        // What is claimed already is claimed by this very transaction.
        if !origin.isClaimed, head.revision != expected {
            let what = expected == 0 ? "nothing" : "revision \(expected)"
            throw refusal(
                .revisionConflict, "\(draft.origin?.append?.stream.text ?? "the stream") is at revision \(head.revision), and this was decided on \(what): "
                    + "load it again and decide again", draft)
        }
        head.revision = next
        return next
    }

    private func checkWindow(
        _ revision: UInt64, _ window: Int64, _ now: Timestamp?, _ head: Head, _ stream: StreamName, _ draft: Draft
    ) throws(LedgerError) {
        guard head.revision > revision, let moved = recorded[stream]?[revision + 1], let now else { return }
        let (age, overflow) = now.microseconds.subtractingReportingOverflow(moved.microseconds)
        guard overflow || age > window else { return }
        throw refusal(
            .revisionConflict, "\(stream) moved on from revision \(revision) at \(moved), longer ago than what was decided before may still come in: "
                + "load it again and decide again", draft)
    }

    private func refusal(_ code: LedgerError.Code, _ message: String, _ draft: Draft) -> LedgerError {
        LedgerError(code, message, index: draft.index, id: draft.id)
    }

    // MARK: - Claiming

    /// Inserts the places of entries in their streams, before the entries.
    /// - Throws: a duplicate key if somebody else has claimed one of the revisions.
    static func insert(_ drafts: [Draft], _ executor: borrowing some SQLExecutor & ~Copyable) throws(DatabaseError) {
        var rows: [(stream: StreamName, revision: UInt64, id: EntryID)] = []
        for draft in drafts {
            guard let origin = draft.origin, let append = origin.append, !origin.isClaimed else { continue }
            rows.append((append.stream, origin.revision ?? 0, draft.id))
        }
        // In one order for everybody.
        rows.sort { ($0.stream, $0.revision) < ($1.stream, $1.revision) }
        for start in stride(from: 0, to: rows.count, by: 1000) {
            try executor.run(
                .insert(
                    into: .streamEntry, ["stream", "entry_id", "revision"],
                    rows: rows[start..<min(start + 1000, rows.count)].map { row in
                        [.text(row.stream.text), .bytes(row.id.bytes), row.revision == 0 ? .null : .uint(row.revision)]
                    }))
        }
    }
}

extension StreamName {
    /// Of a stream that stands for a value: `email “x@y.example”`.
    fileprivate var claimed: String {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return parts.count == 3 ? "\(parts[1]) “\(parts[2])”" : text
    }
}
