import Crypto
import LedgerDatabase
import LedgerModel

/// Every checkpoint's proof against the journal, of several jobs at once. The server writes each entry as text, from the published
/// definition (`JournalProof`); here only the chain is folded.
struct ProofAudit: Sendable {
    /// A generation of a job, and its newest checkpoint.
    struct Subject: Sendable {
        let job: String
        let generation: UInt32
        let through: UInt64
        /// Where the checkpoint before ends.
        fileprivate var reached: UInt64 = 0

        init(job: String, generation: UInt32, through: UInt64) {
            self.job = job
            self.generation = generation
            self.through = through
        }
    }

    let subjects: [Subject]
    private static let positionsPerRead: UInt64 = 10_000

    private struct Claimed {
        let from: UInt64
        let through: UInt64
        let entries: UInt64
        let postings: UInt64
        let hash: [UInt8]
        let subject: Int
    }

    /// What the journal has up to an entry.
    private struct Chain {
        var hash = [UInt8](repeating: 0, count: 32)
        var entries: UInt64 = 0
        var postings: UInt64 = 0

        mutating func append(_ row: Row) throws {
            var sha = SHA256()
            sha.update(data: hash)
            sha.update(data: try row.bytes(2))
            hash = Array(sha.finalize())
            entries += 1
            postings += try row.uint(1)
        }
    }

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        var subjects = subjects
        var findings: [String] = []
        var chain = Chain()
        let through = subjects.map(\.through).max() ?? 0
        var low: UInt64 = 0
        while low < through {
            let high = min(low + Self.positionsPerRead, through)
            var claims: [Claimed] = []
            for (index, subject) in subjects.enumerated() { claims += try self.claims(of: subject, index, after: low, to: high, transaction) }
            claims.sort { ($0.through, $0.subject) < ($1.through, $1.subject) }
            var next = 0
            for row in try texts(after: low, to: high, transaction) {
                let position = try row.uint(0)
                try chain.append(row)
                while next < claims.count, claims[next].through == position {
                    findings += Self.compare(claims[next], chain, &subjects[claims[next].subject])
                    next += 1
                }
            }
            for claim in claims[next...] {
                findings.append("\(subjects[claim.subject].job): the checkpoint at \(claim.through) ends where no entry is")
            }
            low = high
        }
        for subject in subjects where subject.reached != subject.through {
            findings.append("\(subject.job): the last checkpoint ends at \(subject.reached), not at \(subject.through)")
        }
        return .init(
            "proof", "every checkpoint's counts and running hash equal those of the journal", examined: chain.entries,
            findings: findings)
    }

    private static func compare(_ claim: Claimed, _ chain: Chain, _ subject: inout Subject) -> [String] {
        var findings: [String] = []
        let name = "\(subject.job): the checkpoint at \(claim.through)"
        if claim.from != subject.reached {
            findings.append("\(name) goes on from \(claim.from), the one before it ends at \(subject.reached)")
        }
        if claim.entries != chain.entries || claim.postings != chain.postings {
            findings.append(
                "\(name) has counted \(claim.entries) entries and \(claim.postings) postings; the journal has \(chain.entries) and "
                    + "\(chain.postings)")
        } else if claim.hash != chain.hash {
            findings.append("\(name) has read other entries than the journal holds now")
        }
        subject.reached = claim.through
        return findings
    }

    private func claims(
        of subject: Subject, _ index: Int, after low: UInt64, to high: UInt64, _ transaction: borrowing LedgerTransaction
    ) throws -> [Claimed] {
        try transaction.run(
            .select(
                """
                from_position, through_position, entries, postings, hash FROM checkpoint
                WHERE job = \(subject.job) AND generation = \(subject.generation)
                AND through_position > \(low) AND through_position <= \(high) ORDER BY through_position
                """)
        ).map { row in
            Claimed(
                from: try row.uint(0), through: try row.uint(1), entries: try row.uint(2), postings: try row.uint(3),
                hash: try row.bytes(4), subject: index)
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
