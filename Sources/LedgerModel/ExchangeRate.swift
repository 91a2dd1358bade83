/// How many units of one currency are paid for one unit of another: an exact decimal above zero, like `1.0834`.
///
/// Units are major units: at 1.0834, 1 EUR is 1.0834 USD; at 161.27, 1 EUR is 161.27 JPY. A rate has one direction; the
/// way back is a rate of its own (1 / 1.0834 is no decimal).
public struct ExchangeRate: Sendable, Hashable, CustomStringConvertible {
    /// The rate's digits as a whole number: 10834 for 1.0834. More than zero.
    public let digits: Int64
    /// How many of the digits are decimals: 4 for 1.0834. 0 to 18.
    public let scale: Int
    /// The most decimals that a rate has.
    public static let scaleMax = 18

    /// Reads a decimal, exactly. `1.0834`, `161` and `0.00000912` are rates; `1,5`, `1e3`, `12abc`, `.5`, `-1` and `0`
    /// are errors, and so are more than 18 decimals and what does not fit into 64 bits without its point. Zeros at the
    /// end of the decimals say nothing: `1.10` and `1.1` are one rate.
    /// - Throws: `invalidAmount`, naming the text.
    public init(_ text: String) throws(LedgerError) {
        func refusal(_ reason: String) -> LedgerError {
            LedgerError(.invalidAmount, "“\(text)” is no exchange rate: \(reason)")
        }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (48...57).contains($0) } }) else {
            throw refusal("write digits, with a point before decimals, like 1.0834")
        }
        var decimals = parts.count == 2 ? parts[1] : parts[0][parts[0].endIndex...]
        guard decimals.count <= Self.scaleMax else {
            throw refusal("\(decimals.count) decimals; at most \(Self.scaleMax) are kept")
        }
        while decimals.last == UInt8(ascii: "0") { decimals.removeLast() }
        var digits: Int64 = 0
        for digit in Array(parts[0]) + Array(decimals) {
            let (tens, overflow) = digits.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = tens.addingReportingOverflow(Int64(digit - 48))
            guard !overflow, !overflow2 else { throw refusal("its digits do not fit into 64 bits") }
            digits = sum
        }
        guard digits > 0 else { throw refusal("it must be more than 0") }
        self.digits = digits
        scale = decimals.count
    }

    /// The rate as it is read, without zeros at the end of its decimals: `1.0834`.
    public var text: String {
        let number = String(digits)
        guard scale > 0 else { return number }
        let padded = String(repeating: "0", count: max(0, scale + 1 - number.count)) + number
        return padded.dropLast(scale) + "." + padded.suffix(scale)
    }

    /// The same as ``text``.
    public var description: String { text }

    /// What an amount is in the other currency, exact but for the rounding to whole minor units at the end.
    ///
    /// The currencies' exponents are reckoned with: at 161.27, 10.01 EUR are 1614 JPY (1614.3127).
    /// - Throws: `currencyMismatch` if the amount is not in `source`; `invalidAmount` if the result does not fit into 64
    ///   bits of minor units.
    public func convert(
        _ amount: Amount, from source: Currency, to target: Currency, rounding: Rounding = .halfEven
    ) throws(LedgerError) -> Amount {
        guard amount.currency == source.code else {
            throw LedgerError(.currencyMismatch, "the amount is in \(amount.currency), the conversion is from \(source)")
        }
        func tooLarge() -> LedgerError {
            LedgerError(
                .invalidAmount,
                "\(source.format(amount)) \(source) at \(text) does not fit into 64 bits of minor units of \(target)")
        }
        // At most 2^126. The power of ten below is at most 36, so only one above can leave 128 bits; and then there is
        // no denominator, and the result is as large.
        let product = Int128(amount.minorUnits) * Int128(digits)
        let power = target.exponent - source.exponent - scale
        let (numerator, overflow) = product.multipliedReportingOverflow(by: Self.ten(toThe: max(0, power)))
        guard !overflow else { throw tooLarge() }
        let quotient = try rounding.divide(numerator, by: Self.ten(toThe: max(0, -power)))
        guard let units = Int64(exactly: quotient) else { throw tooLarge() }
        return Amount(minorUnits: units, target.code)
    }

    private static func ten(toThe power: Int) -> Int128 {
        repeatElement(10, count: power).reduce(1, *)
    }
}
