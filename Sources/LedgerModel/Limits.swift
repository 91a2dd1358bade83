/// How far the balance of an account may go, in minor units on the account's normal side.
///
/// What draws from the account (the postings against its normal side) must leave at least the floor; money that is held for
/// a pending draw counts as gone. What is paid in must not lift it above the ceiling; a pending payment counts as there.
public struct AccountLimits: Sendable, Hashable {
    /// The least balance: 0 for no overdraft, less for a credit line; nil: any.
    public var floor: Int64?
    /// The greatest balance; nil: any.
    public var ceiling: Int64?

    public init(floor: Int64? = nil, ceiling: Int64? = nil) {
        self.floor = floor
        self.ceiling = ceiling
    }

    public static let none = AccountLimits()
    /// The balance never goes below 0.
    public static let noOverdraft = AccountLimits(floor: 0)
    /// The balance never goes below minus so many minor units.
    public static func creditLine(_ minorUnits: Int64) -> AccountLimits { AccountLimits(floor: -minorUnits) }
}

/// Whether an account takes postings.
public enum AccountStatus: String, Sendable, Hashable, CaseIterable {
    case open
    /// Nothing more may be drawn or held from it; what was held may be captured, and payments in are taken.
    case frozen
    /// No postings at all.
    case closed
}

/// What is in force on an account: the newest word on its limits and status.
public struct AccountControl: Sendable, Hashable {
    public var limits: AccountLimits
    public var status: AccountStatus

    public init(limits: AccountLimits, status: AccountStatus = .open) {
        self.limits = limits
        self.status = status
    }
}

/// By how much an entry would have broken a limit.
public struct Shortfall: Sendable, Hashable {
    public enum Bound: String, Sendable { case floor, ceiling }

    public let account: AccountPath
    public let currency: CurrencyCode
    public let bound: Bound
    /// The limit that is in force, in minor units.
    public let limit: Int128
    /// Before the entry: for a floor the available balance (posted, less what is held), for a ceiling the posted balance and
    /// what is held for payment into it. Minor units.
    public let balance: Int128
    /// How much is missing (floor) or too much (ceiling), in minor units; more than 0.
    public let shortfall: Int128

    public init(
        account: AccountPath, currency: CurrencyCode, bound: Bound, limit: Int128, balance: Int128, shortfall: Int128
    ) {
        self.account = account
        self.currency = currency
        self.bound = bound
        self.limit = limit
        self.balance = balance
        self.shortfall = shortfall
    }
}
