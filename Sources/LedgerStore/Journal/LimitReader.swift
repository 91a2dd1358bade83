import LedgerDatabase
import LedgerModel

/// Claims of accounts with limits, and what they stand at once the claims are made.
enum Claims {
    /// Waits for whoever else is about to draw, in one order for everybody. It only saves retries: the key of the claim decides.
    static func queue(_ accounts: [AccountID], _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        _ = try executor.run(.select("id FROM account WHERE id IN \(list: accounts.values) ORDER BY id FOR UPDATE"))
    }

    /// The newest revision of each; 0 if it has none.
    static func newest(
        _ accounts: [AccountID], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [AccountID: UInt64] {
        guard !accounts.isEmpty else { return [:] }
        var newest = Dictionary(uniqueKeysWithValues: accounts.map { ($0, UInt64(0)) })
        // From the end of each account's: for a maximum the server may read all of them.
        let rows = try executor.run(
            .select(
                """
                id, (SELECT claim.revision FROM account_claim claim WHERE claim.account = account.id ORDER BY claim.revision DESC LIMIT 1)
                FROM account WHERE id IN \(list: accounts.values)
                """))
        for row in rows where !row.isNull(1) { newest[AccountID(UInt32(try row.uint(0)))] = try row.uint(1) }
        return newest
    }

    /// Takes these revisions of these accounts.
    /// - Throws: a duplicate key if somebody else has one.
    static func take(
        _ accounts: [AccountID], _ revisions: [UInt64], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws(DatabaseError) {
        try executor.insert(
            ColumnRows(into: .accountClaim, ["account", "revision"], values: [.uint(accounts.map { UInt64($0.number) }), .uint(revisions)]))
    }
}

/// What accounts with limits stand at, read after their claims: whatever has been decided on them before is visible.
struct LimitReader {
    /// Entries behind the projection that are summed at the most.
    let tailMax: UInt64

    func lines(
        _ accounts: [Account], now: Timestamp, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [AccountID: Decision.Line] {
        let list = accounts.map(\.id).values
        var lines: [AccountID: Decision.Line] = [:]
        for account in accounts {
            let control = AccountControl(limits: account.openingLimits)
            lines[account.id] = Decision.Line(account: account, control: control, totals: Totals())
        }
        for case .account(let account, let control) in try controls(list, executor).map(\.word) { lines[account]?.control = control }
        let (generation, through) = try generation(executor)
        var expired: [AccountID: [EntryID]] = [:]
        for row in try executor.run(statement(list, generation: generation, after: through, now: now)) {
            let account = AccountID(UInt32(try row.uint(1)))
            switch try row.uint(0) {
            case 0: lines[account]?.totals.add(try BalanceProjection.totals(row, from: 3), times: 1)
            case 1: lines[account]?.totals.add(.debit, try row.decimal(3), try Self.status(row))
            case 2: lines[account]?.totals.add(.credit, try row.decimal(3), try Self.status(row))
            default: expired[account, default: []].append(try EntryID(bytes: try row.bytes(7)))
            }
        }
        try addExpiries(of: expired, to: &lines, executor)
        return lines
    }

    private static func status(_ row: Row) throws -> PostingStatus {
        guard let status = UInt8(exactly: try row.uint(2)).flatMap(PostingStatus.init) else {
            throw LedgerError(.integrity, "a posting has the status \(try row.uint(2))")
        }
        return status
    }

    private func controls(
        _ list: [LedgerValue], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [ControlRow] {
        try executor.run(
            .select(
                """
                \(ControlRow.columns) FROM control WHERE control.sequence IN
                (SELECT MAX(sequence) FROM control WHERE account IN \(list: list) GROUP BY account)
                """)
        ).compactMap { try ControlRow($0, from: 0) }
    }

    /// The live generation of the balances and how far it is, if that is near enough to the journal's head.
    private func generation(
        _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> (generation: UInt32, through: Position) {
        let live = try Generation.readable(BalanceProjection.definition, executor)
        let through = try Checkpoint.newest(job: BalanceProjection.job, generation: live, executor).through
        let head = try executor.run(.select("COALESCE(MAX(position), 0) FROM entry"))[0].uint(0)
        guard head < through.number + tailMax else {
            throw LedgerError(
                .tailTooLong, "the balances are projected through position \(through), and the journal is at \(head): more than "
                    + "\(tailMax) entries would have to be summed for a limit. Run the projector (`indelible project run`)")
        }
        return (live, through)
    }

    /// One statement, so one state of the book: the newest balances, the postings after their checkpoint, and the holds whose
    /// time is over and that nothing has settled.
    ///
    /// The checkpoint that decides is the one that this statement itself reads. `start` is one that was read before it, so the
    /// same or an earlier one: a number, which lets the server begin there and not at the journal's beginning. And the newest row of
    /// an account is looked for from the end of its own, not by a maximum, for which the server may read all of them.
    private func statement(_ list: [LedgerValue], generation: UInt32, after start: Position, now: Timestamp) -> InsertOnlySQL {
        let table = BalanceProjection.table(generation)
        let checkpoint: SelectText = """
            COALESCE((SELECT through_position FROM checkpoint
             WHERE job = \(BalanceProjection.job) AND generation = \(generation) ORDER BY from_position DESC LIMIT 1), 0)
            """
        return .select(
            """
            0 AS part, b.account, 0 AS status, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending, NULL
            FROM account STRAIGHT_JOIN \(table: table) b ON b.account = account.id AND b.through = (SELECT newest.through
            FROM \(table: table) newest WHERE newest.account = account.id ORDER BY newest.through DESC LIMIT 1)
            WHERE account.id IN \(list: list)
            UNION ALL SELECT 1, debit, status, SUM(amount), 0, 0, 0, NULL FROM posting
            WHERE position > \(start.number) AND position > \(checkpoint) AND debit IN \(list: list) GROUP BY debit, status
            UNION ALL SELECT 2, credit, status, SUM(amount), 0, 0, 0, NULL FROM posting
            WHERE position > \(start.number) AND position > \(checkpoint) AND credit IN \(list: list) GROUP BY credit, status
            UNION ALL SELECT 3, h.account, 0, 0, 0, 0, 0, h.hold FROM hold_expiry h
            WHERE h.account IN \(list: list) AND \(HoldExpiries.due(now))
            """)
    }

    private func addExpiries(
        of expired: [AccountID: [EntryID]], to lines: inout [AccountID: Decision.Line],
        _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws {
        guard !expired.isEmpty else { return }
        let accounts = lines.mapValues(\.account)
        let holds = try JournalRows.entries(Set(expired.values.joined()), executor)
        for (account, ids) in expired {
            lines[account]?.expired = try ids.compactMap { id in
                try holds[id].map { try Draft(settling: $0, by: .expiry) { accounts[$0] } }
            }
        }
    }
}

extension [AccountID] {
    var values: [LedgerValue] { map { .uint($0.number) } }
}
