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
        let count = try transaction.run(.select("COUNT(*) FROM \(table: table)"))[0].uint(0)
        let sides = try transaction.run(.select("2 * COUNT(*) FROM posting WHERE position <= \(through)"))[0].uint(0)
        var findings = try count == sides ? [] : tooMany(count, sides, table, transaction)
        findings += try self.sides(table, transaction)
        findings += try balances(table, transaction)
        return .init("account-lines", Self.statement, examined: count, findings: findings)
    }

    /// Lines that are the side of no posting, or lie above the checkpoint.
    private func tooMany(_ count: UInt64, _ sides: UInt64, _ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        let strays = try transaction.run(
            .select(
                """
                l.account, l.line, l.position FROM \(table: table) l LEFT JOIN posting p ON p.position = l.position AND p.line = l.line
                AND IF(l.side = 0, p.debit, p.credit) = l.account WHERE p.position IS NULL OR l.position > \(through)
                ORDER BY l.position, l.line, l.account
                """))
        return try ["the lines are \(count), the sides of the postings \(sides)"] + strays.map { row in
            "account \(try row.uint(0)), line \(try row.uint(1)) at position \(try row.uint(2)): "
                + (try row.uint(2) > through ? "it lies above the checkpoint at \(through)" : "no posting has such a side")
        }
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

    /// Every balance follows from the line before. The server says what each line found and what it left; here the one is only held
    /// against the other, in the order of the primary key, because a window over all lines would sort them.
    private func balances(_ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        var findings: [String] = []
        var account: UInt64?
        var left = ""
        try transaction.forEachRow(
            .select(
                """
                account, position, line, CONVERT(balance, CHAR), CONVERT(balance - CASE WHEN status <> 0 THEN 0
                WHEN side = 0 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END, CHAR)
                FROM \(table: table) WHERE position <= \(through) ORDER BY account, position, line
                """)
        ) { row in
            if row.uint(0) != account {
                account = row.uint(0)
                left = "0"
            }
            let found = row.text(4) ?? ""
            if found != left {
                findings.append(
                    "account \(account ?? 0), line \(row.uint(2) ?? 0) at position \(row.uint(1) ?? 0): the balance before it would be "
                        + "\(found), the line before left \(left) (debits less credits, minor units)")
            }
            left = row.text(3) ?? ""
        }
        return findings
    }
}
