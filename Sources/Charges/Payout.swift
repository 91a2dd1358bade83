public import LedgerModel

/// Money on its way to a merchant: held on the merchant's balance when it is requested, and gone when the bank has sent it.
///
/// Whether the merchant has so much is not the payout's to know. It draws from the merchant's account, and the ledger refuses what the
/// account's limit does not allow.
public struct Payout: Aggregate, Hashable {
    public static let category: StreamCategory = "payout"
    public static var events: [any DomainEvent<Payout>.Type] { [PayoutRequested.self, PayoutSent.self, PayoutFailed.self] }

    /// Its machine.
    public enum Status: String, Sendable, Hashable, CaseIterable {
        case none, requested, sent, failed

        /// What can be done with it.
        public enum Step: Sendable, Hashable, CaseIterable { case request, send, fail }

        /// Why the step cannot be taken; nil if it can.
        public func refusal(of step: Step) -> ChargeError.Code? {
            switch (self, step) {
            case (.none, .request), (.requested, .send), (.requested, .fail): nil
            case (_, .request): .alreadyRequested
            case (.none, _): .notRequested
            case (.sent, _): .alreadySent
            case (.failed, _): .alreadyFailed
            }
        }

        /// What it is after a step that was taken. It refuses nothing: it has happened.
        public func after(_ step: Step) -> Status {
            switch step {
            case .request: .requested
            case .send: .sent
            case .fail: .failed
            }
        }
    }

    public let id: String
    /// Nil before it is requested.
    public internal(set) var merchant: String?
    public internal(set) var amount: Amount?
    public internal(set) var status = Status.none

    public init(id: String) { self.id = id }

    /// The id of the entry that holds its money. It follows from the payout, so there is one.
    public var hold: EntryID { Self.hold(of: id) }
    static func hold(of payout: String) -> EntryID { .derived("payout-hold", payout) }

    // MARK: - Commands

    /// Holds an amount of the merchant's balance.
    /// - Throws: `alreadyRequested`, `notPositive`, `invalidMerchant`.
    public func request(
        merchant: String, amount: Amount, accounts: ChargeAccounts = ChargeAccounts()
    ) throws(ChargeError) -> PayoutRequested {
        try check(.request)
        guard amount.minorUnits > 0 else {
            throw ChargeError(.notPositive, "payout \(id): \(amount.text) cannot be paid out, it has to be more than 0")
        }
        return PayoutRequested(payout: id, merchant: merchant, amount: amount, accounts: try accounts.of(merchant: merchant))
    }

    /// The bank has sent it.
    /// - Parameter reference: the bank's own name for it, which is then the entry's.
    /// - Throws: `notRequested`, `alreadySent`, `alreadyFailed`.
    public func send(reference: String? = nil) throws(ChargeError) -> PayoutSent {
        try check(.send)
        return PayoutSent(payout: id, reference: reference)
    }

    /// The bank could not send it: the merchant has the money again.
    /// - Throws: `notRequested`, `alreadySent`, `alreadyFailed`.
    public func fail(reason: String? = nil) throws(ChargeError) -> PayoutFailed {
        try check(.fail)
        return PayoutFailed(payout: id, description: reason)
    }

    private func check(_ step: Status.Step) throws(ChargeError) {
        guard let code = status.refusal(of: step) else { return }
        let asked = switch step {
        case .request: "requested"
        case .send: "sent"
        case .fail: "called failed"
        }
        let reason = switch code {
        case .notRequested: "it is not requested: request it first"
        case .alreadyRequested: "it was requested before: for another one take another id"
        case .alreadySent: "it was sent before"
        default: "it has failed: request another one"
        }
        throw ChargeError(code, "payout \(id): \(amount.map { "\($0.text) " } ?? "")cannot be \(asked), \(reason)")
    }
}

/// An amount of the merchant's balance is held.
public struct PayoutRequested: DomainEvent {
    public static let name: EntryKind = "payout.requested"
    /// The payout's id.
    public let payout: String
    public let merchant: String
    public let amount: Amount
    public let accounts: MerchantAccounts

    public init(payout: String, merchant: String, amount: Amount, accounts: MerchantAccounts) {
        (self.payout, self.merchant, self.amount, self.accounts) = (payout, merchant, amount, accounts)
    }

    public var identity: EventIdentity { .once(Payout.hold(of: payout)) }
    public var movement: Movement { .hold([Posting(debit: accounts.merchant, credit: accounts.bank, amount: amount)]) }

    public func fold(into payout: inout Payout) {
        (payout.merchant, payout.amount) = (merchant, amount)
        payout.status = payout.status.after(.request)
    }
}

/// The bank has sent it.
public struct PayoutSent: DomainEvent {
    public static let name: EntryKind = "payout.sent"
    /// The payout's id.
    public let payout: String
    /// The bank's own name for it.
    public let reference: String?

    public init(payout: String, reference: String? = nil) { (self.payout, self.reference) = (payout, reference) }

    public var movement: Movement { .capture(Payout.hold(of: payout)) }

    public func fold(into payout: inout Payout) { payout.status = payout.status.after(.send) }
}

/// The bank could not send it.
public struct PayoutFailed: DomainEvent {
    public static let name: EntryKind = "payout.failed"
    /// The payout's id.
    public let payout: String
    /// Why.
    public let description: String?

    public init(payout: String, description: String? = nil) { (self.payout, self.description) = (payout, description) }

    public var movement: Movement { .void(Payout.hold(of: payout)) }

    public func fold(into payout: inout Payout) { payout.status = payout.status.after(.fail) }
}
