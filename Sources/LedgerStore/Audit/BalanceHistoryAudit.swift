import LedgerDatabase

/// Every row of the balances' history, not only the newest: its totals, and the positions that it names, made again by the server from
/// the postings.
struct BalanceHistoryAudit: Sendable {
    let through: UInt64
    let generation: UInt32

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let table = LedgerTable.generated("balance", generation: generation)
        let count = try transaction.run(.select("COUNT(*) FROM \(table: table) WHERE through <= \(through)"))[0].uint(0)
        let wrong = try transaction.run(
            .select(
                """
                s.account, s.through, b.account IS NULL, s.is_idle, b.touched = s.touched FROM (\(sums(table))) s
                LEFT JOIN \(table: table) b ON b.account = s.account AND b.through = s.through
                WHERE b.account IS NULL OR s.is_idle OR b.touched <> s.touched OR b.debits_posted <> s.dp OR b.credits_posted <> s.cp
                OR b.debits_pending <> s.dn OR b.credits_pending <> s.cn ORDER BY s.account, s.through
                """))
        let findings = try wrong.map { row -> String in
            if try row.uint(2) == 1 { return "account \(try row.uint(0)) has postings that no row counts" }
            let place = "account \(try row.uint(0)), the row through \(try row.uint(1))"
            if try row.uint(3) == 1 { return "\(place): no posting there touches the account" }
            return try row.uint(4) == 1
                ? "\(place): the totals are not those of the postings" : "\(place): the positions that it names are not those of the postings"
        }
        return .init(
            "balance-history", "every row of the balances' history has the totals, and names the positions, of the postings that it counts",
            examined: count, findings: findings)
    }

    /// What each row should hold.
    private func sums(_ table: LedgerTable) -> SelectText {
        """
        SELECT g.account, g.through, MAX(g.position = g.through AND g.touches = 0) AS is_idle,
        SUM(SUM(g.dp)) OVER sofar AS dp, SUM(SUM(g.cp)) OVER sofar AS cp, SUM(SUM(g.dn)) OVER sofar AS dn, SUM(SUM(g.cn)) OVER sofar AS cn,
        COALESCE(UNHEX(GROUP_CONCAT(IF(g.position = g.through OR g.touches = 0, NULL, LPAD(HEX(g.through - g.position), 8, '0'))
         ORDER BY g.position SEPARATOR '')), '') AS touched
        FROM (\(positions(table))) g GROUP BY g.account, g.through WINDOW sofar AS (PARTITION BY g.account ORDER BY g.through)
        """
    }

    /// The positions that touch an account, and those of its rows. Each belongs to the account's first row from there on.
    private func positions(_ table: LedgerTable) -> SelectText {
        // A released posting takes a pending one back.
        let signed: SelectText = """
            SELECT position, debit, credit, status, IF(status = 2, -CAST(amount AS DECIMAL(38)), CAST(amount AS DECIMAL(38))) AS signed
            FROM posting WHERE position <= \(through)
            """
        return """
            SELECT m.account, m.position, SUM(m.dp) AS dp, SUM(m.cp) AS cp, SUM(m.dn) AS dn, SUM(m.cn) AS cn, SUM(m.touch) AS touches,
            (SELECT MIN(b.through) FROM \(table: table) b WHERE b.account = m.account AND b.through >= m.position AND b.through <= \(through)) AS through
            FROM
            (SELECT debit AS account, position, 1 AS touch, IF(status = 0, signed, 0) AS dp, 0 AS cp, IF(status = 0, 0, signed) AS dn, 0 AS cn
             FROM (\(signed)) debited
             UNION ALL
             SELECT credit, position, 1, 0, IF(status = 0, signed, 0), 0, IF(status = 0, 0, signed) FROM (\(signed)) credited
             UNION ALL
             SELECT account, through, 0, 0, 0, 0, 0 FROM \(table: table) WHERE through <= \(through)) m
            GROUP BY m.account, m.position
            """
    }
}
