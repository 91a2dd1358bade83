/// Hundredths of a percent, with four decimals: 287.5 is 2.875 %.
public struct BasisPoints: Sendable, Hashable, CustomStringConvertible {
    /// 1/10,000 of a basis point, which is 10⁻⁸ of what it is taken of.
    public let tenThousandths: Int64
    /// 100 %.
    public static let max = BasisPoints(tenThousandths: 100_000_000)

    /// Any number of them; only what is read from text is bounded by ``max``.
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
    /// How an amount lies on its axis.
    public enum Mode: String, Sendable, Hashable {
        /// Each part of an amount has the price of the step that it lies in.
        case graduated
        /// The whole amount has the price of one step.
        case whole
    }
    /// How the steps of a price are taken.
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

    /// Steps that cannot be a price stop the program.
    public init(tiers: Tiers? = nil, steps: [Step], minimum: Int64? = nil, maximum: Int64? = nil, rounding: Rounding = .halfEven) {
        precondition(!steps.isEmpty && (tiers != nil || steps.count == 1), "a price has a step, and more with tiers only")
        (self.tiers, self.steps, self.minimum, self.maximum, self.rounding) = (tiers, steps, minimum, maximum, rounding)
    }

    /// Whether it depends on the volume of the month.
    public var usesVolume: Bool { tiers?.by == .volume }
}

/// A part of an amount and the step whose price it has.
public struct FeeSlice: Sendable, Hashable {
    /// 1, 2, 3 …
    public let step: Int
    /// Minor units.
    public let amount: Int128

    public init(step: Int, amount: Int128) { (self.step, self.amount) = (step, amount) }
}

/// How a fee comes about, in minor units.
public struct FeeComponents: Sendable, Hashable {
    /// Empty without tiers.
    public var slices: [FeeSlice] = []
    /// Rounded.
    public var percentage: Int128 = 0
    /// What rounding added to the percentage, in 10⁻⁸ of a minor unit.
    public var rounding: Int64 = 0
    public var fixed: Int128 = 0
    /// What a minimum or maximum added.
    public var bounded: Int128 = 0
    /// Rounded.
    public var waived: Int128 = 0
    /// What rounding added to what is waived, in 10⁻⁸ of a minor unit.
    public var waivedRounding: Int64 = 0

    public init() {}

    /// What is to be paid; negative if it is paid to the account.
    public var fee: Int128 { percentage + fixed + bounded - waived }
}

extension FeePrice {
    /// The fee for an amount, as `docs/fees.md` says it (“How much”).
    ///
    /// There is always one: whatever an entry can move, and whatever a schedule can say, fits into 128 bits with all its decimals.
    /// - Parameters:
    ///   - amount: minor units, more than 0, at most those of an entry with ``Entry/postingsMax`` postings.
    ///   - volume: of the month before it, in minor units; only prices by volume look at it.
    ///   - waived: how much of the fee is not to be paid; nil: all is.
    public func fee(_ amount: Int128, volume: Int128, waived: BasisPoints? = nil) -> FeeComponents {
        var components = FeeComponents()
        var exact: Int128 = 0
        if let tiers {
            components.slices = slices(amount, volume, tiers)
            for slice in components.slices {
                let step = steps[slice.step - 1]
                exact += slice.amount * Int128(step.basisPoints.tenThousandths)
                components.fixed += Int128(step.fixed)
            }
        } else {
            exact = amount * Int128(steps[0].basisPoints.tenThousandths)
            components.fixed = Int128(steps[0].fixed)
        }
        (components.percentage, components.rounding) = rounded(exact)
        let sum = components.percentage + components.fixed
        var bounded = sum
        if let minimum { bounded = max(bounded, Int128(minimum)) }
        if let maximum { bounded = min(bounded, Int128(maximum)) }
        components.bounded = bounded - sum
        if let waived { (components.waived, components.waivedRounding) = rounded(bounded * Int128(waived.tenThousandths)) }
        return components
    }

    private static var unit: Int128 { 100_000_000 }

    /// - Returns: whole minor units, and what rounding added.
    private func rounded(_ exact: Int128) -> (Int128, Int64) {
        guard let whole = try? rounding.divide(exact, by: Self.unit) else { preconditionFailure("less than what was divided") }
        return (whole, Int64(truncatingIfNeeded: whole * Self.unit - exact))
    }

    private func slices(_ amount: Int128, _ volume: Int128, _ tiers: Tiers) -> [FeeSlice] {
        let start = tiers.by == .volume ? volume : 0
        let end = start + amount
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
            if high > low { slices.append(FeeSlice(step: index + 1, amount: high - low)) }
        }
        return slices
    }
}
