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
        /// The journal was ahead of it.
        var isBehind = true
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
        let rows = try transaction.run(
            .select("\(head(known)), 0, 0, 0, NULL UNION ALL \(newest(known, through: nil)) \(standing(receipt))"))
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

    /// The known checkpoint is one for ever: the row up to it and every posting behind it are the balance, also when the projection
    /// has gone on since.
    private func current(
        _ receipt: Receipt?, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: Totals, through: Position)? {
        let known = try mark.known(transaction)
        let lean: SelectText = """
            \(head(known)), COUNT(*), MAX(position), 0, NULL FROM entry WHERE position > \(known.through.number)
            UNION ALL \(newest(known, through: known.through)) \(standing(receipt))
            """
        let whole: SelectText = "\(lean) UNION ALL \(tail(known))"
        // Where nothing is behind, the server needs not even plan to read it.
        var rows = try transaction.run(.select(known.isBehind ? whole : lean))
        if !known.isBehind, try rows[0].uint(3) > 0 {
            rows = try transaction.run(.select(whole))
        }
        // Few accounts hold something; of those it is asked once more, which of it is over.
        if Self.isPending([account: try totals(rows)]) {
            rows = try transaction.run(.select("\(whole) UNION ALL \(expired)"))
        }
        guard let through = try through(rows[0], known) else { return nil }
        try requireStanding(receipt, rows)
        var end = known.through
        defer { mark.heard(.init(generation: known.generation, through: through, isBehind: end > through)) }
        if try rows[0].uint(3) > 0 {
            end = Position(try rows[0].uint(4))
            // With a gap the prefix has to be looked for.
            guard try end.number - known.through.number == rows[0].uint(3) else { return nil }
        }
        return (try totals(rows), end)
    }

    private func asOf(
        _ position: Position, _ transaction: borrowing LedgerTransaction
    ) throws -> (totals: Totals, through: Position)? {
        let known = try mark.known(transaction)
        let table = BalanceProjection.table(known.generation)
        let rows = try transaction.run(
            .select("\(head(known)), 0, 0, 0, NULL UNION ALL \(BalanceRows.both(account, position, table))"))
        guard let through = try through(rows[0], known), position <= through else { return nil }
        var totals = [account: try BalanceRows.totals(of: account, asOf: position, rows, transaction)]
        if Self.isPending(totals) { try BalanceReader.releaseExpired(&totals, asOf: position, clock: nil, transaction) }
        return (totals[account] ?? Totals(), position)
    }

    private static func isPending(_ totals: [AccountID: Totals]) -> Bool {
        totals.values.contains { $0.debitsPending != 0 || $0.creditsPending != 0 }
    }

    // MARK: - Parts of the statement

    /// The beginning of part 0: which generation is live, and how far the known one is.
    private func head(_ known: BalanceMark.Known) -> SelectText {
        let job = BalanceProjection.job
        return """
            0 AS part, (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1) AS generation,
            (SELECT through_position FROM checkpoint WHERE job = \(job) AND generation = \(known.generation)
             ORDER BY from_position DESC LIMIT 1) AS through
            """
    }

    /// Part 1: the newest row, or the newest up to a position.
    private func newest(_ known: BalanceMark.Known, through: Position?) -> SelectText {
        let bound: SelectText = through.map { "AND through <= \($0.number)" } ?? ""
        return """
            (SELECT 1, through, \(BalanceRows.columns), NULL FROM \(table: BalanceProjection.table(known.generation))
             WHERE account = \(account.number) \(bound) ORDER BY through DESC LIMIT 1)
            """
    }

    /// Part 2: what the postings behind the known checkpoint move.
    private func tail(_ known: BalanceMark.Known) -> SelectText {
        let number = account.number
        return """
            SELECT 2, MAX(status), SUM(CASE WHEN debit = \(number) AND status = 0 THEN amount END),
            SUM(CASE WHEN credit = \(number) AND status = 0 THEN amount END),
            SUM(CASE WHEN debit = \(number) AND status > 0 THEN CASE status WHEN 1 THEN 1 ELSE -1 END * CAST(amount AS DECIMAL(38, 0)) END),
            SUM(CASE WHEN credit = \(number) AND status > 0 THEN CASE status WHEN 1 THEN 1 ELSE -1 END * CAST(amount AS DECIMAL(38, 0)) END),
            NULL FROM posting WHERE position > \(known.through.number) AND (debit = \(number) OR credit = \(number))
            """
    }

    /// Part 4: what holds have pending whose time is over.
    private var expired: SelectText {
        """
        SELECT 4, 0, 0, 0, SUM(h.debits), SUM(h.credits), NULL FROM hold_expiry h
        WHERE h.account = \(account.number) AND \(HoldExpiries.due("UTC_TIMESTAMP(6)"))
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
        let through = Position(row.isNull(2) ? 0 : try row.uint(2))
        // A generation is of one definition for ever, and the known one is of this program's.
        guard !row.isNull(1), try row.uint(1) == UInt64(known.generation), through >= known.through else {
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
