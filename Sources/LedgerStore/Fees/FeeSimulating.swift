import LedgerDatabase
public import LedgerModel

/// What a schedule would charge, beside what is charged.
public struct FeeSimulation: Sendable {
    /// Of one account in one month.
    public struct Line: Sendable {
        public let month: AccountingMonth
        public let account: Account
        /// Entries that are charged, and that would be.
        public let charged: (now: Int64, then: Int64)
        /// Minor units.
        public let fees: (now: Int128, then: Int128)
        public var difference: Int128 { fees.then - fees.now }
    }

    public let schedule: FeeSchedule
    /// From the first month that the schedule applies to; by month and account.
    public let lines: [Line]
    /// Of the journal through this position.
    public let through: Position
}

extension Ledger {
    /// Prices what is recorded as if a version of a schedule were published, in place of the one with its number if there is one. Nothing is written.
    /// - Parameter document: as for ``publishFeeSchedule(_:actor:)``.
    /// - Throws: as ``checkFeeSchedule(_:)``; `schema` if the book has no live generation of fees.
    public func simulateFees(_ document: String) async throws(LedgerError) -> FeeSimulation {
        if let elsewhere = try await elsewhere() { return try await elsewhere.simulateFees(document) }
        let schedule = try await checkFeeSchedule(document)
        return try await translated {
            try await database.read { transaction in
                let (_, months, through) = try FeeTables.live(transaction)
                var book = FeeBook()
                _ = try book.learnSchedules(through: through, transaction)
                try book.learnZoneAndCurrencies(transaction)
                var start = schedule.effectiveFrom
                if let name = book.names.firstIndex(of: schedule.name), let standing = book.version(name, schedule.version) {
                    start = min(start, book.versions[standing].schedule.effectiveFrom)
                    book.remove(standing)
                }
                let place = book.add(schedule)
                let name = book.versions[place].name
                let month = AccountingMonth(number: try book.month(of: start.microseconds))
                let then = try Self.priced(name, from: month, through, &book, transaction)
                var query = FeeQuery()
                (query.from, query.schedule) = (month, schedule.name)
                return FeeSimulation(
                    schedule: schedule, lines: try Self.lines(try FeeTables.months(months, query, catalog, transaction), then, catalog, transaction), through: through)
            }
        }
    }

    /// Totals of a schedule from a month on.
    private static func priced(
        _ name: Int, from month: AccountingMonth, _ through: Position, _ book: inout FeeBook, _ transaction: borrowing LedgerTransaction
    ) throws -> [FeeGroup: FeeTotals] {
        let start = try book.months.range(month.number).lowerBound
        let parts = try FeeHistory.parts(from: start, through: through, transaction)
        var totals: [FeeGroup: FeeTotals] = [:]
        for part in 0..<parts.count {
            var finder = ChargeFinder(book)
            finder.only = { schedule, effective, account in schedule == name && effective >= start && Int(account) % parts.count == part }
            try FeeHistory.read(parts.places, through: through, into: &finder, through: through, transaction)
            book = finder.book
            let run = FeeRun(.init(book: book))
            for charge in finder.charges.sorted(by: Charge.isRanked) {
                let row = try run.priced(charge, volume: totals[charge.group]?.volume ?? 0)
                totals[charge.group, default: .init()].add(row, counted: book.counted(charge))
            }
        }
        return totals
    }

    private static func lines(
        _ now: [FeeMonth], _ then: [FeeGroup: FeeTotals], _ catalog: AccountCatalog, _ transaction: borrowing LedgerTransaction
    ) throws -> [FeeSimulation.Line] {
        struct Key: Hashable { let (month, account): (Int, UInt32) }
        let standing = Dictionary(uniqueKeysWithValues: now.map { (Key(month: $0.month.number, account: $0.account.id.number), $0) })
        let coming = Dictionary(uniqueKeysWithValues: then.map { (Key(month: $0.month, account: $0.account), $1) })
        let keys = Set(standing.keys).union(coming.keys)
        let all = Array(keys)
        let accounts = try FeeTables.accounts(all.map { AccountID($0.account) }, catalog, transaction)
        return zip(all, accounts).compactMap { key, account in
            guard let account else { return nil }
            let (before, after) = (standing[key], coming[key] ?? FeeTotals())
            return FeeSimulation.Line(
                month: AccountingMonth(number: key.month), account: account, charged: (before?.charged ?? 0, after.charged),
                fees: (before?.fees ?? 0, after.fees))
        }.sorted { ($0.month, $0.account.path, $0.account.currency.code) < ($1.month, $1.account.path, $1.account.currency.code) }
    }
}
