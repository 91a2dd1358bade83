import LedgerDatabase
public import LedgerModel

/// Which balance is asked for.
///
/// Each is exact for what it says, however far the projection is; what differs is what is counted, and what it costs
/// (`docs/balances.md`). Where the book cannot know the answer it is an error, never a balance of less.
public enum BalanceTime: Sendable, Hashable {
    /// As the projection has it: fast, and as old as its lag.
    case projected
    /// Everything that is committed: the projection and what came after it, in one snapshot. Its ``Balance/through`` is
    /// the journal's complete prefix; entries above a transaction in flight are counted too.
    case current
    /// With the entry of a receipt in hand, at least: as projected if the projection has come so far, else as current. Where a replica is read
    /// this waits until that has the entry.
    case atLeast(Receipt)
    /// With every entry up to and with this position, and none after it.
    case position(Position)
    /// As it was known then: the longest prefix of the journal whose entries were all recorded at or before this instant.
    case recorded(Timestamp)
    /// What counts at or before this instant, of everything that is committed, whenever it was recorded.
    case effective(Timestamp)
    /// What counts by the end of this accounting day, in the book's time zone.
    case day(AccountingDay)
}

extension Ledger {
    /// The balance of an account.
    /// - Throws: `unknownAccount`, `currencyMismatch`; `historyUnavailable` for a position that is not decided yet, an instant
    ///   of recording that is still to come, or a receipt that the journal does not show; `replicaBehind` for a receipt that a replica does not show in time.
    public func balance(
        of path: AccountPath, in code: CurrencyCode, at time: BalanceTime = .current
    ) async throws(LedgerError) -> Balance {
        if let elsewhere = try await elsewhere() { return try await elsewhere.balance(of: path, in: code, at: time) }
        try await arrival(of: time)
        let account = try await account(path, in: code)
        return try await translated {
            if let found = try await look(account.id, time) {
                return Balance(account: account, totals: found.totals, through: found.through)
            }
            return try await read([account], among: [account.id], at: [time])[0][0]
        }
    }

    /// The balances of all accounts, by path and currency, at one and the same time.
    /// - Throws: what ``balance(of:in:at:)`` does.
    public func balances(at time: BalanceTime = .current) async throws(LedgerError) -> [Balance] {
        try await balances(at: [time])[0]
    }

    /// The balances of the accounts of a tree, in all currencies, by path and currency, at one and the same time.
    /// - Throws: `unknownAccount` if the tree has none, and what ``balance(of:in:at:)`` does.
    public func balances(of tree: AccountTree, at time: BalanceTime = .current) async throws(LedgerError) -> [Balance] {
        let balances = try await balances(at: time) { tree.contains($0.path) }
        guard !balances.isEmpty else { throw LedgerError(.unknownAccount, "there is no account \(tree)") }
        return balances
    }

    /// The balances of some accounts, by path and currency, at one and the same time.
    /// - Throws: what ``balance(of:in:at:)`` does for that time.
    public func balances(
        at time: BalanceTime = .current, where isWanted: (Account) -> Bool
    ) async throws(LedgerError) -> [Balance] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.balances(at: time, where: isWanted) }
        try await arrival(of: time)
        let accounts = try await accounts().filter(isWanted)
        return accounts.isEmpty ? [] : try await translated { try await read(accounts, among: accounts.map(\.id), at: [time])[0] }
    }

    /// What the accounts of a tree stand at together, for each currency.
    /// - Throws: what ``balances(of:at:)`` does.
    public func totals(of tree: AccountTree, at time: BalanceTime = .current) async throws(LedgerError) -> [TreeTotals] {
        TreeTotals.of(try await balances(of: tree, at: time))
    }

    /// The rows of an account's history in the projection, from the first: what it had moved through certain positions. There is
    /// one for every step that touched it, and at least one for every 128 entries that did; a balance between two of them is
    /// ``balance(of:in:at:)`` with a position.
    ///
    /// What a hold has pending stays in a row until the entry that settles it, also when its time is over before.
    /// - Parameters:
    ///   - after: rows behind this position; the last row's ``Balance/through``, for the next page.
    ///   - through: and no further than this position.
    ///   - limit: at most so many.
    /// - Throws: `unknownAccount`, `currencyMismatch`.
    public func balanceHistory(
        of path: AccountPath, in code: CurrencyCode, after: Position = .zero, through: Position? = nil, limit: Int = 100
    ) async throws(LedgerError) -> [Balance] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.balanceHistory(of: path, in: code, after: after, through: through, limit: limit) }
        let account = try await account(path, in: code)
        return try await translated {
            try await database.read { transaction in
                let table = BalanceProjection.table(try Generation.readable(BalanceProjection.definition, transaction))
                return try transaction.run(
                    .select(
                        """
                        through, \(BalanceRows.columns) FROM \(table: table) WHERE account = \(account.id.number)
                        AND through > \(after.number) AND through <= \(through?.number ?? UInt64.max) ORDER BY through LIMIT \(max(0, limit))
                        """)
                ).map { Balance(account: account, totals: try BalanceProjection.totals($0, from: 1), through: Position(try $0.uint(0))) }
            }
        }
    }

    /// All balances at several times, in one state of the book.
    func balances(at times: [BalanceTime]) async throws(LedgerError) -> [[Balance]] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.balances(at: times) }
        for time in times { try await arrival(of: time) }
        let accounts = try await accounts()
        return try await translated { try await read(accounts, among: nil, at: times) }
    }

    private func look(_ account: AccountID, _ time: BalanceTime) async throws -> (totals: Totals, through: Position)? {
        let look = BalanceLook(account: account, mark: balanceMark)
        do { return try await database.autocommit { try look.totals(at: time, $0) } } catch let error as DatabaseError {
            // The generation may have been retired, and its tables with it; or the link was lost. A reader has done nothing.
            guard error.kind == .schema || error.kind == .connectionLost else { throw error }
            balanceMark.forget()
            return nil
        }
    }

    /// - Parameter ids: those of the accounts; nil for all.
    private func read(_ accounts: [Account], among ids: [AccountID]?, at times: [BalanceTime]) async throws -> [[Balance]] {
        func readAll() async throws -> [BalanceReader.Found] {
            try await database.read { transaction in
                let reader = try BalanceReader(transaction, of: ids)
                return try times.map { try reader.totals(at: $0) }
            }
        }
        let found: [BalanceReader.Found]
        do { found = try await readAll() } catch let error as DatabaseError where error.kind == .schema {
            // The generation was retired just now.
            found = try await readAll()
        }
        return found.map { found in
            accounts.map { Balance(account: $0, totals: found.totals[$0.id] ?? Totals(), through: found.through) }
        }
    }
}
