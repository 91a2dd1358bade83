import LedgerDatabase
import LedgerModel

/// The months' totals against the rows of the fees, which are proven by themselves, and against the entries that post fees.
struct FeeTotalsAudit: Sendable {
    let generation: UInt32
    let through: UInt64
    let months: FeeAuditMonths
    /// The entries that publish schedules.
    let documents: [UInt64]

    static let totalsStatement = "every month's totals are the sums of its fees"
    static let postedStatement = "what is posted of a month's fees is what the entries that assess them say"

    /// Columns of ``sums``, each of which is followed by what the month's row says instead.
    private static let totals = [(4, "charged"), (6, "volume"), (8, "fees"), (10, "waived")]
    private static let posted = [(12, "assessments"), (14, "assessed")]

    func checks(now: Timestamp, _ transaction: borrowing LedgerTransaction) throws -> [Reconciliation.Check] {
        var (examined, assessments): (UInt64, UInt64) = (0, 0)
        var (totals, posted, due) = (try misplaced(transaction), try misnumbered(transaction), [String]())
        var over: [String: Bool] = [:]
        try transaction.forEachRow(.select(sums)) { row in
            examined += 1
            assessments += UInt64(clamping: row.decimal(12) ?? 0)
            let (schedule, month, account) = (row.text(0) ?? "", row.text(1) ?? "", row.text(2) ?? "")
            let place = "\(account) \(row.text(3) ?? ""), schedule \(schedule), \(month.prefix(7))"
            for (column, name) in Self.totals where row.decimal(column) != row.decimal(column + 1) {
                totals.append("\(place): \(name) is \(row.decimal(column + 1) ?? 0), the fees give \(row.decimal(column) ?? 0)")
            }
            for (column, name) in Self.posted where row.decimal(column) != row.decimal(column + 1) {
                posted.append("\(place): \(name) is \(row.decimal(column + 1) ?? 0), the entries give \(row.decimal(column) ?? 0)")
            }
            let left = (row.decimal(8) ?? 0) - (row.decimal(14) ?? 0)
            guard left != 0 else { return }
            let isOver = over[month] ?? months.isOver(month, at: now)
            over[month] = isOver
            if isOver, let code = row.text(3), let exponent = row.uint(16) {
                let currency = try Currency(try CurrencyCode(code), exponent: Int(exponent))
                due.append(
                    "due: \(currency.format(left)) \(code) of \(account) for \(month.prefix(7)), schedule \(schedule): "
                        + "run `indelible fees assess --month \(month.prefix(7))`")
            }
        }
        return [
            .init("fee-totals", Self.totalsStatement, examined: examined, findings: totals),
            .init("fees-posted", Self.postedStatement, examined: assessments, findings: posted, notes: due),
        ]
    }

    /// Schedule, month, account and currency; what the fees and the entries give, and what the newest row of the month says; decimals of the currency.
    /// A month without a row is one whose row has only zeros.
    private var sums: SelectText {
        """
        t.schedule, CONVERT(t.month, CHAR), COALESCE(a.path, CONVERT(t.account, CHAR)), COALESCE(a.currency, ''), CAST(SUM(t.charged) AS DECIMAL(38)),
        CAST(SUM(t.told_charged) AS DECIMAL(38)), CAST(SUM(t.volume) AS DECIMAL(38)), CAST(SUM(t.told_volume) AS DECIMAL(38)),
        CAST(SUM(t.fees) AS DECIMAL(38)), CAST(SUM(t.told_fees) AS DECIMAL(38)), CAST(SUM(t.waived) AS DECIMAL(38)),
        CAST(SUM(t.told_waived) AS DECIMAL(38)), CAST(SUM(t.assessments) AS DECIMAL(38)), CAST(SUM(t.told_assessments) AS DECIMAL(38)),
        CAST(SUM(t.assessed) AS DECIMAL(38)), CAST(SUM(t.told_assessed) AS DECIMAL(38)), MAX(c.exponent) FROM
        (\(fees) UNION ALL \(postedFees) UNION ALL \(rows)) t LEFT JOIN account a ON a.id = t.account LEFT JOIN currency c ON c.code = a.currency
        GROUP BY t.schedule, t.month, t.account ORDER BY t.schedule, t.month, t.account
        """
    }

    /// The newest row of each fee, with the month and the volume that it counts.
    private var fees: SelectText {
        """
        SELECT f.schedule, \(months.month("f.effective_at")) AS month, f.account, 1 AS charged, 0 AS told_charged,
        CASE r.volume WHEN 'subtract' THEN -1 WHEN 'none' THEN 0 ELSE 1 END * CAST(f.amount AS DECIMAL(38)) AS volume, 0 AS told_volume,
        CAST(f.fee AS DECIMAL(38)) AS fees, 0 AS told_fees, CAST(f.waived AS DECIMAL(38)) AS waived, 0 AS told_waived,
        0 AS assessments, 0 AS told_assessments, 0 AS assessed, 0 AS told_assessed
        FROM (\(FeeAudit.newest(generation, through: through))) f JOIN \(months.join("f.effective_at"))
        LEFT JOIN (\(FeeAuditMatching.rules("SELECT position, payload FROM entry WHERE position IN \(list: documents.map { .uint($0) })"))) r
         ON r.schedule = f.schedule AND r.version = f.version AND r.rule = f.rule WHERE f.version > 0
        """
    }

    /// Entries that post fees: how many, and what those that are not reversed took from the account.
    private var postedFees: SelectText {
        """
        SELECT e.schedule, e.month, e.account, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, IF(u.id IS NULL, e.amount, 0), 0
        FROM (\(assessing)) e LEFT JOIN (\(FeeAuditMatching.undone(through: through))) u ON u.id = e.id
        """
    }

    /// The newest row of each month.
    private var rows: SelectText {
        """
        SELECT m.schedule, m.month, m.account, 0, m.charged, 0, m.volume, 0, m.fees, 0, m.waived, 0, m.assessments, 0, m.assessed
        FROM \(table: table) m LEFT JOIN \(table: table) n ON n.month = m.month AND n.schedule = m.schedule AND n.account = m.account
        AND n.through > m.through AND n.through <= \(through) WHERE m.through <= \(through) AND n.month IS NULL
        """
    }

    private var table: LedgerTable { .generated("fee_month", generation: generation) }

    /// The entries that post fees, each with what it took from the account that it names.
    private var assessing: SelectText {
        """
        SELECT e.position, e.id, e.number, e.schedule, e.month, a.id AS account,
        SUM(IF(p.debit = a.id, CAST(p.amount AS DECIMAL(38)), IF(p.credit = a.id, -CAST(p.amount AS DECIMAL(38)), 0))) AS amount FROM
        (SELECT position, id, CAST(JSON_VALUE(payload, '$.number') AS UNSIGNED) AS number, JSON_VALUE(payload, '$.schedule') AS schedule,
         CAST(CONCAT(JSON_VALUE(payload, '$.month'), '-01') AS DATE) AS month, JSON_VALUE(payload, '$.account') AS path,
         JSON_VALUE(payload, '$.currency') AS currency
         FROM entry WHERE kind = 'ledger.fees-assessed' AND position <= \(through)) e
        LEFT JOIN account a ON a.path = e.path COLLATE utf8mb4_nopad_bin AND a.currency = e.currency COLLATE utf8mb4_nopad_bin
        LEFT JOIN posting p ON p.position = e.position AND p.status = 0
        GROUP BY e.position, e.id, e.number, e.schedule, e.month, a.id
        """
    }

    /// Entries that post fees are numbered 1, 2, 3 for each schedule, month and account, and move what they name.
    private func misnumbered(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                MIN(e.position), MAX(e.position), COUNT(*) FROM (\(assessing)) e GROUP BY e.schedule, e.month, e.account
                HAVING e.schedule IS NULL OR e.month IS NULL OR e.account IS NULL OR MIN(e.number) IS NULL OR MIN(e.number) <> 1
                OR MAX(e.number) <> COUNT(*) OR COUNT(DISTINCT e.number) <> COUNT(*) ORDER BY MIN(e.position)
                """)
        ).map { row in
            "\(try row.uint(2)) entries from \(try row.uint(0)) to \(try row.uint(1)) post fees of one month, and are not numbered one after the other"
        }
    }

    private func misplaced(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                m.account, m.schedule, CONVERT(m.month, CHAR), m.through FROM \(table: table) m
                LEFT JOIN (\(FeeAudit.ends(generation))) k ON k.position = m.through WHERE k.position IS NULL ORDER BY m.through
                """)
        ).map { row in
            "account \(try row.uint(0)), schedule \(try row.text(1)), \(try row.text(2).prefix(7)): the row goes through \(try row.uint(3)), where no "
                + "step ends"
        }
    }
}
