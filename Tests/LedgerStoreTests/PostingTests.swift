import Indelible
import IndelibleTesting
import Testing

@Suite struct PostingTests {
    @Test func `a post is done once`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability)
            let entry = Entry(
                id: EntryID(key: "k"), kind: "deposit", description: "first",
                postings: [Posting(debit: "cash", credit: "alice", amount: Amount(minorUnits: 1250, .eur))])
            let first = try await ledger.post(entry)
            let second = try await ledger.post(entry)
            #expect(first.position == second.position && first.recordedAt == second.recordedAt)
            #expect(!first.isRepeat && second.isRepeat)
            #expect(try await ledger.balance(of: "alice", in: .eur).text == "12.50")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
