import LedgerDatabase
import LedgerModel

/// Inserts entries and their postings: the last statements before COMMIT, because a position that was taken makes
/// every job wait for it.
enum JournalWriter {
    /// Rows of one INSERT at the most, and bytes of payload in it at the most.
    private static let entryRowsMax = 1000
    private static let postingRowsMax = 2000
    private static let payloadBytesMax = 4 << 20
    /// A claimed position is lost to a job at most this often in a row.
    private static let lostClaimsMax = 100

    /// Positions until COMMIT name nothing: after a crash they may be given out again.
    static func append(
        _ drafts: [Draft], in transaction: borrowing LedgerTransaction
    ) throws -> [EntryID: Receipt] {
        var receipts: [EntryID: Receipt] = [:]
        var postings: [[LedgerValue]] = []
        var rest = drafts[...]
        while !rest.isEmpty {
            let chunk = takeChunk(&rest)
            let first = try insertEntries(chunk.rows, in: transaction)
            let stamp = try transaction.run(
                .select("recorded_at, @@auto_increment_increment FROM entry WHERE position = \(first)"))
            guard let row = stamp.first, let recordedAt = Timestamp(sqlText: try row.text(0)) else {
                throw LedgerError(.integrity, "the entry just inserted at position \(first) cannot be read")
            }
            let step = try row.uint(1)
            for (offset, draft) in chunk.drafts.enumerated() {
                let position = Position(first + UInt64(offset) * step)
                receipts[draft.id] = Receipt(id: draft.id, position: position, recordedAt: recordedAt, isRepeat: false)
                for posting in draft.postings { postings.append(values(of: posting, at: position)) }
            }
        }
        var remaining = postings[...]
        while !remaining.isEmpty {
            try transaction.run(
                .insert(
                    into: .posting, ["position", "line", "debit", "credit", "amount", "status"],
                    rows: Array(remaining.prefix(postingRowsMax))))
            remaining = remaining.dropFirst(postingRowsMax)
        }
        return receipts
    }

    private static func takeChunk(_ rest: inout ArraySlice<Draft>) -> (drafts: [Draft], rows: [[LedgerValue]]) {
        var drafts: [Draft] = []
        var rows: [[LedgerValue]] = []
        var bytes = 0
        while let draft = rest.first, rows.count < entryRowsMax {
            let payload = draft.payload?.text
            bytes += payload?.utf8.count ?? 0
            if !rows.isEmpty, bytes > payloadBytesMax { break }
            drafts.append(draft)
            rows.append([
                .bytes(draft.id.bytes), .text(draft.kind.text), .uint(UInt64(draft.postings.count)),
                .text(draft.effectiveAt?.sqlText), .text(payload),
            ])
            rest.removeFirst()
        }
        return (drafts, rows)
    }

    /// - Returns: the position of the first; the others follow in steps of `auto_increment_increment`.
    private static func insertEntries(
        _ rows: [[LedgerValue]], in transaction: borrowing LedgerTransaction
    ) throws -> UInt64 {
        let columns: [LedgerColumn] = ["id", "kind", "lines", ("effective_at" as LedgerColumn).defaultedToNow, "payload"]
        for _ in 1...lostClaimsMax {
            do throws(DatabaseError) {
                return try transaction.run(.insert(into: .entry, columns, rows: rows)).lastInsertID
            } catch {
                // A job has claimed one of the positions for nobody: the same statement again takes new ones.
                guard error.kind == .duplicateKey("PRIMARY") else { throw error }
            }
        }
        throw DatabaseError(kind: .tryAgain, message: "positions were lost to a job \(lostClaimsMax) times in a row")
    }

    private static func values(of posting: JournalPosting, at position: Position) -> [LedgerValue] {
        [
            .uint(position.number), .uint(posting.line), .uint(posting.debit.number), .uint(posting.credit.number),
            .uint(posting.amount), .uint(posting.status.rawValue),
        ]
    }
}
