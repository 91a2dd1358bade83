import LedgerDatabase

/// Every row of the balances' history, not only the newest: what it has more than the row before, and the positions that it names, are
/// those of the account lines in between, which are proven against the postings by themselves. Each line is read once.
struct BalanceHistoryAudit: Sendable {
    let through: UInt64
    let generation: UInt32
    let lines: AccountLineAudit

    private static let statement =
        "every row of the balances' history counts the account lines since the row before, and names their positions"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        guard let lineGeneration = lines.generation, lines.through > 0 else {
            return .init("balance-history", Self.statement, examined: 0, findings: [])
        }
        let balances = LedgerTable.generated("balance", generation: generation)
        let table = LedgerTable.generated("account_line", generation: lineGeneration)
        // As far as both have got.
        let end = min(through, lines.through)
        let count = try transaction.run(.select("COUNT(*) FROM \(table: balances) WHERE through <= \(end)"))[0].uint(0)
        let rows: SelectText = """
            SELECT r.*, COALESCE(LAG(r.through) OVER w, 0) AS after, r.debits_posted - COALESCE(LAG(r.debits_posted) OVER w, 0) AS dp,
            r.credits_posted - COALESCE(LAG(r.credits_posted) OVER w, 0) AS cp, r.debits_pending - COALESCE(LAG(r.debits_pending) OVER w, 0) AS dn,
            r.credits_pending - COALESCE(LAG(r.credits_pending) OVER w, 0) AS cn
            FROM \(table: balances) r WHERE r.through <= \(end) WINDOW w AS (PARTITION BY r.account ORDER BY r.through)
            """
        // A released posting takes a pending one back.
        let counted: SelectText = """
            SELECT CONCAT_WS(' ', MAX(l.position), SUM(IF(status = 0 AND side = 0, amount, 0)), SUM(IF(status = 0 AND side = 1, amount, 0)),
            SUM(IF(status = 1 AND side = 0, amount, 0)) - SUM(IF(status = 2 AND side = 0, amount, 0)),
            SUM(IF(status = 1 AND side = 1, amount, 0)) - SUM(IF(status = 2 AND side = 1, amount, 0)),
            COALESCE(GROUP_CONCAT(DISTINCT IF(l.position = b.through, NULL, LPAD(HEX(b.through - l.position), 8, '0'))
             ORDER BY LPAD(HEX(b.through - l.position), 8, '0') DESC SEPARATOR ''), ''))
            FROM \(table: table) l WHERE l.account = b.account AND l.position > b.after AND l.position <= b.through
            """
        let wrong = try transaction.run(
            .select(
                """
                h.account, h.through, h.has, h.should FROM
                (SELECT b.account, b.through, CONCAT_WS(' ', b.through, b.dp, b.cp, b.dn, b.cn, HEX(b.touched)) AS has, (\(counted)) AS should
                 FROM (\(rows)) b) h WHERE h.should IS NULL OR h.has <> h.should ORDER BY h.account, h.through
                """))
        var findings = try wrong.map { row in
            let (has, should) = (try row.text(2).split(separator: " "), try (row.optionalText(3) ?? "").split(separator: " "))
            let what = has.dropFirst().prefix(4) == should.dropFirst().prefix(4) ? "the positions that it names" : "what it counts and names"
            return "account \(try row.uint(0)), the row through \(try row.uint(1)): \(what) are not those of the account lines since the row before"
        }
        if lines.through >= through { findings += try uncounted(table, balances, transaction) }
        return .init("balance-history", Self.statement, examined: count, findings: findings)
    }

    /// Lines above the newest row of their account.
    private func uncounted(_ table: LedgerTable, _ balances: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                l.account, l.position FROM
                (SELECT account, MAX(position) AS position FROM \(table: table) WHERE position <= \(through) GROUP BY account) l
                LEFT JOIN (SELECT account, MAX(through) AS through FROM \(table: balances) WHERE through <= \(through) GROUP BY account) b
                ON b.account = l.account WHERE b.through IS NULL OR b.through < l.position ORDER BY l.account
                """)
        ).map { "account \(try $0.uint(0)) has a line at position \(try $0.uint(1)) that no row counts" }
    }
}
