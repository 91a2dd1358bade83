import LedgerDatabase
public import LedgerModel

/// A row of the projected fees: what an entry is charged of one account, by one schedule, and how that comes about.
public struct Fee: Sendable {
    public let entry: EntryID
    public let position: Position
    public let effectiveAt: Timestamp
    public let account: Account
    public let schedule: String
    /// nil: the entry is not charged (any more).
    public let version: FeeSchedule?
    public let rule: FeeRule?
    public let waiver: FeeWaiver?
    /// Minor units that are charged.
    public let amount: Int128
    public let components: FeeComponents
    /// It follows from the journal through this position.
    public let through: Position

    /// Minor units; negative if they are paid to the account.
    public var fee: Int128 { components.fee }
    /// The price that was applied.
    public var price: FeePrice? { rule?.price(account.currency.code) }
}

/// Fees of an account, by one schedule, in one month.
public struct FeeMonth: Sendable {
    public let month: AccountingMonth
    public let schedule: String
    public let account: Account
    /// Entries that are charged.
    public let charged: Int64
    /// Minor units, as everything below.
    public let volume: Int128
    public let fees: Int128
    public let waived: Int128
    /// Entries that posted fees.
    public let assessments: UInt32
    /// What they posted, and was not reversed.
    public let assessed: Int128

    /// What is to be posted; negative if too much was.
    public var due: Int128 { fees - assessed }
}

/// Which months to read. Every condition that is set must hold.
public struct FeeQuery: Sendable {
    public var from: AccountingMonth?
    public var through: AccountingMonth?
    public var schedule: String?
    public var accounts: AccountPattern?

    /// All months of all accounts.
    public init() {}
}

extension Ledger {
    /// What an entry is charged: the projected rows, for each account and schedule the oldest first. The last one of them is the fee, those before are
    /// what it was until something came that made it another.
    /// - Throws: `unknownEntry`; `schema` if the book has no live generation of fees.
    public func fees(of id: EntryID) async throws(LedgerError) -> (fees: [Fee], through: Position) {
        if let elsewhere = try await elsewhere() { return try await elsewhere.fees(of: id) }
        return try await translated {
            guard let entry = try await standing([id])[id] else {
                throw LedgerError(.unknownEntry, "there is no entry with the id \(id)", id: id)
            }
            let accounts = try await catalog.accounts(Set(entry.postings.flatMap { [$0.debit, $0.credit] }))
            return try await database.read { transaction in
                let (table, _, through) = try FeeTables.live(transaction)
                var book = FeeBook()
                _ = try book.learnSchedules(through: through, transaction)
                try book.learnAccounts(accounts.keys.map(\.number), transaction)
                var found: [Fee] = []
                for name in book.names.indices where !accounts.isEmpty {
                    let rows = try transaction.run(
                        .select(
                            """
                            \(FeeTable.columns) FROM \(table: table) WHERE account IN \(list: Array(accounts.keys).values) AND schedule = \(book.names[name])
                            AND effective_at = \(entry.effectiveAt.sqlText) AND id = \(id.bytes) ORDER BY account, through
                            """))
                    for row in rows {
                        let read = try FeeTable.row(row, name, &book)
                        if let account = accounts[AccountID(read.charge.account)] {
                            found.append(Fee(read, account, Position(try row.uint(15)), book))
                        }
                    }
                }
                return (found, through)
            }
        }
    }

    /// Totals by month, schedule and account, as far as they are projected.
    /// - Throws: `schema` if the book has no live generation of fees.
    public func feeMonths(_ query: FeeQuery = FeeQuery()) async throws(LedgerError) -> (months: [FeeMonth], through: Position) {
        if let elsewhere = try await elsewhere() { return try await elsewhere.feeMonths(query) }
        return try await translated {
            try await database.read { transaction in
                let (_, table, through) = try FeeTables.live(transaction)
                return (try FeeTables.months(table, query, catalog, transaction), through)
            }
        }
    }
}

/// The tables of the live generation.
enum FeeTables {
    static func live(
        _ transaction: borrowing LedgerTransaction
    ) throws -> (fees: LedgerTable, months: LedgerTable, through: Position) {
        let definition = FeeProjection.definition
        let generation = try Generation.readable(definition, transaction)
        let through = try Checkpoint.newest(job: definition.name, generation: generation, transaction).through
        return (FeeProjection.table(generation), FeeProjection.months(generation), through)
    }

    /// The newest rows that fit, in the order of month, schedule and account.
    static func months(
        _ table: LedgerTable, _ query: FeeQuery, _ catalog: AccountCatalog, _ transaction: borrowing LedgerTransaction
    ) throws -> [FeeMonth] {
        var conditions: SelectText = "f.month >= \((query.from ?? .first).firstDayText)"
        if let through = query.through { conditions = "\(conditions) AND f.month <= \(through.firstDayText)" }
        if let schedule = query.schedule { conditions = "\(conditions) AND f.schedule = \(schedule)" }
        struct Found {
            let account: UInt32
            /// In ``texts``.
            let (month, schedule): (Int, Int)
            let totals: FeeTotals
        }
        var found: [Found] = []
        // Rows of one month and schedule lie side by side.
        var texts = [""]
        func place(_ column: Int, _ last: Int?, _ row: borrowing RowInPlace) -> Int {
            if let last, row.isText(column, texts[last]) { return last }
            texts.append(row.text(column) ?? "")
            return texts.count - 1
        }
        try transaction.forEachRow(
            .select(
                """
                \(FeeMonthTable.wideColumns) FROM \(table: table) f WHERE \(conditions) ORDER BY f.month, f.schedule, f.account, f.through
                """)
        ) { row in
            let (account, last) = (UInt32(row.uint(0) ?? 0), found.last)
            let (month, schedule) = (place(7, last?.month, row), place(8, last?.schedule, row))
            if let last, last.account == account, last.month == month, last.schedule == schedule { found.removeLast() }
            found.append(Found(account: account, month: month, schedule: schedule, totals: FeeMonthTable.totals(row)))
        }
        let accounts = try accounts(found.map { AccountID($0.account) }, catalog, transaction)
        var months: [Int: AccountingMonth] = [:]
        return try zip(found, accounts).compactMap { row, account in
            guard let account else {
                throw LedgerError(.integrity, "fees of \(texts[row.month]) are of an account \(row.account) that is not there: run `indelible reconcile`")
            }
            guard query.accounts?.matches(account.path) ?? true else { return nil }
            let month = try months[row.month] ?? AccountingMonth(String(texts[row.month].prefix(7)))
            months[row.month] = month
            let totals = row.totals
            return FeeMonth(
                month: month, schedule: texts[row.schedule], account: account, charged: totals.charged, volume: totals.volume, fees: totals.fees,
                waived: totals.waived, assessments: totals.assessments, assessed: totals.assessed)
        }
    }

    /// Accounts one after the other, read if they are not remembered; nil for one that is not there.
    static func accounts(
        _ ids: [AccountID], _ catalog: AccountCatalog, _ transaction: borrowing LedgerTransaction
    ) throws -> [Account?] {
        var accounts = catalog.known(ids)
        let missing = Array(Set(zip(ids, accounts).filter { $0.1 == nil }.map(\.0)))
        var read: [AccountID: Account] = [:]
        for start in stride(from: 0, to: missing.count, by: 1000) {
            for row in try transaction.run(AccountCatalog.statement(missing[start..<min(start + 1000, missing.count)])) {
                let account = try AccountCatalog.account(row)
                read[account.id] = account
            }
        }
        if !read.isEmpty { for index in ids.indices where accounts[index] == nil { accounts[index] = read[ids[index]] } }
        return accounts
    }
}

extension Fee {
    init(_ row: FeeRow, _ account: Account, _ through: Position, _ book: borrowing FeeBook) {
        let charge = row.charge
        let version = charge.version < 0 ? nil : book.versions[charge.version].schedule
        let rule = version?.rules[charge.rule]
        self.init(
            entry: charge.id, position: Position(charge.position), effectiveAt: Timestamp(microseconds: charge.effective), account: account,
            schedule: book.names[charge.schedule], version: version, rule: rule, waiver: charge.waiver == 0 ? nil : rule?.waivers[charge.waiver - 1],
            amount: charge.amount, components: row.components, through: through)
    }
}
