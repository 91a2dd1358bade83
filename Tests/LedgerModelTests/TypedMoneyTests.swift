import Foundation
import LedgerModel
import Testing

private enum Fils: CurrencyType { static let currency = Currency("KWD", exponent: 3) }

@Suite struct TypedMoneyTests {
    @Test func `money is read and printed in the decimals of its currency`() throws {
        #expect(try Money<EUR>("12.5").minorUnits == 1250)
        #expect(try Money<JPY>("7").description == "7 JPY")
        #expect(try Money<Fils>("-0.05").description == "-0.050 KWD")
        #expect(try Money<USD>("1").amount == Amount(minorUnits: 100, .usd))
        for bad in ["", "1,5", "1.505", "12 EUR", "92233720368547758.08"] {
            let error = #expect(throws: LedgerError.self, "\(bad)") { try Money<EUR>(bad) }
            #expect(error?.code == .invalidAmount)
        }
    }

    @Test func `an amount of another currency becomes no money`() throws {
        #expect(try Money<EUR>(Amount(minorUnits: 3, .eur)) == Money(minorUnits: 3))
        let error = #expect(throws: LedgerError.self) { try Money<EUR>(Amount(minorUnits: 3, .usd)) }
        #expect(error?.code == .currencyMismatch)
        #expect(error?.message == "an amount of USD is no amount of EUR")
    }

    @Test func `sums that do not fit are errors that show the sum`() throws {
        let (least, most, one) = (Money<EUR>(minorUnits: .min), Money<EUR>(minorUnits: .max), Money<EUR>(minorUnits: 1))
        let sums: [(String, () throws(LedgerError) -> Money<EUR>)] = [
            ("92233720368547758.07 EUR + 0.01 EUR", { () throws(LedgerError) in try most + one }),
            ("-92233720368547758.08 EUR - 0.01 EUR", { () throws(LedgerError) in try least - one }),
            ("0.00 EUR - -92233720368547758.08 EUR", { () throws(LedgerError) in try .zero - least }),
            ("92233720368547758.07 EUR * 2", { () throws(LedgerError) in try most * 2 }),
            ("-92233720368547758.08 EUR * -1", { () throws(LedgerError) in try least * -1 }),
        ]
        for (text, sum) in sums {
            let error = #expect(throws: LedgerError.self, "\(text)") { try sum() }
            #expect(error?.code == .invalidAmount)
            #expect(error?.message == "\(text) does not fit into 64 bits of minor units")
        }
        #expect(try most + Money(minorUnits: 0) == most && (try least - .zero) == least && (try most - most) == .zero)
    }

    @Test func `sums, differences and multiples are those of whole numbers`() throws {
        var random = Seeded("typed money")
        var refused = 0
        for _ in 0..<5000 {
            let (a, b) = (random.signedInteger(), random.signedInteger())
            let (left, right) = (Money<EUR>(minorUnits: a), Money<EUR>(minorUnits: b))
            let expected = [Int128(a) + Int128(b), Int128(a) - Int128(b), Int128(a) * Int128(b)].map { Int64(exactly: $0) }
            #expect([try? left + right, try? left - right, try? left * b].map { $0?.minorUnits } == expected, "\(a) \(b)")
            refused += expected.count { $0 == nil }
            #expect((left < right) == (a < b) && (left == right) == (a == b))
        }
        #expect(refused > 100)
    }

    @Test func `dividing and converting is what it is without types`() throws {
        let money = try Money<EUR>("100")
        #expect(try money.split(into: 3).map(\.amount) == money.amount.split(into: 3))
        #expect(try money.allocated(by: [1, 2, 3]).map(\.amount) == money.amount.allocated(by: [1, 2, 3]))
        #expect(throws: LedgerError.self) { try money.split(into: 0) }
        let rate = try ExchangeRate("161.27")
        #expect(try Money<EUR>("10.01").converted(to: JPY.self, at: rate) == Money(minorUnits: 1614))
        #expect(try Money<EUR>("10.01").converted(to: JPY.self, at: rate, rounding: .up) == Money(minorUnits: 1615))
    }

    @Test func `money is encoded as its minor units`() throws {
        for units in [Int64.min, -1, 0, 1250, .max] {
            let data = try JSONEncoder().encode([Money<EUR>(minorUnits: units)])
            #expect(String(decoding: data, as: UTF8.self) == "[\(units)]")
            #expect(try JSONDecoder().decode([Money<EUR>].self, from: data) == [Money(minorUnits: units)])
        }
        for bad in ["[12.5]", #"["12"]"#, "[9223372036854775808]", "[{}]", "[null]"] {
            #expect(throws: DecodingError.self, "\(bad)") { try JSONDecoder().decode([Money<EUR>].self, from: Data(bad.utf8)) }
        }
    }
}
