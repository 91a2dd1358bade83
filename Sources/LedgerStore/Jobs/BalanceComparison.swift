import LedgerDatabase
import LedgerModel

/// Balances of one generation against those of another, or against sums that the server makes of the postings.
struct BalanceComparison: Sendable {
    let pair: GenerationPair
    let account: AccountID?

    private static let names = ["debits posted", "credits posted", "debits pending", "credits pending"]

    func run(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        let left = try asOf(pair.first, side: 1, transaction)
        let right = try pair.second.map { try asOf($0, side: 2, transaction) } ?? moved(after: .zero, side: 2)
        let sums: SelectText = """
            SELECT u.account, MAX(u.side = 1) AS is_left, MAX(u.side = 2) AS is_right,
            SUM(IF(u.side = 1, u.dp, 0)) AS dp1, SUM(IF(u.side = 2, u.dp, 0)) AS dp2,
            SUM(IF(u.side = 1, u.cp, 0)) AS cp1, SUM(IF(u.side = 2, u.cp, 0)) AS cp2,
            SUM(IF(u.side = 1, u.dn, 0)) AS dn1, SUM(IF(u.side = 2, u.dn, 0)) AS dn2,
            SUM(IF(u.side = 1, u.cn, 0)) AS cn1, SUM(IF(u.side = 2, u.cn, 0)) AS cn2
            FROM (\(left) UNION ALL \(right)) u GROUP BY u.account
            """
        let rows = try transaction.run(
            .select(
                """
                d.*, COUNT(*) OVER () AS examined, SUM(d.differs) OVER () AS differing, a.path, a.currency
                FROM (SELECT s.*, NOT (is_left AND is_right AND dp1 = dp2 AND cp1 = cp2 AND dn1 = dn2 AND cn1 = cn2) AS differs
                      FROM (\(sums)) s) d
                LEFT JOIN account a ON a.id = d.account ORDER BY d.differs DESC, d.account LIMIT 20
                """))
        guard let first = rows.first else { return }
        result.examined = try first.uint(12)
        try result.found(rows.filter { try $0.uint(11) == 1 }.map(describe), of: first.uint(13))
    }

    private func describe(_ row: Row) throws -> String {
        let name = row.isNull(14) ? "account \(try row.uint(0))" : "\(try row.text(14)) \(try row.text(15))"
        let other = pair.second.map { "generation \($0)" } ?? "the journal"
        if try row.uint(1) == 0 { return "\(name): only \(other) has it" }
        if try row.uint(2) == 0 { return "\(name): only generation \(pair.first) has it" }
        let parts = try Self.names.enumerated().compactMap { index, what -> String? in
            let (left, right) = (try row.decimal(3 + 2 * index), try row.decimal(4 + 2 * index))
            return left == right ? nil : "\(what) \(left) in generation \(pair.first), \(right) in \(other)"
        }
        return "\(name): " + parts.joined(separator: "; ") + " (minor units)"
    }

    /// The rows of a generation at the end of a step, and the postings from there on.
    private func asOf(_ generation: UInt32, side: UInt64, _ transaction: borrowing LedgerTransaction) throws -> SelectText {
        let base = try Checkpoint.atOrBefore(pair.through, job: pair.job, generation: generation, transaction).through
        let table = BalanceProjection.table(generation)
        var only: SelectText = ""
        if let account { only = "AND account = \(account.number)" }
        return """
            SELECT b.account, \(side) AS side, b.debits_posted AS dp, b.credits_posted AS cp, b.debits_pending AS dn, b.credits_pending AS cn
            FROM (SELECT account, MAX(through) AS through FROM \(table: table) WHERE through <= \(base.number) \(only) GROUP BY account) n
            JOIN \(table: table) b ON b.account = n.account AND b.through = n.through UNION ALL \(moved(after: base, side: side))
            """
    }

    /// What the postings after a position move, up to the common one.
    private func moved(after base: Position, side: UInt64) -> SelectText {
        // A released posting takes a pending one back.
        let postings: SelectText = "position > \(base.number) AND position <= \(pair.through.number)"
        var (debited, credited): (SelectText, SelectText) = ("", "")
        if let account { (debited, credited) = ("AND debit = \(account.number)", "AND credit = \(account.number)") }
        return """
            SELECT debit, \(side), SUM(IF(status = 0, amount, 0)), 0,
            SUM(CASE status WHEN 0 THEN 0 WHEN 1 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END), 0
            FROM posting WHERE \(postings) \(debited) GROUP BY debit
            UNION ALL
            SELECT credit, \(side), 0, SUM(IF(status = 0, amount, 0)), 0,
            SUM(CASE status WHEN 0 THEN 0 WHEN 1 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END)
            FROM posting WHERE \(postings) \(credited) GROUP BY credit
            """
    }
}
