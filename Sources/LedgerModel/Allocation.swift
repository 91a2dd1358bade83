extension Amount {
    /// The most parts that ``split(into:)`` makes.
    public static let partsMax = 1_000_000

    /// Divides the amount in proportion to the ratios; the parts add up to the amount, to the minor unit.
    ///
    /// ```swift
    /// try Amount(minorUnits: 100_00, .eur).allocated(by: [1, 1, 1])  // 33.34, 33.33, 33.33
    /// try Amount(minorUnits: 5, .eur).allocated(by: [30, 70])        // 0.01, 0.04: exactly it would be 1.5 and 3.5 cents
    /// ```
    ///
    /// Each part is its exact share with the fraction of a minor unit left off. The units that are then left over go, one
    /// each, to the parts with the largest fractions; of equal fractions to the larger ratio; of equal ratios to the
    /// earlier one. So a part is less than one unit away from its exact share, a ratio of 0 gets nothing, an exact share
    /// stays as it is, and the order of the ratios decides among equal ratios only. A negative amount is divided as its
    /// positive counterpart is, and negated.
    /// - Throws: `invalidAmount` if there is no ratio, if one is negative, or if all are 0.
    public func allocated(by ratios: [Int64]) throws(LedgerError) -> [Amount] {
        func refusal(_ reason: String) -> LedgerError {
            LedgerError(.invalidAmount, "an amount of \(currency) cannot be allocated: \(reason)")
        }
        guard !ratios.isEmpty else { throw refusal("there is no ratio") }
        if let index = ratios.firstIndex(where: { $0 < 0 }) {
            throw refusal("ratio \(index + 1) is \(ratios[index]); a ratio is 0 or more")
        }
        let total = ratios.reduce(Int128(0)) { $0 + Int128($1) }
        guard total > 0 else { throw refusal("every ratio is 0") }

        // At most 2^63 · 2^63: 128 bits are enough for every amount and every ratio.
        let whole = Int128(minorUnits.magnitude)
        var parts: [Int128] = []
        var fractions: [Int128] = []
        for ratio in ratios {
            let (part, fraction) = (whole * Int128(ratio)).quotientAndRemainder(dividingBy: total)
            parts.append(part)
            fractions.append(fraction)
        }
        // Fewer units than there are parts with a fraction: the fractions add up to them, and each is less than one.
        let left = Int(whole - parts.reduce(0, +))
        if left > 0 {
            let byClaim = parts.indices.sorted {
                (fractions[$1], ratios[$1], $0) < (fractions[$0], ratios[$0], $1)
            }
            for index in byClaim.prefix(left) { parts[index] += 1 }
        }
        return parts.map { Amount(minorUnits: signed($0), currency) }
    }

    /// Divides the amount into equal parts that add up to it; the minor units that are left over go, one each, to the
    /// first parts: 100.00 in 3 is 33.34, 33.33, 33.33; -100.00 in 3 is -33.34, -33.33, -33.33.
    /// - Throws: `invalidAmount` unless there are 1 to ``partsMax`` parts.
    public func split(into count: Int) throws(LedgerError) -> [Amount] {
        guard (1...Self.partsMax).contains(count) else {
            throw LedgerError(
                .invalidAmount,
                "an amount of \(currency) cannot be split into \(count) parts; it can be 1 to \(Self.partsMax)")
        }
        let (part, left) = Int128(minorUnits.magnitude).quotientAndRemainder(dividingBy: Int128(count))
        return (0..<count).map { Amount(minorUnits: signed(Int128($0) < left ? part + 1 : part), currency) }
    }

    /// A part's magnitude with the sign of the whole: never more than the whole, so it fits.
    private func signed(_ magnitude: Int128) -> Int64 { Int64(minorUnits < 0 ? -magnitude : magnitude) }
}
