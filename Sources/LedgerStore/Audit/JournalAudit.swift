import LedgerDatabase
import LedgerModel

/// Checks of the journal itself, up to a position.
struct JournalAudit: Sendable {
    let through: UInt64

    func positions(
        checkpoint: Position, _ transaction: borrowing LedgerTransaction
    ) throws -> Reconciliation.Check {
        let row = try transaction.run(
            .select("COUNT(*), COALESCE(MAX(position), 0) FROM entry WHERE position <= \(through)"))[0]
        let (count, last) = (try row.uint(0), try row.uint(1))
        var findings: [String] = []
        if count != through || last != through {
            findings.append("\(count) entries up to position \(through), the last at \(last)")
        }
        if checkpoint.number > through {
            findings.append(
                "position \(through + 1) is missing, and the balances' checkpoint is at \(checkpoint): an entry was removed")
        }
        return .init(
            "positions", "positions are dense: 1, 2, 3 … without a gap", examined: count, findings: findings)
    }

    func lines(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let wrong = try transaction.run(
            .select(
                """
                e.position, e.`lines`, COUNT(p.line), COALESCE(MAX(p.line), 0) FROM entry e
                LEFT JOIN posting p ON p.position = e.position WHERE e.position <= \(through)
                GROUP BY e.position, e.`lines` HAVING COUNT(p.line) <> e.`lines` OR COALESCE(MAX(p.line), 0) <> e.`lines`
                ORDER BY e.position
                """))
        var findings = try wrong.map { row in
            "entry \(try row.uint(0)) was recorded with \(try row.uint(1)) postings and has \(try row.uint(2))"
        }
        let orphans = try transaction.run(
            .select(
                """
                p.position, p.line FROM posting p LEFT JOIN entry e ON e.position = p.position
                WHERE p.position <= \(through) AND e.position IS NULL ORDER BY p.position, p.line
                """))
        findings += try orphans.map { "posting \(try $0.uint(1)) of position \(try $0.uint(0)) has no entry" }
        return .init(
            "lines", "every entry has the postings that it was recorded with, and no posting is without one",
            examined: through, findings: findings)
    }

    func accounts(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(.select("COUNT(*) FROM posting WHERE position <= \(through)"))[0].uint(0)
        let wrong = try transaction.run(
            .select(
                """
                p.position, p.line, p.debit, p.credit, d.currency, c.currency, p.amount, p.status FROM posting p
                LEFT JOIN account d ON d.id = p.debit LEFT JOIN account c ON c.id = p.credit
                WHERE p.position <= \(through) AND (d.id IS NULL OR c.id IS NULL OR d.currency <> c.currency
                OR p.debit = p.credit OR p.amount = 0 OR p.status > 2) ORDER BY p.position, p.line
                """))
        var findings = try wrong.map { row -> String in
            let place = "posting \(try row.uint(1)) of position \(try row.uint(0))"
            if row.isNull(4) { return "\(place): the debit account \(try row.uint(2)) does not exist" }
            if row.isNull(5) { return "\(place): the credit account \(try row.uint(3)) does not exist" }
            if try row.text(4) != row.text(5) {
                return "\(place): debit in \(try row.text(4)), credit in \(try row.text(5))"
            }
            return "\(place): amount \(try row.uint(6)), status \(try row.uint(7)), debit \(try row.uint(2)), "
                + "credit \(try row.uint(3))"
        }
        let unopened = try transaction.run(
            .select(
                """
                a.path, a.currency FROM account a LEFT JOIN entry opened ON opened.kind = 'ledger.account-opened' AND opened.id = UNHEX(LEFT(SHA2(
                 CONCAT('indelible/account/', LENGTH(a.path), ':', a.path, '/', LENGTH(a.currency), ':', a.currency), 256), 32))
                AND JSON_VALUE(opened.payload, '$.account') COLLATE utf8mb4_nopad_bin = a.path
                AND JSON_VALUE(opened.payload, '$.currency') COLLATE utf8mb4_nopad_bin = a.currency
                WHERE opened.id IS NULL ORDER BY a.path
                """))
        findings += try unopened.map { "no entry tells of the opening of \(try $0.text(0)) in \(try $0.text(1))" }
        return .init(
            "accounts", "both accounts of every posting exist and share a currency, and amounts are more than 0",
            examined: count, findings: findings)
    }
}
