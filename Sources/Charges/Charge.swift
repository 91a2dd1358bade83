public import LedgerModel

/// A card charge: authorised with a hold, captured in full or in part or voided, then refunded and disputed.
///
/// It is three small machines (``Authorisation``, ``Refunds``, ``Dispute``), and the rule that ties them: what is refunded and what is
/// withheld for a dispute is together never more than what was captured.
public struct Charge: Aggregate, Hashable {
    public static let category: StreamCategory = "charge"
    public static var events: [any DomainEvent<Charge>.Type] {
        [
            ChargeAuthorised.self, ChargeCaptured.self, ChargeVoided.self, ChargeRefunded.self,
            DisputeOpened.self, DisputeWon.self, DisputeLost.self,
        ]
    }

    /// What it was authorised for.
    public struct Terms: Sendable, Hashable {
        public let merchant: String
        public let amount: Amount
        public let accounts: MerchantAccounts

        public init(merchant: String, amount: Amount, accounts: MerchantAccounts) {
            (self.merchant, self.amount, self.accounts) = (merchant, amount, accounts)
        }
    }

    public let id: String
    /// Nil before it is authorised.
    public internal(set) var terms: Terms?
    public internal(set) var authorisation = Authorisation.none
    public internal(set) var refunds = Refunds()
    public internal(set) var dispute = Dispute.none

    public init(id: String) { self.id = id }

    /// The id of the entry that holds its money. It follows from the charge, so there is one.
    public var hold: EntryID { Self.hold(of: id) }
    static func hold(of charge: String) -> EntryID { .derived("charge-hold", charge) }

    /// What the merchant has of it, before fees: captured, less what was refunded and what is withheld or lost. Minor units; never less than 0.
    public var rest: Int64 { authorisation.captured - refunds.total - dispute.withheld }

    // MARK: - Commands

    /// Holds an amount.
    /// - Throws: `alreadyAuthorised`, `notPositive`, `invalidMerchant`.
    public func authorise(
        merchant: String, amount: Amount, accounts: ChargeAccounts = ChargeAccounts()
    ) throws(ChargeError) -> ChargeAuthorised {
        try check(authorisation.refusal(of: .authorise(amount.minorUnits)), "authorised", amount)
        return ChargeAuthorised(charge: id, merchant: merchant, amount: amount, accounts: try accounts.of(merchant: merchant))
    }

    /// Takes what is held, all or a part of it; the rest is released.
    /// - Parameter amount: nil for all.
    /// - Throws: `notAuthorised`, `alreadyCaptured`, `alreadyVoided`, `aboveHold`, `notPositive`, `wrongCurrency`.
    public func capture(_ amount: Amount? = nil) throws(ChargeError) -> ChargeCaptured {
        let amount = try asked(amount, authorisation.authorised, "captured")
        try check(authorisation.refusal(of: .capture(amount.minorUnits)), "captured", amount)
        return ChargeCaptured(charge: id, amount: amount)
    }

    /// Lets go of what is held.
    /// - Throws: `notAuthorised`, `alreadyCaptured`, `alreadyVoided`.
    public func void() throws(ChargeError) -> ChargeVoided {
        try check(authorisation.refusal(of: .void), "voided", terms?.amount)
        return ChargeVoided(charge: id)
    }

    /// Gives back what was captured, all that is left or a part of it. There may be several refunds, each with its own name.
    /// - Parameters:
    ///   - refund: its name. The same again with the same amount is nothing new.
    ///   - amount: nil for all that is left.
    /// - Returns: nil if this very refund stands already.
    /// - Throws: `notCaptured`, `aboveRest`, `refundDiffers`, `notPositive`, `wrongCurrency`.
    public func refund(_ refund: String, _ amount: Amount? = nil, reason: String? = nil) throws(ChargeError) -> ChargeRefunded? {
        let (terms, asked) = try ofCaptured(amount ?? refunds.amounts[refund].map(money), "refunded", needsRest: true)
        if refunds.has(refund, asked.minorUnits) { return nil }
        try check(refunds.refusal(of: refund, asked.minorUnits, rest: rest), "refunded as “\(refund)”", asked)
        let posting = Posting(debit: terms.accounts.merchant, credit: terms.accounts.receivable, amount: asked)
        return ChargeRefunded(charge: id, refund: refund, posting: posting, description: reason)
    }

    /// The cardholder's bank disputes what was captured and is not refunded, or a part of it: it is withheld from the merchant.
    /// - Parameter amount: nil for all that is left.
    /// - Throws: `notCaptured`, `aboveRest`, `disputeIsOpen`, `disputeHasEnded`, `notPositive`, `wrongCurrency`.
    public func openDispute(_ amount: Amount? = nil, reason: String? = nil) throws(ChargeError) -> DisputeOpened {
        let (terms, amount) = try ofCaptured(amount, "disputed", needsRest: dispute == .none)
        try check(dispute.refusal(of: .open(amount.minorUnits), rest: rest), "disputed", amount)
        let posting = Posting(debit: terms.accounts.merchant, credit: terms.accounts.disputes, amount: amount)
        return DisputeOpened(charge: id, posting: posting, description: reason)
    }

    /// The merchant gets back what was withheld.
    /// - Throws: `notCaptured`, `noDispute`, `disputeHasEnded`.
    public func winDispute() throws(ChargeError) -> DisputeWon {
        let (terms, amount) = try endOfDispute(.win, "won")
        return DisputeWon(charge: id, posting: Posting(debit: terms.accounts.disputes, credit: terms.accounts.merchant, amount: amount))
    }

    /// What was withheld goes back to the cardholder.
    /// - Throws: `notCaptured`, `noDispute`, `disputeHasEnded`.
    public func loseDispute() throws(ChargeError) -> DisputeLost {
        let (terms, amount) = try endOfDispute(.lose, "lost")
        return DisputeLost(charge: id, posting: Posting(debit: terms.accounts.disputes, credit: terms.accounts.receivable, amount: amount))
    }
}
