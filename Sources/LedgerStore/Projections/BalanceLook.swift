import LedgerDatabase
import LedgerModel
import Synchronization

/// What was last heard of the live generation of the balances. It only says where a statement begins to look; the statement itself
/// reads which generation is live and how far it is.
final class BalanceMark: Sendable {
    struct Known: Sendable {
        let generation: UInt32
        /// A checkpoint, at or before the newest.
        let through: Position
        var heardAt = ContinuousClock.now
    }

    private let known = Mutex<Known?>(nil)
    /// An older one is asked for again: what lies between it and the newest would be read.
    private static let ageMax = Duration.seconds(1)

    func heard(_ mark: Known) { known.withLock { $0 = mark } }
    func forget() { known.withLock { $0 = nil } }

    func known(_ executor: borrowing some SQLExecutor & ~Copyable) throws -> Known {
        let last = known.withLock { $0 }
        if let last, last.heardAt.duration(to: .now) < Self.ageMax { return last }
        let generation = try last?.generation ?? Generation.readable(BalanceProjection.definition, executor)
        let mark = Known(
            generation: generation,
            through: try Checkpoint.newest(job: BalanceProjection.job, generation: generation, executor).through)
        heard(mark)
        return mark
    }
}

/// One account in one statement, hence in one state of the book, without a transaction around it.
struct BalanceLook {
    let account: AccountID
    let mark: BalanceMark

    /// - Returns: nil where a transaction is needed: the live generation is another one, or the journal has a gap.
    func totals(at time: BalanceTime, _ transaction: borrowing LedgerTransaction) throws -> (totals: Totals, through: Position)? {
        switch time {
        case .projected: return try projected(nil, transaction)
        case .current: return try current(nil, transaction)
        case .atLeast(let receipt): return try projected(receipt, transaction) ?? current(receipt, transaction)
        case .position(let position): return try asOf(position, transaction)
        case .recorded, .effective, .day: return nil
        }
    }

    private func projected(
        _ receipt: Receipt?, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: Totals, through: Position)? {
        let known = try mark.known(transaction)
        let rows = try transaction.run(.select("\(head(known)) UNION ALL \(newest(known)) \(standing(receipt))"))
        guard let through = try through(rows[0], known) else { return nil }
        if let receipt, receipt.position > through { return nil }
        try requireStanding(receipt, rows)
        var totals = [account: try self.totals(rows)]
        // What is projected does not change any more: this needs not be the same state.
        if Self.isPending(totals) {
            try HoldExpiries.release(&totals, now: WriteStep.clock(transaction), counting: .position(through), transaction)
        }
        return (totals[account] ?? Totals(), through)
    }

    private func current(
        _ receipt: Receipt?, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: Totals, through: Position)? {
        let known = try mark.known(transaction)
        let rows = try transaction.run(
            .select("\(head(known)) UNION ALL \(newest(known)) UNION ALL \(tail(known)) \(standing(receipt))"))
        guard let through = try through(rows[0], known) else { return nil }
        try requireStanding(receipt, rows)
        var end = through
        for row in rows where try row.uint(0) == 3 && !row.isNull(2) {
            let (count, last) = (try row.uint(1), try row.uint(2))
            // With a gap the prefix has to be looked for.
            guard last - through.number == count else { return nil }
            end = Position(last)
        }
        return (try totals(rows), end)
    }

    private func asOf(
        _ position: Position, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: Totals, through: Position)? {
        let known = try mark.known(transaction)
        let table = BalanceProjection.table(known.generation)
        let rows = try transaction.run(.select("\(head(known)) UNION ALL \(BalanceRows.both(account, position, table))"))
        guard let through = try through(rows[0], known), position <= through else { return nil }
        var totals = [account: try BalanceRows.totals(of: account, asOf: position, rows, transaction)]
        if Self.isPending(totals) { try BalanceReader.releaseExpired(&totals, asOf: position, clock: nil, transaction) }
        return (totals[account] ?? Totals(), position)
    }

    private static func isPending(_ totals: [AccountID: Totals]) -> Bool {
        totals.values.contains { $0.debitsPending != 0 || $0.creditsPending != 0 }
    }

    // MARK: - Parts of the statement

    /// Part 0: the live generation, whether this program can read it, and how far the known one is.
    private func head(_ known: BalanceMark.Known) -> SelectText {
        let job = BalanceProjection.job
        return """
            0 AS part, live.generation, generation.fingerprint = \(BalanceProjection.definition.fingerprint), \(checkpoint(known)), 0, 0, NULL
            FROM (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1) live
            JOIN generation ON generation.job = \(job) AND generation.generation = live.generation
            """
    }

    private func checkpoint(_ known: BalanceMark.Known) -> SelectText {
        """
        COALESCE((SELECT through_position FROM checkpoint WHERE job = \(BalanceProjection.job) AND generation = \(known.generation)
         ORDER BY from_position DESC LIMIT 1), 0)
        """
    }

    /// Part 1: the newest row.
    private func newest(_ known: BalanceMark.Known) -> SelectText {
        """
        (SELECT 1, through, \(BalanceRows.columns), NULL FROM \(table: BalanceProjection.table(known.generation))
         WHERE account = \(account.number) ORDER BY through DESC LIMIT 1)
        """
    }

    /// Parts 2 and 3: what the postings behind the checkpoint move, and how many entries there are. Part 4: what holds whose time is
    /// over have pending.
    ///
    /// The checkpoint that decides is the one that this statement reads; the known one is a number, which lets the server begin
    /// there and not at the journal's beginning.
    private func tail(_ known: BalanceMark.Known) -> SelectText {
        let number = account.number
        let behind: SelectText = "position > \(known.through.number) AND position > \(checkpoint(known))"
        return """
            SELECT 2, MAX(status), SUM(CASE WHEN debit = \(number) AND status = 0 THEN amount END),
            SUM(CASE WHEN credit = \(number) AND status = 0 THEN amount END),
            SUM(CASE WHEN debit = \(number) AND status > 0 THEN CASE status WHEN 1 THEN 1 ELSE -1 END * CAST(amount AS DECIMAL(38, 0)) END),
            SUM(CASE WHEN credit = \(number) AND status > 0 THEN CASE status WHEN 1 THEN 1 ELSE -1 END * CAST(amount AS DECIMAL(38, 0)) END),
            NULL FROM posting WHERE \(behind) AND (debit = \(number) OR credit = \(number))
            UNION ALL SELECT 3, COUNT(*), MAX(position), 0, 0, 0, NULL FROM entry WHERE \(behind)
            UNION ALL SELECT 4, 0, 0, 0, SUM(h.debits), SUM(h.credits), NULL FROM hold_expiry h
            WHERE h.account = \(number) AND \(HoldExpiries.due("UTC_TIMESTAMP(6)"))
            """
    }

    /// Part 5: whether the entry of a receipt stands where it says.
    private func standing(_ receipt: Receipt?) -> SelectText {
        guard let receipt else { return "" }
        return """
            UNION ALL SELECT 5, id = \(receipt.id.bytes), 0, 0, 0, 0, NULL FROM entry
            WHERE position = \(receipt.position.number) AND id IS NOT NULL
            """
    }

    // MARK: - What it found

    /// How far the projection is; nil if another generation is live.
    private func through(_ row: Row, _ known: BalanceMark.Known) throws -> Position? {
        let through = Position(try row.uint(3))
        guard try row.uint(1) == UInt64(known.generation), try row.uint(2) == 1, through >= known.through else {
            mark.forget()
            return nil
        }
        mark.heard(.init(generation: known.generation, through: through))
        return through
    }

    private func requireStanding(_ receipt: Receipt?, _ rows: Rows) throws {
        guard let receipt else { return }
        for row in rows where try row.uint(0) == 5 && row.uint(1) == 1 { return }
        throw BalanceReader.missing(receipt)
    }

    private func totals(_ rows: Rows) throws -> Totals {
        var totals = Totals()
        for row in rows {
            switch try row.uint(0) {
            case 1: totals = totals + (try BalanceProjection.totals(row, from: 2))
            case 2 where !row.isNull(1):
                _ = try BalanceRows.status(row, 1)
                totals = totals + (try BalanceProjection.totals(row, from: 2))
            case 4:
                totals.debitsPending -= try row.decimal(4)
                totals.creditsPending -= try row.decimal(5)
            default: break
            }
        }
        return totals
    }
}
