import LedgerDatabase
import LedgerModel

/// The account lines against the postings, in statements that share nothing with what writes them.
struct AccountLineAudit: Sendable {
    /// The live generation; nil if there is none.
    let generation: UInt32?
    /// Its checkpoint.
    let through: UInt64

    init(_ transaction: borrowing LedgerTransaction) throws {
        let live = try transaction.run(
            .select("generation FROM live WHERE job = 'account_line' ORDER BY sequence DESC LIMIT 1"))
        let generation = try live.first.map { UInt32(try $0.uint(0)) }
        self.generation = generation
        guard let generation else {
            through = 0
            return
        }
        through = try transaction.run(
            .select(
                """
                COALESCE(MAX(through_position), 0) FROM checkpoint WHERE job = 'account_line' AND generation = \(generation)
                """))[0].uint(0)
    }

    private static let statement = "the account lines are the postings, side by side, and each balance is the one before it and its line"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        guard let generation, through > 0 else { return .init("account-lines", Self.statement, examined: 0, findings: []) }
        let table = LedgerTable.generated("account_line", generation: generation)
        let (count, findings) = try counts(table, transaction)
        return .init(
            "account-lines", Self.statement, examined: count,
            findings: try findings + sides(table, transaction) + balances(table, transaction))
    }

    /// As many lines as sides of postings, account by account, with the same sums: a line too many is found here.
    private func counts(_ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> (UInt64, [String]) {
        let journal = try transaction.run(
            .select(
                """
                s.account, COUNT(*), SUM(IF(s.status = 0, s.debit, 0)), SUM(IF(s.status = 0, s.credit, 0)),
                SUM(IF(s.status = 0, 0, s.debit)), SUM(IF(s.status = 0, 0, s.credit)) FROM
                (SELECT debit AS account, status, amount AS debit, 0 AS credit FROM posting WHERE position <= \(through)
                 UNION ALL SELECT credit, status, 0, amount FROM posting WHERE position <= \(through)) s GROUP BY s.account
                """))
        var expected: [UInt64: [Int128]] = [:]
        for row in journal { expected[try row.uint(0)] = try (1...5).map { try row.decimal($0) } }
        let lines = try transaction.run(
            .select(
                """
                account, COUNT(*), SUM(IF(status = 0 AND side = 0, amount, 0)), SUM(IF(status = 0 AND side = 1, amount, 0)),
                SUM(IF(status <> 0 AND side = 0, amount, 0)), SUM(IF(status <> 0 AND side = 1, amount, 0))
                FROM \(table: table) WHERE position <= \(through) GROUP BY account ORDER BY account
                """))
        var findings: [String] = []
        var count: UInt64 = 0
        let names = ["lines", "debits posted", "credits posted", "debits held or released", "credits held or released"]
        for row in lines {
            let account = try row.uint(0)
            count += try row.uint(1)
            let has = try (1...5).map { try row.decimal($0) }
            let should = expected.removeValue(forKey: account) ?? [0, 0, 0, 0, 0]
            for (index, name) in names.enumerated() where has[index] != should[index] {
                findings.append("account \(account): \(name) are \(has[index]) by the account lines, \(should[index]) by the postings")
            }
        }
        for account in expected.keys.sorted() { findings.append("account \(account) has postings and no line") }
        let above = try transaction.run(
            .select("COUNT(*), COALESCE(MIN(position), 0) FROM \(table: table) WHERE position > \(through)"))[0]
        if try above.uint(0) > 0 {
            findings.append("\(try above.uint(0)) lines from position \(try above.uint(1)) on lie above the checkpoint at \(through)")
        }
        return (count, findings)
    }

    /// Both sides of every posting have their line, with the same content.
    private func sides(_ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        let wrong = try transaction.run(
            .select(
                """
                p.position, p.line, d.account, c.account FROM posting p LEFT JOIN entry e ON e.position = p.position
                LEFT JOIN \(table: table) d ON d.account = p.debit AND d.position = p.position AND d.line = p.line
                 AND d.side = 0 AND d.counterpart = p.credit AND d.amount = p.amount AND d.status = p.status AND d.effective_at = e.effective_at
                LEFT JOIN \(table: table) c ON c.account = p.credit AND c.position = p.position AND c.line = p.line
                 AND c.side = 1 AND c.counterpart = p.debit AND c.amount = p.amount AND c.status = p.status AND c.effective_at = e.effective_at
                WHERE p.position <= \(through) AND (d.account IS NULL OR c.account IS NULL) ORDER BY p.position, p.line
                """))
        return try wrong.map { row in
            let sides = row.isNull(2) ? row.isNull(3) ? "neither side" : "not its debit side" : "not its credit side"
            return "posting \(try row.uint(1)) of position \(try row.uint(0)): \(sides) has a line of the same content"
        }
    }

    /// Every balance follows from the line before.
    private func balances(_ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        let wrong = try transaction.run(
            .select(
                """
                w.account, w.position, w.line, w.balance, w.before_it, w.moved FROM
                (SELECT account, position, line, balance,
                 COALESCE(LAG(balance) OVER (PARTITION BY account ORDER BY position, line), 0) AS before_it,
                 CASE WHEN status <> 0 THEN 0 WHEN side = 0 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END AS moved
                 FROM \(table: table) WHERE position <= \(through)) w
                WHERE w.balance <> w.before_it + w.moved ORDER BY w.account, w.position, w.line
                """))
        return try wrong.map { row in
            "account \(try row.uint(0)), line \(try row.uint(2)) at position \(try row.uint(1)): the balance is \(try row.decimal(3)), the one "
                + "before is \(try row.decimal(4)) and the line moves \(try row.decimal(5)) (debits less credits, minor units)"
        }
    }
}
