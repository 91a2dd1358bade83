import LedgerDatabase
import LedgerModel

/// The steps of processes and their timers against the entries that they name; ids are derived again by the server.
struct ProcessAudit: Sendable {
    let through: UInt64

    private static let stream: SelectText = "JSON_VALUE(e.payload, '$.ledger.stream') COLLATE utf8mb4_nopad_bin"
    private static let input: SelectText = "CONVERT(JSON_VALUE(e.payload, '$.input') USING ascii)"
    private static let set: SelectText = "CONVERT(JSON_VALUE(e.payload, '$.set') USING ascii)"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(
            .select(
                """
                COUNT(*) FROM entry WHERE position <= \(through)
                AND kind IN ('ledger.process-step', 'ledger.timer-set', 'ledger.timer-cancelled', 'ledger.timer-fired')
                """))[0].uint(0)
        return .init(
            "processes", "each step of a process answers one entry before it, once, and what it posted stands; each timer ends once, after it was set",
            examined: count, findings: try steps(transaction) + effects(transaction) + timers(transaction))
    }

    private func steps(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                e.position, \(Self.stream) FROM entry e LEFT JOIN entry i ON i.id = UNHEX(\(Self.input))
                WHERE e.position <= \(through) AND e.kind = 'ledger.process-step' AND NOT COALESCE(i.position < e.position AND e.id =
                 UNHEX(LEFT(SHA2(CONCAT('indelible/process-step/', LENGTH(\(Self.stream)), ':', \(Self.stream), '/32:', \(Self.input)), 256), 32)), FALSE)
                ORDER BY e.position
                """)
        ).map { "the step of \(try $0.optionalText(1) ?? "no process") at \(try $0.uint(0)) answers no entry before it, or has not the id that follows from it" }
    }

    private func effects(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                e.position, effect.id FROM entry e
                JOIN JSON_TABLE(e.payload, '$.effects[*]' COLUMNS (id CHAR(32) CHARACTER SET ascii PATH '$')) effect
                LEFT JOIN entry posted ON posted.id = UNHEX(effect.id)
                WHERE e.position <= \(through) AND e.kind = 'ledger.process-step' AND posted.position IS NULL ORDER BY e.position
                """)
        ).map { "the step at \(try $0.uint(0)) posted \(try $0.optionalText(1) ?? "something"), which is not there" }
    }

    private func timers(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                e.position, \(Self.stream) FROM entry e LEFT JOIN entry s ON s.id = UNHEX(\(Self.set))
                WHERE e.position <= \(through) AND e.kind IN ('ledger.timer-cancelled', 'ledger.timer-fired')
                AND NOT COALESCE(s.kind = 'ledger.timer-set' AND s.position < e.position
                 AND JSON_VALUE(s.payload, '$.ledger.stream') COLLATE utf8mb4_nopad_bin = \(Self.stream)
                 AND e.id = UNHEX(LEFT(SHA2(CONCAT('indelible/timer-end/32:', \(Self.set)), 256), 32)), FALSE)
                ORDER BY e.position
                """)
        ).map { "the end of a timer of \(try $0.optionalText(1) ?? "no process") at \(try $0.uint(0)) ends none that was set before it, or has not its id" }
    }
}
