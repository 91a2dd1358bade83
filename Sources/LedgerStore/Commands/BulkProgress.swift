import LedgerDatabase
public import LedgerModel

/// How far a bulk is: each of its members that has a command counts once.
public struct BulkProgress: Sendable, Hashable {
    /// Of the bulk itself. While it is `waiting`, more members may get a command.
    public let state: CommandState
    /// Those whose command is enqueued; the numbers below add up to this one.
    public let members: Int
    public let done: Int
    /// Refused, and neither resolved nor enqueued again.
    public let refused: Int
    /// Refused, and enqueued again: a command of its own, that says itself what becomes of it.
    public let retried: Int
    public let resolved: Int
    /// Not decided yet.
    public let waiting: Int

    /// Every member has a command, and every command is decided.
    public var isOver: Bool { state != .waiting && waiting == 0 }
}

extension Ledger {
    /// What became of a bulk's members by now, counted in one statement.
    ///
    /// The ids of commands and outcomes follow from the bulk and its accounts, so they are found without reading the journal.
    /// - Throws: `unknownEntry` if there is no command with this id, or if it is no bulk.
    public func progress(ofBulk id: EntryID) async throws(LedgerError) -> BulkProgress {
        if let elsewhere = try await elsewhere() { return try await elsewhere.progress(ofBulk: id) }
        let (bulk, outcome) = try await command(id)
        guard let selection = bulk.header.selection else {
            throw LedgerError(.unknownEntry, "the command \(id) at position \(bulk.position) is no bulk", id: id)
        }
        return try await translated {
            let members = BulkMembers(selection: selection, position: bulk.position)
            let row = try await database.run(members.counts(of: id))[0]
            func number(_ column: Int) throws -> Int { Int(try row.decimal(column)) }
            return BulkProgress(
                state: outcome.state, members: try number(0), done: try number(1), refused: try number(2), retried: try number(3),
                resolved: try number(4), waiting: try number(5))
        }
    }
}

extension BulkMembers {
    /// Members, done, refused, retried, resolved, waiting.
    fileprivate func counts(of bulk: EntryID) -> InsertOnlySQL {
        .select(
            """
            COUNT(*), COALESCE(SUM(state = 'done'), 0), COALESCE(SUM(state = 'refused'), 0), COALESCE(SUM(state = 'retried'), 0),
            COALESCE(SUM(state = 'resolved'), 0), COALESCE(SUM(state = 'waiting'), 0) FROM
            (SELECT CASE WHEN outcome.id IS NULL THEN 'waiting' WHEN outcome.kind = 'ledger.command-done' THEN 'done'
              WHEN outcome.kind = 'ledger.command-resolved' OR resolution.id IS NOT NULL THEN 'resolved'
              WHEN retry.id IS NOT NULL THEN 'retried' ELSE 'refused' END AS state
             FROM account STRAIGHT_JOIN entry member ON member.id = UNHEX(LEFT(SHA2(CONCAT('indelible/bulk-member/32:', \(bulk.description), '/',
              LENGTH(account.path), ':', account.path, '/', LENGTH(account.currency), ':', account.currency), 256), 32))
             LEFT JOIN entry outcome ON outcome.id = UNHEX(LEFT(SHA2(CONCAT('indelible/outcome/32:', LOWER(HEX(member.id))), 256), 32))
             LEFT JOIN entry resolution ON outcome.kind = 'ledger.command-refused'
              AND resolution.id = UNHEX(LEFT(SHA2(CONCAT('indelible/resolution/32:', LOWER(HEX(member.id))), 256), 32))
             LEFT JOIN entry retry ON outcome.kind = 'ledger.command-refused'
              AND retry.id = UNHEX(LEFT(SHA2(CONCAT('indelible/retry/32:', LOWER(HEX(member.id))), 256), 32))
             WHERE \(isSelected)) members
            """)
    }
}
