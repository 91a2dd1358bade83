import LedgerModel
import Testing

@Suite struct CurrencyTests {
    @Test func `a currency of ISO 4217 has its exponent`() throws {
        let table = """
            EUR 2  USD 2  GBP 2  CHF 2  CNY 2  INR 2  MRU 2  MGA 2  HUF 2  XCG 2  ZWG 2
            JPY 0  KRW 0  VND 0  ISK 0  CLP 0  UGX 0  XAF 0  XOF 0  XPF 0  UYI 0
            KWD 3  BHD 3  IQD 3  JOD 3  LYD 3  OMR 3  TND 3
            CLF 4  UYW 4
            """
        let cells = table.split(whereSeparator: \.isWhitespace)
        for pair in stride(from: 0, to: cells.count, by: 2) {
            let code = try CurrencyCode(String(cells[pair]))
            #expect(Currency.iso(code)?.exponent == Int(cells[pair + 1])!, "\(code)")
            #expect(Currency.iso(code)?.code == code)
        }
    }

    @Test func `what ISO 4217 does not list with a minor unit is not known`() throws {
        // Metals, testing, no currency, withdrawn ones, other spellings, other units.
        for text in ["XAU", "XAG", "XDR", "XTS", "XXX", "DEM", "ITL", "HRK", "ZWL", "SLL", "eur", "Eur", "EU", "EURO", "BTC"] {
            #expect(Currency.iso(try CurrencyCode(text)) == nil, "\(text)")
        }
    }

    @Test func `three capital letters are known for about 170 codes`() throws {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)
        var known = 0
        for a in letters {
            for b in letters {
                for c in letters where Currency.iso(try CurrencyCode(a + b + c)) != nil { known += 1 }
            }
        }
        #expect((165...172).contains(known), "\(known)")
    }

    @Test func `a code has 1 to 16 letters, digits, currency signs, points, underlines or dashes`() throws {
        for text in ["E", "EUR", "POINTS", "usdc.e", "A-B_C.1", "€", "元", "ÉCU", "1INCH", "ABCDEFGHIJKLMNOP", "кредит"] {
            #expect(try CurrencyCode(text).text == text)
        }
        let bad = [
            "", "ABCDEFGHIJKLMNOPQ", "EU R", " EUR", "EUR ", "EUR\n", "E,R", "E\"R", "E;R", "E:R", "E/R", "E'R", "E\0R", "+", "*",
            "E\u{200B}R", "E\u{A0}R", "😀",
        ]
        for text in bad {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try CurrencyCode(text) }
            #expect(error?.code == .invalidCurrency)
        }
    }

    @Test func `a code is counted as the database counts, by code points`() throws {
        // A letter and a vowel sign: one Character, two code points.
        let syllable = "\u{915}\u{93E}"
        #expect(try CurrencyCode(String(repeating: syllable, count: 8)).text.unicodeScalars.count == 16)
        #expect(throws: LedgerError.self) { try CurrencyCode(String(repeating: syllable, count: 9)) }
    }

    @Test func `one code has one spelling`() throws {
        // The sign of Ångström, and the letter.
        #expect(Array(try CurrencyCode("\u{212B}").text.utf8) == Array("\u{C5}".utf8))
        #expect(Array(try CurrencyCode("E\u{301}CU").text.utf8) == Array("\u{C9}CU".utf8))
    }

    @Test func `an exponent is 0 to 18`() throws {
        let code = try CurrencyCode("PTS")
        #expect(try Currency(code, exponent: 0).exponent == 0)
        #expect(try Currency(code, exponent: 18).exponent == 18)
        for exponent in [-1, 19, .max, .min] {
            let error = #expect(throws: LedgerError.self) { try Currency(code, exponent: exponent) }
            #expect(error?.code == .invalidCurrency)
        }
    }
}
