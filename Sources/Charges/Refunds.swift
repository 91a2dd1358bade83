/// The second of a charge's machines: what was given back, by the names of the refunds.
///
/// Amounts are minor units of the charge's currency.
public struct Refunds: Sendable, Hashable {
    /// Each by its name.
    public private(set) var amounts: [String: Int64] = [:]
    /// Of all of them.
    public private(set) var total: Int64 = 0

    /// None yet.
    public init() {}

    /// This very refund stands already, so there is nothing to do.
    public func has(_ refund: String, _ amount: Int64) -> Bool { amounts[refund] == amount }

    /// Why this cannot be given back; nil if it can.
    /// - Parameter rest: what is left to be given back.
    public func refusal(of refund: String, _ amount: Int64, rest: Int64) -> ChargeError.Code? {
        if amounts[refund] != nil { return .refundDiffers }
        return amount <= 0 ? .notPositive : amount > rest ? .aboveRest : nil
    }

    /// What they are after one more. It refuses nothing: it has happened.
    public func after(_ refund: String, _ amount: Int64) -> Refunds {
        var refunds = self
        refunds.amounts[refund] = amount
        refunds.total += amount
        return refunds
    }
}
