import LedgerModel
import Testing

@Suite struct AmountTests {
    static let exponents = [0, 2, 3, 8, 18]

    static func currency(_ exponent: Int) throws -> Currency {
        try Currency(CurrencyCode("X\(exponent)"), exponent: exponent)
    }

    @Test func `a decimal is read as whole minor units`() throws {
        let table = """
            0  0                    0
            0  7                    7
            0  -7                   -7
            0  007                  7
            2  12                   1200
            2  12.5                 1250
            2  12.50                1250
            2  -0.01                -1
            2  -0                   0
            2  00012.05             1205
            3  0.001                1
            3  9129.336             9129336
            8  0.00000001           1
            8  21000000             2100000000000000
            18 0.000000000000000001 1
            18 9.2                  9200000000000000000
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ")
            let amount = try Self.currency(Int(cells[0])!).amount(String(cells[1]))
            #expect(amount.minorUnits == Int64(cells[2])!, "\(row)")
            #expect(amount.currency.text == "X\(cells[0])")
        }
    }

    @Test func `what is not exactly an amount is refused`() throws {
        let bad = [
            "", "-", ".", "-.", ".5", "-.5", "5.", "12abc", "abc", "1,5", "1.2,5", "1 000", "1_000", "1'000", "1.000.00", "1..5",
            "1e3", "1E3", "+1", "--1", "1-", "- 1", " 1", "1 ", "1\n", "\t1", "1\u{A0}", "0x10", "NaN", "nan", "inf",
            "Infinity", "１２", "٣", "１.５", "1\u{301}", "1.\u{301}5", "1\0", "$1", "1€", "½", "−1", "1．5",
        ]
        for exponent in Self.exponents {
            for text in bad {
                #expect(throws: LedgerError.self, "\(text.debugDescription) with exponent \(exponent)") {
                    try Self.currency(exponent).amount(text)
                }
            }
        }
    }

    @Test func `a refusal names the text, the currency and the reason`() throws {
        let rows = [
            ("12.505", "“12.505” is no amount of EUR: 3 decimals, and EUR has 2"),
            ("1,5", "“1,5” is no amount of EUR: write digits only, with a point before decimals, like 12.50"),
            (".5", "“.5” is no amount of EUR: write digits, with a point before decimals, like 12.50"),
            ("92233720368547758.08", "“92233720368547758.08” is no amount of EUR: it does not fit into 64 bits of minor units"),
        ]
        let eur = try #require(Currency.iso(.eur))
        for (text, message) in rows {
            let error = #expect(throws: LedgerError.self) { try eur.amount(text) }
            #expect(error?.code == .invalidAmount)
            #expect(error?.message == message)
            #expect(error?.retry == .never)
        }
    }

    @Test func `one decimal more than the currency has is refused, also a zero`() throws {
        for exponent in Self.exponents {
            let fits = "1" + (exponent == 0 ? "" : "." + String(repeating: "0", count: exponent))
            let currency = try Self.currency(exponent)
            #expect(try currency.amount(fits) == currency.amount("1"))
            let longer = exponent == 0 ? "1.0" : fits + "0"
            #expect(throws: LedgerError.self, "\(longer)") { try currency.amount(longer) }
        }
    }

    @Test func `the largest amount is the largest of 64 bits`() throws {
        let largest = [
            0: "9223372036854775807", 2: "92233720368547758.07", 3: "9223372036854775.807", 8: "92233720368.54775807",
            18: "9.223372036854775807",
        ]
        let tooLarge = [
            0: "9223372036854775808", 2: "92233720368547758.08", 3: "9223372036854775.808", 8: "92233720368.54775808",
            18: "9.223372036854775808",
        ]
        for exponent in Self.exponents {
            let currency = try Self.currency(exponent)
            #expect(try currency.amount(largest[exponent]!).minorUnits == .max)
            #expect(try currency.amount("-" + largest[exponent]!).minorUnits == -.max)
            #expect(currency.format(Int128(Int64.max)) == largest[exponent]!)
            for text in [tooLarge[exponent]!, "-" + tooLarge[exponent]!, String(repeating: "9", count: 40)] {
                #expect(throws: LedgerError.self, "\(text)") { try currency.amount(text) }
            }
        }
    }

    @Test func `an amount is printed with all decimals of its currency`() throws {
        let table = """
            0  7                    7
            0  -7                   -7
            2  0                    0.00
            2  -5                   -0.05
            2  1250                 12.50
            2  -1250                -12.50
            3  7                    0.007
            8  1                    0.00000001
            18 1                    0.000000000000000001
            18 -1000000000000000000 -1.000000000000000000
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ")
            let currency = try Self.currency(Int(cells[0])!)
            #expect(currency.format(Int128(cells[1])!) == String(cells[2]))
            #expect(currency.format(Amount(minorUnits: Int64(cells[1])!, currency.code)) == String(cells[2]))
        }
        // Sums are wider than amounts.
        let eur = try Self.currency(2)
        #expect(eur.format(Int128.max) == "1701411834604692317316873037158841057.27")
        #expect(eur.format(Int128.min) == "-1701411834604692317316873037158841057.28")
        #expect(eur.format(Int128(Int64.min)) == "-92233720368547758.08")
    }

    @Test(arguments: exponents) func `what is printed is read back`(exponent: Int) throws {
        let currency = try Self.currency(exponent)
        var random = Seeded(UInt64(exponent) + 1)
        for _ in 0..<2000 {
            let units = Bool.random(using: &random) ? random.integer() : -random.integer()
            let text = currency.format(Int128(units))
            #expect(try currency.amount(text).minorUnits == units, "\(text)")
            // The zeros at the end of the decimals may be left out.
            var short = Substring(text)
            if exponent > 0 {
                while short.last == "0" { short.removeLast() }
                if short.last == "." { short.removeLast() }
            }
            #expect(try currency.amount(String(short)).minorUnits == units, "\(short)")
        }
    }
}
