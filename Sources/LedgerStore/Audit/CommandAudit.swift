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
        findings += try members(transaction) + bulks(transaction)
        return .init(
            "commands", "every outcome is of a command that stands before it, a command has one at most, and a bulk as many members as it says",
            examined: count, findings: findings)
    }

    // MARK: - Bulks

    /// Commands for members: of which bulk, for which account, and whether they do another one again.
    private var membersOfBulks: SelectText {
        """
        (SELECT e.position, e.id, LOWER(JSON_VALUE(e.payload, '$.ledger.command.bulk.id')) AS bulk, JSON_VALUE(e.payload, '$.ledger.command.retries') AS retries,
          JSON_VALUE(e.payload, '$.ledger.command.bulk.account') COLLATE utf8mb4_nopad_bin AS account,
          JSON_VALUE(e.payload, '$.ledger.command.bulk.currency') COLLATE utf8mb4_nopad_bin AS currency
         FROM entry e WHERE e.position <= \(through) AND e.payload LIKE '%"bulk":%' AND JSON_EXISTS(e.payload, '$.ledger.command.bulk'))
        """
    }

    private func members(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        // “LENGTH:path/LENGTH:currency”, of which an account's id and a member's are made.
        let account: SelectText = "LENGTH(m.account), ':', m.account, '/', LENGTH(m.currency), ':', m.currency"
        return try transaction.run(
            .select(
                """
                m.position, m.account, COALESCE(b.position < m.position AND JSON_EXISTS(b.payload, '$.ledger.command.selection'), 0),
                COALESCE(opened.position < b.position, 0) FROM \(membersOfBulks) m LEFT JOIN entry b ON b.id = UNHEX(m.bulk)
                LEFT JOIN entry opened ON opened.id = UNHEX(LEFT(SHA2(CONCAT('indelible/account/', \(account)), 256), 32))
                WHERE NOT COALESCE(b.position < m.position AND JSON_EXISTS(b.payload, '$.ledger.command.selection') AND opened.position < b.position
                 AND (m.retries IS NOT NULL OR m.id = UNHEX(LEFT(SHA2(CONCAT('indelible/bulk-member/32:', m.bulk, '/', \(account)), 256), 32))), FALSE)
                ORDER BY m.position
                """)
        ).map { row in
            let what = try row.uint(2) == 0
                ? "is of a bulk that does not stand before it"
                : try row.uint(3) == 0 ? "is for an account that was not open before its bulk" : "has not the id that follows from bulk and account"
            return "the command at \(try row.uint(0)) for \(try row.optionalText(1) ?? "no account") \(what)"
        }
    }

    private func bulks(_ transaction: borrowing LedgerTransaction) throws -> [String] {
        try transaction.run(
            .select(
                """
                o.position, JSON_VALUE(o.payload, '$.members'), COALESCE(counted.members, 0) FROM entry o
                JOIN entry b ON b.id = UNHEX(JSON_VALUE(o.payload, '$.command')) AND JSON_EXISTS(b.payload, '$.ledger.command.selection')
                LEFT JOIN (SELECT m.bulk, COUNT(*) AS members FROM \(membersOfBulks) m WHERE m.retries IS NULL GROUP BY m.bulk) counted
                ON counted.bulk = LOWER(HEX(b.id))
                WHERE o.position <= \(through) AND o.kind = 'ledger.command-done'
                AND NOT JSON_VALUE(o.payload, '$.members') <=> COALESCE(counted.members, 0) ORDER BY o.position
                """)
        ).map { "the bulk done at \(try $0.uint(0)) says that it has \(try $0.optionalText(1) ?? "no") members, and has \(try $0.uint(2))" }
    }
}
