/// A conversion of money: what is given, what is received for it, and how the one follows from the other.
public struct Conversion: Sendable, Hashable {
    /// The currency that is given.
    public let source: Currency
    /// The currency that is received.
    public let target: Currency
    /// What is given. More than zero.
    public let given: Amount
    /// What is received: `given` at the rate, rounded. More than zero.
    public let received: Amount
    /// Units of `target` for one unit of `source`.
    public let rate: ExchangeRate
    /// How `received` was rounded to whole minor units.
    public let rounding: Rounding

    /// - Throws: `currencyMismatch` if the amount is not in `source` or both currencies are one; `invalidAmount` if the
    ///   amount is not more than zero, if nothing is left of it after rounding, or if the result does not fit into 64 bits.
    public init(
        of amount: Amount, from source: Currency, to target: Currency, at rate: ExchangeRate,
        rounding: Rounding = .halfEven
    ) throws(LedgerError) {
        guard source.code != target.code else {
            throw LedgerError(.currencyMismatch, "a conversion is between two currencies; both are \(source)")
        }
        received = try rate.convert(amount, from: source, to: target, rounding: rounding)
        guard amount.minorUnits > 0 else {
            throw LedgerError(
                .invalidAmount, "a conversion of \(source.format(amount)) \(source); the amount must be more than 0")
        }
        guard received.minorUnits > 0 else {
            throw LedgerError(
                .invalidAmount,
                "\(source.format(amount)) \(source) at \(rate) is \(target.format(received)) \(target) (\(rounding.rawValue)): "
                    + "nothing would be received")
        }
        (given, self.source, self.target, self.rate, self.rounding) = (amount, source, target, rate, rounding)
    }

    /// What an entry keeps of it, as texts:
    /// `{"from":"EUR","given":"100.00","rate":"1.0834","received":"108.34","rounding":"half-even","to":"USD"}`.
    public var json: JSON {
        [
            "from": .string(source.code.text), "given": .string(source.format(given)), "rate": .string(rate.text),
            "received": .string(target.format(received)), "rounding": .string(rounding.rawValue),
            "to": .string(target.code.text),
        ]
    }
}
