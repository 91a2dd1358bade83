import Crypto
import LedgerDatabase
import LedgerModel

/// Every checkpoint's proof against the journal. The server writes each entry as text, from the published definition
/// (`JournalProof`); here only the chain is folded.
struct ProofAudit: Sendable {
    let through: UInt64
    let generation: UInt32
    private static let positionsPerRead: UInt64 = 10_000

    private struct Claimed {
        let from: UInt64
        let through: UInt64
        let entries: UInt64
        let postings: UInt64
        let hash: [UInt8]
    }

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        var findings: [String] = []
        var chain = [UInt8](repeating: 0, count: 32)
        var (entries, postings): (UInt64, UInt64) = (0, 0)
        var reached: UInt64 = 0
        var low: UInt64 = 0
        while low < through {
            let high = min(low + Self.positionsPerRead, through)
            let claims = try claims(after: low, to: high, transaction)
            var next = 0
            for row in try texts(after: low, to: high, transaction) {
                let position = try row.uint(0)
                var hash = SHA256()
                hash.update(data: chain)
                hash.update(data: try row.bytes(2))
                chain = Array(hash.finalize())
                entries += 1
                postings += try row.uint(1)
                guard next < claims.count, claims[next].through == position else { continue }
                let claim = claims[next]
                next += 1
                if claim.from != reached {
                    findings.append("the checkpoint at \(position) goes on from \(claim.from), the one before it ends at \(reached)")
                }
                if claim.entries != entries || claim.postings != postings {
                    findings.append(
                        "the checkpoint at \(position) has counted \(claim.entries) entries and \(claim.postings) postings; the "
                            + "journal has \(entries) and \(postings)")
                } else if claim.hash != chain {
                    findings.append("the checkpoint at \(position) has read other entries than the journal holds now")
                }
                reached = position
            }
            for claim in claims[next...] { findings.append("the checkpoint at \(claim.through) ends where no entry is") }
            low = high
        }
        if reached != through { findings.append("the last checkpoint ends at \(reached), not at \(through)") }
        return .init(
            "proof", "every checkpoint's counts and running hash equal those of the journal", examined: entries,
            findings: findings)
    }

    private func claims(
        after low: UInt64, to high: UInt64, _ transaction: borrowing LedgerTransaction
    ) throws -> [Claimed] {
        try transaction.run(
            .select(
                """
                from_position, through_position, entries, postings, hash FROM checkpoint
                WHERE job = 'balance' AND generation = \(generation)
                AND through_position > \(low) AND through_position <= \(high) ORDER BY through_position
                """)
        ).map { row in
            Claimed(
                from: try row.uint(0), through: try row.uint(1), entries: try row.uint(2), postings: try row.uint(3),
                hash: try row.bytes(4))
        }
    }

    private func texts(
        after low: UInt64, to high: UInt64, _ transaction: borrowing LedgerTransaction
    ) throws -> Rows {
        try transaction.run(
            .select(
                """
                e.position, COALESCE(p.postings, 0), CONCAT_WS('|', e.position, COALESCE(HEX(e.id), ''), BINARY e.kind, e.`lines`,
                DATE_FORMAT(e.effective_at, '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(e.recorded_at, '%Y-%m-%d %H:%i:%s.%f'),
                COALESCE(SHA2(e.payload, 256), ''), COALESCE(BINARY p.text, ''))
                FROM entry e LEFT JOIN
                (SELECT position, COUNT(*) AS postings, GROUP_CONCAT(line, ',', debit, ',', credit, ',', amount, ',', status
                 ORDER BY line SEPARATOR ';') AS text
                 FROM posting WHERE position > \(low) AND position <= \(high) GROUP BY position) p ON p.position = e.position
                WHERE e.position > \(low) AND e.position <= \(high) ORDER BY e.position
                """))
    }
}
