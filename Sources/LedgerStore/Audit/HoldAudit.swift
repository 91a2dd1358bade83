import LedgerDatabase
import LedgerModel

/// Holds and what settles them, from the journal's rows alone. The id of a settlement is made by the server.
struct HoldAudit: Sendable {
    let through: UInt64

    /// Of a hold `h`: the id of whatever settles it.
    private static let settlement: SelectText = """
        UNHEX(LEFT(SHA2(CONCAT('indelible/settlement/32:', LOWER(HEX(h.id))), 256), 32))
        """
    /// Of a hold `h`: when it ends by itself.
    private static let expiresAt: SelectText = """
        CAST(REPLACE(TRIM(TRAILING 'Z' FROM JSON_VALUE(h.payload, '$.expires_at')), 'T', ' ') AS DATETIME(6))
        """
    private static let kinds: SelectText = "'ledger.hold-captured', 'ledger.hold-voided', 'ledger.hold-expired'"

    /// Entries that settle something, each with the hold that it names, if that stands before it.
    private var ends: SelectText {
        """
        SELECT s.position, s.kind, s.id, s.effective_at, h.position AS held, h.id AS hold FROM
        (SELECT position FROM entry WHERE position <= \(through) AND kind IN (\(Self.kinds))
         UNION SELECT position FROM posting WHERE position <= \(through) AND status = 2) ended
        JOIN entry s ON s.position = ended.position
        LEFT JOIN entry h ON h.id = UNHEX(JSON_VALUE(s.payload, '$.hold')) AND h.position < s.position
        """
    }

    /// Every settlement releases exactly what its hold holds, captures at most that, in time, and once.
    func settlements(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(.select("COUNT(*) FROM (\(ends)) ends"))[0].uint(0)
        var findings: [String] = []
        func find(_ text: SelectText, _ what: (Row) throws -> String) throws {
            findings += try transaction.run(.select(text)).map(what)
        }
        try find(
            """
            p.position FROM posting p WHERE p.position <= \(through) GROUP BY p.position
            HAVING SUM(p.status = 1) > 0 AND SUM(p.status = 1) < COUNT(*) ORDER BY p.position
            """
        ) { "entry \(try $0.uint(0)) holds with some of its postings and moves with others" }
        try find(
            """
            e.position, e.kind, e.held, e.id = \(Self.settlement), e.kind NOT IN (\(Self.kinds)),
            (e.kind = 'ledger.hold-expired') <> COALESCE(e.effective_at >= \(Self.expiresAt), 0)
            FROM (\(ends)) e LEFT JOIN entry h ON h.position = e.held
            WHERE e.held IS NULL OR e.id <> \(Self.settlement) OR e.kind NOT IN (\(Self.kinds))
            OR (e.kind = 'ledger.hold-expired') <> COALESCE(e.effective_at >= \(Self.expiresAt), 0) ORDER BY e.position
            """
        ) { row in
            let place = "entry \(try row.uint(0)) (\(try row.text(1)))"
            if row.isNull(2) { return "\(place) names no hold that stands before it" }
            if try row.uint(4) == 1 { return "\(place) releases something and settles no hold" }
            if try row.uint(3) == 0 { return "\(place) has not the id of the settlement of the hold at \(try row.uint(2))" }
            return "\(place): the hold at \(try row.uint(2)) had \(try row.text(1) == "ledger.hold-expired" ? "not expired" : "expired") by then"
        }
        try find(
            """
            e.position, e.held, h.line FROM (\(ends)) e JOIN posting h ON h.position = e.held AND h.status = 1
            LEFT JOIN posting r ON r.position = e.position AND r.line = h.line AND r.status = 2 AND r.debit = h.debit
             AND r.credit = h.credit AND r.amount = h.amount
            WHERE r.line IS NULL ORDER BY e.position, h.line
            """
        ) { "entry \(try $0.uint(0)) does not release posting \(try $0.uint(2)) of the hold at \(try $0.uint(1))" }
        try find(
            """
            e.position, r.line FROM (\(ends)) e JOIN posting r ON r.position = e.position AND r.status <> 0
            LEFT JOIN posting h ON h.position = e.held AND h.line = r.line AND h.status = 1
            WHERE h.line IS NULL OR r.status = 1 ORDER BY e.position, r.line
            """
        ) { "entry \(try $0.uint(0)): posting \(try $0.uint(1)) releases what no hold holds" }
        try find(
            """
            c.position, c.captured, COALESCE(h.held, 0) FROM
            (SELECT e.position, e.kind, e.held, p.debit, p.credit, SUM(p.amount) AS captured FROM (\(ends)) e
             JOIN posting p ON p.position = e.position AND p.status = 0 GROUP BY e.position, e.kind, e.held, p.debit, p.credit) c
            LEFT JOIN (SELECT position, debit, credit, SUM(amount) AS held FROM posting WHERE position <= \(through) AND status = 1
             GROUP BY position, debit, credit) h ON h.position = c.held AND h.debit = c.debit AND h.credit = c.credit
            WHERE c.captured > COALESCE(h.held, 0) OR c.kind <> 'ledger.hold-captured' ORDER BY c.position
            """
        ) { "entry \(try $0.uint(0)) moves \(try $0.decimal(1)) minor units of \(try $0.decimal(2)) that it may" }
        try find("e.held, COUNT(*) FROM (\(ends)) e WHERE e.held IS NOT NULL GROUP BY e.held HAVING COUNT(*) > 1 ORDER BY e.held") {
            "the hold at \(try $0.uint(0)) is settled \(try $0.uint(1)) times"
        }
        return .init(
            "settlements", "every settlement releases exactly what its hold holds, captures at most that, in time and once",
            examined: count, findings: findings)
    }

    /// Where holds that expire are found by account and time, against the journal.
    func expiries(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let told: SelectText = """
            SELECT moved.account, \(Self.expiresAt) AS expires_at, h.id AS hold, \(Self.settlement) AS settlement,
            SUM(moved.debits) AS debits, SUM(moved.credits) AS credits FROM
            (SELECT position, debit AS account, amount AS debits, 0 AS credits FROM posting WHERE status = 1
             UNION ALL SELECT position, credit, 0, amount FROM posting WHERE status = 1) moved
            JOIN entry h ON h.position = moved.position WHERE JSON_VALUE(h.payload, '$.expires_at') IS NOT NULL
            GROUP BY moved.account, h.id
            """
        let count = try transaction.run(.select("COUNT(*) FROM hold_expiry"))[0].uint(0)
        let same: SelectText = """
            x.account = t.account AND x.hold = t.hold AND x.expires_at = t.expires_at AND x.settlement = t.settlement
            AND x.debits = t.debits AND x.credits = t.credits
            """
        var findings = try transaction.run(
            .select(
                """
                LOWER(HEX(t.hold)), t.account FROM (\(told)) t LEFT JOIN hold_expiry x ON \(same)
                WHERE x.hold IS NULL ORDER BY t.hold, t.account
                """)
        ).map { "the hold \(try $0.text(0)) on account \(try $0.uint(1)) is not among those that expire, or is told otherwise" }
        findings += try transaction.run(
            .select(
                """
                LOWER(HEX(x.hold)), x.account FROM hold_expiry x LEFT JOIN (\(told)) t ON \(same)
                WHERE t.hold IS NULL ORDER BY x.hold, x.account
                """)
        ).map { "a hold \(try $0.text(0)) is to expire on account \(try $0.uint(1)), and no entry holds that" }
        // Whoever looks for holds to expire looks behind the newest sweep only.
        findings += try transaction.run(
            .select(
                """
                LOWER(HEX(x.hold)) FROM hold_expiry x WHERE x.expires_at <= (SELECT MAX(swept_before) FROM hold_sweep)
                AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = x.settlement) GROUP BY x.hold
                """)
        ).map { "the hold \(try $0.text(0)) expired before the newest sweep, and nothing has settled it" }
        return .init(
            "hold-expiries", "holds that expire are found where their entries say", examined: count, findings: findings)
    }

    /// Every reversal swaps exactly what the entry posted that it reverses.
    func reversals(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let reversed: SelectText = """
            SELECT r.position, r.id, o.position AS other, o.id AS reverses FROM entry r
            LEFT JOIN entry o ON o.id = UNHEX(JSON_VALUE(r.payload, '$.reverses')) AND o.position < r.position
            WHERE r.position <= \(through) AND r.kind = 'ledger.reversed'
            """
        let count = try transaction.run(.select("COUNT(*) FROM (\(reversed)) r"))[0].uint(0)
        let wrong = try transaction.run(
            .select(
                """
                r.position FROM (\(reversed)) r WHERE r.other IS NULL
                OR r.id <> UNHEX(LEFT(SHA2(CONCAT('indelible/reversal/32:', LOWER(HEX(r.reverses))), 256), 32))
                UNION
                SELECT m.position FROM
                (SELECT r.position, p.debit, p.credit, p.amount, 1 AS direction FROM (\(reversed)) r JOIN posting p ON p.position = r.position
                 UNION ALL SELECT r.position, p.credit, p.debit, p.amount, -1 FROM (\(reversed)) r
                 JOIN posting p ON p.position = r.other AND p.status = 0) m
                GROUP BY m.position, m.debit, m.credit, m.amount HAVING SUM(m.direction) <> 0
                UNION SELECT p.position FROM posting p JOIN (\(reversed)) r ON r.position = p.position WHERE p.status <> 0
                ORDER BY position
                """))
        return .init(
            "reversals", "every reversal swaps exactly what the entry posted that it reverses, once", examined: count,
            findings: try wrong.map { "entry \(try $0.uint(0)) is not the opposite of an entry before it" })
    }
}
