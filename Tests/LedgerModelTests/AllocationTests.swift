import LedgerModel
import Testing

@Suite struct AllocationTests {
    static func parts(_ units: Int64, _ ratios: [Int64]) throws -> [Int64] {
        let parts = try Amount(minorUnits: units, .eur).allocated(by: ratios)
        #expect(parts.allSatisfy { $0.currency == .eur })
        return parts.map(\.minorUnits)
    }

    @Test func `parts, worked by hand`() throws {
        let table = """
            10000  1 1 1             3334 3333 3333
            -10000 1 1 1             -3334 -3333 -3333
            1      1 1 1             1 0 0
            2      1 1 1             1 1 0
            -2     1 1 1             -1 -1 0
            10     1 1 1 1 1 1       2 2 2 2 1 1
            5      30 70             1 4
            5      70 30             4 1
            2      1 3               0 2
            -2     1 3               0 -2
            3      1 1 4             1 0 2
            100    0 1 0             0 100 0
            100    1 0 1 1           34 0 33 33
            1000   1 2 3 1           143 286 428 143
            100    16667 16667 66666 17 17 66
            108    19 81             21 87
            7      5                 7
            0      1 2               0 0
            0      7                 0
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ").map { Int64($0)! }
            let count = (cells.count - 1) / 2
            #expect(try Self.parts(cells[0], Array(cells[1...count])) == Array(cells[(count + 1)...]), "\(row)")
        }
    }

    @Test func `the ends of 64 bits`() throws {
        let rows: [(Int64, [Int64], [Int64])] = [
            (.max, [1], [.max]),
            (.min, [1], [.min]),
            (.min, [0, .max], [0, .min]),
            (.max, [1, 1], [4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
            (.min, [1, 1], [-4_611_686_018_427_387_904, -4_611_686_018_427_387_904]),
            (.min, [.max, .max, .max], [-3_074_457_345_618_258_603, -3_074_457_345_618_258_603, -3_074_457_345_618_258_602]),
            // The exact shares are max - 1 + 2^-63 and 1 - 2^-63.
            (.max, [.max, 1], [.max - 1, 1]),
            (.min, [.max, 1], [-.max, -1]),
            (1, [.max, .max - 1], [1, 0]),
            (1, [.max - 1, .max], [0, 1]),
        ]
        for (units, ratios, expected) in rows { #expect(try Self.parts(units, ratios) == expected, "\(units) by \(ratios)") }
        let many = try Self.parts(.max, Array(repeating: .max, count: 1000))
        #expect(many.reduce(0, +) == .max)
        #expect(Set(many) == [9_223_372_036_854_775, 9_223_372_036_854_776])
    }

    @Test func `parts add up, are next to their exact shares, and the claims are in the documented order`() throws {
        var random = Seeded("allocation")
        for _ in 0..<5000 {
            let units = random.signedInteger()
            // Their sum stays below 2^63, so that part · sum fits into 128 bits here.
            var ratios = (0..<Int.random(in: 1...8, using: &random)).map { _ in random.integer() >> 3 }
            // Equal ratios and zeros are what ties are made of.
            if Bool.random(using: &random) { ratios = ratios.map { $0 % 4 } }
            ratios[0] = max(1, ratios[0])
            let total = ratios.reduce(0) { $0 + Int128($1) }
            let parts = try Self.parts(units, ratios)
            let what: Comment = "\(units) by \(ratios): \(parts)"

            try #require(parts.count == ratios.count)
            #expect(parts.reduce(0) { $0 + Int128($1) } == Int128(units), what)
            // How much more than its exact share a part is, by magnitude, in units of 1/total.
            let sign: Int128 = units < 0 ? -1 : 1
            let surplus = zip(parts, ratios).map { part, ratio in sign * (Int128(part) * total - Int128(units) * Int128(ratio)) }
            #expect(surplus.allSatisfy { $0.magnitude < total.magnitude }, what)
            for (part, ratio) in zip(parts, ratios) where ratio == 0 { #expect(part == 0, what) }
            for got in parts.indices where surplus[got] > 0 {
                for not in parts.indices where surplus[not] < 0 {
                    // Fractions left off: what one got lacks of a unit, and what the other lost.
                    let (larger, smaller) = (total - surplus[got], -surplus[not])
                    #expect(
                        larger > smaller || larger == smaller && ratios[got] > ratios[not]
                            || larger == smaller && ratios[got] == ratios[not] && got < not, what)
                }
            }
        }
    }

    @Test func `order decides among equal ratios only, scale nothing, and sign nothing`() throws {
        var random = Seeded("allocation order")
        for _ in 0..<3000 {
            let units = random.signedInteger()
            let ratios = [1] + (0..<Int.random(in: 0...7, using: &random)).map { _ in Int64.random(in: 0...9, using: &random) }
            let parts = try Self.parts(units, ratios)
            func pairs(_ ratios: [Int64], _ parts: [Int64]) -> [[Int64]] {
                zip(ratios, parts).map { [$0, $1] }.sorted { $0.lexicographicallyPrecedes($1) }
            }
            let shuffled = ratios.shuffled(using: &random)
            #expect(pairs(shuffled, try Self.parts(units, shuffled)) == pairs(ratios, parts), "\(units) by \(ratios), \(shuffled)")
            #expect(try Self.parts(units, ratios.map { $0 * 1_000_003 }) == parts)
            if units != .min { #expect(try Self.parts(-units, ratios) == parts.map(-)) }
        }
    }

    @Test func `ratios that say nothing are refused`() {
        let rows: [([Int64], String)] = [
            ([], "there is no ratio"),
            ([0], "every ratio is 0"),
            ([0, 0, 0], "every ratio is 0"),
            ([1, -1], "ratio 2 is -1; a ratio is 0 or more"),
            ([.min, .max], "ratio 1 is -9223372036854775808; a ratio is 0 or more"),
        ]
        for (ratios, reason) in rows {
            for units in [0, 100, -100, Int64.min] {
                let error = #expect(throws: LedgerError.self) { try Self.parts(units, ratios) }
                #expect(error?.code == .invalidAmount)
                #expect(error?.message == "an amount of EUR cannot be allocated: " + reason)
            }
        }
    }
}

@Suite struct SplitTests {
    static func parts(_ units: Int64, _ count: Int) throws -> [Int64] {
        try Amount(minorUnits: units, .jpy).split(into: count).map(\.minorUnits)
    }

    @Test func `the first parts get what is left over`() throws {
        #expect(try Self.parts(100_00, 3) == [3334, 3333, 3333])
        #expect(try Self.parts(-100_00, 3) == [-3334, -3333, -3333])
        #expect(try Self.parts(2, 5) == [1, 1, 0, 0, 0])
        #expect(try Self.parts(-2, 5) == [-1, -1, 0, 0, 0])
        #expect(try Self.parts(0, 2) == [0, 0])
        #expect(try Self.parts(.min, 1) == [.min])
        #expect(try Self.parts(.max, 2) == [4_611_686_018_427_387_904, 4_611_686_018_427_387_903])
        #expect(try Self.parts(.min, 3) == [-3_074_457_345_618_258_603, -3_074_457_345_618_258_603, -3_074_457_345_618_258_602])
        #expect(try Amount(minorUnits: 7, .jpy).split(into: 1) == [Amount(minorUnits: 7, .jpy)])
    }

    @Test func `a split is an allocation by equal ratios`() throws {
        var random = Seeded("split")
        for _ in 0..<2000 {
            let (units, count) = (random.signedInteger(), Int.random(in: 1...40, using: &random))
            let parts = try Self.parts(units, count)
            #expect(parts == (try AllocationTests.parts(units, Array(repeating: 1, count: count))), "\(units) in \(count)")
            #expect(parts.reduce(0) { $0 + Int128($1) } == Int128(units), "\(units) in \(count)")
        }
    }

    @Test func `a number of parts that makes no sense is refused`() throws {
        for count in [0, -1, .min, .max, Amount.partsMax + 1] {
            let error = #expect(throws: LedgerError.self) { try Self.parts(100, count) }
            #expect(error?.code == .invalidAmount)
            #expect(error?.message == "an amount of JPY cannot be split into \(count) parts; it can be 1 to 1000000")
        }
        #expect(try Self.parts(1, Amount.partsMax).prefix(2) == [1, 0])
    }
}
