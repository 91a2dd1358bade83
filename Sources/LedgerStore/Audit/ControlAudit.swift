import LedgerDatabase
import LedgerModel

/// What is in force against the entries that tell of it; and what landed after a closing.
struct ControlAudit: Sendable {
    let through: UInt64

    /// A posting that claims nothing, and an entry that is dated back, may land for so long after a closing: programs remember
    /// for a second what they were told, and a transaction may be under way. It is listed. Later is a break.
    static let closingSeconds: UInt64 = 10

    private static let kinds: SelectText = "'ledger.limits-set', 'ledger.status-set', 'ledger.period-closed'"

    /// Each control as its entry tells of it, and with the one before it on the same account.
    private static let told: SelectText = """
        SELECT c.sequence, c.account, c.status, c.floor, c.ceiling, c.closed_before, e.position, e.kind,
        a.path = JSON_VALUE(e.payload, '$.account') COLLATE utf8mb4_nopad_bin
         AND a.currency = JSON_VALUE(e.payload, '$.currency') COLLATE utf8mb4_nopad_bin AS is_account,
        CAST(JSON_VALUE(e.payload, '$.floor') AS SIGNED) AS told_floor, CAST(JSON_VALUE(e.payload, '$.ceiling') AS SIGNED) AS told_ceiling,
        JSON_VALUE(e.payload, '$.status') COLLATE utf8mb4_nopad_bin AS told_status,
        CAST(REPLACE(TRIM(TRAILING 'Z' FROM JSON_VALUE(e.payload, '$.closed_before')), 'T', ' ') AS DATETIME(6)) AS told_before,
        COALESCE(LAG(c.status) OVER (PARTITION BY c.account ORDER BY c.sequence), 'open') AS was_status,
        IF(LAG(c.sequence) OVER (PARTITION BY c.account ORDER BY c.sequence) IS NULL, a.floor,
         LAG(c.floor) OVER (PARTITION BY c.account ORDER BY c.sequence)) AS was_floor,
        IF(LAG(c.sequence) OVER (PARTITION BY c.account ORDER BY c.sequence) IS NULL, a.ceiling,
         LAG(c.ceiling) OVER (PARTITION BY c.account ORDER BY c.sequence)) AS was_ceiling,
        LAG(c.closed_before) OVER (PARTITION BY c.account ORDER BY c.sequence) AS was_before,
        LAG(e.position) OVER (ORDER BY c.sequence) AS was_position
        FROM control c LEFT JOIN entry e ON e.id = c.entry_id LEFT JOIN account a ON a.id = c.account
        """

    func controls(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let row = try transaction.run(.select("COUNT(*), COALESCE(MAX(sequence), 0) FROM control"))[0]
        let count = try row.uint(0)
        var findings: [String] = []
        if try row.uint(1) != count { findings.append("\(count) controls, and the last is number \(try row.uint(1))") }
        findings += try transaction.run(
            .select(
                """
                t.sequence, t.position FROM (\(Self.told)) t WHERE t.position IS NULL OR t.was_position >= t.position OR CASE t.kind
                WHEN 'ledger.period-closed' THEN t.account IS NOT NULL OR NOT t.closed_before <=> t.told_before
                 OR COALESCE(t.was_before >= t.closed_before, 0)
                WHEN 'ledger.limits-set' THEN NOT COALESCE(t.is_account, 0) OR t.status <> t.was_status
                 OR NOT t.floor <=> t.told_floor OR NOT t.ceiling <=> t.told_ceiling
                WHEN 'ledger.status-set' THEN NOT COALESCE(t.is_account, 0) OR NOT t.status <=> t.told_status
                 OR NOT t.floor <=> t.was_floor OR NOT t.ceiling <=> t.was_ceiling
                ELSE 1 END ORDER BY t.sequence
                """)
        ).map { row in
            row.isNull(1)
                ? "control \(try row.uint(0)) has no entry that tells of it"
                : "control \(try row.uint(0)) and the entry at \(try row.uint(1)) that tells of it do not say the same"
        }
        findings += try transaction.run(
            .select(
                """
                position FROM entry WHERE position <= \(through) AND kind IN (\(Self.kinds))
                AND id NOT IN (SELECT entry_id FROM control) ORDER BY position
                """)
        ).map { "the entry at \(try $0.uint(0)) tells of a control that is not in force" }
        findings += try transaction.run(
            .select(
                """
                a.path, a.currency FROM account a JOIN entry e ON e.kind = 'ledger.account-opened'
                AND JSON_VALUE(e.payload, '$.account') COLLATE utf8mb4_nopad_bin = a.path
                AND JSON_VALUE(e.payload, '$.currency') COLLATE utf8mb4_nopad_bin = a.currency
                WHERE NOT a.floor <=> CAST(JSON_VALUE(e.payload, '$.floor') AS SIGNED)
                OR NOT a.ceiling <=> CAST(JSON_VALUE(e.payload, '$.ceiling') AS SIGNED) ORDER BY a.path, a.currency
                """)
        ).map { "\(try $0.text(0)) \(try $0.text(1)) was opened with other limits than it has" }
        findings += try transaction.run(
            .select(
                """
                c.account, COUNT(*), MAX(c.revision), a.id FROM account_claim c
                LEFT JOIN account a ON a.id = c.account AND (a.floor IS NOT NULL OR a.ceiling IS NOT NULL)
                GROUP BY c.account, a.id HAVING COUNT(*) <> MAX(c.revision) OR a.id IS NULL ORDER BY c.account
                """)
        ).map { row in
            row.isNull(3)
                ? "account \(try row.uint(0)) has claims and no limits"
                : "account \(try row.uint(0)) has \(try row.uint(1)) claims, and the last is number \(try row.uint(2))"
        }
        return .init(
            "controls", "limits, status and periods in force are those that entries tell of, in their order; claims are dense",
            examined: count, findings: findings)
    }

    /// What landed on accounts that were closed or frozen, and in periods that were.
    func closings(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        var (findings, notes): ([String], [String]) = ([], [])
        func tell(_ row: Row, _ text: String) throws {
            if try row.uint(0) == 1 { findings.append(text + ", too late to have been on its way") } else { notes.append(text) }
        }
        for row in try transaction.run(.select(landed)) {
            let what = try row.text(5) == "closed" ? "lands on" : "draws from"
            try tell(
                row, "entry \(try row.uint(1)) \(what) \(try row.text(3)) \(try row.text(4)), \(try row.text(5)) by entry \(try row.uint(2))")
        }
        let dated = try transaction.run(
            .select(
                """
                TIMESTAMPDIFF(MICROSECOND, s.recorded_at, e.recorded_at) > \(Self.closingSeconds * 1_000_000), e.position, s.position,
                DATE_FORMAT(e.effective_at, '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(s.closed_before, '%Y-%m-%d %H:%i:%s.%f') FROM
                (SELECT c.closed_before, t.position, t.recorded_at, COALESCE(LEAD(t.position) OVER (ORDER BY c.sequence), \(through) + 1) AS next
                 FROM control c JOIN entry t ON t.id = c.entry_id WHERE c.account IS NULL) s
                JOIN entry e ON e.position > s.position AND e.position < s.next AND e.effective_at < s.closed_before
                WHERE e.id IS NOT NULL AND e.position <= \(through) ORDER BY e.position
                """))
        for row in dated {
            try tell(
                row, "entry \(try row.uint(1)) counts from \(try row.text(3)), and entry \(try row.uint(2)) closed the book before "
                    + "\(try row.text(4))")
        }
        let count = try transaction.run(.select("COUNT(*) FROM control WHERE account IS NULL OR status <> 'open'"))[0].uint(0)
        return .init(
            "closings", "nothing lands on what is closed or frozen, but for what was on its way (\(Self.closingSeconds) seconds)",
            examined: count, findings: findings, notes: notes)
    }

    /// Draws on accounts with a floor, and payments into those with a ceiling, claim: for them a closing is exact. What was
    /// held before may be settled.
    private var landed: SelectText {
        """
        TIMESTAMPDIFF(MICROSECOND, s.recorded_at, e.recorded_at) > \(Self.closingSeconds * 1_000_000)
        OR a.floor IS NOT NULL AND m.posted - m.leaving < 0 OR a.ceiling IS NOT NULL AND m.posted + m.coming > 0,
        m.position, s.position, a.path, a.currency, s.status FROM
        (SELECT c.account, c.status, t.position, t.recorded_at,
         COALESCE(LEAD(t.position) OVER (PARTITION BY c.account ORDER BY c.sequence), \(through) + 1) AS next
         FROM control c JOIN entry t ON t.id = c.entry_id WHERE c.account IS NOT NULL) s
        JOIN (\(AccountMoves.text("a.id IN (SELECT account FROM control WHERE status <> 'open')", after: 0, to: through))) m
         ON m.account = s.account AND m.position > s.position AND m.position < s.next
        JOIN entry e ON e.position = m.position JOIN account a ON a.id = m.account
        WHERE s.status <> 'open' AND e.kind NOT IN ('ledger.hold-captured', 'ledger.hold-voided', 'ledger.hold-expired')
        AND (s.status = 'closed' OR m.posted - m.leaving < 0) ORDER BY m.position, a.path
        """
    }
}

/// What entries move on accounts, on the side on which those normally stand: posted, held to leave, held to come.
enum AccountMoves {
    /// - Parameter condition: of accounts `a`.
    static func text(_ condition: SelectText, after low: UInt64, to high: UInt64) -> SelectText {
        let accounts: SelectText = "SELECT a.id, IF(a.type IN ('asset', 'expense'), 1, -1) AS sign FROM account a WHERE \(condition)"
        let amount: SelectText = "CAST(p.amount AS DECIMAL(38))"
        let pending: SelectText = "IF(p.status = 1, \(amount), IF(p.status = 2, -\(amount), 0))"
        return """
            SELECT moved.position, moved.account, SUM(moved.posted) AS posted, SUM(moved.leaving) AS leaving, SUM(moved.coming) AS coming
            FROM (SELECT p.position, a.id AS account, IF(p.status = 0, a.sign * \(amount), 0) AS posted,
             IF(a.sign < 0, \(pending), 0) AS leaving, IF(a.sign > 0, \(pending), 0) AS coming
             FROM posting p JOIN (\(accounts)) a ON a.id = p.debit WHERE p.position > \(low) AND p.position <= \(high)
             UNION ALL
             SELECT p.position, a.id, IF(p.status = 0, -a.sign * \(amount), 0),
             IF(a.sign > 0, \(pending), 0), IF(a.sign < 0, \(pending), 0)
             FROM posting p JOIN (\(accounts)) a ON a.id = p.credit WHERE p.position > \(low) AND p.position <= \(high)) moved
            GROUP BY moved.position, moved.account
            """
    }
}
