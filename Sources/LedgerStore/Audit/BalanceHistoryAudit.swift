import LedgerDatabase

/// The positions that the rows of the balances' history name, against those of the account lines, which are proven against the postings
/// by themselves. For each account their number, their sum and the sum of their squares are compared: one pass over either table.
struct BalanceHistoryAudit: Sendable {
    let through: UInt64
    let generation: UInt32
    let lines: AccountLineAudit

    private static let statement = "the rows of the balances' history name the positions that touch their account, all of them and each once"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        guard let lineGeneration = lines.generation, lines.through > 0 else {
            return .init("balance-history", Self.statement, examined: 0, findings: [])
        }
        let balances = LedgerTable.generated("balance", generation: generation)
        let table = LedgerTable.generated("account_line", generation: lineGeneration)
        // As far as both have got.
        let end = min(through, lines.through)
        let touched = try transaction.run(
            .select(
                """
                l.account, COUNT(*), SUM(l.position), SUM(CAST(l.position AS DECIMAL(38)) * l.position) FROM
                (SELECT account, position FROM \(table: table) WHERE position <= \(end) GROUP BY account, position) l GROUP BY l.account
                """))
        var expected: [UInt64: [Int128]] = [:]
        for row in touched { expected[try row.uint(0)] = try (1...3).map { try row.decimal($0) } }
        let named = try transaction.run(
            .select(
                """
                n.account, COUNT(*), SUM(n.position), SUM(CAST(n.position AS DECIMAL(38)) * n.position) FROM
                (SELECT b.account, CAST(b.through AS SIGNED) - IF(s.seq = 0, 0, CAST(CONV(HEX(SUBSTR(b.touched, 4 * s.seq - 3, 4)), 16, 10) AS SIGNED))
                 AS position FROM \(table: balances) b JOIN seq_0_to_127 s ON s.seq <= LENGTH(b.touched) DIV 4 WHERE b.through <= \(through)) n
                WHERE n.position <= CAST(\(end) AS SIGNED) GROUP BY n.account ORDER BY n.account
                """))
        var findings: [String] = []
        var examined: UInt64 = 0
        for row in named {
            let account = try row.uint(0)
            examined += try row.uint(1)
            let (has, should) = (try (1...3).map { try row.decimal($0) }, expected.removeValue(forKey: account) ?? [0, 0, 0])
            if has[0] != should[0] {
                findings.append("account \(account): its rows name \(has[0]) positions, \(should[0]) touch it")
            } else if has != should {
                findings.append("account \(account): its rows name \(has[0]) positions, and not those that touch it")
            }
        }
        for account in expected.keys.sorted() { findings.append("account \(account): no row names the positions that touch it") }
        return .init("balance-history", Self.statement, examined: examined, findings: findings)
    }
}
