import Crypto
import Foundation
public import LedgerDatabase
public import LedgerModel

/// The first projection: what each account has moved.
///
/// Each step inserts one row for every account that it touched: its totals up to and with the last entry that touched
/// it. The newest row is the balance, the older ones are history.
struct BalanceProjection: Sendable {
    static let job = "balance"
    /// The generation that a new book begins with.
    static let firstGeneration: UInt32 = 1
    /// Steps end at multiples of this, so that the history has a row of an account at least every so many positions.
    static let historyStep: UInt64 = 4096
    /// SHA-256 of what the rows depend on: another definition is another generation.
    static let fingerprint = Array(SHA256.hash(data: Data("balance/1 historyStep=\(historyStep)".utf8)))

    static func table(_ generation: UInt32) -> LedgerTable { .generated("balance", generation: generation) }

    private static let rowsMax = 1000

    func apply(
        _ entries: [JournalEntry], generation: UInt32, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws {
        let moved = Self.fold(entries)
        guard let first = entries.first, !moved.isEmpty else { return }
        let table = Self.table(generation)
        let accounts = moved.keys.sorted()
        for start in stride(from: 0, to: accounts.count, by: Self.rowsMax) {
            let chunk = accounts[start..<min(start + Self.rowsMax, accounts.count)]
            let totals = try Self.newest(chunk.map { UInt64($0.number) }, before: first.position, table, transaction)
            let rows = chunk.map { account -> [LedgerValue] in
                let (change, through) = moved[account]!
                let sum = (totals[UInt64(account.number)] ?? Totals()) + change
                return [
                    .uint(account.number), .uint(through.number), .decimal(sum.debitsPosted),
                    .decimal(sum.creditsPosted), .decimal(sum.debitsPending), .decimal(sum.creditsPending),
                ]
            }
            try transaction.run(
                .insert(
                    into: table,
                    ["account", "through", "debits_posted", "credits_posted", "debits_pending", "credits_pending"],
                    rows: rows))
        }
    }

    /// What was true of these accounts before a step.
    private static func newest(
        _ numbers: [UInt64], before position: Position, _ table: LedgerTable, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> [UInt64: Totals] {
        let list = numbers.map { LedgerValue.uint($0) }
        let columns: SelectText = "b.account, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending"
        // From the end of each account's rows: for a maximum the server may read all of them.
        let rows = try transaction.run(
            .select(
                """
                \(columns) FROM account STRAIGHT_JOIN \(table: table) b ON b.account = account.id AND b.through = (SELECT newest.through
                FROM \(table: table) newest WHERE newest.account = account.id AND newest.through < \(position.number)
                ORDER BY newest.through DESC LIMIT 1) WHERE account.id IN \(list: list)
                """))
        var totals: [UInt64: Totals] = [:]
        for row in rows { totals[try row.uint(0)] = try Self.totals(row, from: 1) }
        // What has no row has moved for the first time, or is no account at all (a forged posting); that is counted all the same.
        let rest = numbers.filter { totals[$0] == nil }.map { LedgerValue.uint($0) }
        guard !rest.isEmpty else { return totals }
        let others = try transaction.run(
            .select(
                """
                \(columns) FROM (SELECT account, MAX(through) AS through FROM \(table: table)
                      WHERE account IN \(list: rest) AND through < \(position.number) GROUP BY account) newest
                JOIN \(table: table) b ON b.account = newest.account AND b.through = newest.through
                """))
        for row in others { totals[try row.uint(0)] = try Self.totals(row, from: 1) }
        return totals
    }

    /// What entries move on each account, and where they last touch it.
    static func fold(_ entries: [JournalEntry]) -> [AccountID: (change: Totals, through: Position)] {
        var moved: [AccountID: (change: Totals, through: Position)] = [:]
        for entry in entries {
            for posting in entry.postings {
                for (side, account) in [(Side.debit, posting.debit), (.credit, posting.credit)] {
                    moved[account, default: (Totals(), .zero)].change.add(side, posting.amount, posting.status)
                    moved[account]!.through = entry.position
                }
            }
        }
        return moved
    }

    static func totals(_ row: Row, from column: Int) throws -> Totals {
        Totals(
            debitsPosted: try row.decimal(column), creditsPosted: try row.decimal(column + 1),
            debitsPending: try row.decimal(column + 2), creditsPending: try row.decimal(column + 3))
    }
}

extension BookOwner {
    /// Creates the book, or migrates it: schema, roles, and the first generation of each projection. Running it again does
    /// nothing.
    /// - Parameters:
    ///   - resume: runs a migration again that was stopped in the middle.
    ///   - timeZone: where accounting days begin and end, by its IANA name; nil: the one that the book has, UTC for a new one.
    /// - Throws: `conflict` if the book has another time zone, `invalidTime` for one that there is not.
    @discardableResult
    public func create(resume: Bool = false, timeZone: String? = nil) async throws(LedgerError) -> Plan {
        try await translated {
            if let timeZone, TimeZone(identifier: timeZone) == nil {
                throw LedgerError(.invalidTime, "“\(timeZone)” is no time zone: write a name like Europe/Berlin")
            }
            let plan = try await migrate(resume: resume)
            let standing = try await registerBook(timeZone: timeZone ?? "UTC")
            guard timeZone == nil || standing == timeZone else {
                throw LedgerError(.conflict, "the book's time zone is \(standing); it never changes")
            }
            try await createGeneration(job: BalanceProjection.job, generation: BalanceProjection.firstGeneration)
            try await registerGeneration(
                job: BalanceProjection.job, generation: BalanceProjection.firstGeneration,
                fingerprint: BalanceProjection.fingerprint)
            return plan
        }
    }
}
