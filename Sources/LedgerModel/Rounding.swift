/// What becomes of the part of a minor unit that nobody can be paid.
///
/// Nothing here rounds unless it is told how, or says in its documentation what it does when it is not told.
public enum Rounding: String, Sendable, Hashable, CaseIterable {
    /// To the nearest; from the middle to the even neighbour: 0.5 → 0, 1.5 → 2, 2.5 → 2. Over many amounts the middles
    /// cancel, so it is what conversions do if nothing else is said.
    case halfEven = "half-even"
    /// To the nearest; from the middle away from zero: 0.5 → 1, 2.5 → 3, -0.5 → -1.
    case halfUp = "half-up"
    /// Toward zero: 1.9 → 1, -1.9 → -1.
    case down
    /// Away from zero: 1.1 → 2, -1.1 → -2.
    case up
    /// To the next whole number below: 1.9 → 1, -1.1 → -2.
    case floor
    /// To the next whole number above: 1.1 → 2, -1.9 → -1.
    case ceiling

    /// The quotient of two whole numbers, exact but for this rounding.
    /// - Throws: `invalidAmount` if the denominator is zero, or if the quotient does not fit into 128 bits.
    public func divide(_ numerator: Int128, by denominator: Int128) throws(LedgerError) -> Int128 {
        guard denominator != 0 else {
            throw LedgerError(.invalidAmount, "\(numerator) cannot be divided by 0")
        }
        let isNegative = (numerator < 0) != (denominator < 0)
        // Magnitudes: the smallest Int128 has no positive counterpart.
        let divisor = denominator.magnitude
        var (quotient, remainder) = numerator.magnitude.quotientAndRemainder(dividingBy: divisor)
        if remainder > 0, isAwayFromZero(quotient, remainder, divisor, isNegative: isNegative) {
            // There is a remainder, so the divisor is at least 2 and the quotient far from its end.
            quotient += 1
        }
        // 2^127 at the most, which has a negative counterpart and no positive one.
        if isNegative { return Int128(truncatingIfNeeded: 0 &- quotient) }
        guard let result = Int128(exactly: quotient) else {
            throw LedgerError(.invalidAmount, "\(numerator) divided by \(denominator) does not fit into 128 bits")
        }
        return result
    }

    /// Whether a magnitude with a remainder becomes the next larger one.
    private func isAwayFromZero(_ quotient: UInt128, _ remainder: UInt128, _ divisor: UInt128, isNegative: Bool) -> Bool {
        // What is missing to the next whole number: twice the remainder could overflow.
        let missing = divisor - remainder
        return switch self {
        case .halfEven: remainder > missing || remainder == missing && !quotient.isMultiple(of: 2)
        case .halfUp: remainder >= missing
        case .down: false
        case .up: true
        case .floor: isNegative
        case .ceiling: !isNegative
        }
    }
}
