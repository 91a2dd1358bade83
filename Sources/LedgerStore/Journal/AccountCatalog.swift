import LedgerDatabase
import LedgerModel

/// The accounts of a book, remembered once they were read.
///
/// Account rows never change and are never removed, and only committed rows are remembered, never that one was missing;
/// so what is remembered cannot become wrong.
actor AccountCatalog {
    private let database: Database
    private var byPath: [AccountPath: [CurrencyCode: Account]] = [:]
    private var byID: [AccountID: Account] = [:]

    init(_ database: Database) { self.database = database }

    /// The accounts of these paths, each in all its currencies.
    func accounts(_ paths: Set<AccountPath>) async throws -> [AccountPath: [CurrencyCode: Account]] {
        // A known path may have got another currency since, so a miss is looked up again by whoever needs it.
        let missing = paths.filter { byPath[$0] == nil }
        if !missing.isEmpty { try await read(missing) }
        return byPath.filter { paths.contains($0.key) }
    }

    /// The accounts of a path as they are in the database now.
    func fresh(_ path: AccountPath) async throws -> [CurrencyCode: Account] {
        try await read([path])
        return byPath[path] ?? [:]
    }

    func accounts(_ ids: Set<AccountID>) async throws -> [AccountID: Account] {
        let missing = ids.filter { byID[$0] == nil }
        if !missing.isEmpty {
            let list = missing.map { LedgerValue.uint($0.number) }
            remember(
                try await database.run(.select("\(Self.columns) WHERE account.id IN \(list: list)")).map(Self.account))
        }
        return byID.filter { ids.contains($0.key) }
    }

    func all() async throws -> [Account] {
        let accounts = try await database.run(.select("\(Self.columns) ORDER BY account.path, account.currency"))
            .map(Self.account)
        remember(accounts)
        return accounts
    }

    private func read(_ paths: Set<AccountPath>) async throws {
        let list = paths.map { LedgerValue.text($0.text) }
        remember(try await database.run(.select("\(Self.columns) WHERE account.path IN \(list: list)")).map(Self.account))
    }

    private func remember(_ accounts: [Account]) {
        for account in accounts {
            byPath[account.path, default: [:]][account.currency.code] = account
            byID[account.id] = account
        }
    }

    static let columns: SelectText = """
        account.id, account.path, account.currency, currency.exponent, account.type
        FROM account JOIN currency ON currency.code = account.currency
        """

    static func account(_ row: Row) throws -> Account {
        guard let type = AccountType(rawValue: try row.text(4)), let id = UInt32(exactly: try row.uint(0)) else {
            throw LedgerError(.schema, "account \(try row.uint(0)) is of an unknown type")
        }
        return Account(
            id: AccountID(id), path: try AccountPath(try row.text(1)),
            currency: try Currency(try CurrencyCode(try row.text(2)), exponent: Int(try row.uint(3))), type: type)
    }
}
