import LedgerModel
import Testing

@Suite struct ExchangeRateTests {
    @Test func `a decimal is read exactly`() throws {
        let table = """
            1.0834               10834                1.0834              4
            161.27               16127                161.27              2
            161                  161                  161                 0
            161.0                161                  161                 0
            1.10                 11                   1.1                 1
            100                  100                  100                 0
            0.00000912           912                  0.00000912          8
            007.50               75                   7.5                 1
            0.000000000000000001 1                    0.000000000000000001 18
            9223372036854775807  9223372036854775807  9223372036854775807 0
            9.223372036854775807 9223372036854775807  9.223372036854775807 18
            1.000000000000000000 1                    1                   0
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ").map(String.init)
            let rate = try ExchangeRate(cells[0])
            #expect(rate.digits == Int64(cells[1])!, "\(row)")
            #expect(rate.text == cells[2], "\(row)")
            #expect(rate.description == cells[2])
            #expect(rate.scale == Int(cells[3])!, "\(row)")
            #expect(try ExchangeRate(rate.text) == rate)
        }
        #expect(try ExchangeRate("1.10") == ExchangeRate("01.1"))
        #expect(try ExchangeRate("1.1") != ExchangeRate("11"))
    }

    @Test func `what is not exactly a rate is refused`() throws {
        let bad = [
            "", ".", "-", "-1", "+1", "-0", ".5", "5.", "12abc", "abc", "1,5", "1.2,5", "1 000", "1_000", "1'000", "1.000.00", "1..5",
            "1e3", "1E3", "1.5e-3", "1/3", "--1", "1-", " 1", "1 ", "1\n", "\t1", "1\u{A0}", "0x10", "NaN", "nan", "inf", "１２", "٣",
            "１.５", "1\u{301}", "1.\u{301}5", "1\0", "$1", "1€", "1%", "½", "−1", "1．5", "0", "0.0", "0.000000000000000000",
            "1.0000000000000000001", "1.0000000000000000000", "9223372036854775808", "92233720368547758.08",
            "9.223372036854775808", String(repeating: "9", count: 40),
        ]
        for text in bad {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try ExchangeRate(text) }
            #expect(error?.code == .invalidAmount)
        }
    }

    @Test func `a refusal names the text and the reason`() {
        let rows = [
            ("1,5", "“1,5” is no exchange rate: write digits, with a point before decimals, like 1.0834"),
            ("-1", "“-1” is no exchange rate: write digits, with a point before decimals, like 1.0834"),
            ("0.00", "“0.00” is no exchange rate: it must be more than 0"),
            ("0.1234567890123456789", "“0.1234567890123456789” is no exchange rate: 19 decimals; at most 18 are kept"),
            ("9223372036854775808", "“9223372036854775808” is no exchange rate: its digits do not fit into 64 bits"),
        ]
        for (text, message) in rows {
            let error = #expect(throws: LedgerError.self) { try ExchangeRate(text) }
            #expect(error?.message == message)
        }
    }
}

@Suite struct ConvertTests {
    static let source = try! (0...18).map { try Currency(CurrencyCode("A\($0)"), exponent: $0) }
    static let target = try! (0...18).map { try Currency(CurrencyCode("B\($0)"), exponent: $0) }

    @Test func `every rounding at exponents 0, 2, 3 and 8, worked by hand`() throws {
        // exponents; amount, rate; half-even, half-up, down, up, floor, ceiling
        let table = """
            2 2 100.00 1.0834         108.34 108.34 108.34 108.34 108.34 108.34
            2 2 0.50 0.05             0.02 0.03 0.02 0.03 0.02 0.03
            2 2 0.70 0.05             0.04 0.04 0.03 0.04 0.03 0.04
            2 2 -0.50 0.05            -0.02 -0.03 -0.02 -0.03 -0.03 -0.02
            2 2 -0.70 0.05            -0.04 -0.04 -0.03 -0.04 -0.04 -0.03
            2 2 0.00 1.0834           0.00 0.00 0.00 0.00 0.00 0.00
            2 0 10.01 161.27          1614 1614 1614 1615 1614 1615
            2 0 0.50 161              80 81 80 81 80 81
            2 0 0.50 163              82 82 81 82 81 82
            2 0 -0.50 161             -80 -81 -80 -81 -81 -80
            0 2 1000 0.0062           6.20 6.20 6.20 6.20 6.20 6.20
            0 2 5 0.001               0.00 0.01 0.00 0.01 0.00 0.01
            0 2 15 0.001              0.02 0.02 0.01 0.02 0.01 0.02
            0 3 5 0.0005              0.002 0.003 0.002 0.003 0.002 0.003
            0 3 7 0.0005              0.004 0.004 0.003 0.004 0.003 0.004
            0 8 1 0.000000005         0.00000000 0.00000001 0.00000000 0.00000001 0.00000000 0.00000001
            0 8 3 21                  63.00000000 63.00000000 63.00000000 63.00000000 63.00000000 63.00000000
            3 2 1.001 3.25            3.25 3.25 3.25 3.26 3.25 3.26
            3 2 0.005 3               0.02 0.02 0.01 0.02 0.01 0.02
            3 0 -0.005 500            -2 -3 -2 -3 -3 -2
            3 8 0.001 0.00002345      0.00000002 0.00000002 0.00000002 0.00000003 0.00000002 0.00000003
            8 2 0.00000001 58123.45   0.00 0.00 0.00 0.01 0.00 0.01
            8 2 0.00010000 250        0.02 0.03 0.02 0.03 0.02 0.03
            8 0 0.50000000 5          2 3 2 3 2 3
            8 3 -0.00000050 1000      0.000 -0.001 0.000 -0.001 -0.001 0.000
            8 8 1.00000000 1.000000005 1.00000000 1.00000001 1.00000000 1.00000001 1.00000000 1.00000001
            2 8 1.00 0.000016254      0.00001625 0.00001625 0.00001625 0.00001626 0.00001625 0.00001626
            0 0 3 0.5                 2 2 1 2 1 2
            3 3 0.001 0.5             0.000 0.001 0.000 0.001 0.000 0.001
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ").map(String.init)
            let (source, target) = (Self.source[Int(cells[0])!], Self.target[Int(cells[1])!])
            let (amount, rate) = (try source.amount(cells[2]), try ExchangeRate(cells[3]))
            for (rounding, expected) in zip(RoundingTests.columns, cells.dropFirst(4)) {
                let converted = try rate.convert(amount, from: source, to: target, rounding: rounding)
                #expect(converted.currency == target.code)
                #expect(target.format(converted) == expected, "\(row): \(rounding)")
            }
            // Half-even is what is done if nothing is said.
            #expect(target.format(try rate.convert(amount, from: source, to: target)) == cells[4], "\(row)")
        }
    }

    @Test func `what is converted is what paper says, or does not fit`() throws {
        var random = Seeded("conversion")
        var (fitted, refused) = (0, 0)
        for _ in 0..<20_000 {
            let exponents = Bool.random(using: &random) ? [0, 2, 3, 8] : Array(0...18)
            let source = Self.source[exponents.randomElement(using: &random)!]
            let target = Self.target[exponents.randomElement(using: &random)!]
            let units = random.signedInteger()
            // Now and then few digits and a 5 at the end, so that there are middles.
            let digits = max(1, Int.random(in: 0..<3, using: &random) == 0 ? random.integer() % 100 * 10 + 5 : random.integer())
            let scale = Int.random(in: 0...18, using: &random)
            let padded = String(repeating: "0", count: max(0, scale + 1 - String(digits).count)) + String(digits)
            let rate = try ExchangeRate(padded.dropLast(scale) + (scale == 0 ? "" : "." + padded.suffix(scale)))
            let rounding = Rounding.allCases.randomElement(using: &random)!

            let power = target.exponent - source.exponent - scale
            let product = Paper.product(Paper.digits(units.magnitude), Paper.digits(digits.magnitude))
            let expected = Paper.rounded(
                product + [Int](repeating: 0, count: max(0, power)), decimals: max(0, -power), isNegative: units < 0, rounding)
            let what: Comment = "\(units) \(source) at \(rate) to \(target), \(rounding)"
            if let expected = Int64(expected) {
                fitted += 1
                let converted = try rate.convert(Amount(minorUnits: units, source.code), from: source, to: target, rounding: rounding)
                #expect(converted.minorUnits == expected, what)
            } else {
                refused += 1
                let error = #expect(throws: LedgerError.self, what) {
                    try rate.convert(Amount(minorUnits: units, source.code), from: source, to: target, rounding: rounding)
                }
                #expect(error?.code == .invalidAmount, what)
            }
        }
        #expect(fitted > 2000 && refused > 2000, "\(fitted) fitted, \(refused) were refused")
    }

    @Test func `the ends of 64 bits`() throws {
        let one = try ExchangeRate("1")
        let (a2, b2) = (Self.source[2], Self.target[2])
        for units in [Int64.min, -Int64.max, Int64.max] {
            let amount = Amount(minorUnits: units, a2.code)
            #expect(try one.convert(amount, from: a2, to: b2).minorUnits == units)
            let error = #expect(throws: LedgerError.self) {
                try ExchangeRate("1.000000000000000001").convert(amount, from: a2, to: b2, rounding: .up)
            }
            #expect(error?.code == .invalidAmount)
            // The largest of every number there is, and the smallest.
            #expect(throws: LedgerError.self) {
                try ExchangeRate("9223372036854775807").convert(
                    Amount(minorUnits: units, Self.source[0].code), from: Self.source[0], to: Self.target[18])
            }
            let least = try ExchangeRate("0.000000000000000001").convert(
                Amount(minorUnits: units, Self.source[18].code), from: Self.source[18], to: Self.target[0], rounding: .up)
            #expect(least.minorUnits == units.signum())
        }
        // 2^62 · 2^62 · 10^18 is a multiple of 2^128: cut to 128 bits it would be 0.
        #expect(throws: LedgerError.self) {
            try ExchangeRate("4611686018427387904").convert(
                Amount(minorUnits: 4_611_686_018_427_387_904, Self.source[0].code), from: Self.source[0], to: Self.target[18])
        }
        // 9223372036854775807.5: the even neighbour is one too many, but not below zero.
        let (rate, middle) = (try ExchangeRate("2.5"), Int64(3_689_348_814_741_910_323))
        func converted(_ units: Int64, _ rounding: Rounding) throws -> Int64 {
            try rate.convert(Amount(minorUnits: units, a2.code), from: a2, to: b2, rounding: rounding).minorUnits
        }
        for rounding in [Rounding.down, .floor] { #expect(try converted(middle, rounding) == .max) }
        for rounding in [Rounding.halfEven, .halfUp, .up, .ceiling] {
            #expect(throws: LedgerError.self) { try converted(middle, rounding) }
        }
        for rounding in [Rounding.halfEven, .halfUp, .up, .floor] { #expect(try converted(-middle, rounding) == .min) }
        for rounding in [Rounding.down, .ceiling] { #expect(try converted(-middle, rounding) == -.max) }
        let error = #expect(throws: LedgerError.self) {
            try one.convert(Amount(minorUnits: .max, a2.code), from: a2, to: Self.target[3])
        }
        #expect(error?.message == "92233720368547758.07 A2 at 1 does not fit into 64 bits of minor units of B3")
    }

    @Test func `an amount in another currency is refused`() throws {
        let error = #expect(throws: LedgerError.self) {
            try ExchangeRate("2").convert(Amount(minorUnits: 1, .jpy), from: Self.source[2], to: Self.target[2])
        }
        #expect(error?.code == .currencyMismatch)
        #expect(error?.message == "the amount is in JPY, the conversion is from A2")
    }
}
