import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Opens an account; opening it again in the same way returns the one that stands.
    ///
    /// The account, and the entry that tells of it, are recorded together. A currency of ISO 4217 is defined by its
    /// first account.
    /// - Parameter limits: how far its balance may go. Only an account that is opened with a floor (or a ceiling) can have
    ///   another one later.
    /// - Throws: `invalidEntry` for limits that 0 breaks, `conflict` if the account stands with another type or other opening limits, `unknownCurrency` if the book does not know the
    ///   currency and ISO 4217 does not either (define it with ``defineCurrency(_:)``).
    @discardableResult
    public func openAccount(
        _ path: AccountPath, in code: CurrencyCode, type: AccountType, limits: AccountLimits = .none
    ) async throws(LedgerError) -> Account {
        try requireWriter()
        return try await translated {
            guard limits.floor ?? 0 <= 0, limits.ceiling ?? 0 >= 0 else {
                throw LedgerError(
                    .invalidEntry, "\(path) in \(code) begins at 0: a floor above it or a ceiling below it would be broken from the "
                        + "start. Open it with 0, and set the limit when it stands there")
            }
            let currency = try await knownCurrency(code)
            var retrying = Retrying()
            while true {
                if let standing = try await catalog.fresh(path).first(in: code) {
                    guard standing.type == type else {
                        throw LedgerError(
                            .conflict, "the account \(path) in \(code) is open already, as \(standing.type.rawValue); asked: "
                                + "\(type.rawValue). The type of an account never changes")
                    }
                    guard standing.openingLimits == limits else {
                        throw LedgerError(
                            .conflict, "the account \(path) in \(code) was opened with other limits: set the limits of an account "
                                + "that is open by an entry (`indelible account limit`)")
                    }
                    return standing
                }
                do { try await insertAccount(path, currency, type, limits) } catch let error as DatabaseError {
                    // A duplicate: somebody opened it just now.
                    try await retrying.pause(after: error)
                }
            }
        }
    }

    private func insertAccount(
        _ path: AccountPath, _ currency: Currency, _ type: AccountType, _ limits: AccountLimits
    ) async throws {
        let id = EntryID.derived("account", path.text, currency.code.text)
        var payload: [String: JSON] = [
            "account": .string(path.text), "currency": .string(currency.code.text), "type": .string(type.rawValue),
        ]
        if let floor = limits.floor { payload["floor"] = .integer(floor) }
        if let ceiling = limits.ceiling { payload["ceiling"] = .integer(ceiling) }
        let told = JSON.object(payload)
        try await database.write { transaction in
            try transaction.run(
                .insert(
                    into: .account, ["path", "currency", "type", "floor", "ceiling"],
                    rows: [[
                        .text(path.text), .text(currency.code.text), .text(type.rawValue), .int(limits.floor), .int(limits.ceiling),
                    ]]))
            try Self.insertFact(id, .accountOpened, told, transaction)
        }
    }

    /// Defines a currency of the book's own, or one of ISO 4217 ahead of its first account.
    /// - Throws: `conflict` if the book has it with another exponent.
    public func defineCurrency(_ currency: Currency) async throws(LedgerError) {
        try requireWriter()
        return try await translated {
            var retrying = Retrying()
            while true {
                if let standing = try await primary.currencies().first(where: { $0.code == currency.code }) {
                    guard standing.exponent == currency.exponent else {
                        throw LedgerError(
                            .conflict, "the currency \(currency) has the exponent \(standing.exponent) in this book; asked: "
                                + "\(currency.exponent). An exponent never changes")
                    }
                    return
                }
                do {
                    try await database.write { transaction in
                        try transaction.run(
                            .insert(
                                into: .currency, ["code", "exponent"],
                                rows: [[.text(currency.code.text), .uint(UInt64(currency.exponent))]]))
                        try Self.insertFact(
                            .derived("currency", currency.code.text), .currencyDefined,
                            ["currency": .string(currency.code.text), "exponent": .integer(Int64(currency.exponent))],
                            transaction)
                    }
                    return
                } catch let error as DatabaseError {
                    try await retrying.pause(after: error)
                }
            }
        }
    }

    /// The currencies of the book, by code.
    public func currencies() async throws(LedgerError) -> [Currency] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.currencies() }
        return try await translated {
            try await database.run(.select("code, exponent FROM currency ORDER BY code")).map { row in
                try Currency(try CurrencyCode(try row.text(0)), exponent: Int(try row.uint(1)))
            }
        }
    }

    private func knownCurrency(_ code: CurrencyCode) async throws -> Currency {
        if let known = try await primary.currencies().first(where: { $0.code == code }) { return known }
        guard let iso = Currency.iso(code) else {
            throw LedgerError(
                .unknownCurrency, "the book has no currency \(code), and ISO 4217 has none either: define it with its number "
                    + "of decimals (`indelible currency define \(code) --exponent 2`)")
        }
        try await defineCurrency(iso)
        return iso
    }

    /// All accounts, by path and currency.
    public func accounts() async throws(LedgerError) -> [Account] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.accounts() }
        return try await translated { try await catalog.all() }
    }

    /// The accounts with these numbers.
    public func accounts(_ ids: Set<AccountID>) async throws(LedgerError) -> [AccountID: Account] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.accounts(ids) }
        return try await translated { try await catalog.accounts(ids) }
    }

    /// An account by its path and currency.
    /// - Throws: `unknownAccount`, or `currencyMismatch` if the path exists in other currencies only.
    public func account(_ path: AccountPath, in code: CurrencyCode) async throws(LedgerError) -> Account {
        if let elsewhere = try await elsewhere() { return try await elsewhere.account(path, in: code) }
        return try await translated {
            if let known = try await catalog.accounts([path])[path]?.first(in: code) { return known }
            let standing = try await catalog.fresh(path)
            guard let account = standing.first(in: code) else { throw Self.missing(path, code, standing) }
            return account
        }
    }

    static func missing(
        _ path: AccountPath, _ code: CurrencyCode, _ standing: [Account]
    ) -> LedgerError {
        guard !standing.isEmpty else {
            return LedgerError(
                .unknownAccount, "there is no account \(path) in \(code): open it first "
                    + "(`indelible account open \(path) \(code) --type …`)")
        }
        let has = standing.map(\.currency.code).sorted().map(\.text).joined(separator: ", ")
        return LedgerError(
            .currencyMismatch, "the account \(path) is in \(has), not in \(code): post in its currency, or open it in \(code) too")
    }

    /// An entry of the ledger's own, without postings.
    private static func insertFact(
        _ id: EntryID, _ kind: EntryKind, _ payload: JSON, _ transaction: borrowing LedgerTransaction
    ) throws {
        try transaction.run(
            .insert(
                into: .entry, ["id", "kind", "payload"],
                rows: [[.bytes(id.bytes), .text(kind.text), .text(payload.text)]]))
    }
}
