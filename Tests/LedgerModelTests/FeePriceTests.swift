import Foundation
import LedgerModel
import Testing

/// Prices by hand; `docs/fees.md` has more, which FeeDocumentTests runs.
@Suite struct FeePriceTests {
    private func price(_ json: String, _ code: CurrencyCode = .eur) throws -> FeePrice {
        let document = """
            {"schedule": "s", "version": 1, "effective_from": "2026-01-01", "income": "fees", "rules": [{"name": "r", "kinds": ["k"],
             "accounts": ["a"], "side": "credit", "prices": {"\(code)": \(json)}}]}
            """
        let schedule = try FeeSchedule(try JSON(parsing: document), currencies: Currency.iso, zone: .gmt)
        return try #require(schedule.rules[0].price(code))
    }

    @Test func `a percentage is rounded once, and the rounding is kept`() throws {
        let fee = try price(#"{"basis_points": "287.5", "fixed": "0.30"}"#).fee(1999, volume: 0)
        // 19.99 × 2.875 % = 57.47125 cents.
        #expect(fee.percentage == 57)
        #expect(fee.rounding == -47_125_000)
        #expect(fee.fixed == 30)
        #expect(fee.fee == 87)
    }

    @Test func `graduated volume crosses steps, whole volume does not`() throws {
        let steps = #""steps": [{"from": "0", "basis_points": 300}, {"from": "10.00", "basis_points": 200}, {"from": "20.00", "basis_points": 100, "fixed": "0.01"}]"#
        let graduated = try price(#"{"tiers": {"by": "volume", "mode": "graduated", \#(steps)}}"#).fee(1500, volume: 900)
        #expect(graduated.slices == [FeeSlice(step: 1, amount: 100), FeeSlice(step: 2, amount: 1000), FeeSlice(step: 3, amount: 400)])
        #expect(graduated.percentage == 27 && graduated.fixed == 1)
        let whole = try price(#"{"tiers": {"by": "volume", "mode": "whole", \#(steps)}}"#).fee(1500, volume: 1000)
        #expect(whole.slices == [FeeSlice(step: 2, amount: 1500)])
        #expect(whole.fee == 30)
        let below = try price(#"{"tiers": {"by": "volume", "mode": "graduated", \#(steps)}}"#).fee(1500, volume: -100)
        #expect(below.slices == [FeeSlice(step: 1, amount: 1100), FeeSlice(step: 2, amount: 400)])
    }

    @Test func `patterns`() throws {
        let rows: [(String, AccountPath, Bool)] = [
            ("a:*", "a:b", true), ("a:*", "a", false), ("a:*", "a:b:c", false), ("a:**", "a:b:c", true), ("a:**", "a", false), ("**", "a", true),
            ("*:b", "a:b", true), ("a", "a", true), ("a", "ab", false),
        ]
        for (pattern, path, fits) in rows { #expect(try #require(AccountPattern(pattern)).matches(path) == fits, "\(pattern) \(path)") }
        for text in ["", "a::b", "**:a", "a*", "a:", "a:***"] { #expect(AccountPattern(text) == nil, "\(text)") }
        #expect(try #require(KindPattern("card.*")).matches("card.charged"))
        #expect(!(try #require(KindPattern("*")).matches("ledger.reversed")))
        for text in ["ledger.reversed", "ledger.*", "", "Card", "card.**"] { #expect(KindPattern(text) == nil, "\(text)") }
    }
}
