import LedgerDatabase
public import LedgerModel

/// Which entries to find. Every condition that is set must hold.
public struct EntryQuery: Sendable {
    public var reference: String?
    public var kind: EntryKind?
    /// Entries of this stream; these are found by an index.
    public var stream: StreamName?
    /// Entries that count from here …
    public var effectiveFrom: Timestamp?
    /// … and before this.
    public var effectiveBefore: Timestamp?
    /// Entries after this position.
    public var after: Position = .zero
    /// At most so many, in the order of the journal.
    public var limit = 100

    public init() {}
}

/// A hold that no entry has settled.
public struct OutstandingHold: Sendable, Hashable {
    public let entry: JournalEntry
    /// nil: it ends by capture or void only.
    public let expiresAt: Timestamp?
    /// Its time is over: it holds nothing any more, and no entry says so yet.
    public let isOver: Bool
}

extension Ledger {
    /// Holds that were neither captured nor voided nor expired by an entry, in the order of the journal. The journal is read
    /// for it.
    /// - Parameters:
    ///   - after: holds after this position.
    ///   - limit: at most so many.
    public func outstandingHolds(
        after: Position = .zero, limit: Int = 100
    ) async throws(LedgerError) -> [OutstandingHold] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.outstandingHolds(after: after, limit: limit) }
        return try await translated {
            var found: [OutstandingHold] = []
            var last = after
            while found.count < limit {
                let start = last.number
                let part = try await database.read { transaction in
                    let now = try WriteStep.clock(transaction)
                    let held = try JournalRows.read(
                        transaction,
                        .select(
                            """
                            \(JournalRows.columns) WHERE position IN (SELECT position FROM posting WHERE position > \(start) AND status = 1)
                            AND id IS NOT NULL ORDER BY position LIMIT 500
                            """))
                    let ends = held.compactMap { $0.id.map(EntryID.settlement(of:)) }
                    let settled = ends.isEmpty ? [:] : try JournalRows.entries(ends, transaction)
                    return (now, held, Set(settled.keys.map { Optional($0) }))
                }
                let (now, held, settled) = part
                guard let end = held.last else { break }
                last = end.position
                found += held.filter { !settled.contains($0.id.map(EntryID.settlement(of:))) }.map { entry in
                    let expiresAt = entry.holdExpiresAt
                    return OutstandingHold(entry: entry, expiresAt: expiresAt, isOver: expiresAt.map { $0 <= now } ?? false)
                }
            }
            return Array(found.prefix(max(0, limit)))
        }
    }

    /// The entry with this id, or nil.
    public func entry(_ id: EntryID) async throws(LedgerError) -> JournalEntry? {
        if let elsewhere = try await elsewhere() { return try await elsewhere.entry(id) }
        return try await translated { try await standing([id])[id] }
    }

    /// The entry at this position, or nil if nothing is there (yet).
    public func entry(at position: Position) async throws(LedgerError) -> JournalEntry? {
        if let elsewhere = try await elsewhere() { return try await elsewhere.entry(at: position) }
        return try await translated {
            try await database.read { transaction in
                try JournalRows.read(
                    transaction, .select("\(JournalRows.columns) WHERE position = \(position.number)")
                ).first
            }
        }
    }

    /// Entries that fit, in the order of the journal. The journal is a log without an index for this: it is read from
    /// ``EntryQuery/after`` on until enough are found.
    public func entries(_ query: EntryQuery) async throws(LedgerError) -> [JournalEntry] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.entries(query) }
        return try await translated {
            try await database.read { transaction in
                var text: SelectText = "\(JournalRows.columns) WHERE position > \(query.after.number) AND id IS NOT NULL"
                if let stream = query.stream {
                    text = "\(text) AND id IN (SELECT entry_id FROM stream_entry WHERE stream = \(stream.text))"
                }
                if let kind = query.kind { text = "\(text) AND kind = \(kind.text)" }
                if let from = query.effectiveFrom { text = "\(text) AND effective_at >= \(from.sqlText)" }
                if let before = query.effectiveBefore { text = "\(text) AND effective_at < \(before.sqlText)" }
                if let reference = query.reference {
                    text = "\(text) AND JSON_VALUE(payload, '$.reference') = \(reference)"
                }
                return try JournalRows.read(
                    transaction, .select("\(text) ORDER BY position LIMIT \(max(0, query.limit))"))
            }
        }
    }

    /// The entries that stand for these ids.
    func standing(_ ids: some Collection<EntryID>) async throws -> [EntryID: JournalEntry] {
        let ids = Array(ids)
        return ids.isEmpty ? [:] : try await database.read { try JournalRows.entries(ids, $0) }
    }
}

/// Rows of `entry` and `posting` as ``JournalEntry``.
enum JournalRows {
    static let columns: SelectText = "position, id, kind, `lines`, effective_at, recorded_at, payload FROM entry"

    /// Reads entries, then their postings: an entry that is visible means that its postings are.
    ///
    /// - Parameter statement: selects ``columns``, in the order of positions.
    static func read(
        _ transaction: borrowing some SQLExecutor & ~Copyable, _ statement: InsertOnlySQL
    ) throws -> [JournalEntry] {
        let rows = try transaction.run(statement)
        guard let first = rows.first, let last = rows.last else { return [] }
        let (low, high) = (try first.uint(0), try last.uint(0))
        let postings: Rows
        if high - low < 4 * UInt64(rows.count) + 100 {
            postings = try transaction.run(
                .select("\(postingColumns) WHERE position BETWEEN \(low) AND \(high) ORDER BY position, line"))
        } else {
            let list = try rows.map { LedgerValue.uint(try $0.uint(0)) }
            postings = try transaction.run(
                .select("\(postingColumns) WHERE position IN \(list: list) ORDER BY position, line"))
        }
        var next = 0
        return try rows.map { row in
            let position = try row.uint(0)
            var own: [JournalPosting] = []
            while next < postings.count {
                let owner = try postings[next].uint(0)
                if owner > position { break }
                if owner == position { own.append(try posting(postings[next])) }
                next += 1
            }
            return try entry(row, own)
        }
    }

    /// The entries that stand for these ids.
    static func entries(
        _ ids: some Collection<EntryID>, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [EntryID: JournalEntry] {
        var found: [EntryID: JournalEntry] = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            let list = rest.prefix(1000).map { LedgerValue.bytes($0.bytes) }
            for entry in try read(executor, .select("\(columns) WHERE id IN \(list: list) ORDER BY position")) {
                if let id = entry.id { found[id] = entry }
            }
            rest = rest.dropFirst(1000)
        }
        return found
    }

    static let postingColumns: SelectText = "position, line, debit, credit, amount, status FROM posting"

    private static func posting(_ row: Row) throws -> JournalPosting {
        guard let line = UInt32(exactly: try row.uint(1)), let debit = UInt32(exactly: try row.uint(2)),
            let credit = UInt32(exactly: try row.uint(3)),
            let status = UInt8(exactly: try row.uint(5)).flatMap(PostingStatus.init)
        else {
            throw LedgerError(.integrity, "posting \(try row.uint(1)) of position \(try row.uint(0)) cannot be one")
        }
        return JournalPosting(
            line: line, debit: AccountID(debit), credit: AccountID(credit), amount: try row.uint(4), status: status)
    }

    private static func entry(_ row: Row, _ postings: [JournalPosting]) throws -> JournalEntry {
        let position = Position(try row.uint(0))
        let id = try row.optionalBytes(1)
        guard let effectiveAt = Timestamp(sqlText: try row.text(4)), let recordedAt = Timestamp(sqlText: try row.text(5))
        else { throw LedgerError(.integrity, "the entry at position \(position) has a time that is none") }
        return JournalEntry(
            position: position, id: try id.map { bytes throws(LedgerError) in try EntryID(bytes: bytes) },
            kind: try EntryKind(try row.text(2)), lines: UInt32(try row.uint(3)), effectiveAt: effectiveAt,
            recordedAt: recordedAt, payload: try row.optionalText(6), postings: postings)
    }
}
