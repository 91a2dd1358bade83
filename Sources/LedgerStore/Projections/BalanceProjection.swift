import LedgerDatabase
import LedgerModel

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
    /// Shorter in tests only.
    var spanLength = BalanceSpans.length

    static func table(_ generation: UInt32) -> LedgerTable { .generated("balance", generation: generation) }
    static func spans(_ generation: UInt32) -> LedgerTable { .generated("balance_span", generation: generation) }

    func begin(after previous: (any JobStep)?) -> any JobStep {
        guard let previous = previous as? BalanceStep else { return BalanceStep(memory: StepMemory(), spanLength: spanLength) }
        previous.memory.keep()
        return BalanceStep(memory: previous.memory, spanLength: spanLength)
    }

    static func totals(_ row: Row, from column: Int) throws -> Totals {
        Totals(
            debitsPosted: try row.decimal(column), creditsPosted: try row.decimal(column + 1),
            debitsPending: try row.decimal(column + 2), creditsPending: try row.decimal(column + 3))
    }
}

struct BalanceStep: JobStep {
    let memory: StepMemory<Totals>
    private var spans: BalanceSpans
    /// Accounts that are touched, each with a number of its own.
    private var slots: [UInt32: UInt32] = [:]
    private var accounts: [UInt32] = []
    private var touches: [Touch] = []

    /// One side of a posting.
    private struct Touch {
        let slot: UInt32
        let side: Side
        let status: PostingStatus
        let position: UInt64
        let amount: UInt64
    }

    init(memory: StepMemory<Totals>, spanLength: UInt64) {
        self.memory = memory
        spans = BalanceSpans(length: spanLength)
    }

    mutating func take(_ entries: JournalBatch) {
        spans.take(entries)
        var position = entries.after.number
        for index in entries.indices {
            position += 1
            for place in entries.postingRange(index) {
                let posting = entries.postings[place]
                for (side, account) in [(Side.debit, posting.debit), (.credit, posting.credit)] {
                    touches.append(
                        Touch(
                            slot: slot(account.number), side: side, status: posting.status, position: position, amount: posting.amount))
                }
            }
        }
    }

    private mutating func slot(_ account: UInt32) -> UInt32 {
        if let known = slots[account] { return known }
        let slot = UInt32(accounts.count)
        slots[account] = slot
        accounts.append(account)
        return slot
    }

    func write(_ writer: borrowing StepWriter) throws {
        try spans.write(writer)
        var (known, missing) = memory.known(accounts)
        // Before the first entry nothing has moved.
        if writer.from > .zero {
            for accounts in missing { try NewestBalances.read(accounts, through: writer.from, writer, into: &known) }
        }
        var totals = accounts.map { known[$0] ?? Totals() }
        let (order, starts) = ordered()
        var columns = BalanceColumns()
        var positions: [UInt64] = []
        // In the order of the primary key: rows of an account lie side by side.
        for slot in accounts.indices.sorted(by: { accounts[$0] < accounts[$1] }) {
            for index in order[starts[slot]..<starts[slot + 1]] {
                let touch = touches[Int(index)]
                if positions.last != touch.position {
                    if positions.count == BalanceProjection.touchesMax { columns.append(accounts[slot], totals[slot], &positions) }
                    positions.append(touch.position)
                }
                totals[slot].add(touch.side, touch.amount, touch.status)
            }
            columns.append(accounts[slot], totals[slot], &positions)
            if columns.count >= Self.rowsPerStatement { try columns.insert(writer) }
        }
        try columns.insert(writer)
        memory.stage(Dictionary(uniqueKeysWithValues: zip(accounts, totals)))
    }

    /// Touches slot by slot, each slot's in their order; and where each slot's begin.
    private func ordered() -> (order: [UInt32], starts: [Int]) {
        var starts = [Int](repeating: 0, count: accounts.count + 1)
        for touch in touches { starts[Int(touch.slot) + 1] += 1 }
        for slot in accounts.indices { starts[slot + 1] += starts[slot] }
        var next = starts
        var order = [UInt32](repeating: 0, count: touches.count)
        for (index, touch) in touches.enumerated() {
            order[next[Int(touch.slot)]] = UInt32(index)
            next[Int(touch.slot)] += 1
        }
        return (order, starts)
    }

    private static let rowsPerStatement = 16_384
}

/// Rows of `balance`, column by column.
private struct BalanceColumns {
    private var accounts: [UInt64] = []
    private var through: [UInt64] = []
    private var totals: [Totals] = []
    private var touched: [[UInt8]] = []

    var count: Int { accounts.count }

    /// Takes the positions away.
    mutating func append(_ account: UInt32, _ totals: Totals, _ positions: inout [UInt64]) {
        accounts.append(UInt64(account))
        let last = positions[positions.count - 1]
        through.append(last)
        self.totals.append(totals)
        touched.append(TouchedPositions.bytes(positions))
        positions.removeAll(keepingCapacity: true)
    }

    /// Inserts what there is and begins anew.
    mutating func insert(_ writer: borrowing StepWriter) throws {
        guard count > 0 else { return }
        try writer.insert(
            into: "balance",
            ["account", "through", "debits_posted", "credits_posted", "debits_pending", "credits_pending", "touched"],
            values: [
                .uint(accounts), .uint(through), column(\.debitsPosted), column(\.creditsPosted), column(\.debitsPending),
                column(\.creditsPending), .bytes(touched),
            ])
        self = BalanceColumns()
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

/// The newest rows of accounts.
private enum NewestBalances {
    /// What was true of these accounts up to a position.
    static func read(
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
