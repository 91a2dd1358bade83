import LedgerDatabase
import LedgerModel

/// Account lines against the postings that they are made of.
struct LineComparison: Sendable {
    static let tables = [
        ComparedTable(
            "account_line", keys: ["account", "position", "line"], through: "position",
            values: ["side", "counterpart", "amount", "status", "effective_at", "balance", "late"]),
        ComparedTable("account_line_late", keys: ["account", "effective_at", "position", "line"], through: "position", values: []),
    ]

    let generation: UInt32
    let through: Position
    let account: AccountID?

    func run(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        try counts(&result, transaction)
        try content(&result, transaction)
        try running(&result, transaction)
        try late(&result, transaction)
    }

    private var lines: LedgerTable { AccountLineProjection.table(generation) }

    /// As many lines as sides of postings: with the next check, there is none that no posting has.
    private func counts(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        var (ofPosting, ofLine): (SelectText, SelectText) = ("2", "")
        if let account {
            ofPosting = "(debit = \(account.number)) + (credit = \(account.number))"
            ofLine = "AND account = \(account.number)"
        }
        let row = try transaction.run(
            .select(
                """
                (SELECT COALESCE(SUM(\(ofPosting)), 0) FROM posting WHERE position <= \(through.number)),
                (SELECT COUNT(*) FROM \(table: lines) WHERE position <= \(through.number) \(ofLine))
                """))[0]
        let (expected, found) = (try row.uint(0), try row.uint(1))
        result.examined = expected
        if expected != found {
            result.found(["the journal has \(expected) sides of postings, generation \(generation) has \(found) lines"], of: 1)
        }
    }

    /// Both sides of each posting, field by field.
    private func content(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        var only: SelectText = ""
        if let account { only = "AND (p.debit = \(account.number) OR p.credit = \(account.number))" }
        let rows = try transaction.run(
            .select(
                """
                p.position, p.line, COUNT(*) OVER () FROM posting p JOIN entry e ON e.position = p.position
                LEFT JOIN \(table: lines) d ON d.account = p.debit AND d.position = p.position AND d.line = p.line
                LEFT JOIN \(table: lines) c ON c.account = p.credit AND c.position = p.position AND c.line = p.line
                WHERE p.position <= \(through.number) \(only) AND NOT (
                d.side <=> 0 AND d.counterpart <=> p.credit AND d.amount <=> p.amount AND d.status <=> p.status
                AND d.effective_at <=> e.effective_at AND
                c.side <=> 1 AND c.counterpart <=> p.debit AND c.amount <=> p.amount AND c.status <=> p.status
                AND c.effective_at <=> e.effective_at)
                ORDER BY p.position, p.line LIMIT 20
                """))
        guard let first = rows.first else { return }
        try result.found(
            rows.map { "line \(try $0.uint(1)) of the entry at \(try $0.uint(0)): its account lines are missing, or say something else" },
            of: first.uint(2))
    }

    /// Each line's balance is the one before it and what it moves.
    private func running(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        var only: SelectText = ""
        if let account { only = "AND account = \(account.number)" }
        let rows = try transaction.run(
            .select(
                """
                x.account, x.position, x.line, COUNT(*) OVER (), a.path, a.currency FROM
                (SELECT account, position, line,
                 balance - COALESCE(LAG(balance) OVER (PARTITION BY account ORDER BY position, line), 0) AS moved,
                 CASE WHEN status <> 0 THEN 0 WHEN side = 0 THEN CAST(amount AS DECIMAL(38)) ELSE -CAST(amount AS DECIMAL(38)) END AS amount
                 FROM \(table: lines) WHERE position <= \(through.number) \(only)) x
                LEFT JOIN account a ON a.id = x.account WHERE x.moved <> x.amount ORDER BY x.account, x.position, x.line LIMIT 20
                """))
        guard let first = rows.first else { return }
        try result.found(
            rows.map { row in
                let name = row.isNull(4) ? "account \(try row.uint(0))" : "\(try row.text(4)) \(try row.text(5))"
                return "\(name): the balance at line \(try row.uint(2)) of position \(try row.uint(1)) does not follow from the one before it"
            }, of: first.uint(3))
    }

    /// Those lines are late before which one counts later, and they have a row among the late ones.
    private func late(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        var (only, onlyRows): (SelectText, SelectText) = ("", "")
        if let account { (only, onlyRows) = ("AND account = \(account.number)", "AND r.account = \(account.number)") }
        let rows = AccountLineProjection.late(generation)
        let wrong = try transaction.run(
            .select(
                """
                x.account, x.position, x.line, COUNT(*) OVER () FROM
                (SELECT account, position, line, effective_at, late, COALESCE(effective_at < MAX(effective_at) OVER
                 (PARTITION BY account ORDER BY position, line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS is_late
                 FROM \(table: lines) WHERE position <= \(through.number) \(only)) x
                LEFT JOIN \(table: rows) r ON r.account = x.account AND r.effective_at = x.effective_at AND r.position = x.position
                AND r.line = x.line
                WHERE x.late <> x.is_late OR x.is_late <> (r.account IS NOT NULL) ORDER BY x.account, x.position, x.line LIMIT 20
                """))
        if let first = wrong.first {
            try result.found(
                wrong.map { "account \(try $0.uint(0)): line \(try $0.uint(2)) of position \(try $0.uint(1)) is late and not said to be, or the reverse" },
                of: first.uint(3))
        }
        let strays = try transaction.run(
            .select(
                """
                r.account, r.position, r.line, COUNT(*) OVER () FROM \(table: rows) r LEFT JOIN \(table: lines) l ON l.account = r.account
                AND l.position = r.position AND l.line = r.line AND l.effective_at = r.effective_at
                WHERE r.position <= \(through.number) \(onlyRows) AND l.account IS NULL ORDER BY r.account, r.position, r.line LIMIT 20
                """))
        guard let first = strays.first else { return }
        try result.found(
            strays.map { "account \(try $0.uint(0)): a late line \(try $0.uint(2)) of position \(try $0.uint(1)) that is none" }, of: first.uint(3))
    }
}
