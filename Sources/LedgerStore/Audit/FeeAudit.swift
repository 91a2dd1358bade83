import Foundation
import LedgerDatabase
import LedgerModel

/// The fees against the journal and the schedules, derived by the server in statements that share nothing with what charges them.
struct FeeAudit: Sendable {
    /// The live generation; nil if there is none.
    let generation: UInt32?
    /// Its checkpoint.
    let through: UInt64

    init(_ transaction: borrowing LedgerTransaction) throws {
        let live = try transaction.run(.select("generation FROM live WHERE job = 'fee' ORDER BY sequence DESC LIMIT 1"))
        let generation = try live.first.map { UInt32(try $0.uint(0)) }
        self.generation = generation
        guard let generation else {
            through = 0
            return
        }
        through = try transaction.run(
            .select("COALESCE(MAX(through_position), 0) FROM checkpoint WHERE job = 'fee' AND generation = \(generation)"))[0].uint(0)
    }

    /// - Parameter now: the server's clock: months that are over by then should be paid.
    func checks(now: Timestamp, _ transaction: borrowing LedgerTransaction) throws -> [Reconciliation.Check] {
        let schedules = try schedules(transaction)
        guard let generation, through > 0 else {
            return [
                .init("fees", Self.statement, examined: 0, findings: []),
                .init("fee-totals", FeeTotalsAudit.totalsStatement, examined: 0, findings: []),
                .init("fees-posted", FeeTotalsAudit.postedStatement, examined: 0, findings: []), schedules,
            ]
        }
        let name = try transaction.run(.select("time_zone FROM book")).first?.text(0) ?? "UTC"
        guard let zone = TimeZone(identifier: name) else {
            throw LedgerError(.schema, "the book's time zone “\(name)” is not known here")
        }
        let months = try FeeAuditMonths(of: zone, through: through, transaction)
        let published = try FeeAuditTerms.published(through: through, transaction)
        let totals = FeeTotalsAudit(generation: generation, through: through, months: months, documents: published.map(\.document))
        return try [fees(published, months, generation, transaction)] + totals.checks(now: now, transaction) + [schedules]
    }

    // MARK: - Each fee

    private static let statement = "every fee at the checkpoint follows from the journal and the schedules"

    /// The newest row of each entry, account and schedule, up to the checkpoint.
    static func newest(_ generation: UInt32, through: UInt64) -> SelectText {
        let table = LedgerTable.generated("fee", generation: generation)
        return """
            SELECT f.* FROM \(table: table) f LEFT JOIN \(table: table) n ON n.account = f.account AND n.schedule = f.schedule
            AND n.effective_at = f.effective_at AND n.id = f.id AND n.through > f.through AND n.through <= \(through)
            WHERE f.through <= \(through) AND n.account IS NULL
            """
    }

    private func fees(
        _ published: [FeeAuditTerms], _ months: FeeAuditMonths, _ generation: UInt32, _ transaction: borrowing LedgerTransaction
    ) throws -> Reconciliation.Check {
        var findings = try impossible(generation, transaction)
        var examined: UInt64 = 0
        let newest = Self.newest(generation, through: through)
        var standing: [String: UInt64] = [:]
        for row in try transaction.run(.select("f.schedule, COUNT(*) FROM (\(newest)) f WHERE f.version > 0 GROUP BY f.schedule")) {
            standing[try row.text(0)] = try row.uint(1)
        }
        for (schedule, versions) in Dictionary(grouping: published, by: \.schedule).sorted(by: { $0.key < $1.key }) {
            let matching = FeeAuditMatching(schedule: schedule, versions: versions, through: through, months: months)
            var found: UInt64 = 0
            try transaction.forEachRow(.select(comparison(matching, newest))) { row in
                examined += 1
                if row.uint(3) == 1 { found += 1 }
                guard let differences = row.text(4), !differences.isEmpty else { return }
                let place = "\(row.text(0) ?? "") \(row.text(1) ?? ""), schedule \(schedule), entry \(row.uint(2) ?? 0)"
                findings += differences.split(separator: "\n").map { "\(place): \($0)" }
            }
            if standing.removeValue(forKey: schedule) ?? 0 != found { findings += try surplus(matching, newest, transaction) }
        }
        for (schedule, count) in standing.sorted(by: { $0.key < $1.key }) {
            findings.append("schedule \(schedule): \(count) entries have a fee, and no such schedule is published")
        }
        return .init("fees", Self.statement, examined: examined, findings: findings)
    }

    /// Each fee as the server derives it, beside the newest row: its account, the entry, whether there is a row that charges it, and a line
    /// for each column that differs.
    private func comparison(_ matching: FeeAuditMatching, _ newest: SelectText) -> SelectText {
        let columns: [(String, LedgerColumn)] = [
            ("position", "position"), ("version", "version"), ("rule", "rule"), ("amount", "amount"), ("percentage", "percentage"),
            ("rounding", "rounding"), ("fixed", "fixed"), ("bounded", "bounded"), ("waiver", "waiver"), ("waived", "waived"),
            ("waived_rounding", "waived_rounding"), ("fee", "fee"),
        ]
        var differences = columns.map { name, column -> SelectText in
            "IF(f.\(column: column) <> d.\(column: column), CONCAT(\("\(name) is "), f.\(column: column), ', it would be ', d.\(column: column)), NULL)"
        }
        let (stored, derived): (SelectText, SelectText) = ("CONVERT(f.slices USING utf8mb4)", "CONVERT(d.slices USING utf8mb4)")
        differences.append("IF(\(stored) <> \(derived), CONCAT('slices are “', \(stored), '”, they would be “', \(derived), '”'), NULL)")
        return """
            a.path, a.currency, d.position, COALESCE(f.version > 0, 0), CASE
            WHEN f.account IS NULL THEN CONCAT('there is no row; the fee would be ', d.fee, ', by rule ', d.rule, ' of version ', d.version)
            ELSE CONCAT_WS('\\n', \(differences.joined(", "))) END
            FROM (\(FeeAuditPricing(matching: matching).fees)) d
            LEFT JOIN (\(newest)) f ON f.account = d.account AND f.schedule = \(matching.schedule) AND f.effective_at = d.effective_at AND f.id = d.id
            LEFT JOIN account a ON a.id = d.account
            """
    }

    /// Rows that charge what the journal and the schedules do not.
    private func surplus(
        _ matching: FeeAuditMatching, _ newest: SelectText, _ transaction: borrowing LedgerTransaction
    ) throws -> [String] {
        try transaction.run(
            .select(
                """
                COALESCE(a.path, f.account), COALESCE(a.currency, ''), f.position, f.fee FROM (\(newest)) f
                LEFT JOIN (SELECT DISTINCT c.account, c.effective_at, c.id FROM (\(matching.charged)) c) d
                 ON d.account = f.account AND d.effective_at = f.effective_at AND d.id = f.id
                LEFT JOIN account a ON a.id = f.account WHERE f.schedule = \(matching.schedule) AND f.version > 0 AND d.account IS NULL
                ORDER BY f.position, f.account
                """)
        ).map { row in
            "\(try row.text(0)) \(try row.text(1)), schedule \(matching.schedule), entry \(try row.uint(2)): the row's fee is "
                + "\(try row.decimal(3)), and it would not be charged"
        }
    }

    /// Where the steps of the live generation end.
    static func ends(_ generation: UInt32) -> SelectText {
        "SELECT DISTINCT through_position AS position FROM checkpoint WHERE job = 'fee' AND generation = \(generation)"
    }

    /// Rows that cannot be, whatever the journal says: no step's, before their entry, or with something left of a fee that is gone.
    private func impossible(_ generation: UInt32, _ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                COALESCE(a.path, f.account), COALESCE(a.currency, ''), f.schedule, f.position,
                CASE WHEN k.position IS NULL THEN CONCAT('its row goes through ', f.through, ', where no step ends')
                WHEN e.position IS NULL OR e.effective_at <> f.effective_at THEN 'no entry of this position has its id and time'
                WHEN f.through < f.position THEN CONCAT('its row goes through ', f.through, ', before the entry')
                ELSE 'it is not charged any more, and not all of its row is 0' END
                FROM \(table: .generated("fee", generation: generation)) f
                LEFT JOIN (\(Self.ends(generation))) k ON k.position = f.through
                LEFT JOIN entry e ON e.position = f.position AND e.id = f.id LEFT JOIN account a ON a.id = f.account
                WHERE k.position IS NULL OR e.position IS NULL OR e.effective_at <> f.effective_at OR f.through < f.position
                OR f.version = 0 AND (f.rule <> 0 OR f.amount <> 0 OR f.slices <> '' OR f.percentage <> 0 OR f.rounding <> 0 OR f.fixed <> 0
                 OR f.bounded <> 0 OR f.waiver <> 0 OR f.waived <> 0 OR f.waived_rounding <> 0 OR f.fee <> 0)
                ORDER BY f.position, f.account, f.schedule, f.through
                """)
        ).map { row in
            "\(try row.text(0)) \(try row.text(1)), schedule \(try row.text(2)), entry \(try row.uint(3)): \(try row.text(4))"
        }
    }

    // MARK: - Schedules

    /// The list of schedules and the entries that publish them.
    private func schedules(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let told: SelectText = """
            SELECT e.position, e.id, JSON_VALUE(e.payload, '$.schedule') COLLATE utf8mb4_nopad_bin AS name,
            CAST(JSON_VALUE(e.payload, '$.version') AS UNSIGNED) AS version,
            \(FeeAuditTerms.instant("JSON_VALUE(e.payload, '$.effective_from')")) AS effective_from
            FROM entry e WHERE e.kind = 'ledger.fee-schedule-published'
            """
        var findings = try transaction.run(
            .select(
                """
                t.position FROM (\(told)) t LEFT JOIN fee_schedule s ON s.name = t.name AND s.version = t.version
                AND s.effective_from = t.effective_from AND s.entry_id = t.id WHERE s.name IS NULL ORDER BY t.position
                """)
        ).map { "the entry at \(try $0.uint(0)) publishes a fee schedule that is not listed, or is listed otherwise" }
        findings += try transaction.run(
            .select(
                """
                s.name, s.version FROM fee_schedule s LEFT JOIN (\(told)) t ON s.name = t.name AND s.version = t.version
                AND s.effective_from = t.effective_from AND s.entry_id = t.id WHERE t.id IS NULL ORDER BY s.name, s.version
                """)
        ).map { "version \(try $0.uint(1)) of the fee schedule \(try $0.text(0)) is listed, and no entry publishes it so" }
        let count = try transaction.run(.select("COUNT(*) FROM fee_schedule"))[0].uint(0)
        return .init(
            "fee-schedules", "every fee schedule that is listed is published by an entry, and the other way round", examined: count,
            findings: findings)
    }
}
