import LedgerDatabase
import LedgerModel
import Synchronization

/// The history of each account: a line for every posting side, with the balance after it.
struct AccountLineProjection: Job {
    static let definition = JobDefinition(
        name: "account_line", version: "1", schema: BookOwner.schema(of: "account_line"), positionsMax: 65_536)

    var definition: JobDefinition { Self.definition }

    static func table(_ generation: UInt32) -> LedgerTable { .generated("account_line", generation: generation) }

    func begin(after previous: (any JobStep)?) -> any JobStep {
        guard let previous = previous as? AccountLineStep else { return AccountLineStep(memory: RunningBalances()) }
        previous.memory.keep()
        return AccountLineStep(memory: previous.memory)
    }
}

struct AccountLineStep: JobStep {
    let memory: RunningBalances
    private var batches: [JournalBatch] = []

    init(memory: RunningBalances) { self.memory = memory }

    mutating func take(_ entries: JournalBatch) { batches.append(entries) }

    private struct Line {
        let account: UInt32
        let position: UInt64
        let effective: Int64
        let isCredit: Bool
        let posting: JournalPosting
    }

    func write(_ writer: borrowing StepWriter) throws {
        var lines: [Line] = []
        for batch in batches {
            for index in batch.indices {
                let (position, effective) = (batch.position(index).number, batch.effective[index])
                for place in batch.postingRange(index) {
                    let posting = batch.postings[place]
                    lines.append(Line(account: posting.debit.number, position: position, effective: effective, isCredit: false, posting: posting))
                    lines.append(Line(account: posting.credit.number, position: position, effective: effective, isCredit: true, posting: posting))
                }
            }
        }
        // In the order of the primary key; by position they are already.
        var order = lines.indices.map { UInt64(lines[$0].account) << 32 | UInt64($0) }
        order.sort()
        lines = order.map { lines[Int($0 & 0xFFFF_FFFF)] }
        var accounts: [UInt32] = []
        for line in lines where line.account != accounts.last { accounts.append(line.account) }
        var balances = try memory.balances(of: accounts, through: writer.from, writer)
        for start in stride(from: 0, to: lines.count, by: Self.rowsPerStatement) {
            try insert(lines[start..<min(start + Self.rowsPerStatement, lines.count)], &balances, writer)
        }
        memory.stage(balances)
    }

    private static let rowsPerStatement = 16_384

    private func insert(_ lines: ArraySlice<Line>, _ balances: inout [UInt32: Int128], _ writer: borrowing StepWriter) throws {
        var numbers = [[UInt64]](repeating: [], count: 7)
        var running: [Int128] = []
        var effective: [String] = []
        var last: (at: Int64, text: String)?
        for line in lines {
            let posting = line.posting
            if posting.status == .posted {
                balances[line.account, default: 0] += line.isCredit ? -Int128(posting.amount) : Int128(posting.amount)
            }
            let counterpart = line.isCredit ? posting.debit : posting.credit
            let row: [UInt64] = [
                UInt64(line.account), line.position, UInt64(posting.line), line.isCredit ? 1 : 0, UInt64(counterpart.number), posting.amount,
                UInt64(posting.status.rawValue),
            ]
            for (column, number) in row.enumerated() { numbers[column].append(number) }
            running.append(balances[line.account] ?? 0)
            if last?.at != line.effective { last = (line.effective, Timestamp(microseconds: line.effective).sqlText) }
            effective.append(last!.text)
        }
        let narrow = running.compactMap { Int64(exactly: $0) }
        try writer.insert(
            into: "account_line",
            ["account", "position", "line", "side", "counterpart", "amount", "status", "balance", "effective_at"],
            values: numbers.map(ColumnRows.Values.uint) + [
                narrow.count == running.count ? .int(narrow) : .text(running.map { String($0) }), .text(effective),
            ])
    }
}

/// Posted debits less posted credits of accounts, as this worker has written them.
final class RunningBalances: Sendable {
    private struct State {
        var balances: [UInt32: Int128] = [:]
        /// Written in a transaction that is not known to be committed.
        var staged: [UInt32: Int128] = [:]
    }

    private let state = Mutex(State())
    /// Accounts at the most; then it begins anew.
    private static let accountsMax = 1_000_000
    private static let accountsPerRead = 1000

    func stage(_ balances: [UInt32: Int128]) { state.withLock { $0.staged = balances } }

    /// What was staged is committed.
    func keep() {
        state.withLock { state in
            if state.balances.count + state.staged.count > Self.accountsMax { state.balances = [:] }
            state.balances.merge(state.staged) { $1 }
            state.staged = [:]
        }
    }

    func balances(of accounts: [UInt32], through: Position, _ writer: borrowing StepWriter) throws -> [UInt32: Int128] {
        var found: [UInt32: Int128] = [:]
        let missing = state.withLock { state in
            accounts.filter { account in
                guard let known = state.balances[account] else { return true }
                found[account] = known
                return false
            }
        }
        guard through != .zero else { return found }
        let table = writer.table("account_line")
        for start in stride(from: 0, to: missing.count, by: Self.accountsPerRead) {
            let list = missing[start..<min(start + Self.accountsPerRead, missing.count)].map { LedgerValue.uint($0) }
            let rows = try writer.select(
                """
                account.id, (SELECT newest.balance FROM \(table: table) newest WHERE newest.account = account.id
                AND newest.position <= \(through.number) ORDER BY newest.position DESC, newest.line DESC LIMIT 1)
                FROM account WHERE account.id IN \(list: list)
                """)
            for row in rows where !row.isNull(1) { found[UInt32(try row.uint(0))] = try row.decimal(1) }
        }
        return found
    }
}
