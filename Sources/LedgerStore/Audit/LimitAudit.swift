import LedgerDatabase
import LedgerModel

/// Replays the journal on every account with limits: whoever drew or paid in, and whoever set a limit, left the limit whole that
/// was in force at that position. What was held counts by its time: nothing from its expiry on, by the clock of the entry.
struct LimitAudit: Sendable {
    let through: UInt64
    private static let positionsPerRead: UInt64 = 10_000

    private struct Held {
        let expiresAt: String
        let leaving: Int128
        let coming: Int128
    }

    private struct Line {
        let name: String
        var floor: Int64?
        var ceiling: Int64?
        var posted: Int128 = 0
        var leaving: Int128 = 0
        var coming: Int128 = 0
        /// What ends by itself, by the hold's id.
        var holds: [[UInt8]: Held] = [:]

        /// What contradicts the limits; times are compared as the database writes them.
        func broken(_ draws: Bool, _ pays: Bool, at time: String) -> String? {
            var (available, expected) = (posted - leaving, posted + coming)
            let isFloorShort = draws && floor.map { available < $0 } ?? false
            let isCeilingShort = pays && ceiling.map { expected > $0 } ?? false
            guard isFloorShort || isCeilingShort else { return nil }
            for hold in holds.values where hold.expiresAt <= time {
                available += hold.leaving
                expected -= hold.coming
            }
            if draws, let floor, available < floor { return "leaves \(available) available, and the floor is \(floor)" }
            if pays, let ceiling, expected > ceiling { return "lifts it to \(expected), and the ceiling is \(ceiling)" }
            return nil
        }
    }

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        var lines: [UInt64: Line] = [:]
        for row in try transaction.run(
            .select("id, path, currency, floor, ceiling FROM account WHERE floor IS NOT NULL OR ceiling IS NOT NULL"))
        {
            lines[try row.uint(0)] = Line(
                name: "\(try row.text(1)) \(try row.text(2))", floor: try row.optionalInt(3), ceiling: try row.optionalInt(4))
        }
        var findings: [String] = []
        var examined: UInt64 = 0
        var low: UInt64 = 0
        while !lines.isEmpty, low < through {
            let high = min(low + Self.positionsPerRead, through)
            for row in try moves(after: low, to: high, transaction) {
                guard var line = lines[try row.uint(1)] else { continue }
                examined += 1
                let broken = try Self.apply(row, to: &line)
                lines[try row.uint(1)] = line
                if let broken { findings.append("entry \(try row.uint(0)) on \(line.name): it \(broken) (minor units)") }
            }
            low = high
        }
        return .init(
            "limits", "whoever drew, paid in or set a limit left the limits in force whole at that position", examined: examined,
            findings: findings)
    }

    /// - Returns: what the limits say to it.
    private static func apply(_ row: Row, to line: inout Line) throws -> String? {
        let time = try row.text(2)
        if row.isNull(3) {
            // A control. One that changes no limit may stand where a limit is broken already.
            line.floor = try row.optionalInt(8)
            line.ceiling = try row.optionalInt(9)
            let isSet = try row.text(10) == "ledger.limits-set"
            return line.broken(isSet, isSet, at: time)
        }
        let (posted, leaving, coming) = (try row.decimal(3), try row.decimal(4), try row.decimal(5))
        line.posted += posted
        line.leaving += leaving
        line.coming += coming
        if let hold = try row.optionalBytes(6) {
            if let expiresAt = try row.optionalText(7) {
                line.holds[hold] = Held(expiresAt: expiresAt, leaving: leaving, coming: coming)
            } else {
                line.holds[hold] = nil
            }
        }
        return line.broken(posted - leaving < 0, posted + coming > 0, at: time)
    }

    /// What moved on accounts with limits, and the limits that were set, in the order of the journal.
    private func moves(after low: UInt64, to high: UInt64, _ transaction: borrowing LedgerTransaction) throws -> Rows {
        try transaction.run(
            .select(
                """
                m.position, m.account, DATE_FORMAT(e.recorded_at, '%Y-%m-%d %H:%i:%s.%f') AS time, m.posted, m.leaving, m.coming,
                IF(m.leaving > 0 OR m.coming > 0, e.id, IF(e.kind LIKE 'ledger.hold-%', UNHEX(JSON_VALUE(e.payload, '$.hold')), NULL)) AS hold,
                IF(m.leaving > 0 OR m.coming > 0, DATE_FORMAT(CAST(REPLACE(TRIM(TRAILING 'Z' FROM
                 JSON_VALUE(e.payload, '$.expires_at')), 'T', ' ') AS DATETIME(6)), '%Y-%m-%d %H:%i:%s.%f'), NULL) AS expires_at,
                NULL AS floor, NULL AS ceiling, e.kind
                FROM (\(AccountMoves.text("a.floor IS NOT NULL OR a.ceiling IS NOT NULL", after: low, to: high))) m
                JOIN entry e ON e.position = m.position
                UNION ALL SELECT e.position, c.account, DATE_FORMAT(e.recorded_at, '%Y-%m-%d %H:%i:%s.%f'), NULL, NULL, NULL, NULL, NULL,
                c.floor, c.ceiling, e.kind FROM control c JOIN entry e ON e.id = c.entry_id
                WHERE c.account IS NOT NULL AND e.position > \(low) AND e.position <= \(high)
                ORDER BY position
                """))
    }
}
