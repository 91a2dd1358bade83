import LedgerDatabase
import LedgerModel

/// Outcomes against the commands that they decide.
struct CommandAudit: Sendable {
    let through: UInt64

    private static let kinds: SelectText = "('ledger.command-done', 'ledger.command-refused', 'ledger.command-resolved')"

    func commands(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let count = try transaction.run(
            .select("COUNT(*) FROM entry WHERE position <= \(through) AND kind IN \(Self.kinds)"))[0].uint(0)
        // Ids are derived: the first 16 bytes of the digest of “indelible/outcome/32:” and the command's id.
        let outcomes: SelectText = """
            (SELECT o.position, o.id, o.kind, LOWER(JSON_VALUE(o.payload, '$.command')) AS command FROM entry o
             WHERE o.position <= \(through) AND o.kind IN \(Self.kinds)) o
            """
        let isOutcome: SelectText = "o.id <=> UNHEX(LEFT(SHA2(CONCAT('indelible/outcome/32:', o.command), 256), 32))"
        let isResolution: SelectText = "o.id <=> UNHEX(LEFT(SHA2(CONCAT('indelible/resolution/32:', o.command), 256), 32))"
        var findings = try transaction.run(
            .select(
                """
                o.position, o.kind, c.position, COALESCE(JSON_EXISTS(c.payload, '$.ledger.command'), 0) FROM \(outcomes)
                LEFT JOIN entry c ON c.id = UNHEX(o.command)
                WHERE c.position IS NULL OR c.position >= o.position OR NOT COALESCE(JSON_EXISTS(c.payload, '$.ledger.command'), 0)
                ORDER BY o.position
                """)
        ).map { row in
            let what = row.isNull(2)
                ? "names a command that there is not" : try row.uint(3) == 0 ? "is of an entry that is no command" : "stands before its command"
            return "the \(try row.text(1)) at \(try row.uint(0)) \(what)"
        }
        findings += try transaction.run(
            .select(
                """
                o.position, o.kind FROM \(outcomes) WHERE NOT (\(isOutcome) OR o.kind = 'ledger.command-resolved' AND \(isResolution)) ORDER BY o.position
                """)
        ).map { "the \(try $0.text(1)) at \(try $0.uint(0)) has not the id that follows from its command" }
        findings += try transaction.run(
            .select(
                """
                o.command, COUNT(*), MIN(o.position) FROM \(outcomes) WHERE o.kind <> 'ledger.command-resolved' OR \(isOutcome)
                GROUP BY o.command HAVING COUNT(*) > 1 ORDER BY o.command
                """)
        ).map { "the command \(try $0.optionalText(0) ?? "?") has \(try $0.uint(1)) outcomes, the first at \(try $0.uint(2))" }
        findings += try transaction.run(
            .select(
                """
                o.position FROM \(outcomes) LEFT JOIN entry f ON f.id = UNHEX(LEFT(SHA2(CONCAT('indelible/outcome/32:', o.command), 256), 32))
                WHERE o.kind = 'ledger.command-resolved' AND \(isResolution)
                AND (f.position IS NULL OR f.kind <> 'ledger.command-refused' OR f.position >= o.position) ORDER BY o.position
                """)
        ).map { "the ledger.command-resolved at \(try $0.uint(0)) settles a command that was not refused before" }
        return .init("commands", "every outcome is of a command that stands before it, and a command has one at most", examined: count, findings: findings)
    }
}
