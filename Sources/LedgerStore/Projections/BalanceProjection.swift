import LedgerDatabase
import LedgerModel
import Synchronization

/// What each account has moved.
///
/// A step inserts, for every account that it touches, a row with its totals; the newest row is the balance, the older ones are
/// history. A row names the positions that it counts and the row before does not, at most ``touchesMax`` of them, however many
/// entries the step had: so a balance as of any position is the row before it and a few postings, found by their primary key.
struct BalanceProjection: Job {
    /// The history step: a row counts at most so many positions more than the one before it.
    static let touchesMax = 128
    static let definition = JobDefinition(
        name: "balance", version: "2 touchesMax=\(touchesMax) span=\(BalanceSpans.length)", schema: BookOwner.schema(of: "balance"),
        positionsMax: JobDefinition.grid)
    static var job: String { definition.name }

    var definition: JobDefinition { Self.definition }

    static func table(_ generation: UInt32) -> LedgerTable { .generated("balance", generation: generation) }

    func begin(after previous: (any JobStep)?) -> any JobStep {
        guard let previous = previous as? BalanceStep else { return BalanceStep(memory: BalanceMemory()) }
        previous.memory.keep()
        return BalanceStep(memory: previous.memory)
    }

    static func totals(_ row: Row, from column: Int) throws -> Totals {
        Totals(
            debitsPosted: try row.decimal(column), creditsPosted: try row.decimal(column + 1),
            debitsPending: try row.decimal(column + 2), creditsPending: try row.decimal(column + 3))
    }
}

struct BalanceStep: JobStep {
    let memory: BalanceMemory
    private var spans = BalanceSpans()
    private var slots: [UInt32: Int] = [:]
    private var touched: [Touched] = []
    private var rows: [TouchedRow] = []

    /// What the step moves on one account.
    private struct Touched {
        let account: UInt32
        var change = Totals()
        /// Positions since the last row.
        var positions: [UInt64] = []
    }

    private struct TouchedRow {
        let slot: Int
        /// Since the step's beginning.
        let change: Totals
        let positions: [UInt64]
    }

    init(memory: BalanceMemory) { self.memory = memory }

    mutating func take(_ entries: JournalBatch) {
        spans.take(entries)
        var position = entries.after.number
        for index in entries.indices {
            position += 1
            for place in entries.postingRange(index) {
                let posting = entries.postings[place]
                touch(posting.debit.number, position, .debit, posting)
                touch(posting.credit.number, position, .credit, posting)
            }
        }
    }

    private mutating func touch(_ account: UInt32, _ position: UInt64, _ side: Side, _ posting: JournalPosting) {
        let slot: Int
        if let known = slots[account] {
            slot = known
        } else {
            slot = touched.count
            slots[account] = slot
            touched.append(Touched(account: account))
        }
        if touched[slot].positions.last != position {
            if touched[slot].positions.count == BalanceProjection.touchesMax { endRow(slot) }
            touched[slot].positions.append(position)
        }
        touched[slot].change.add(side, posting.amount, posting.status)
    }

    private mutating func endRow(_ slot: Int) {
        rows.append(TouchedRow(slot: slot, change: touched[slot].change, positions: touched[slot].positions))
        touched[slot].positions.removeAll(keepingCapacity: true)
    }

    func write(_ writer: borrowing StepWriter) throws {
        try spans.write(writer)
        let before = try memory.totals(of: touched.map(\.account), before: writer.from, writer)
        var all = rows
        for (slot, one) in touched.enumerated() { all.append(TouchedRow(slot: slot, change: one.change, positions: one.positions)) }
        // In the order of the primary key: rows of an account lie side by side.
        let order = all.indices.sorted {
            let (left, right) = (touched[all[$0].slot].account, touched[all[$1].slot].account)
            return left != right ? left < right : all[$0].positions[0] < all[$1].positions[0]
        }
        for start in stride(from: 0, to: order.count, by: Self.rowsPerStatement) {
            var columns = BalanceColumns()
            for index in order[start..<min(start + Self.rowsPerStatement, order.count)] {
                let row = all[index]
                columns.append(touched[row.slot].account, before[row.slot] + row.change, row.positions)
            }
            try columns.insert(writer)
        }
        memory.stage(touched.enumerated().map { ($1.account, before[$0] + $1.change) })
    }

    private static let rowsPerStatement = 16_384
}

/// Rows of `balance`, column by column.
private struct BalanceColumns {
    private var accounts: [UInt64] = []
    private var through: [UInt64] = []
    private var totals: [Totals] = []
    private var touched: [[UInt8]] = []

    mutating func append(_ account: UInt32, _ totals: Totals, _ positions: [UInt64]) {
        accounts.append(UInt64(account))
        let last = positions[positions.count - 1]
        through.append(last)
        self.totals.append(totals)
        touched.append(TouchedPositions.bytes(positions))
    }

    func insert(_ writer: borrowing StepWriter) throws {
        try writer.insert(
            into: "balance",
            ["account", "through", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "touched"],
            values: [
                .uint(accounts), .uint(through), column(\.debitsPosted), column(\.creditsPosted), column(\.debitsPending),
                column(\.creditsPending), .bytes(touched),
            ])
    }

    /// Numbers, unless one is too wide for 64 bits.
    private func column(_ path: KeyPath<Totals, Int128>) -> ColumnRows.Values {
        let numbers = totals.map { $0[keyPath: path] }
        let narrow = numbers.compactMap { Int64(exactly: $0) }
        return narrow.count == numbers.count ? .int(narrow) : .text(numbers.map { String($0) })
    }
}

/// The column `touched`: the positions of a row but the last, as their distance from the last, 4 bytes each, the most significant
/// byte first.
enum TouchedPositions {
    static func bytes(_ positions: [UInt64]) -> [UInt8] {
        guard positions.count > 1 else { return [] }
        let last = positions[positions.count - 1]
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * (positions.count - 1))
        for position in positions.dropLast() {
            let distance = UInt32(truncatingIfNeeded: last - position)
            for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: distance >> UInt32(shift))) }
        }
        return bytes
    }

    /// All positions of a row, the last one too.
    static func positions(_ bytes: [UInt8], through: UInt64) -> [UInt64] {
        var positions = stride(from: 0, to: bytes.count - bytes.count % 4, by: 4).map { start in
            through - UInt64(bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) })
        }
        positions.append(through)
        return positions
    }
}

/// Balances that a worker has written itself: while it does step after step nobody else has written in between.
final class BalanceMemory: Sendable {
    private struct State {
        var totals: [UInt32: Totals] = [:]
        /// Written in a transaction that is not known to be committed.
        var staged: [(UInt32, Totals)] = []
    }

    private let state = Mutex(State())
    /// Accounts at the most; then it begins anew.
    private static let accountsMax = 1_000_000
    private static let accountsPerRead = 1000

    func stage(_ totals: [(UInt32, Totals)]) { state.withLock { $0.staged = totals } }

    /// What was staged is committed.
    func keep() {
        state.withLock { state in
            if state.totals.count + state.staged.count > Self.accountsMax { state.totals = [:] }
            for (account, totals) in state.staged { state.totals[account] = totals }
            state.staged = []
        }
    }

    /// What was true of these accounts up to a position.
    func totals(of accounts: [UInt32], before position: Position, _ writer: borrowing StepWriter) throws -> [Totals] {
        var known = state.withLock { state in accounts.map { state.totals[$0] } }
        // Before the first entry nothing has moved.
        let missing = position == .zero ? [] : accounts.indices.filter { known[$0] == nil }
        var found: [UInt32: Totals] = [:]
        for start in stride(from: 0, to: missing.count, by: Self.accountsPerRead) {
            let numbers = missing[start..<min(start + Self.accountsPerRead, missing.count)].map { accounts[$0] }
            try Self.read(numbers, through: position, writer, into: &found)
        }
        for index in missing { known[index] = found[accounts[index]] }
        return known.map { $0 ?? Totals() }
    }

    private static func read(
        _ numbers: [UInt32], through position: Position, _ writer: borrowing StepWriter, into found: inout [UInt32: Totals]
    ) throws {
        let table = writer.table("balance")
        let list = numbers.map { LedgerValue.uint($0) }
        let columns: SelectText = "b.account, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending"
        // From the end of each account's rows: for a maximum the server may read all of them.
        let rows = try writer.select(
            """
            \(columns) FROM account STRAIGHT_JOIN \(table: table) b ON b.account = account.id AND b.through = (SELECT newest.through
            FROM \(table: table) newest WHERE newest.account = account.id AND newest.through <= \(position.number)
            ORDER BY newest.through DESC LIMIT 1) WHERE account.id IN \(list: list)
            """)
        for row in rows { found[UInt32(try row.uint(0))] = try BalanceProjection.totals(row, from: 1) }
        // What has no row has moved for the first time, or is no account at all (a forged posting); that is counted all the same.
        let rest = numbers.filter { found[$0] == nil }.map { LedgerValue.uint($0) }
        guard !rest.isEmpty else { return }
        let others = try writer.select(
            """
            \(columns) FROM (SELECT account, MAX(through) AS through FROM \(table: table)
                  WHERE account IN \(list: rest) AND through <= \(position.number) GROUP BY account) newest
            JOIN \(table: table) b ON b.account = newest.account AND b.through = newest.through
            """)
        for row in others { found[UInt32(try row.uint(0))] = try BalanceProjection.totals(row, from: 1) }
    }
}
