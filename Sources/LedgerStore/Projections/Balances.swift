import LedgerDatabase
public import LedgerModel

/// Which balance is asked for.
public enum BalanceTime: Sendable, Hashable {
    /// As the projection has it: fast, and as old as its lag.
    case projected
    /// Everything that is committed: the projection and what came after it, in one snapshot. Its ``Balance/through`` is
    /// the journal's complete prefix; entries above a transaction in flight are counted too.
    case current
    /// With every entry up to and with this position, and none after it.
    case position(Position)
}

extension Ledger {
    /// The balance of an account.
    /// - Throws: `unknownAccount`, `currencyMismatch`, or `historyUnavailable` for a position that is not decided yet.
    public func balance(
        of path: AccountPath, in code: CurrencyCode, at time: BalanceTime = .current
    ) async throws(LedgerError) -> Balance {
        let account = try await account(path, in: code)
        return try await balances(of: [account], at: time)[0]
    }

    /// The balances of all accounts, by path and currency, at one and the same time.
    public func balances(at time: BalanceTime = .current) async throws(LedgerError) -> [Balance] {
        let accounts = try await accounts()
        return try await balances(of: accounts, at: time)
    }

    private func balances(of accounts: [Account], at time: BalanceTime) async throws(LedgerError) -> [Balance] {
        try await translated {
            guard !accounts.isEmpty else { return [] }
            let one = accounts.count == 1 ? accounts[0].id : nil
            let (totals, through) = try await database.read { transaction in
                var (totals, through) = try BalanceReader.totals(of: one, at: time, transaction)
                try BalanceReader.releaseExpired(&totals, at: time, through, transaction)
                return (totals, through)
            }
            return accounts.map { Balance(account: $0, totals: totals[$0.id] ?? Totals(), through: through) }
        }
    }
}

/// Projection and tail, in one snapshot.
enum BalanceReader {
    /// The totals of one account, or of all.
    static func totals(
        of account: AccountID?, at time: BalanceTime, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: [AccountID: Totals], through: Position) {
        let job = BalanceProjection.job
        let live = try Generation.readable(BalanceProjection.definition, transaction)
        let base: Checkpoint
        switch time {
        case .projected, .current: base = try Checkpoint.newest(job: job, generation: live, transaction)
        case .position(let position):
            base = try Checkpoint.atOrBefore(position, job: job, generation: live, transaction)
        }
        var totals = try projected(account, through: base.through, generation: live, transaction)
        let through: Position
        switch time {
        case .projected: return (totals, base.through)
        case .current: through = try decidedPrefix(after: base.through, upTo: nil, transaction)
        case .position(let position):
            through = try decidedPrefix(after: base.through, upTo: position, transaction)
            guard through == position else {
                throw LedgerError(
                    .historyUnavailable, "position \(position) is not decided yet: the journal is complete up to \(through)")
            }
        }
        let tail = try tail(
            account, after: base.through, upTo: time == .current ? nil : through, transaction)
        totals.merge(tail) { $0 + $1 }
        return (totals, through)
    }

    /// A hold that expires holds nothing from its instant on, also before the entry that says so. For a position in the past
    /// the clock is that of its entry.
    static func releaseExpired(
        _ totals: inout [AccountID: Totals], at time: BalanceTime, _ through: Position, _ transaction: borrowing LedgerTransaction
    ) throws {
        guard totals.values.contains(where: { $0.debitsPending != 0 || $0.creditsPending != 0 }) else { return }
        var now = try WriteStep.clock(transaction)
        if case .position = time {
            let rows = try transaction.run(.select("recorded_at FROM entry WHERE position = \(through.number)"))
            now = try rows.first.flatMap { Timestamp(sqlText: try $0.text(0)) } ?? now
        }
        try HoldExpiries.release(&totals, now: now, at: time == .current ? nil : through, transaction)
    }

    private static func projected(
        _ account: AccountID?, through: Position, generation: UInt32, _ transaction: borrowing LedgerTransaction
    ) throws -> [AccountID: Totals] {
        let table = BalanceProjection.table(generation)
        let columns: SelectText = "b.account, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending"
        let rows: Rows
        if let account {
            rows = try transaction.run(
                .select(
                    """
                    \(columns) FROM \(table: table) b WHERE b.account = \(account.number)
                    AND b.through <= \(through.number) ORDER BY b.through DESC LIMIT 1
                    """))
        } else {
            rows = try transaction.run(
                .select(
                    """
                    \(columns) FROM (SELECT account, MAX(through) AS through FROM \(table: table)
                    WHERE through <= \(through.number) GROUP BY account) newest
                    JOIN \(table: table) b ON b.account = newest.account AND b.through = newest.through
                    """))
        }
        var totals: [AccountID: Totals] = [:]
        for row in rows { totals[AccountID(UInt32(try row.uint(0)))] = try BalanceProjection.totals(row, from: 1) }
        return totals
    }

    /// What the postings after the checkpoint move. The journal has no index by account: this reads the tail.
    private static func tail(
        _ account: AccountID?, after start: Position, upTo end: Position?, _ transaction: borrowing LedgerTransaction
    ) throws -> [AccountID: Totals] {
        let end = end?.number ?? UInt64.max
        var totals: [AccountID: Totals] = [:]
        var range: SelectText = "position > \(start.number) AND position <= \(end)"
        if let account { range = "\(range) AND (debit = \(account.number) OR credit = \(account.number))" }
        let rows = try transaction.run(
            .select("debit, credit, status, SUM(amount) FROM posting WHERE \(range) GROUP BY debit, credit, status"))
        for row in rows {
            guard let status = UInt8(exactly: try row.uint(2)).flatMap(PostingStatus.init) else {
                throw LedgerError(.integrity, "a posting has the status \(try row.uint(2))")
            }
            let amount = try row.decimal(3)
            for (side, column) in [(Side.debit, 0), (.credit, 1)] {
                let id = AccountID(UInt32(try row.uint(column)))
                if let account, account != id { continue }
                totals[id, default: Totals()].add(side, amount, status)
            }
        }
        return totals
    }

    /// The journal's complete prefix as this snapshot shows it.
    static func currentPrefix(_ transaction: borrowing LedgerTransaction) throws -> Position {
        guard let live = try Generation.live(of: BalanceProjection.job, transaction)?.number else { return .zero }
        let base = try Checkpoint.newest(job: BalanceProjection.job, generation: live, transaction)
        return try decidedPrefix(after: base.through, upTo: nil, transaction)
    }

    /// The last position before the first gap of this snapshot (at most `end`).
    static func decidedPrefix(
        after start: Position, upTo end: Position?, _ transaction: borrowing LedgerTransaction
    ) throws -> Position {
        let end = end?.number ?? UInt64.max
        guard end > start.number else { return Position(end) }
        let range: SelectText = "position > \(start.number) AND position <= \(end)"
        let bounds = try transaction.run(.select("COUNT(*), COALESCE(MAX(position), 0) FROM entry WHERE \(range)"))[0]
        let (count, last) = (try bounds.uint(0), try bounds.uint(1))
        if count == 0 { return start }
        if last - start.number == count { return Position(last) }
        let gap = try transaction.run(
            .select(
                """
                MIN(numbered.position) FROM (SELECT position, ROW_NUMBER() OVER (ORDER BY position) AS number FROM entry
                WHERE \(range)) numbered WHERE numbered.position <> \(start.number) + numbered.number
                """))[0]
        // The first row that stands too far on has as many before it as there are up to the gap.
        let before = try transaction.run(
            .select("COUNT(*) FROM entry WHERE position > \(start.number) AND position < \(try gap.uint(0))"))[0]
        return Position(start.number + (try before.uint(0)))
    }
}
