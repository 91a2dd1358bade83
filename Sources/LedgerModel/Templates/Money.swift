/// An amount of money in a currency that the compiler knows: whole minor units, as an ``Amount`` has them.
///
/// ```swift
/// let price = try Money<EUR>("12.50")
/// let total = try price + Money(minorUnits: 99)  // 13.49
/// ```
/// There is no literal of it: `12` does not say whether it is euros or cents. It is encoded as the whole number of its minor units.
public struct Money<C: CurrencyType>: Sendable, Hashable, Codable {
    /// Cents of EUR, yen of JPY.
    public let minorUnits: Int64

    /// - Parameter minorUnits: 1250 for 12.50 EUR.
    public init(minorUnits: Int64) { self.minorUnits = minorUnits }

    /// Reads a decimal, exactly: ``Currency/amount(_:)``.
    /// - Throws: `invalidAmount`, naming the text.
    public init(_ text: String) throws(LedgerError) { minorUnits = try C.currency.amount(text).minorUnits }

    /// An amount whose currency is only known while the program runs.
    /// - Throws: `currencyMismatch` if it is in another one.
    public init(_ amount: Amount) throws(LedgerError) {
        guard amount.currency == C.currency.code else {
            throw LedgerError(.currencyMismatch, "an amount of \(amount.currency) is no amount of \(C.currency)")
        }
        minorUnits = amount.minorUnits
    }

    /// Nothing. No posting has it, but sums begin with it.
    public static var zero: Money { Money(minorUnits: 0) }

    /// The same without its type.
    public var amount: Amount { Amount(minorUnits: minorUnits, C.currency.code) }

    /// A whole number of minor units.
    /// - Throws: `DecodingError` for anything else, a decimal among it.
    public init(from decoder: any Decoder) throws { minorUnits = try decoder.singleValueContainer().decode(Int64.self) }

    /// Writes the whole number of minor units.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(minorUnits)
    }
}

extension Money: Comparable, CustomStringConvertible {
    /// By minor units.
    public static func < (left: Money, right: Money) -> Bool { left.minorUnits < right.minorUnits }

    /// `12.50 EUR`.
    public var description: String { "\(C.currency.format(amount)) \(C.currency)" }
}

// MARK: - Arithmetic

extension Money {
    /// The sum.
    /// - Throws: `invalidAmount` if the sum does not fit into 64 bits of minor units.
    public static func + (left: Money, right: Money) throws(LedgerError) -> Money {
        try fitting(left.minorUnits.addingReportingOverflow(right.minorUnits)) { "\(left) + \(right)" }
    }

    /// The difference; below zero if the right one is larger.
    /// - Throws: `invalidAmount` if the difference does not fit into 64 bits of minor units.
    public static func - (left: Money, right: Money) throws(LedgerError) -> Money {
        try fitting(left.minorUnits.subtractingReportingOverflow(right.minorUnits)) { "\(left) - \(right)" }
    }

    /// So many times the amount.
    /// - Throws: `invalidAmount` if that does not fit into 64 bits of minor units.
    public static func * (left: Money, count: Int64) throws(LedgerError) -> Money {
        try fitting(left.minorUnits.multipliedReportingOverflow(by: count)) { "\(left) * \(count)" }
    }

    /// Parts that add up to the amount, in proportion to the ratios: ``Amount/allocated(by:)``.
    /// - Throws: `invalidAmount` if there is no ratio, if one is negative, or if all are 0.
    public func allocated(by ratios: [Int64]) throws(LedgerError) -> [Money] {
        try amount.allocated(by: ratios).map { Money(minorUnits: $0.minorUnits) }
    }

    /// Equal parts that add up to the amount: ``Amount/split(into:)``.
    /// - Throws: `invalidAmount` unless there are 1 to ``Amount/partsMax`` parts.
    public func split(into count: Int) throws(LedgerError) -> [Money] {
        try amount.split(into: count).map { Money(minorUnits: $0.minorUnits) }
    }

    /// The amount in another currency: ``ExchangeRate/convert(_:from:to:rounding:)``.
    /// - Throws: `invalidAmount` if the result does not fit into 64 bits of minor units.
    public func converted<Target: CurrencyType>(
        to target: Target.Type, at rate: ExchangeRate, rounding: Rounding = .halfEven
    ) throws(LedgerError) -> Money<Target> {
        let result = try rate.convert(amount, from: C.currency, to: Target.currency, rounding: rounding)
        return Money<Target>(minorUnits: result.minorUnits)
    }

    private static func fitting(_ result: (partialValue: Int64, overflow: Bool), _ what: () -> String) throws(LedgerError) -> Money {
        guard !result.overflow else {
            throw LedgerError(.invalidAmount, "\(what()) does not fit into 64 bits of minor units")
        }
        return Money(minorUnits: result.partialValue)
    }
}
