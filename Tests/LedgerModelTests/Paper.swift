import LedgerModel

/// Multiplication and rounding as on paper, digit by digit: it shares no arithmetic with what it checks.
enum Paper {
    /// Most significant first.
    static func digits(_ magnitude: some UnsignedInteger) -> [Int] { String(magnitude).map { Int(String($0))! } }

    static func product(_ left: [Int], _ right: [Int]) -> [Int] {
        var columns = [Int](repeating: 0, count: left.count + right.count)
        for (i, a) in left.reversed().enumerated() {
            for (j, b) in right.reversed().enumerated() { columns[i + j] += a * b }
        }
        return carried(columns)
    }

    /// A number whose last digits are decimals, as a whole number with its sign.
    static func rounded(_ digits: [Int], decimals: Int, isNegative: Bool, _ rounding: Rounding) -> String {
        let padded = [Int](repeating: 0, count: max(0, decimals + 1 - digits.count)) + digits
        var whole = Array(padded.dropLast(decimals))
        let rest = padded.suffix(decimals)
        let isAway: Bool
        if rest.allSatisfy({ $0 == 0 }) {
            isAway = false
        } else {
            let isMiddle = rest.first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
            isAway =
                switch rounding {
                case .halfEven: isMiddle ? [1, 3, 5, 7, 9].contains(whole.last!) : rest.first! >= 5
                case .halfUp: rest.first! >= 5
                case .down: false
                case .up: true
                case .floor: isNegative
                case .ceiling: !isNegative
                }
        }
        if isAway {
            whole[whole.count - 1] += 1
            whole = carried(whole.reversed())
        }
        let text = whole.drop { $0 == 0 }.map(String.init).joined()
        return text.isEmpty ? "0" : (isNegative ? "-" : "") + text
    }

    /// Columns, least significant first and each of any size, as digits, most significant first.
    private static func carried(_ columns: [Int]) -> [Int] {
        var digits: [Int] = []
        var carry = 0
        for column in columns {
            digits.append((column + carry) % 10)
            carry = (column + carry) / 10
        }
        while carry > 0 {
            digits.append(carry % 10)
            carry /= 10
        }
        return digits.reversed()
    }
}
