import IndelibleTesting
import Testing

@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// Times and amounts at their ends, which the book takes: the fees go on.
@Suite struct FeeEndTests {
    private static let document = """
        {"schedule":"a","version":1,"effective_from":"2026-01-01","income":"fees","rules":[{"name":"r","kinds":["card.charged"],"accounts":["shop:*"],"side":"credit",
        "prices":{"EUR":{"tiers":{"by":"volume","mode":"graduated","steps":[{"from":"0","basis_points":290},{"from":"10.00","basis_points":100}]}}}}]}
        """

    /// The result of these entries, and of a second version of the schedule after them.
    private static func fees(of entries: [Entry]) async throws -> FeeProof.Result {
        var result = FeeProof.Result()
        try await withBook { book in
            for path in ["bank", "fees", "shop:a", "shop:b"] { try await book.ledger.openAccount(try AccountPath(path), in: .eur, type: .liability) }
            try await book.ledger.publishFeeSchedule(document)
            for entry in entries {
                try await book.ledger.post(entry)
                try await book.withProjector { _ = try await $0.catchUp(["fee"]) }
            }
            try await book.ledger.publishFeeSchedule(document.replacing("\"version\":1", with: "\"version\":2").replacing("290", with: "310"))
            try await book.withProjector { _ = try await $0.catchUp(["fee"]) }
            result = try await FeeProof.with(book) { try await $0.compare() }
        }
        return result
    }

    private static func charge(_ time: String, _ amounts: (path: AccountPath, units: Int64)...) throws -> Entry {
        Entry(
            kind: "card.charged", effectiveAt: try Timestamp(time),
            postings: amounts.map { Posting(debit: "bank", credit: $0.path, amount: Amount(minorUnits: $0.units, .eur)) })
    }

    @Test(arguments: [
        ["2026-03-10T10:00:00Z", "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999999Z", "2026-03-31T23:59:59Z"],
        ["9999-11-30T00:00:00Z", "9999-11-02T00:00:00Z"],
    ]) func `entries of any month are charged`(_ times: [String]) async throws {
        let result = try await Self.fees(of: try times.map { try Self.charge($0, ("shop:a", 700)) })
        #expect(result.differences == 0 && result.charged == times.count, "\(result)")
    }

    @Test func `the last month of the book's years has fees`() async throws {
        let times = ["9999-12-31T12:00:00Z", "9999-12-31T00:00:00Z", "9999-12-15T00:00:00Z"]
        let result = try await Self.fees(of: try times.map { try Self.charge($0, ("shop:a", 700)) })
        #expect(result.differences == 0 && result.charged == 3, "\(result)")
    }

    @Test func `the last microsecond of a month far away belongs to it`() async throws {
        let times = ["2800-01-31T23:59:59.999999Z", "2800-01-31T23:00:00Z", "2800-01-02T00:00:00Z"]
        let result = try await Self.fees(of: try times.map { try Self.charge($0, ("shop:a", 700)) })
        #expect(result.differences == 0 && result.charged == 3, "\(result)")
    }

    @Test func `an account that is not charged moves more in one entry than 64 bits hold, and those that are go on`() async throws {
        let half: Int64 = 5_000_000_000_000_000_000
        let result = try await Self.fees(of: [try Self.charge("2026-03-10T10:00:00Z", ("shop:a", half), ("shop:b", half))])
        #expect(result.differences == 0 && result.charged == 2, "\(result)")
    }
}
