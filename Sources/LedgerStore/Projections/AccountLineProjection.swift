import LedgerDatabase
import LedgerModel

/// The history of each account: a line for every posting side, with the balance after it.
///
/// A line is late if a line of its account that comes before it counts later. The lines that are not late count in the order of
/// their positions, which is the primary key; only the late ones have a row in a second table, in the order in which they count.
struct AccountLineProjection: Job {
    static let definition = JobDefinition(
        name: "account_line", version: "2", schema: BookOwner.schema(of: "account_line"), positionsMax: 65_536)

    var definition: JobDefinition { Self.definition }

    static func table(_ generation: UInt32) -> LedgerTable { .generated("account_line", generation: generation) }
    static func late(_ generation: UInt32) -> LedgerTable { .generated("account_line_late", generation: generation) }

    func begin(after previous: (any JobStep)?) -> any JobStep {
        guard let previous = previous as? AccountLineStep else { return AccountLineStep(memory: StepMemory()) }
        previous.memory.keep()
        return AccountLineStep(memory: previous.memory)
    }
}

struct AccountLineStep: JobStep {
    let memory: StepMemory<RunningBalance>
    private var batches: [JournalBatch] = []

    init(memory: StepMemory<RunningBalance>) { self.memory = memory }

    mutating func take(_ entries: JournalBatch) { batches.append(entries) }

    private struct Line {
        let account: UInt32
        let position: UInt64
        let effective: Int64
        /// Which of the texts of times it has.
        let time: Int
        let isCredit: Bool
        let posting: JournalPosting
    }

    func write(_ writer: borrowing StepWriter) throws {
        var lines: [Line] = []
        // Entries that were recorded together have one time.
        var times: [String] = []
        var last: Int64?
        for batch in batches {
            for index in batch.indices {
                let (position, effective) = (batch.position(index).number, batch.effective[index])
                if last != effective {
                    times.append(Timestamp(microseconds: effective).sqlText)
                    last = effective
                }
                for place in batch.postingRange(index) {
                    let posting = batch.postings[place]
                    for (account, isCredit) in [(posting.debit, false), (posting.credit, true)] {
                        lines.append(
                            Line(
                                account: account.number, position: position, effective: effective, time: times.count - 1, isCredit: isCredit,
                                posting: posting))
                    }
                }
            }
        }
        // In the order of the primary key; by position they are already.
        var order = lines.indices.map { UInt64(lines[$0].account) << 32 | UInt64($0) }
        order.sort()
        lines = order.map { lines[Int($0 & 0xFFFF_FFFF)] }
        var accounts: [UInt32] = []
        for line in lines where line.account != accounts.last { accounts.append(line.account) }
        var (running, missing) = memory.known(accounts)
        if writer.from > .zero {
            for accounts in missing { try RunningBalance.read(accounts, through: writer.from, writer, into: &running) }
        }
        var (columns, late) = (LineColumns(), LateColumns())
        var start = 0
        while start < lines.count {
            let account = lines[start].account
            var state = running[account] ?? RunningBalance()
            var index = start
            while index < lines.count, lines[index].account == account {
                let line = lines[index]
                let isLate = state.take(line.posting, isCredit: line.isCredit, at: line.effective)
                let time = times[line.time]
                columns.append(
                    account, line.position, line.posting, isCredit: line.isCredit, at: time, balance: state.balance, isLate: isLate)
                if isLate { late.append(account, line.position, line.posting.line, at: time) }
                if columns.count == Self.rowsPerStatement { try columns.insert(writer) }
                index += 1
            }
            running[account] = state
            start = index
        }
        try columns.insert(writer)
        try late.insert(writer)
        memory.stage(running)
    }

    private static let rowsPerStatement = 16_384
}

/// Rows of `account_line`, column by column.
private struct LineColumns {
    private var accounts: [UInt64] = []
    private var positions: [UInt64] = []
    private var lines: [UInt64] = []
    private var sides: [UInt64] = []
    private var counterparts: [UInt64] = []
    private var amounts: [UInt64] = []
    private var statuses: [UInt64] = []
    private var late: [UInt64] = []
    private var balances: [Int128] = []
    private var effective: [String] = []

    var count: Int { accounts.count }

    mutating func append(
        _ account: UInt32, _ position: UInt64, _ posting: JournalPosting, isCredit: Bool, at time: String, balance: Int128, isLate: Bool
    ) {
        accounts.append(UInt64(account))
        positions.append(position)
        lines.append(UInt64(posting.line))
        sides.append(isCredit ? 1 : 0)
        counterparts.append(UInt64((isCredit ? posting.debit : posting.credit).number))
        amounts.append(posting.amount)
        statuses.append(UInt64(posting.status.rawValue))
        late.append(isLate ? 1 : 0)
        balances.append(balance)
        effective.append(time)
    }

    /// Inserts what there is and begins anew.
    mutating func insert(_ writer: borrowing StepWriter) throws {
        guard count > 0 else { return }
        // Numbers, unless one is too wide for 64 bits.
        let narrow = balances.compactMap { Int64(exactly: $0) }
        try writer.insert(
            into: "account_line",
            ["account", "position", "line", "side", "counterpart", "amount", "status", "late", "balance", "effective_at"],
            values: [
                .uint(accounts), .uint(positions), .uint(lines), .uint(sides), .uint(counterparts), .uint(amounts), .uint(statuses),
                .uint(late), narrow.count == balances.count ? .int(narrow) : .text(balances.map { String($0) }), .text(effective),
            ])
        self = LineColumns()
    }
}

/// Rows of `account_line_late`, column by column. They are few; or an account has got a line that counts far in the future.
private struct LateColumns {
    private var accounts: [UInt64] = []
    private var positions: [UInt64] = []
    private var lines: [UInt64] = []
    private var effective: [String] = []

    mutating func append(_ account: UInt32, _ position: UInt64, _ line: UInt32, at time: String) {
        accounts.append(UInt64(account))
        positions.append(position)
        lines.append(UInt64(line))
        effective.append(time)
    }

    func insert(_ writer: borrowing StepWriter) throws {
        guard !accounts.isEmpty else { return }
        try writer.insert(
            into: "account_line_late", ["account", "position", "line", "effective_at"],
            values: [.uint(accounts), .uint(positions), .uint(lines), .text(effective)])
    }
}

/// What the next line of an account follows from.
struct RunningBalance: Sendable {
    /// Posted debits less posted credits.
    var balance: Int128 = 0
    /// The latest time at which a line counts.
    var latest = Int64.min

    /// - Returns: true if the line is late.
    mutating func take(_ posting: JournalPosting, isCredit: Bool, at time: Int64) -> Bool {
        if posting.status == .posted { balance += isCredit ? -Int128(posting.amount) : Int128(posting.amount) }
        if time < latest { return true }
        latest = time
        return false
    }

    /// Those of accounts, from their newest lines up to a position.
    static func read(
        _ accounts: [UInt32], through: Position, _ writer: borrowing StepWriter, into found: inout [UInt32: RunningBalance]
    ) throws {
        let table = writer.table("account_line")
        let list = accounts.map { LedgerValue.uint($0) }
        // The latest time is that of the newest line that is not late.
        let rows = try writer.select(
            """
            account.id, (SELECT newest.balance FROM \(table: table) newest WHERE newest.account = account.id
            AND newest.position <= \(through.number) ORDER BY newest.position DESC, newest.line DESC LIMIT 1),
            (SELECT latest.effective_at FROM \(table: table) latest WHERE latest.account = account.id AND latest.late = 0
            AND latest.position <= \(through.number) ORDER BY latest.position DESC, latest.line DESC LIMIT 1)
            FROM account WHERE account.id IN \(list: list)
            """)
        for row in rows where !row.isNull(1) {
            guard let latest = try row.optionalText(2).flatMap(Timestamp.init(sqlText:)) else {
                throw LedgerError(.integrity, "account \(try row.uint(0)) has only late lines: run `indelible reconcile`")
            }
            found[UInt32(try row.uint(0))] = RunningBalance(balance: try row.decimal(1), latest: latest.microseconds)
        }
    }
}
