public import LedgerModel

/// Accounts and entries whose types the compiler knows, on a book that may say otherwise: what is declared is compared with what stands.
extension Ledger {
    /// Opens an account as it is declared; opening it again in the same way returns the one that stands.
    ///
    /// Its currency is defined with the exponent that is declared, if the book does not have it.
    /// - Throws: as ``openAccount(_:in:type:limits:)``; `conflict` also if the book has the currency with another exponent.
    @discardableResult
    public func open<Kind, C>(
        _ account: LedgerAccount<Kind, C>, limits: AccountLimits = .none
    ) async throws(LedgerError) -> Account {
        try await defineCurrency(account.currency)
        return try await openAccount(account.path, in: account.currency.code, type: account.type, limits: limits)
    }

    /// The book's account, if it is what is declared.
    /// - Throws: `unknownAccount`, or `currencyMismatch` if the path exists in other currencies only; `invalidAccount` if the account has
    ///   another type, or its currency another exponent.
    public func account<Kind, C>(of declared: LedgerAccount<Kind, C>) async throws(LedgerError) -> Account {
        let standing = try await account(declared.path, in: declared.currency.code)
        try Self.compare(standing, declared.type, declared.currency)
        return standing
    }

    /// The balance of an account, if it is what is declared.
    /// - Throws: as ``balance(of:in:at:)``; `invalidAccount` as ``account(of:)``.
    public func balance<Kind, C>(
        of declared: LedgerAccount<Kind, C>, at time: BalanceTime = .current
    ) async throws(LedgerError) -> Balance {
        if let elsewhere = try await elsewhere() { return try await elsewhere.balance(of: declared, at: time) }
        try await arrival(of: time)
        _ = try await account(of: declared)
        return try await balance(of: declared.path, in: declared.currency.code, at: time)
    }

    /// Records the entry of a template, once; its accounts are compared with the book's before.
    ///
    /// Without an id, here or in the template's details, each call records a new entry.
    /// - Parameters:
    ///   - id: nil: the template's, and if it has none a new one.
    ///   - effectiveAt: when it counts; nil: when it is recorded.
    ///   - actor: who did it.
    /// - Throws: as ``post(_:)-(Entry)``; `invalidAccount` as ``checkAccounts(of:)``, told after `currencyMismatch`.
    @discardableResult
    public func post(
        _ template: some EntryTemplate, id: EntryID? = nil, effectiveAt: Timestamp? = nil, actor: String? = nil, backdating: Backdating = .refuse
    ) async throws(LedgerError) -> Receipt {
        try requireWriter()
        let moves = template.moves
        var entry = Entry(template, id: id, effectiveAt: effectiveAt, actor: actor, backdating: backdating)
        // What is compared is what is posted.
        entry.postings = moves.map(\.posting)
        try entry.validate()
        do throws(LedgerError) { try await checkAccounts(moves) } catch { throw error.about(index: nil, id: entry.id) }
        return try await post(entry)
    }

    /// Compares the accounts of a template with the book's: for entries that are made of a template and posted in a batch, in a
    /// transaction of yours or in a unit of work.
    ///
    /// Accounts never change, so what is found once is remembered.
    /// - Throws: `unknownAccount`, `currencyMismatch`; `invalidAccount` if an account has another type, or its currency another exponent.
    public func checkAccounts(of template: some EntryTemplate) async throws(LedgerError) {
        try await checkAccounts(template.moves)
    }

    private func checkAccounts(_ moves: [Move]) async throws(LedgerError) {
        let paths = Set(moves.flatMap { [$0.posting.debit, $0.posting.credit] })
        let known = try await translated { try await catalog.accounts(paths) }
        for move in moves {
            for (path, type) in [(move.posting.debit, move.debitType), (move.posting.credit, move.creditType)] {
                let standing: Account
                if let account = known[path]?.first(in: move.currency.code) {
                    standing = account
                } else {
                    standing = try await primary.account(path, in: move.currency.code)
                }
                try Self.compare(standing, type, move.currency)
            }
        }
    }

    private static func compare(_ standing: Account, _ type: AccountType, _ currency: Currency) throws(LedgerError) {
        guard standing.type == type else {
            throw LedgerError(
                .invalidAccount, "the account \(standing.path) in \(standing.currency) is declared with the type \(type.rawValue); in this "
                    + "book it has the type \(standing.type.rawValue)")
        }
        guard standing.currency.exponent == currency.exponent else {
            throw LedgerError(
                .invalidAccount, "the currency \(currency) of \(standing.path) is declared with the exponent \(currency.exponent); in this "
                    + "book it has \(standing.currency.exponent)")
        }
    }
}
