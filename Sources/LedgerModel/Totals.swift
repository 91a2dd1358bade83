/// What an account has moved: debits and credits, posted and pending, in minor units of its currency.
public struct Totals: Sendable, Hashable {
    public var debitsPosted: Int128 = 0
    public var creditsPosted: Int128 = 0
    public var debitsPending: Int128 = 0
    public var creditsPending: Int128 = 0

    public init() {}

    public init(debitsPosted: Int128, creditsPosted: Int128, debitsPending: Int128, creditsPending: Int128) {
        self.debitsPosted = debitsPosted
        self.creditsPosted = creditsPosted
        self.debitsPending = debitsPending
        self.creditsPending = creditsPending
    }

    @inlinable
    public mutating func add(_ side: Side, _ amount: some FixedWidthInteger, _ status: PostingStatus) {
        switch (side, status) {
        case (.debit, .posted): debitsPosted += Int128(amount)
        case (.credit, .posted): creditsPosted += Int128(amount)
        case (.debit, .pending): debitsPending += Int128(amount)
        case (.credit, .pending): creditsPending += Int128(amount)
        case (.debit, .released): debitsPending -= Int128(amount)
        case (.credit, .released): creditsPending -= Int128(amount)
        }
    }

    /// Adds what another moved, or takes it away with -1.
    public mutating func add(_ change: Totals, times factor: Int128) {
        debitsPosted += change.debitsPosted * factor
        creditsPosted += change.creditsPosted * factor
        debitsPending += change.debitsPending * factor
        creditsPending += change.creditsPending * factor
    }

    public static func + (left: Totals, right: Totals) -> Totals {
        Totals(
            debitsPosted: left.debitsPosted + right.debitsPosted,
            creditsPosted: left.creditsPosted + right.creditsPosted,
            debitsPending: left.debitsPending + right.debitsPending,
            creditsPending: left.creditsPending + right.creditsPending)
    }

    /// The posted balance less what is held for pending draws, in minor units on the account's normal side.
    public func available(_ type: AccountType) -> Int128 {
        balance(type) - (type.normalSide == .debit ? creditsPending : debitsPending)
    }

    /// The posted balance and what is held for payment into it, in minor units on the account's normal side.
    public func expected(_ type: AccountType) -> Int128 {
        balance(type) + (type.normalSide == .debit ? debitsPending : creditsPending)
    }

    /// The posted balance on the side on which an account of this type normally stands, in minor units.
    public func balance(_ type: AccountType) -> Int128 {
        switch type.normalSide {
        case .debit: debitsPosted - creditsPosted
        case .credit: creditsPosted - debitsPosted
        }
    }
}

/// The balance of one account, and through which position it is true.
public struct Balance: Sendable, Hashable {
    public let account: Account
    public let totals: Totals
    /// Every entry up to here is counted, and none after it.
    public let through: Position

    public init(account: Account, totals: Totals, through: Position) {
        self.account = account
        self.totals = totals
        self.through = through
    }

    /// The posted balance in minor units, positive on the account's normal side.
    public var minorUnits: Int128 { totals.balance(account.type) }

    /// What may still be drawn before the balance is 0: the posted balance less what is held, in minor units. Holds that have
    /// expired are not held any more, also before the entry that says so.
    public var available: Int128 { totals.available(account.type) }

    /// The posted balance as a decimal, positive on the account's normal side.
    public var text: String { account.currency.format(minorUnits) }
}
