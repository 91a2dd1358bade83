public import LedgerModel

/// What a program calls: each method is one unit of work on one charge.
///
/// ```swift
/// let charges = ChargeService(Units(ledger))
/// try await charges.authorise("c1", merchant: "bob", amount: Amount(minorUnits: 25_00, .eur), key: "request-7")
/// try await charges.capture("c1")
/// ```
/// With a key it is done once, however often it is asked: a client that got no answer asks again with the same key. The key belongs to the
/// charge and the command, so the same text may be used elsewhere. A repeat does not look at the amount again: it answers with the charge
/// as it is now. Without a key a method joins the unit that the task works in, if there is one.
///
/// What the charge refuses is a ``ChargeError``; what the ledger refuses (an account that is closed, say) is a `LedgerError`. Nothing is
/// recorded then.
public struct ChargeService: Sendable {
    private let units: Units
    private let accounts: ChargeAccounts
    private let attemptsMax: Int

    /// - Parameters:
    ///   - accounts: for charges that are authorised from now on.
    ///   - attemptsMax: how often a method decides again at the most when others change the same charge at the same time.
    public init(_ units: Units, accounts: ChargeAccounts = ChargeAccounts(), attemptsMax: Int = 10) {
        (self.units, self.accounts, self.attemptsMax) = (units, accounts, attemptsMax)
    }

    /// See ``Charge/authorise(merchant:amount:accounts:)``.
    /// - Returns: the charge after it; so do all of these.
    @discardableResult
    public func authorise(_ id: String, merchant: String, amount: Amount, key: String? = nil) async throws -> Charge {
        try await change(id, "authorise", key) { try $0.authorise(merchant: merchant, amount: amount, accounts: accounts) }
    }

    /// See ``Charge/capture(_:)``.
    @discardableResult
    public func capture(_ id: String, _ amount: Amount? = nil, key: String? = nil) async throws -> Charge {
        try await change(id, "capture", key) { try $0.capture(amount) }
    }

    /// See ``Charge/void()``.
    @discardableResult
    public func void(_ id: String, key: String? = nil) async throws -> Charge { try await change(id, "void", key) { try $0.void() } }

    /// See ``Charge/refund(_:_:reason:)``. The refund's name makes a repeat harmless by itself.
    @discardableResult
    public func refund(
        _ id: String, as refund: String, _ amount: Amount? = nil, reason: String? = nil, key: String? = nil
    ) async throws -> Charge {
        try await change(id, "refund", key) { try $0.refund(refund, amount, reason: reason) }
    }

    /// See ``Charge/openDispute(_:reason:)``.
    @discardableResult
    public func openDispute(_ id: String, _ amount: Amount? = nil, reason: String? = nil, key: String? = nil) async throws -> Charge {
        try await change(id, "open-dispute", key) { try $0.openDispute(amount, reason: reason) }
    }

    /// See ``Charge/winDispute()``.
    @discardableResult
    public func winDispute(_ id: String, key: String? = nil) async throws -> Charge {
        try await change(id, "win-dispute", key) { try $0.winDispute() }
    }

    /// See ``Charge/loseDispute()``.
    @discardableResult
    public func loseDispute(_ id: String, key: String? = nil) async throws -> Charge {
        try await change(id, "lose-dispute", key) { try $0.loseDispute() }
    }

    /// The charge as it is now.
    public func charge(_ id: String) async throws -> Charge { try await Self.state(units.begin(), id) }

    private static func state(_ charges: some ChargeRepository, _ id: String) async throws -> Charge { try await charges.charge(id).state }

    private func change(
        _ id: String, _ command: String, _ key: String?, _ decide: (Charge) throws -> (any DomainEvent<Charge>)?
    ) async throws -> Charge {
        func work(_ charges: any ChargeRepository) async throws -> Charge {
            let charge = try await charges.charge(id)
            return try charge.apply(try decide(charge.state).map { [$0] } ?? [])
        }
        guard let key else { return try await units.join(attemptsMax: attemptsMax) { try await work($0) } }
        switch try await units.runOnce(key: "\(Charge.category):\(id)/\(command)/\(key)", attemptsMax: attemptsMax, { try await work($0) }) {
        case .done(let charge, _): return charge
        case .repeated: return try await charge(id)
        }
    }
}

/// What a program calls for payouts: each method is one unit of work on one payout, as with ``ChargeService``.
public struct PayoutService: Sendable {
    private let units: Units
    private let accounts: ChargeAccounts
    private let attemptsMax: Int

    /// - Parameters:
    ///   - accounts: for payouts that are requested from now on.
    ///   - attemptsMax: how often a method decides again at the most when others change the same payout at the same time.
    public init(_ units: Units, accounts: ChargeAccounts = ChargeAccounts(), attemptsMax: Int = 10) {
        (self.units, self.accounts, self.attemptsMax) = (units, accounts, attemptsMax)
    }

    /// See ``Payout/request(merchant:amount:accounts:)``. The ledger throws `limitExceeded` for more than the merchant has, if the account
    /// was opened with a limit.
    /// - Returns: the payout after it; so do all of these.
    @discardableResult
    public func request(_ id: String, merchant: String, amount: Amount, key: String? = nil) async throws -> Payout {
        try await change(id, "request", key) { try $0.request(merchant: merchant, amount: amount, accounts: accounts) }
    }

    /// See ``Payout/send(reference:)``.
    @discardableResult
    public func send(_ id: String, reference: String? = nil, key: String? = nil) async throws -> Payout {
        try await change(id, "send", key) { try $0.send(reference: reference) }
    }

    /// See ``Payout/fail(reason:)``.
    @discardableResult
    public func fail(_ id: String, reason: String? = nil, key: String? = nil) async throws -> Payout {
        try await change(id, "fail", key) { try $0.fail(reason: reason) }
    }

    /// The payout as it is now.
    public func payout(_ id: String) async throws -> Payout { try await Self.state(units.begin(), id) }

    private static func state(_ payouts: some PayoutRepository, _ id: String) async throws -> Payout { try await payouts.payout(id).state }

    private func change(
        _ id: String, _ command: String, _ key: String?, _ decide: (Payout) throws -> any DomainEvent<Payout>
    ) async throws -> Payout {
        func work(_ payouts: any PayoutRepository) async throws -> Payout {
            let payout = try await payouts.payout(id)
            return try payout.apply([try decide(payout.state)])
        }
        guard let key else { return try await units.join(attemptsMax: attemptsMax) { try await work($0) } }
        switch try await units.runOnce(key: "\(Payout.category):\(id)/\(command)/\(key)", attemptsMax: attemptsMax, { try await work($0) }) {
        case .done(let payout, _): return payout
        case .repeated: return try await payout(id)
        }
    }
}
