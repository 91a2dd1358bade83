import Foundation
import LedgerModel
import Testing

/// How the ledger's values stand in JSON.
@Suite struct CodingTests {
    private struct Everything: Codable, Equatable {
        var posting = Posting(debit: "bank:main", credit: "customers:zoë", amount: Amount(minorUnits: .max, .eur))
        var at = Timestamp(microseconds: 1_767_225_600_000_001)
        var entry = EntryID(key: "order-1001")
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T { try JSONDecoder().decode(type, from: Data(text.utf8)) }

    @Test func `values stand in JSON as people write them, and come back`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(Everything())
        #expect(
            String(decoding: data, as: UTF8.self) == """
                {"at":"2026-01-01T00:00:00.000001Z","entry":"\(EntryID(key: "order-1001"))","posting":{"amount":\
                {"currency":"EUR","minor_units":9223372036854775807},"credit":"customers:zoë","debit":"bank:main"}}
                """)
        #expect(try JSONDecoder().decode(Everything.self, from: data) == Everything())
    }

    @Test(arguments: [
        ("AccountPath", #""a::b""#), ("AccountPath", "7"), ("CurrencyCode", #""E R""#), ("CurrencyCode", "null"),
        ("Amount", #"{"currency":"E R","minor_units":1}"#), ("Amount", #"{"currency":"EUR","minor_units":1.5}"#),
        ("Amount", #"{"currency":"EUR","minor_units":"1"}"#), ("Amount", #"{"currency":"EUR","minor_units":9223372036854775808}"#),
        ("Amount", #"{"currency":"EUR"}"#), ("Amount", #""1.00 EUR""#), ("Posting", #"{"debit":"a","credit":"b"}"#),
        ("Timestamp", #""2026-13-01""#), ("Timestamp", "1767225600"), ("EntryID", #""0123""#), ("EntryID", "123"),
    ])
    func `what is no value is refused`(_ type: String, _ text: String) throws {
        let types: [any Decodable.Type] = [AccountPath.self, CurrencyCode.self, Amount.self, Posting.self, Timestamp.self, EntryID.self]
        let found = try #require(types.first { "\($0)" == type })
        #expect(throws: (any Error).self) { try Self.decode(found, text) }
    }

    @Test func `the refusal says what is wrong`() {
        #expect(throws: LedgerError(.invalidAccount, "“a::b” is no account path: a segment between two : is empty")) {
            try Self.decode(AccountPath.self, #""a::b""#)
        }
    }
}
