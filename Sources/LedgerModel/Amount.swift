/// An amount of money: whole minor units of one currency (cents of EUR, yen of JPY, fils of KWD).
public struct Amount: Sendable, Hashable {
    public let minorUnits: Int64
    public let currency: CurrencyCode

    public init(minorUnits: Int64, _ currency: CurrencyCode) {
        self.minorUnits = minorUnits
        self.currency = currency
    }
}

extension Currency {
    /// Reads a decimal as minor units, exactly.
    ///
    /// `12.5`, `12.50` and `-0.01` are amounts of EUR; `12.505` (too many decimals), `1,5`, `12abc`, `.5`, `1e3`
    /// and the empty text are errors, and so is what does not fit into 64 bits.
    /// - Throws: `invalidAmount`, naming the text.
    public func amount(_ text: String) throws(LedgerError) -> Amount {
        func refusal(_ reason: String) -> LedgerError {
            LedgerError(.invalidAmount, "“\(text)” is no amount of \(code): \(reason)")
        }
        var digits = text.utf8[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count == 1 || !parts[1].isEmpty else {
            throw refusal("write digits, with a point before decimals, like 12.50")
        }
        let decimals = parts.count == 2 ? parts[1] : whole[whole.endIndex...]
        guard whole.allSatisfy({ (48...57).contains($0) }), decimals.allSatisfy({ (48...57).contains($0) }) else {
            throw refusal("write digits only, with a point before decimals, like 12.50")
        }
        guard decimals.count <= exponent else {
            throw refusal("\(decimals.count) decimals, and \(code) has \(exponent)")
        }
        let padding = repeatElement(UInt8(ascii: "0"), count: exponent - decimals.count)
        var units: Int64 = 0
        for digit in Array(whole) + Array(decimals) + Array(padding) {
            let (tens, overflow) = units.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = tens.addingReportingOverflow(Int64(digit - 48))
            guard !overflow, !overflow2 else { throw refusal("it does not fit into 64 bits of minor units") }
            units = sum
        }
        return Amount(minorUnits: isNegative ? -units : units, code)
    }

    /// Minor units as a decimal with all decimals of the currency: `-0.05`, `12.50`, `7`.
    public func format(_ minorUnits: Int128) -> String {
        let digits = String(minorUnits.magnitude)
        let sign = minorUnits < 0 ? "-" : ""
        guard exponent > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        return sign + padded.dropLast(exponent) + "." + padded.suffix(exponent)
    }

    public func format(_ amount: Amount) -> String { format(Int128(amount.minorUnits)) }
}
