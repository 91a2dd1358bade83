import Foundation
import LedgerDatabase
import LedgerModel

/// Balances from the rows of the live generation and from the journal, in one snapshot.
struct BalanceReader: ~Copyable {
    private let transaction: LedgerTransaction
    /// nil: all.
    private let accounts: [AccountID]?
    private let generation: UInt32
    /// The projection's newest.
    private let checkpoint: Position
    private let table: LedgerTable

    typealias Found = (totals: [AccountID: Totals], through: Position)

    /// More accounts than this are read as of a position from the checkpoint before it, fewer one by one.
    private static let oneByOneMax = 16

    init(_ transaction: borrowing LedgerTransaction, of accounts: [AccountID]?) throws {
        let generation = try Generation.readable(BalanceProjection.definition, transaction)
        let checkpoint = try Checkpoint.newest(job: BalanceProjection.job, generation: generation, transaction).through
        self.transaction = transaction.rewrapped()
        self.accounts = accounts
        self.generation = generation
        self.checkpoint = checkpoint
        table = BalanceProjection.table(generation)
    }

    /// Totals, and through which position they are true.
    func totals(at time: BalanceTime) throws -> Found {
        switch time {
        case .projected:
            var totals = try rows(through: checkpoint)
            try HoldExpiries.release(&totals, now: WriteStep.clock(transaction), counting: .position(checkpoint), transaction)
            return (totals, checkpoint)
        case .current:
            var totals = try rows(through: checkpoint)
            totals.merge(try tail(after: checkpoint, upTo: nil)) { $0 + $1 }
            try HoldExpiries.release(&totals, now: WriteStep.clock(transaction), counting: .everything, transaction)
            return (totals, try Self.decidedPrefix(after: checkpoint, upTo: nil, transaction))
        case .atLeast(let receipt):
            try requireStanding(receipt)
            return try totals(at: receipt.position <= checkpoint ? .projected : .current)
        case .position(let position):
            try requireDecided(position)
            return (try totals(asOf: position, clock: nil), position)
        case .recorded(let instant):
            let position = try prefix(recordedBy: instant)
            return (try totals(asOf: position, clock: instant), position)
        case .effective(let instant): return try effective(instant)
        case .day(let day): return try effective(try Self.lastInstant(of: day, transaction))
        }
    }

    /// The last instant of an accounting day of the book.
    static func lastInstant(of day: AccountingDay, _ transaction: borrowing LedgerTransaction) throws -> Timestamp {
        let name = try transaction.run(.select("time_zone FROM book")).first?.text(0) ?? "UTC"
        guard let zone = TimeZone(identifier: name) else {
            throw LedgerError(.schema, "the book's time zone is \(name), which this machine does not know: install its time zones (tzdata)")
        }
        return try day.lastInstant(in: zone)
    }

    // MARK: - By position

    /// - Parameter clock: nil for that of the entry at this position.
    private func totals(asOf position: Position, clock: Timestamp?) throws -> [AccountID: Totals] {
        var totals = try prefixTotals(position)
        try Self.releaseExpired(&totals, asOf: position, clock: clock, transaction)
        return totals
    }

    /// A hold that expires holds nothing from its instant on, also before the entry that says so. For a position in the past
    /// the clock is that of its entry.
    static func releaseExpired(
        _ totals: inout [AccountID: Totals], asOf position: Position, clock: Timestamp?, _ transaction: borrowing LedgerTransaction
    ) throws {
        guard totals.values.contains(where: { $0.debitsPending != 0 || $0.creditsPending != 0 }) else { return }
        var now = clock
        if now == nil {
            let rows = try transaction.run(.select("recorded_at FROM entry WHERE position = \(position.number)"))
            now = try rows.first.flatMap { Timestamp(sqlText: try $0.text(0)) }
        }
        guard let now else { throw LedgerError(.integrity, "position \(position) is in the projection and not in the journal") }
        try HoldExpiries.release(&totals, now: now, counting: .position(position), transaction)
    }

    /// What all entries up to a position have moved.
    private func prefixTotals(_ position: Position) throws -> [AccountID: Totals] {
        guard position > .zero else { return [:] }
        if position == checkpoint { return try rows(through: position) }
        if position < checkpoint, let accounts, accounts.count <= Self.oneByOneMax {
            var totals: [AccountID: Totals] = [:]
            for account in accounts { totals[account] = try BalanceRows.totals(of: account, asOf: position, table, transaction) }
            return totals
        }
        let base =
            position > checkpoint
            ? checkpoint
            : try Checkpoint.atOrBefore(position, job: BalanceProjection.job, generation: generation, transaction).through
        var totals = try rows(through: base)
        if base < position { totals.merge(try tail(after: base, upTo: position)) { $0 + $1 } }
        return totals
    }

    /// The newest row of each account at or before a checkpoint.
    private func rows(through: Position) throws -> [AccountID: Totals] {
        guard through > .zero else { return [:] }
        var totals: [AccountID: Totals] = [:]
        // From the end of each account's rows: for a maximum the server may read all of them.
        let statement: SelectText = """
            b.account, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
            FROM account STRAIGHT_JOIN \(table: table) b ON b.account = account.id AND b.through = (SELECT newest.through
            FROM \(table: table) newest WHERE newest.account = account.id AND newest.through <= \(through.number)
            ORDER BY newest.through DESC LIMIT 1)
            """
        func add(_ rows: Rows) throws {
            for row in rows { totals[AccountID(UInt32(try row.uint(0)))] = try BalanceProjection.totals(row, from: 1) }
        }
        guard let accounts else {
            try add(transaction.run(.select(statement)))
            return totals
        }
        for start in stride(from: 0, to: accounts.count, by: 1000) {
            let list = Array(accounts[start..<min(start + 1000, accounts.count)]).values
            try add(transaction.run(.select("\(statement) WHERE account.id IN \(list: list)")))
        }
        return totals
    }

    /// What the entries after a position move. The journal has no index by account: this reads all of them.
    private func tail(after start: Position, upTo end: Position?) throws -> [AccountID: Totals] {
        try sums(
            "FROM posting p WHERE p.position > \(start.number) AND p.position <= \(end?.number ?? UInt64.max)")
    }

    private func sums(_ source: SelectText) throws -> [AccountID: Totals] {
        var source = source
        // A list longer than this is no help to the server.
        if let accounts, accounts.count <= 1000 {
            source = "\(source) AND (p.debit IN \(list: accounts.values) OR p.credit IN \(list: accounts.values))"
        }
        let wanted = accounts.map(Set.init)
        var totals: [AccountID: Totals] = [:]
        let rows = try transaction.run(.select("p.debit, p.credit, p.status, SUM(p.amount) \(source) GROUP BY p.debit, p.credit, p.status"))
        for row in rows {
            let (status, amount) = (try BalanceRows.status(row, 2), try row.decimal(3))
            for (side, column) in [(Side.debit, 0), (.credit, 1)] {
                let id = AccountID(UInt32(try row.uint(column)))
                if wanted?.contains(id) ?? true { totals[id, default: Totals()].add(side, amount, status) }
            }
        }
        return totals
    }

    // MARK: - By time

    /// The longest prefix of the journal whose entries were all recorded by then.
    private func prefix(recordedBy instant: Timestamp) throws -> Position {
        let now = try WriteStep.clock(transaction)
        guard instant <= now else {
            throw LedgerError(.historyUnavailable, "\(instant) is still to come (the server's clock says \(now)): what will be recorded by then is not known")
        }
        let spans = BalanceProjection.spans(generation)
        let block = try transaction.run(
            .select("through FROM \(table: spans) WHERE recorded_max <= \(instant.sqlText) ORDER BY through DESC LIMIT 1"))
        let start = try block.first?.uint(0) ?? 0
        let later = try transaction.run(
            .select("position FROM entry WHERE position > \(start) AND recorded_at > \(instant.sqlText) ORDER BY position LIMIT 1"))
        let last: Position
        if let row = later.first { last = Position(try row.uint(0) - 1) } else {
            last = Position(try transaction.run(.select("COALESCE(MAX(position), 0) FROM entry"))[0].uint(0))
        }
        // What is missing there may have been recorded by then too.
        try requireDecided(last)
        return last
    }

    /// What counts by then, of everything that is committed.
    private func effective(_ instant: Timestamp) throws -> Found {
        let spans = try transaction.run(
            .select("through, effective_max <= \(instant.sqlText), effective_min > \(instant.sqlText) FROM \(table: BalanceProjection.spans(generation)) ORDER BY through")
        ).map { row in
            EffectivePlan.Span(
                through: Position(try row.uint(0)), place: try row.uint(1) == 1 ? .before : try row.uint(2) == 1 ? .behind : .across)
        }
        let plan = EffectivePlan(spans, checkpoint: checkpoint)
        var totals: [AccountID: Totals] = [:]
        func add(_ part: [AccountID: Totals], _ factor: Int128) {
            for (account, moved) in part { totals[account, default: Totals()].add(moved, times: factor) }
        }
        for prefix in plan.prefixes { add(try prefixTotals(prefix.position), prefix.isAdded ? 1 : -1) }
        for scan in plan.scans {
            let range: SelectText = """
                FROM entry e STRAIGHT_JOIN posting p ON p.position = e.position
                WHERE e.position > \(scan.after.number) AND e.position <= \(scan.through?.number ?? UInt64.max)
                """
            let counted: SelectText = scan.isAdded ? "e.effective_at <= \(instant.sqlText)" : "e.effective_at > \(instant.sqlText)"
            add(try sums("\(range) AND \(counted)"), scan.isAdded ? 1 : -1)
        }
        try HoldExpiries.release(&totals, now: instant, counting: .effective(instant), transaction)
        return (totals, try Self.decidedPrefix(after: checkpoint, upTo: nil, transaction))
    }

    // MARK: - What there is

    private func requireDecided(_ position: Position) throws {
        guard position > checkpoint else { return }
        let through = try Self.decidedPrefix(after: checkpoint, upTo: position, transaction)
        guard through == position else {
            throw LedgerError(
                .historyUnavailable, "position \(position) is not decided yet: the journal is complete up to \(through)")
        }
    }

    private func requireStanding(_ receipt: Receipt) throws {
        let rows = try transaction.run(
            .select("id = \(receipt.id.bytes) FROM entry WHERE position = \(receipt.position.number) AND id IS NOT NULL"))
        guard try rows.first?.uint(0) == 1 else { throw Self.missing(receipt) }
    }

    static func missing(_ receipt: Receipt) -> LedgerError {
        LedgerError(
            .historyUnavailable, "the journal does not show the entry \(receipt.id) at position \(receipt.position): the receipt is of another "
                + "book, of a transaction that has not committed, or this server is behind the one that gave it", id: receipt.id)
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
