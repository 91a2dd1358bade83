/// Hundredths of a percent, with four decimals: 287.5 is 2.875 %.
public struct BasisPoints: Sendable, Hashable, CustomStringConvertible {
    /// 1/10,000 of a basis point, which is 10⁻⁸ of what it is taken of.
    public let tenThousandths: Int64
    /// 100 %.
    public static let max = BasisPoints(tenThousandths: 100_000_000)

    public init(tenThousandths: Int64) { self.tenThousandths = tenThousandths }

    /// Reads `140`, `287.5` or `-0.0001`; nil for anything else, and for more than 10,000 either way.
    public init?(_ text: String) {
        // As an amount with four decimals.
        guard let decimal = try? Currency(.eur, exponent: 4), let read = try? decimal.amount(text),
            abs(read.minorUnits) <= Self.max.tenThousandths
        else { return nil }
        tenThousandths = read.minorUnits
    }

    /// Without zeros at the end of the decimals.
    public var description: String {
        guard let decimal = try? Currency(.eur, exponent: 4) else { return "" }
        var text = decimal.format(Int128(tenThousandths))
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }
}

/// What an amount of one currency is charged.
public struct FeePrice: Sendable, Hashable {
    /// The prices that begin at some amount, or at some volume.
    public struct Step: Sendable, Hashable {
        /// Minor units.
        public let from: Int64
        public let basisPoints: BasisPoints
        /// Minor units.
        public let fixed: Int64

        public init(from: Int64, basisPoints: BasisPoints, fixed: Int64) {
            (self.from, self.basisPoints, self.fixed) = (from, basisPoints, fixed)
        }
    }

    /// What the steps are steps of.
    public enum Axis: String, Sendable, Hashable { case amount, volume }
    public enum Mode: String, Sendable, Hashable {
        /// Each part of an amount has the price of the step that it lies in.
        case graduated
        /// The whole amount has the price of one step.
        case whole
    }
    public struct Tiers: Sendable, Hashable {
        public let by: Axis
        public let mode: Mode

        public init(by: Axis, mode: Mode) { (self.by, self.mode) = (by, mode) }
    }

    /// nil: there is one step.
    public let tiers: Tiers?
    /// By ``Step/from``, the first from 0.
    public let steps: [Step]
    /// Minor units.
    public let minimum: Int64?
    public let maximum: Int64?
    public let rounding: Rounding

    public init(tiers: Tiers? = nil, steps: [Step], minimum: Int64? = nil, maximum: Int64? = nil, rounding: Rounding = .halfEven) {
        precondition(!steps.isEmpty && (tiers != nil || steps.count == 1), "a price has a step, and more with tiers only")
        (self.tiers, self.steps, self.minimum, self.maximum, self.rounding) = (tiers, steps, minimum, maximum, rounding)
    }

    public var usesVolume: Bool { tiers?.by == .volume }
}

/// A part of an amount and the step whose price it has.
public struct FeeSlice: Sendable, Hashable {
    /// 1, 2, 3 …
    public let step: Int
    /// Minor units.
    public let amount: Int64

    public init(step: Int, amount: Int64) { (self.step, self.amount) = (step, amount) }
}

/// How a fee comes about, in minor units.
public struct FeeComponents: Sendable, Hashable {
    /// Empty without tiers.
    public var slices: [FeeSlice] = []
    /// Rounded.
    public var percentage: Int64 = 0
    /// What rounding added to the percentage, in 10⁻⁸ of a minor unit.
    public var rounding: Int64 = 0
    public var fixed: Int64 = 0
    /// What a minimum or maximum added.
    public var bounded: Int64 = 0
    /// Rounded.
    public var waived: Int64 = 0
    /// What rounding added to what is waived, in 10⁻⁸ of a minor unit.
    public var waivedRounding: Int64 = 0

    public init() {}

    /// percentage + fixed + bounded - waived: checked to fit when it was computed.
    public var fee: Int64 { percentage + fixed + bounded - waived }
}

extension FeePrice {
    /// The fee for an amount, as `docs/fees.md` says it (“How much”).
    /// - Parameters:
    ///   - amount: minor units, more than 0.
    ///   - volume: of the month before it, in minor units; only prices by volume look at it.
    ///   - waived: how much of the fee is not to be paid; nil: all is.
    /// - Throws: `invalidAmount` if something does not fit into 64 bits.
    public func fee(_ amount: Int64, volume: Int128, waived: BasisPoints? = nil) throws(LedgerError) -> FeeComponents {
        var components = FeeComponents()
        var exact: Int128 = 0
        var fixed: Int128 = 0
        if let tiers {
            components.slices = slices(amount, volume, tiers)
            for slice in components.slices {
                let step = steps[slice.step - 1]
                exact += Int128(slice.amount) * Int128(step.basisPoints.tenThousandths)
                fixed += Int128(step.fixed)
            }
        } else {
            exact = Int128(amount) * Int128(steps[0].basisPoints.tenThousandths)
            fixed = Int128(steps[0].fixed)
        }
        let (percentage, rounding) = try rounded(exact)
        let sum = percentage + fixed
        var bounded = sum
        if let minimum { bounded = max(bounded, Int128(minimum)) }
        if let maximum { bounded = min(bounded, Int128(maximum)) }
        let (left, leftRounding) = try waived.map { waived throws(LedgerError) in try rounded(bounded * Int128(waived.tenThousandths)) } ?? (0, 0)
        guard let percentage = Int64(exactly: percentage), let fixed = Int64(exactly: fixed), Int64(exactly: sum) != nil,
            let added = Int64(exactly: bounded - sum), Int64(exactly: bounded) != nil, let left = Int64(exactly: left), Int64(exactly: bounded - Int128(left)) != nil
        else { throw LedgerError(.invalidAmount, "the fee for \(amount) minor units does not fit into 64 bits") }
        (components.percentage, components.rounding, components.fixed) = (percentage, rounding, fixed)
        (components.bounded, components.waived, components.waivedRounding) = (added, left, leftRounding)
        return components
    }

    private static var unit: Int128 { 100_000_000 }

    /// - Returns: whole minor units, and what rounding added.
    private func rounded(_ exact: Int128) throws(LedgerError) -> (Int128, Int64) {
        let whole = try rounding.divide(exact, by: Self.unit)
        return (whole, Int64(truncatingIfNeeded: whole * Self.unit - exact))
    }

    private func slices(_ amount: Int64, _ volume: Int128, _ tiers: Tiers) -> [FeeSlice] {
        let start = tiers.by == .volume ? volume : 0
        let end = start + Int128(amount)
        guard tiers.mode == .graduated else {
            let place = tiers.by == .volume ? volume : end
            let step = steps.lastIndex { Int128($0.from) <= place } ?? 0
            return [FeeSlice(step: step + 1, amount: amount)]
        }
        var slices: [FeeSlice] = []
        for index in steps.indices {
            // The first one also covers everything below 0, the last one everything above.
            let low = index == 0 ? start : max(start, Int128(steps[index].from))
            let high = index + 1 < steps.count ? min(end, Int128(steps[index + 1].from)) : end
            if high > low { slices.append(FeeSlice(step: index + 1, amount: Int64(high - low))) }
        }
        return slices
    }
}
