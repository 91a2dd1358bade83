public import LedgerModel

/// Where charges are found. A unit of work is one, so whoever needs charges takes the unit as this.
public protocol ChargeRepository: Sendable {
    /// The charge with this id; one that has no history yet is new.
    /// - Throws: `LedgerError`.
    func charge(_ id: String) async throws -> Ref<Charge>
}

/// Where payouts are found.
public protocol PayoutRepository: Sendable {
    /// The payout with this id; one that has no history yet is new.
    /// - Throws: `LedgerError`.
    func payout(_ id: String) async throws -> Ref<Payout>
}

extension UnitOfWork: ChargeRepository, PayoutRepository {
    public func charge(_ id: String) async throws -> Ref<Charge> { try await load(Charge.self, id) }
    public func payout(_ id: String) async throws -> Ref<Payout> { try await load(Payout.self, id) }
}
