/// Some accounts, named by their paths: `customers:*` is everything below `customers`, `customers` is that path alone, and `*` is every
/// account. Each in all its currencies.
public struct AccountTree: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    private enum Kind: Sendable, Hashable {
        case all
        case only(AccountPath)
        case below(AccountPath)
    }

    private let kind: Kind

    /// Reads `customers:*`, `customers` or `*`.
    /// - Throws: `invalidAccount` for a path that cannot be one.
    public init(_ text: String) throws(LedgerError) {
        if text == "*" {
            kind = .all
        } else if text.hasSuffix(":*") {
            kind = .below(try AccountPath(String(text.dropLast(2))))
        } else {
            kind = .only(try AccountPath(text))
        }
    }

    /// A tree written in the program. Anything that ``init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) {
        do { try self.init(value) } catch { preconditionFailure(error.message) }
    }

    public func contains(_ path: AccountPath) -> Bool {
        switch kind {
        case .all: true
        case .only(let own): path == own
        // By bytes, as the database compares: a mark behind the colon would make another character of it.
        case .below(let root): path.text.utf8.starts(with: (root.text + ":").utf8)
        }
    }

    /// The one path that it is, if it is one.
    package var onlyPath: AccountPath? { if case .only(let path) = kind { path } else { nil } }
    /// The path below which it is, if it is not everything.
    package var root: AccountPath? { if case .below(let root) = kind { root } else { nil } }

    public var description: String {
        switch kind {
        case .all: "*"
        case .only(let path): path.text
        case .below(let path): path.text + ":*"
        }
    }
}

/// What some accounts of one currency have moved together.
public struct TreeTotals: Sendable, Hashable {
    public let currency: Currency
    /// Of the types that occur among them. Their balances stand on different sides, so there is no one balance of a mixed tree.
    public let byType: [AccountType: Totals]
    /// How many accounts.
    public let accounts: Int
    /// As in ``Balance/through``.
    public let through: Position

    /// Debits and credits of all of them.
    public var totals: Totals { byType.values.reduce(Totals(), +) }

    /// The posted balance in minor units, positive on the normal side of the accounts; nil if they are of several types whose normal
    /// sides differ.
    public var minorUnits: Int128? {
        let sides = Set(byType.keys.map(\.normalSide))
        guard sides.count == 1, let type = byType.keys.first else { return nil }
        return totals.balance(type)
    }

    /// The posted balance of the accounts of one type, in minor units, positive on its normal side.
    public func minorUnits(_ type: AccountType) -> Int128 { byType[type]?.balance(type) ?? 0 }

    /// For each currency of these balances, by its code.
    public static func of(_ balances: [Balance]) -> [TreeTotals] {
        Dictionary(grouping: balances, by: \.account.currency).map { currency, balances in
            var byType: [AccountType: Totals] = [:]
            for balance in balances { byType[balance.account.type, default: Totals()].add(balance.totals, times: 1) }
            return TreeTotals(
                currency: currency, byType: byType, accounts: balances.count, through: balances.map(\.through).min() ?? .zero)
        }.sorted { $0.currency.code < $1.currency.code }
    }
}
