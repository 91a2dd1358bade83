import LedgerDatabase
import LedgerModel

/// The places of entries in their streams against what the entries themselves say; and claims of values, one holder after the other.
struct StreamAudit: Sendable {
    let through: UInt64

    private static let stream: SelectText = "JSON_VALUE(e.payload, '$.ledger.stream') COLLATE utf8mb4_nopad_bin"
    private static let revision: SelectText = "CAST(JSON_VALUE(e.payload, '$.ledger.revision') AS UNSIGNED)"

    func streams(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(.select("COUNT(*) FROM stream_entry"))[0].uint(0)
        var findings = try transaction.run(
            .select(
                """
                s.stream, s.revision, e.position FROM stream_entry s LEFT JOIN entry e ON e.id = s.entry_id
                WHERE e.position IS NULL OR NOT \(Self.stream) <=> s.stream OR NOT \(Self.revision) <=> s.revision ORDER BY s.stream, s.revision
                """)
        ).map { row in
            row.isNull(2)
                ? "\(try Self.place(row)) is no entry"
                : "\(try Self.place(row)) is the entry at \(try row.uint(2)), which says another stream or revision"
        }
        findings += try transaction.run(
            .select(
                """
                e.position, \(Self.stream) FROM entry e LEFT JOIN stream_entry s ON s.stream = \(Self.stream) AND s.entry_id = e.id
                WHERE e.position <= \(through) AND e.id IS NOT NULL AND s.stream IS NULL AND (\(Self.stream) IS NOT NULL
                 OR e.kind IN ('ledger.stream-checked', 'ledger.claimed', 'ledger.claim-released', 'ledger.process-step',
                  'ledger.timer-set', 'ledger.timer-cancelled', 'ledger.timer-fired')) ORDER BY e.position
                """)
        ).map { "the entry at \(try $0.uint(0)) is of \(try $0.optionalText(1) ?? "a stream"), where it is not listed" }
        findings += try transaction.run(
            .select(
                """
                stream, COUNT(revision), MAX(revision) FROM stream_entry GROUP BY stream
                HAVING COUNT(revision) <> COALESCE(MAX(revision), 0) ORDER BY stream
                """)
        ).map { "\(try $0.text(0)) has \(try $0.uint(1)) revisions, and the last is number \(try $0.uint(2))" }
        findings += try transaction.run(
            .select(
                """
                placed.stream, placed.revision, placed.position, placed.before FROM
                (SELECT s.stream, s.revision, e.position,
                  LAG(e.position) OVER (PARTITION BY s.stream ORDER BY s.revision) AS `before`
                 FROM stream_entry s JOIN entry e ON e.id = s.entry_id WHERE s.revision IS NOT NULL) placed
                WHERE placed.before >= placed.position ORDER BY placed.stream, placed.revision
                """)
        ).map { "\(try Self.place($0)) stands at \(try $0.uint(2)), and the revision before it at \(try $0.uint(3))" }
        return .init(
            "streams", "entries have the places in their streams that they say; revisions are dense, and in the journal's order",
            examined: count, findings: findings)
    }

    /// Values that only one may have: each is claimed, given back by its holder, claimed again.
    func claims(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(.select("COUNT(*) FROM stream_entry WHERE stream LIKE 'ledger-claim:%'"))[0].uint(0)
        let findings = try transaction.run(
            .select(
                """
                c.stream, c.revision, c.position FROM
                (SELECT s.stream, s.revision, e.position, e.kind, JSON_VALUE(e.payload, '$.holder') COLLATE utf8mb4_nopad_bin AS holder,
                  LAG(JSON_VALUE(e.payload, '$.holder') COLLATE utf8mb4_nopad_bin) OVER (PARTITION BY s.stream ORDER BY s.revision) AS held
                 FROM stream_entry s JOIN entry e ON e.id = s.entry_id WHERE s.stream LIKE 'ledger-claim:%') c
                WHERE NOT IF(c.revision % 2 = 1, c.kind = 'ledger.claimed' AND c.holder IS NOT NULL,
                 c.kind = 'ledger.claim-released' AND c.holder <=> c.held) OR c.revision IS NULL ORDER BY c.stream, c.revision
                """)
        ).map { "\(try Self.place($0)), the entry at \(try $0.uint(2)), neither claims what is free nor gives back what its holder has" }
        return .init("claims", "a value that only one may have has one holder after the other", examined: count, findings: findings)
    }

    private static func place(_ row: Row) throws -> String {
        row.isNull(1) ? "an entry of \(try row.text(0))" : "revision \(try row.uint(1)) of \(try row.text(0))"
    }
}
