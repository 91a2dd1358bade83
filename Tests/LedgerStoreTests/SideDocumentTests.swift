import Indelible
import IndelibleTesting
import Replication
import Testing

/// The code of docs/sides.md: compiled and run here, and the document has exactly this.
@Suite(.serialized) struct SideDocumentTests {
    struct Article: Aggregate {
        static let category: StreamCategory = "article"
        static var events: [any DomainEvent<Article>.Type] { [ArticleWritten.self, CommentMade.self, ArticleClosed.self] }
        let id: String
        var comments = 0
        var isClosed = false
        init(id: String) { self.id = id }

        func comment(_ text: String) throws -> CommentMade {
            guard !isClosed else { throw ArticleError.closed }
            return CommentMade(text: text)
        }
    }

    enum ArticleError: Error { case closed }

    struct ArticleWritten: DomainEvent {
        static let name: EntryKind = "article.written"
        let article: String
        func fold(into article: inout Article) {}
    }

    struct CommentMade: DomainEvent {
        static let name: EntryKind = "article.comment-made"
        let text: String
        func fold(into article: inout Article) { article.comments += 1 }
    }

    struct ArticleClosed: DomainEvent {
        static let name: EntryKind = "article.closed"
        func fold(into article: inout Article) { article.isClosed = true }
    }

    private static func paid(_ units: Int64) -> Entry {
        Entry(kind: "deposit", postings: [Posting(debit: "bank", credit: "customers:alice", amount: Amount(minorUnits: units, .eur))])
    }

    @Test func `the code of the document does what it says`() async throws {
        try await Replicated.with { both in
            try await both.book.ledger.openAccount("bank", in: .eur, type: .asset)
            try await both.book.ledger.openAccount("customers:alice", in: .eur, type: .liability)
            try await both.book.ledger.post(Self.paid(100))
            try await Units(both.book.ledger).run { try await $0.load(Article.self, "7").apply(ArticleWritten(article: "7")) }
            try await both.catchUp()
            try await Self.runReadOnly(both.replica, settings: ["INDELIBLE_MODE": "read-only"])
            try await Self.runWithReplica(both)
            try await Self.runUnit(both)
        }
    }

    private static func runReadOnly(_ location: BookLocation, settings: [String: String]) async throws {
        let entry = paid(1)
        let mode = try LedgerMode(parsing: settings["INDELIBLE_MODE"] ?? "writer")  // or read-only
        let ledger = Ledger(location, mode: mode)
        let balance = try await ledger.balance(of: "customers:alice", in: .eur)
        #expect(balance.minorUnits == 100)
        var told = ""
        func print(_ code: LedgerError.Code, _ text: String) { told = "\(code) \(text)" }
        do throws(LedgerError) { try await ledger.post(entry) } catch {
            print(error.code, error.message)  // readOnly this process is read-only: it reads the book as its auditor and records nothing. …
        }
        #expect(told.hasPrefix("readOnly this process is read-only: it reads the book as its auditor and records nothing. "))
        await ledger.close()
    }

    private static func runWithReplica(_ both: Replicated) async throws {
        let (primary, replica, entry) = (both.book.location, both.replica, paid(5))
        try await both.stall()
        let resuming = Task {
            try await Task.sleep(for: .milliseconds(500))
            try await both.resume()
        }
        let ledger = Ledger(primary, reading: replica)
        let receipt = try await ledger.post(entry)
        let old = try await ledger.balance(of: "customers:alice", in: .eur)
        let new = try await ledger.balance(of: "customers:alice", in: .eur, at: .atLeast(receipt))
        let newest = try await ledger.primary.balance(of: "customers:alice", in: .eur)
        #expect(old.minorUnits == 100 && new.minorUnits == 105 && newest.minorUnits == 105)
        #expect(old.through < receipt.position && new.through >= receipt.position)
        try await resuming.value
        await ledger.close()
    }

    /// The article is closed on the primary, and the replica has not heard of it.
    private static func runUnit(_ both: Replicated) async throws {
        let ledger = Ledger(both.book.location, reading: both.replica)
        try await comment(ledger)
        try await both.stall()
        try await Units(both.book.ledger).run { try await $0.load(Article.self, "7").apply(ArticleClosed()) }
        await #expect(throws: ArticleError.closed) { try await comment(ledger) }
        #expect(try await Units(ledger).begin().load(Article.self, "7").state.comments == 1)
        await ledger.close()
    }

    private static func comment(_ ledger: Ledger) async throws {
        var query = EntryQuery()
        query.kind = ArticleWritten.name
        let found = try await ledger.entries(query)
        let id = try found.last?.payload.flatMap { try JSON(parsing: $0)["article"]?.string } ?? "1"

        let units = Units(ledger)
        try await units.run { unit in
            let article = try await unit.load(Article.self, id)
            try article.apply(try article.state.comment("Well said"))
        }
    }

    @Test func `the document has this code and no other`() throws {
        try expectCode(of: "docs/sides.md", in: "Tests/LedgerStoreTests/SideDocumentTests.swift", atLeast: 18)
    }
}
