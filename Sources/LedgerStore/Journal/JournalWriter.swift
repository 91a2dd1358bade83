import LedgerDatabase
import LedgerModel

/// Inserts entries and their postings: the last statements before COMMIT, because a position that was taken makes
/// every job wait for it.
enum JournalWriter {
    /// Bytes of payload in one INSERT at the most.
    private static let payloadBytesMax = 4 << 20
    /// A claimed position is lost to a job at most this often in a row.
    private static let lostClaimsMax = 100

    /// Inserts them in order.
    ///
    /// Positions until COMMIT name nothing: after a crash they may be given out again.
    /// - Returns: a receipt for each.
    static func append(
        _ drafts: [Draft], in executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [Receipt] {
        var receipts: [Receipt] = []
        receipts.reserveCapacity(drafts.count)
        var postings = PostingColumns()
        var rest = drafts[...]
        while !rest.isEmpty {
            let chunk = takeChunk(&rest)
            let first = try insertEntries(chunk, in: executor)
            let stamp = try executor.run(
                .select("recorded_at, @@auto_increment_increment FROM entry WHERE position = \(first)"))
            guard let row = stamp.first, let recordedAt = Timestamp(sqlText: try row.text(0)) else {
                throw LedgerError(.integrity, "the entry just inserted at position \(first) cannot be read")
            }
            var position = first
            let step = try row.uint(1)
            for draft in chunk {
                try draft.checkPlace(position: Position(position), recordedAt: recordedAt)
                receipts.append(
                    Receipt(id: draft.id, position: Position(position), recordedAt: recordedAt, isRepeat: false))
                for posting in draft.postings { postings.append(posting, at: position) }
                position += step
            }
        }
        try postings.insert(executor)
        try insertExpiries(drafts, in: executor)
        return receipts
    }

    /// The next entries, as many as one of a few statements takes: each number of rows is a statement that the server has
    /// to parse once.
    private static func takeChunk(_ rest: inout ArraySlice<Draft>) -> ArraySlice<Draft> {
        var count = rest.count >= 1024 ? 1024 : rest.count >= 128 ? 128 : rest.count
        var bytes = 0
        for (offset, draft) in rest.prefix(count).enumerated() {
            guard let payload = draft.payloadText else { continue }
            bytes += payload.utf8.count
            if bytes > payloadBytesMax, offset > 0 {
                count = offset
                break
            }
        }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// - Returns: the position of the first; the others follow in steps of `auto_increment_increment`.
    private static func insertEntries(
        _ drafts: ArraySlice<Draft>, in executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> UInt64 {
        let hasTimes = drafts.contains { $0.effectiveAt != nil }
        let hasPayloads = drafts.contains { $0.payloadText != nil }
        var columns: [LedgerColumn] = ["id", "kind", "lines"]
        if hasTimes { columns.append(("effective_at" as LedgerColumn).defaultedToNow) }
        if hasPayloads { columns.append("payload") }
        var values: [LedgerValue] = []
        values.reserveCapacity(drafts.count * columns.count)
        var time: (effectiveAt: Timestamp, text: LedgerValue)?
        for draft in drafts {
            values.append(.bytes(draft.id.bytes))
            values.append(.text(draft.kind.text))
            values.append(.uint(UInt64(draft.postings.count)))
            if hasTimes {
                // Those of a batch often count at one time.
                if let effectiveAt = draft.effectiveAt, time?.effectiveAt != effectiveAt { time = (effectiveAt, .text(effectiveAt.sqlText)) }
                values.append(draft.effectiveAt == nil ? .null : time?.text ?? .null)
            }
            if hasPayloads { values.append(.text(draft.payloadText)) }
        }
        let statement = InsertOnlySQL.insert(into: .entry, columns, values: values)
        for _ in 1...lostClaimsMax {
            do throws(DatabaseError) { return try executor.run(statement).lastInsertID } catch {
                // A job has claimed one of the positions for nobody: the same statement again takes new ones.
                guard error.kind == .duplicateKey("PRIMARY") else { throw error }
            }
        }
        throw DatabaseError(kind: .tryAgain, message: "positions were lost to a job \(lostClaimsMax) times in a row")
    }

    /// For each hold that expires, what it holds on each account.
    private static func insertExpiries(
        _ drafts: [Draft], in executor: borrowing some SQLExecutor & ~Copyable
    ) throws {
        for draft in drafts {
            guard let expiresAt = draft.hold?.expiresAt else { continue }
            var held: [AccountID: Totals] = [:]
            for posting in draft.postings {
                held[posting.debit, default: Totals()].add(.debit, posting.amount, .pending)
                held[posting.credit, default: Totals()].add(.credit, posting.amount, .pending)
            }
            let settlement = EntryID.settlement(of: draft.id)
            try executor.run(
                .insert(
                    into: .holdExpiry, ["account", "expires_at", "hold", "settlement", "debits", "credits"],
                    rows: held.sorted { $0.key < $1.key }.map { account, totals in
                        [
                            .uint(account.number), .text(expiresAt.sqlText), .bytes(draft.id.bytes), .bytes(settlement.bytes),
                            .decimal(totals.debitsPending), .decimal(totals.creditsPending),
                        ]
                    }))
        }
    }
}

extension Draft {
    /// The place that an entry got has to fit what it says. On one server it does, but for a clock that ran on; the whole
    /// transaction is tried again.
    fileprivate func checkPlace(position: Position, recordedAt: Timestamp) throws {
        guard position > refersTo else {
            throw DatabaseError(kind: .tryAgain, message: "position \(position) is not after \(refersTo), to which the entry refers")
        }
        guard !isHistory, let settles, let expiresAt = settles.expiresAt else { return }
        // At a tie the expiry wins.
        guard settles.isExpiry == (recordedAt >= expiresAt) else {
            throw DatabaseError(kind: .tryAgain, message: "the hold \(settles.hold) expires at \(expiresAt), and this was recorded at \(recordedAt)")
        }
    }
}

/// Postings by column, all to be inserted at once.
private struct PostingColumns {
    private var values = [[UInt64]](repeating: [], count: 6)

    mutating func append(_ posting: JournalPosting, at position: UInt64) {
        values[0].append(position)
        values[1].append(UInt64(posting.line))
        values[2].append(UInt64(posting.debit.number))
        values[3].append(UInt64(posting.credit.number))
        values[4].append(posting.amount)
        values[5].append(UInt64(posting.status.rawValue))
    }

    func insert(_ executor: borrowing some SQLExecutor & ~Copyable) throws(DatabaseError) {
        guard !values[0].isEmpty else { return }
        try executor.insert(
            ColumnRows(into: .posting, ["position", "line", "debit", "credit", "amount", "status"], values: values.map(ColumnRows.Values.uint)))
    }
}
