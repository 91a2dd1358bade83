import Indelible
import IndelibleTesting
import Testing

/// A bulk does what its members' commands would have done one by one.
@Suite struct BulkAgreementTests {
    @Test func `a bulk leaves the same balances and the same refusals as single commands`() async throws {
        var random = Seeded("bulk and singles")
        let count = 60
        let kinds = (0..<count).map { _ in Int.random(in: 0..<6, using: &random) }
        let units = Int64.random(in: 5...40, using: &random)
        let bulk = try await Self.run(kinds) { book in try await book.ledger.enqueue(ChargeAll(units: units), id: EntryID(key: "bulk")) }
        let singles = try await Self.run(kinds) { book in
            for number in 1...count { try await book.ledger.enqueue(ChargeOne(account: try BulkSupport.path(number), units: units)) }
        }
        #expect(bulk.balances == singles.balances)
        #expect(bulk.refused == singles.refused)
        // Some of each, or it proves nothing.
        #expect(bulk.refused.count > 3 && bulk.refused.count < count - 3)
    }

    private struct End: Equatable {
        var balances: [String: Int128] = [:]
        /// By account: why.
        var refused: [String: String] = [:]
    }

    /// A book of accounts with and without limits, of which some are frozen or closed, in which something is enqueued and decided.
    private static func run(_ kinds: [Int], _ enqueue: (TestBook) async throws -> Void) async throws -> End {
        try await BulkSupport.withBook(customers: kinds.count, limits: { kinds[$0 - 1] < 2 ? .noOverdraft : .none }) { book in
            for (index, kind) in kinds.enumerated() where kind == 2 {
                try await book.ledger.setStatus(.frozen, of: try BulkSupport.path(index + 1), in: .eur)
            }
            try await enqueue(book)
            try await book.decideBulks(pageMax: 7)
            var end = End()
            for balance in try await book.ledger.balances() { end.balances[balance.account.path.text] = balance.minorUnits }
            var query = CommandQuery()
            (query.name, query.state, query.limit) = ("charge.one", .refused, 1000)
            for refused in try await book.ledger.commands(query) { end.refused[refused.subject.text] = refused.reason ?? "" }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            return end
        }
    }
}
