public import LedgerModel

/// An amount is held: the acquirer will owe it, and it will be the merchant's.
public struct ChargeAuthorised: DomainEvent {
    public static let name: EntryKind = "charge.authorised"
    /// The charge's id.
    public let charge: String
    public let merchant: String
    public let amount: Amount
    public let accounts: MerchantAccounts

    public init(charge: String, merchant: String, amount: Amount, accounts: MerchantAccounts) {
        (self.charge, self.merchant, self.amount, self.accounts) = (charge, merchant, amount, accounts)
    }

    public var identity: EventIdentity { .once(Charge.hold(of: charge)) }
    public var movement: Movement { .hold([Posting(debit: accounts.receivable, credit: accounts.merchant, amount: amount)]) }

    public func fold(into charge: inout Charge) {
        charge.terms = Charge.Terms(merchant: merchant, amount: amount, accounts: accounts)
        charge.authorisation = charge.authorisation.after(.authorise(amount.minorUnits))
    }
}

/// What was held is taken, all or a part of it.
public struct ChargeCaptured: DomainEvent {
    public static let name: EntryKind = "charge.captured"
    /// The charge's id.
    public let charge: String
    public let amount: Amount

    public init(charge: String, amount: Amount) { (self.charge, self.amount) = (charge, amount) }

    public var movement: Movement { .capture(Charge.hold(of: charge), amounts: [amount]) }

    public func fold(into charge: inout Charge) { charge.authorisation = charge.authorisation.after(.capture(amount.minorUnits)) }
}

/// What was held is let go.
public struct ChargeVoided: DomainEvent {
    public static let name: EntryKind = "charge.voided"
    /// The charge's id.
    public let charge: String

    public init(charge: String) { self.charge = charge }

    public var movement: Movement { .void(Charge.hold(of: charge)) }

    public func fold(into charge: inout Charge) { charge.authorisation = charge.authorisation.after(.void) }
}

/// What was captured is given back, or a part of it.
public struct ChargeRefunded: DomainEvent {
    public static let name: EntryKind = "charge.refunded"
    /// The charge's id.
    public let charge: String
    /// Its own name among the refunds of the charge.
    public let refund: String
    /// What it moves.
    public let posting: Posting
    /// Why.
    public let description: String?

    public init(charge: String, refund: String, posting: Posting, description: String? = nil) {
        (self.charge, self.refund, self.posting, self.description) = (charge, refund, posting, description)
    }

    public var movement: Movement { .post([posting]) }

    public func fold(into charge: inout Charge) { charge.refunds = charge.refunds.after(refund, posting.amount.minorUnits) }
}

/// What was captured is disputed, or a part of it, and withheld from the merchant.
public struct DisputeOpened: DomainEvent {
    public static let name: EntryKind = "charge.dispute-opened"
    /// The charge's id.
    public let charge: String
    /// What it moves.
    public let posting: Posting
    /// What the cardholder's bank says.
    public let description: String?

    public init(charge: String, posting: Posting, description: String? = nil) {
        (self.charge, self.posting, self.description) = (charge, posting, description)
    }

    public var movement: Movement { .post([posting]) }

    public func fold(into charge: inout Charge) { charge.dispute = charge.dispute.after(.open(posting.amount.minorUnits)) }
}

/// The merchant gets back what was withheld.
public struct DisputeWon: DomainEvent {
    public static let name: EntryKind = "charge.dispute-won"
    /// The charge's id.
    public let charge: String
    /// What it moves.
    public let posting: Posting

    public init(charge: String, posting: Posting) { (self.charge, self.posting) = (charge, posting) }

    public var movement: Movement { .post([posting]) }

    public func fold(into charge: inout Charge) { charge.dispute = charge.dispute.after(.win) }
}

/// What was withheld goes back to the cardholder.
public struct DisputeLost: DomainEvent {
    public static let name: EntryKind = "charge.dispute-lost"
    /// The charge's id.
    public let charge: String
    /// What it moves.
    public let posting: Posting

    public init(charge: String, posting: Posting) { (self.charge, self.posting) = (charge, posting) }

    public var movement: Movement { .post([posting]) }

    public func fold(into charge: inout Charge) { charge.dispute = charge.dispute.after(.lose) }
}
