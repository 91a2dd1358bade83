import Indelible
import IndelibleTesting
import Testing

/// A conversion entry in a book: two currencies, one entry.
@Suite struct ConversionPostingTests {
    @Test func `a conversion is posted once, and every currency balances by itself`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            for code in [CurrencyCode.eur, .usd] {
                try await ledger.openAccount("customers:alice", in: code, type: .liability)
                try await ledger.openAccount("conversion", in: code, type: .equity)
            }
            let (eur, usd) = (try #require(Currency.iso(.eur)), try #require(Currency.iso(.usd)))
            func entry(_ rate: String) throws -> Entry {
                try Entry.conversion(
                    Conversion(of: eur.amount("100.00"), from: eur, to: usd, at: ExchangeRate(rate)), id: EntryID(key: "fx-1"),
                    kind: "wallet.converted", from: "customers:alice", through: "conversion", to: "customers:alice")
            }
            let receipt = try await ledger.post(entry("1.0834"))
            // The same rate with a zero more is the same request; another rate is another.
            let again = try await ledger.post(entry("1.08340"))
            #expect(again.isRepeat && again.position == receipt.position)
            let error = await #expect(throws: LedgerError.self) { try await ledger.post(entry("1.08341")) }
            #expect(error?.code == .conflict)

            let expected = [
                ("customers:alice", CurrencyCode.eur, "-100.00"), ("conversion", .eur, "100.00"), ("conversion", .usd, "-108.34"),
                ("customers:alice", .usd, "108.34"),
            ]
            for (path, code, text) in expected {
                #expect(try await ledger.balance(of: AccountPath(path), in: code).text == text, "\(path) \(code)")
            }
            let stored = try #require(try await ledger.entry(EntryID(key: "fx-1")))
            #expect(stored.lines == 2)
            #expect(try JSON(parsing: stored.payload ?? "")[Entry.conversionKey]?["rate"]?.string == "1.0834")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
