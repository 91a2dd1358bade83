import Foundation
import LedgerModel
import Testing

/// What docs/money.md says is what happens.
@Suite struct MoneyDocumentTests {
    static let eur = Currency.iso(.eur)!
    static let usd = Currency.iso(.usd)!
    static let jpy = Currency.iso(.jpy)!

    static func lines() throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/money.md"), encoding: .utf8)
        return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The examples of one line: what they say, and what comes out.
    static func examples() throws -> [(code: String, amounts: [Amount])] {
        [
            (#"try eur.amount("100.00").split(into: 3)"#, try eur.amount("100.00").split(into: 3)),
            (#"try eur.amount("-100.00").split(into: 3)"#, try eur.amount("-100.00").split(into: 3)),
            (#"try eur.amount("0.05").allocated(by: [30, 70])"#, try eur.amount("0.05").allocated(by: [30, 70])),
            (#"try eur.amount("1.00").allocated(by: [1, 0, 1, 1])"#, try eur.amount("1.00").allocated(by: [1, 0, 1, 1])),
            (#"try jpy.amount("1000").allocated(by: [1, 2, 3, 1])"#, try jpy.amount("1000").allocated(by: [1, 2, 3, 1])),
            (
                #"try ExchangeRate("1.0834").convert(eur.amount("100.00"), from: eur, to: usd)"#,
                [try ExchangeRate("1.0834").convert(eur.amount("100.00"), from: eur, to: usd)]
            ),
            (
                #"try ExchangeRate("161.27").convert(eur.amount("10.01"), from: eur, to: jpy)"#,
                [try ExchangeRate("161.27").convert(eur.amount("10.01"), from: eur, to: jpy)]
            ),
            (
                #"try ExchangeRate("161.27").convert(eur.amount("10.01"), from: eur, to: jpy, rounding: .up)"#,
                [try ExchangeRate("161.27").convert(eur.amount("10.01"), from: eur, to: jpy, rounding: .up)]
            ),
            (
                #"try ExchangeRate("0.0062").convert(jpy.amount("1000"), from: jpy, to: eur)"#,
                [try ExchangeRate("0.0062").convert(jpy.amount("1000"), from: jpy, to: eur)]
            ),
        ]
    }

    @Test func `each line of code comes to what stands behind it, and there is no other`() throws {
        let written = try Self.lines().filter { $0.hasPrefix("try ") }
        let expected = try Self.examples().map { code, amounts in
            let results = amounts.map { amount in
                [Self.eur, Self.usd, Self.jpy].first { $0.code == amount.currency }!.format(amount)
            }
            return (code, results.joined(separator: ", "))
        }
        try #require(written.count == expected.count)
        for (line, (code, results)) in zip(written, expected) {
            let parts = line.split(separator: "//", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(parts == [code, results])
        }
    }

    @Test func `the table of roundings`() throws {
        let lines = try Self.lines()
        let thousandths: [Int128] = [15, 25, 26, -25]
        let mill = try Currency(CurrencyCode("MILL"), exponent: 3)
        #expect(lines.contains("| | " + thousandths.map(mill.format).joined(separator: " | ") + " |"))
        for rounding in Rounding.allCases {
            let cells = try thousandths.map { number in Self.eur.format(try rounding.divide(number, by: 10)) }
            #expect(lines.contains("| `\(rounding.rawValue)` | " + cells.joined(separator: " | ") + " |"), "\(rounding)")
        }
    }

    @Test func `half-even rounds as many middles up as down`() throws {
        let middles = stride(from: Int128(5), through: 995, by: 10)
        func sum(_ rounding: Rounding) throws -> String {
            Self.eur.format(try middles.reduce(0) { sum, middle in sum + (try rounding.divide(middle, by: 10)) })
        }
        #expect(middles.reduce(0, +) == 50_000)
        #expect(try sum(.halfEven) == "50.00")
        #expect(try sum(.halfUp) == "50.50")
    }

    @Test func `the conversion entry`() throws {
        let (eur, usd) = (Self.eur, Self.usd)
        let conversion = try Conversion(of: eur.amount("100.00"), from: eur, to: usd, at: ExchangeRate("1.0834"))
        let entry = try Entry.conversion(
            conversion, id: EntryID(key: "fx-1"), kind: "wallet.converted",
            from: "customers:alice", through: "conversion", to: "customers:alice")
        try entry.validate()

        let lines = try Self.lines()
        for (index, posting) in entry.postings.enumerated() {
            let currency = index == 0 ? eur : usd
            let amount = "\(currency.format(posting.amount)) \(posting.amount.currency)"
            #expect(lines.contains("| \(index + 1) | \(posting.debit) | \(posting.credit) | \(amount) |"))
        }
        #expect(lines.contains(entry.storedPayload?.text ?? ""))
        // The code above is the code of the page.
        let own = try String(contentsOfFile: #filePath, encoding: .utf8).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let start = try #require(lines.firstIndex { $0.hasPrefix("let conversion") })
        let code = lines[start...].prefix { !$0.hasPrefix("```") }
        #expect(code.count == 4)
        for line in code { #expect(own.contains(line), "\(line)") }
    }
}
