import LedgerModel
import Testing

@Suite struct RoundingTests {
    /// The order of the columns in tables.
    static let columns: [Rounding] = [.halfEven, .halfUp, .down, .up, .floor, .ceiling]

    @Test func `every rounding, worked by hand`() throws {
        // numerator, denominator; half-even, half-up, down, up, floor, ceiling
        let table = """
            5   10    0  1  0  1  0  1
            15  10    2  2  1  2  1  2
            25  10    2  3  2  3  2  3
            -5  10    0 -1  0 -1 -1  0
            -15 10   -2 -2 -1 -2 -2 -1
            -25 10   -2 -3 -2 -3 -3 -2
            14  10    1  1  1  2  1  2
            16  10    2  2  1  2  1  2
            -14 10   -1 -1 -1 -2 -2 -1
            -16 10   -2 -2 -1 -2 -2 -1
            20  10    2  2  2  2  2  2
            -20 10   -2 -2 -2 -2 -2 -2
            1   3     0  0  0  1  0  1
            2   3     1  1  0  1  0  1
            -1  3     0  0  0 -1 -1  0
            -2  3    -1 -1  0 -1 -1  0
            1   -2    0 -1  0 -1 -1  0
            -3  -2    2  2  1  2  1  2
            -5  -2    2  3  2  3  2  3
            0   7     0  0  0  0  0  0
            0   -7    0  0  0  0  0  0
            7   1     7  7  7  7  7  7
            7   -1   -7 -7 -7 -7 -7 -7
            """
        #expect(Self.columns == Rounding.allCases)
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ").map { Int128($0)! }
            for (rounding, expected) in zip(Self.columns, cells.dropFirst(2)) {
                #expect(try rounding.divide(cells[0], by: cells[1]) == expected, "\(row): \(rounding)")
            }
        }
    }

    @Test func `every small quotient is the one that the definition picks among all whole numbers`() throws {
        for denominator in Int128(-12)...12 where denominator != 0 {
            for numerator in Int128(-60)...60 {
                // n/d ≤ q, without a division: both sides times d, which is made positive.
                let (n, d) = denominator < 0 ? (-numerator, -denominator) : (numerator, denominator)
                let below = (-61...61).last { $0 * d <= n }!
                let above = (-61...61).first { $0 * d >= n }!
                let inner = n < 0 ? above : below
                let outer = n < 0 ? below : above
                let (toBelow, toAbove) = (n - below * d, above * d - n)
                let nearest: Int128? = toBelow == toAbove && below != above ? nil : toBelow <= toAbove ? below : above
                let expected: [Rounding: Int128] = [
                    .floor: below, .ceiling: above, .down: inner, .up: outer, .halfUp: nearest ?? outer,
                    .halfEven: nearest ?? (below % 2 == 0 ? below : above),
                ]
                for rounding in Rounding.allCases {
                    let quotient = try rounding.divide(numerator, by: denominator)
                    #expect(quotient == expected[rounding], "\(numerator)/\(denominator), \(rounding)")
                }
            }
        }
    }

    @Test func `the ends of 128 bits`() throws {
        let (min, max, half) = (Int128.min, Int128.max, Int128(1) << 126)
        for rounding in Rounding.allCases {
            #expect(try rounding.divide(max, by: 1) == max)
            #expect(try rounding.divide(max, by: -1) == -max)
            #expect(try rounding.divide(min, by: 1) == min)
            #expect(try rounding.divide(min, by: 2) == -half)
            #expect(try rounding.divide(min, by: min) == 1)
            #expect(try rounding.divide(max, by: max) == 1)
            let error = #expect(throws: LedgerError.self) { try rounding.divide(min, by: -1) }
            #expect(error?.code == .invalidAmount)
            #expect(error?.message == "\(min) divided by -1 does not fit into 128 bits")
        }
        // numerator, denominator, and what each rounding makes of it
        let rows: [(Int128, Int128, [Int128])] = [
            (max, 2, [half, half, half - 1, half, half - 1, half]),  // …3.5
            (-max, 2, [-half, -half, 1 - half, -half, -half, 1 - half]),
            (half, min, [0, -1, 0, -1, -1, 0]),  // -0.5
            (half + 1, min, [-1, -1, 0, -1, -1, 0]),
            (-half, min, [0, 1, 0, 1, 0, 1]),
            (max, min, [-1, -1, 0, -1, -1, 0]),
            (min, max, [-1, -1, -1, -2, -2, -1]),
            (1, min, [0, 0, 0, -1, -1, 0]),
            (1, max, [0, 0, 0, 1, 0, 1]),
        ]
        for (numerator, denominator, expected) in rows {
            let quotients = try Self.columns.map { rounding in try rounding.divide(numerator, by: denominator) }
            #expect(quotients == expected, "\(numerator)/\(denominator)")
        }
    }

    @Test func `nothing is divided by zero`() {
        for rounding in Rounding.allCases {
            for numerator in [0, 1, -1, Int128.min] {
                let error = #expect(throws: LedgerError.self) { try rounding.divide(numerator, by: 0) }
                #expect(error?.code == .invalidAmount)
                #expect(error?.message == "\(numerator) cannot be divided by 0")
            }
        }
    }

    @Test func `a rounding has a name that can be kept`() {
        #expect(Self.columns.map(\.rawValue) == ["half-even", "half-up", "down", "up", "floor", "ceiling"])
        #expect(Rounding(rawValue: "half-up") == .halfUp)
    }
}
