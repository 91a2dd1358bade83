import LedgerDatabase
import LedgerModel

/// The projected balances against sums that the server makes of the postings.
struct BalanceAudit: Sendable {
    let through: UInt64
    let generation: UInt32

    private static let columns = ["debits posted", "credits posted", "debits pending", "credits pending"]

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        // A released posting takes a pending one back.
        let signed: SelectText = """
            SELECT debit, credit, status, IF(status = 2, -CAST(amount AS DECIMAL(38)), CAST(amount AS DECIMAL(38))) AS signed
            FROM posting WHERE position <= \(through)
            """
        let sums = try transaction.run(
            .select(
                """
                moved.account, SUM(moved.dp), SUM(moved.cp), SUM(moved.dn), SUM(moved.cn) FROM
                (SELECT debit AS account, IF(status = 0, signed, 0) AS dp, 0 AS cp, IF(status = 0, 0, signed) AS dn, 0 AS cn
                 FROM (\(signed)) debited
                 UNION ALL
                 SELECT credit, 0, IF(status = 0, signed, 0), 0, IF(status = 0, 0, signed) FROM (\(signed)) credited) moved
                GROUP BY moved.account
                """))
        var expected: [UInt64: [Int128]] = [:]
        for row in sums { expected[try row.uint(0)] = try (1...4).map { try row.decimal($0) } }
        var findings: [String] = []
        for row in try newest(transaction) {
            let account = try row.uint(0)
            let projected = try (1...4).map { try row.decimal($0) }
            let sum = expected.removeValue(forKey: account) ?? [0, 0, 0, 0]
            let name = row.isNull(5) ? "account \(account)" : "\(try row.text(5)) \(try row.text(6))"
            for (index, column) in Self.columns.enumerated() where projected[index] != sum[index] {
                findings.append("\(name): \(column) is \(projected[index]), the postings sum to \(sum[index]) (minor units)")
            }
        }
        for account in expected.keys.sorted() { findings.append("account \(account) has postings and no balance") }
        return .init(
            "balances", "every balance at the checkpoint equals the sum of the postings up to it",
            examined: UInt64(sums.count), findings: findings)
    }

    /// Sums of the projected balances, currency by currency.
    func trialBalance(_ transaction: borrowing LedgerTransaction) throws -> [Reconciliation.TrialBalance] {
        var lines: [String: (exponent: UInt64, accounts: Int, debits: Int128, credits: Int128)] = [:]
        for row in try newest(transaction) where !row.isNull(6) {
            var line = try lines[row.text(6)] ?? (row.uint(7), 0, 0, 0)
            line.accounts += 1
            line.debits += try row.decimal(1)
            line.credits += try row.decimal(2)
            lines[try row.text(6)] = line
        }
        return try lines.sorted { $0.key < $1.key }.map { code, line in
            Reconciliation.TrialBalance(
                currency: try Currency(try CurrencyCode(code), exponent: Int(line.exponent)), accounts: line.accounts,
                debits: line.debits, credits: line.credits)
        }
    }

    static func trialCheck(_ lines: [Reconciliation.TrialBalance]) -> Reconciliation.Check {
        .init(
            "trial-balance", "in every currency, all debits equal all credits", examined: UInt64(lines.count),
            findings: lines.filter { $0.debits != $0.credits }.map {
                "\($0.currency): debits \($0.currency.format($0.debits)), credits \($0.currency.format($0.credits))"
            })
    }

    private func newest(_ transaction: borrowing LedgerTransaction) throws -> Rows {
        let table = LedgerTable.generated("balance", generation: generation)
        return try transaction.run(
            .select(
                """
                b.account, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending, a.path, a.currency, c.exponent
                FROM (SELECT g.*, LEAD(g.through) OVER (PARTITION BY g.account ORDER BY g.through) AS later
                      FROM \(table: table) g WHERE g.through <= \(through)) b
                LEFT JOIN account a ON a.id = b.account LEFT JOIN currency c ON c.code = a.currency
                WHERE b.later IS NULL ORDER BY b.account
                """))
    }
}
