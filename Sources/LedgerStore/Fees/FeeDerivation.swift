import LedgerModel

extension Fee {
    /// A line of a derivation: what is done, and what comes out, in the account's currency.
    public struct Line: Sendable, Hashable {
        public let what: String
        public let value: String
    }

    /// How the fee comes about, line by line. The last line is the fee.
    public var derivation: [Line] {
        let currency = account.currency
        guard let rule, let price else { return [Line(what: "not charged", value: currency.format(0))] }
        var lines = [Line(what: "amount", value: currency.format(amount))]
        let slices = components.slices.isEmpty ? [FeeSlice(step: 1, amount: amount)] : components.slices
        var fixed: [Line] = []
        for slice in slices {
            let step = price.steps[slice.step - 1]
            let place = price.tiers.map { "step \(slice.step), from a \($0.by.rawValue) of \(currency.format(Int128(step.from))), \($0.mode.rawValue): " } ?? ""
            let exact = slice.amount * Int128(step.basisPoints.tenThousandths)
            if step.basisPoints.tenThousandths != 0 {
                lines.append(Line(what: "\(place)\(currency.format(slice.amount)) × \(step.basisPoints) basis points", value: Self.exact(exact, currency)))
            }
            if step.fixed != 0 { fixed.append(Line(what: "\(place)fixed", value: currency.format(Int128(step.fixed)))) }
        }
        if components.rounding != 0 {
            lines.append(Line(what: "rounded, \(price.rounding.rawValue)", value: Self.exact(Int128(components.rounding), currency)))
        }
        lines += fixed
        if components.bounded != 0 {
            let bound = components.bounded > 0 ? price.minimum : price.maximum
            let name = components.bounded > 0 ? "minimum" : "maximum"
            lines.append(
                Line(what: "to the \(name) of \(currency.format(Int128(bound ?? 0)))", value: currency.format(components.bounded)))
        }
        if let waiver {
            lines.append(
                Line(what: "waived, \(waiver.basisPoints) basis points: \(waiver.reason)", value: currency.format(-components.waived)))
            if components.waivedRounding != 0 {
                lines.append(
                    Line(what: "  of which rounding, \(price.rounding.rawValue)", value: Self.exact(-Int128(components.waivedRounding), currency)))
            }
        }
        if rule.volume != .add { lines.append(Line(what: "the month's volume: \(rule.volume.rawValue)", value: currency.format(rule.volume.counted(amount)))) }
        return lines + [Line(what: "fee", value: currency.format(fee))]
    }

    /// Units of 10⁻⁸ of a minor unit as a decimal, without more zeros at its end than an amount has.
    private static func exact(_ units: Int128, _ currency: Currency) -> String {
        let digits = String(units.magnitude)
        let decimals = currency.exponent + 8
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        var fraction = padded.suffix(decimals)
        while fraction.count > currency.exponent, fraction.last == "0" { fraction.removeLast() }
        return (units < 0 ? "-" : "") + padded.dropLast(decimals) + (fraction.isEmpty ? "" : "." + fraction)
    }
}
