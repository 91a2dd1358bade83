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

    private static let statement = """
        the account lines are the postings, side by side, each balance is the one before it and its line, and those are late before \
        which one counts later
        """

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        guard let generation, through > 0 else { return .init("account-lines", Self.statement, examined: 0, findings: []) }
        let table = LedgerTable.generated("account_line", generation: generation)
        let count = try transaction.run(.select("COUNT(*) FROM \(table: table)"))[0].uint(0)
        let sides = try transaction.run(.select("2 * COUNT(*) FROM posting WHERE position <= \(through)"))[0].uint(0)
        var findings = try count == sides ? [] : tooMany(count, sides, table, transaction)
        findings += try self.sides(table, transaction)
        let (late, wrong) = try running(table, transaction)
        findings += wrong
        findings += try lateRows(late, table, transaction)
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

    /// Every balance follows from the line before, and what is marked as late is late. The server says what each line found and what it
    /// left, and when it counts as a number; here the one is only held against the other, in the order of the primary key, because a
    /// window over all lines would sort them.
    /// - Returns: how many lines are marked as late, and what is wrong.
    private func running(_ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> (late: UInt64, findings: [String]) {
        var findings: [String] = []
        var account: UInt64?
        var left = ""
        var (latest, late): (UInt64, UInt64) = (0, 0)
        try transaction.forEachRow(
            .select(
                """
                account, position, line, CONVERT(balance, CHAR), CONVERT(balance - CASE WHEN status <> 0 THEN 0
                WHEN side = 0 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END, CHAR),
                late, CAST(TO_SECONDS(effective_at) * 1000000 + MICROSECOND(effective_at) AS UNSIGNED)
                FROM \(table: table) WHERE position <= \(through) ORDER BY account, position, line
                """)
        ) { row in
            if row.uint(0) != account {
                account = row.uint(0)
                left = "0"
                latest = 0
            }
            let (position, line) = (row.uint(1) ?? 0, row.uint(2) ?? 0)
            if !row.isText(4, left) {
                findings.append(
                    "\(Self.place(account, line, position)): the balance before it would be \(row.text(4) ?? ""), the line before "
                        + "left \(left) (debits less credits, minor units)")
            }
            left = row.text(3) ?? ""
            let time = row.uint(6) ?? 0
            if row.uint(5) != (time < latest ? 1 : 0) {
                findings.append(
                    time < latest
                        ? "\(Self.place(account, line, position)): a line before it counts later, and it is not marked as late"
                        : "\(Self.place(account, line, position)): no line before it counts later, and it is marked as late")
            }
            if row.uint(5) != 0 { late += 1 }
            latest = max(latest, time)
        }
        return (late, findings)
    }

    private static func place(_ account: UInt64?, _ line: UInt64, _ position: UInt64) -> String {
        "account \(account ?? 0), line \(line) at position \(position)"
    }

    /// The table of the late lines has exactly those that are marked as late: each of its rows is one, by all its columns, which are its
    /// key; so it has all of them if they are as many.
    private func lateRows(_ late: UInt64, _ table: LedgerTable, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        guard let generation else { return [] }
        let rows = LedgerTable.generated("account_line_late", generation: generation)
        let strays = try transaction.run(
            .select(
                """
                x.account, x.line, x.position FROM \(table: rows) x LEFT JOIN \(table: table) l ON l.account = x.account
                AND l.position = x.position AND l.line = x.line AND l.late <> 0 AND l.effective_at = x.effective_at
                WHERE l.account IS NULL OR x.position > \(through) ORDER BY x.position, x.line, x.account
                """))
        var findings = try strays.map { row in
            "account \(try row.uint(0)), line \(try row.uint(1)) at position \(try row.uint(2)): it is among the late lines, and no late line is so"
        }
        let count = try transaction.run(.select("COUNT(*) FROM \(table: rows)"))[0].uint(0)
        if count != late + UInt64(strays.count) {
            findings.append("the lines marked as late are \(late), the rows of late lines \(count)")
            findings += try transaction.run(
                .select(
                    """
                    l.account, l.line, l.position FROM \(table: table) l LEFT JOIN \(table: rows) x ON x.account = l.account
                    AND x.effective_at = l.effective_at AND x.position = l.position AND x.line = l.line
                    WHERE l.late <> 0 AND x.account IS NULL ORDER BY l.position, l.line, l.account
                    """)
            ).map { row in
                "account \(try row.uint(0)), line \(try row.uint(1)) at position \(try row.uint(2)): it is late, and not among the late lines"
            }
        }
        return findings
    }
}
