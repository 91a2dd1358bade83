import LedgerModel
import Testing

/// Random prices against a way of pricing that shares nothing with them: minor unit by minor unit, rounded as on paper.
@Suite struct FeeOracleTests {
    /// One step for each minor unit of an amount: that in which the unit lies.
    static func stepsOfUnits(_ price: FeePrice, _ amount: Int64, _ volume: Int64) -> [Int] {
        guard let tiers = price.tiers else { return [Int](repeating: 0, count: Int(amount)) }
        func step(at place: Int64) -> Int {
            var found = 0
            for (index, step) in price.steps.enumerated() where step.from <= place { found = index }
            return found
        }
        let start = tiers.by == .volume ? volume : 0
        switch tiers.mode {
        case .graduated: return (0..<amount).map { step(at: start + $0) }
        case .whole: return [Int](repeating: step(at: tiers.by == .volume ? volume : amount), count: Int(amount))
        }
    }

    /// So many hundred-millionths, rounded to whole ones digit by digit.
    static func rounded(_ hundredMillionths: Int128, _ rounding: Rounding) -> Int128 {
        Int128(Paper.rounded(Paper.digits(hundredMillionths.magnitude), decimals: 8, isNegative: hundredMillionths < 0, rounding))!
    }

    static func price(_ random: inout Seeded) -> FeePrice {
        let isNegative = Int.random(in: 0..<4, using: &random) == 0
        func step(_ from: Int64) -> FeePrice.Step {
            // Halves of a unit come up: every amount times 500 basis points is so many twentieths.
            let points = [0, 5_000_000, 2_500_000, 1_400_000, 123_456, 100_000_000, Int64.random(in: 0...100_000_000, using: &random)].randomElement(using: &random)!
            return FeePrice.Step(from: from, basisPoints: BasisPoints(tenThousandths: isNegative ? -points : points), fixed: Int64.random(in: (isNegative ? -9 : 0)...9, using: &random))
        }
        let rounding = Rounding.allCases.randomElement(using: &random)!
        let isBounded = !isNegative && Bool.random(using: &random)
        let minimum = isBounded ? Int64.random(in: 0...20, using: &random) : nil
        let maximum = isBounded ? Int64.random(in: 20...40, using: &random) : nil
        guard Bool.random(using: &random) else { return FeePrice(steps: [step(0)], minimum: minimum, maximum: maximum, rounding: rounding) }
        let edges = Set((0..<Int.random(in: 0...4, using: &random)).map { _ in Int64.random(in: 1...120, using: &random) })
        return FeePrice(
            tiers: FeePrice.Tiers(by: Bool.random(using: &random) ? .amount : .volume, mode: Bool.random(using: &random) ? .graduated : .whole),
            steps: ([0] + edges.sorted()).map(step), minimum: minimum, maximum: maximum, rounding: rounding)
    }

    @Test(arguments: 1...6) func `a fee is what its minor units cost, one by one`(seed: UInt64) throws {
        var random = Seeded(seed &* 104_729)
        for _ in 0..<500 {
            let price = Self.price(&random)
            let amount = Int64.random(in: 1...150, using: &random), volume = Int64.random(in: -60...200, using: &random)
            let waived = [nil, BasisPoints.max, BasisPoints(tenThousandths: 50_000_000), BasisPoints(tenThousandths: 33_333_333)].randomElement(using: &random)!
            let fee = price.fee(Int128(amount), volume: Int128(volume), waived: waived)

            let units = Self.stepsOfUnits(price, amount, volume)
            let exact = units.reduce(Int128(0)) { $0 + Int128(price.steps[$1].basisPoints.tenThousandths) }
            let percentage = Self.rounded(exact, price.rounding)
            let fixed = Set(units).reduce(Int128(0)) { $0 + Int128(price.steps[$1].fixed) }
            let sum = percentage + fixed
            let bounded = [price.minimum.map { [Int128($0), sum].max()! }, price.maximum.map { [Int128($0), sum].min()! }].compactMap { $0 }.first { $0 != sum } ?? sum
            let exactWaived = Int128(bounded) * Int128(waived?.tenThousandths ?? 0)
            let left = Self.rounded(exactWaived, price.rounding)

            let about = "\(price), \(amount) after \(volume)"
            #expect(fee.percentage == percentage && Int128(fee.rounding) == Int128(percentage) * 100_000_000 - exact, "\(about)")
            #expect(fee.fixed == fixed && fee.bounded == bounded - sum, "\(about)")
            #expect(fee.waived == left && Int128(fee.waivedRounding) == Int128(left) * 100_000_000 - exactWaived, "\(about)")
            #expect(fee.fee == bounded - left, "\(about)")
            let counted = Dictionary(grouping: units, by: { $0 }).map { FeeSlice(step: $0.key + 1, amount: Int128($0.value.count)) }.sorted { $0.step < $1.step }
            #expect(fee.slices == (price.tiers == nil ? [] : counted), "\(about)")
        }
    }
}
