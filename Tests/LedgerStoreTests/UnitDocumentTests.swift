import Foundation
import Indelible
import IndelibleTesting
import Testing

/// The code of docs/units.md: compiled and run here, and the document has exactly this.
@Suite struct UnitDocumentTests {
    struct Article: Aggregate {
        static let category: StreamCategory = "article"
        static var events: [any DomainEvent<Article>.Type] { [ArticleWritten.self, CommentMade.self, ArticleClosed.self] }

        let id: String
        var title = ""
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
        let title: String
        func fold(into article: inout Article) { article.title = title }
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

    struct Author: PlainState {
        static let category: StreamCategory = "author"
        static let name: EntryKind = "author.saved"
        let id: String
        var email = ""
        var articles = 0
        init(id: String) { self.id = id }

        func validate(after old: Author) throws {
            guard email.contains("@") else { throw AuthorError.noEmail }
        }
    }

    enum AuthorError: Error { case noEmail }

    protocol Articles: Sendable {
        func article(_ id: String) async throws -> Ref<Article>
    }

    struct PublishedArticles: Articles {
        let units: Units

        func article(_ id: String) async throws -> Ref<Article> {
            try await units.join { try await $0.load(Article.self, id) }
        }
    }

    struct Comments: Sendable {
        let articles: any Articles
        let units: Units

        func add(_ text: String, to id: String) async throws {
            try await units.join { _ in
                let article = try await articles.article(id)
                try article.apply(try article.state.comment(text))
            }
        }
    }

    @Test func `the code of the document does what it says`() async throws {
        try await StreamAppendTests.withUnits { book, _ in
            try await Self.work(book.ledger)
            try await Self.keepSnapshots(book.location, book.owner)
            let units = Units(book.ledger)
            let (author, articles) = (
                try await units.begin().load(Author.self, "ann"), try await units.begin().preload(Article.self, ["1", "2"])
            )
            #expect(author.state.articles == 2 && articles.map(\.state.comments) == [2, 1] && articles[0].state.isClosed)
            let third = try #require(try await book.entries("article.comment-made").last?.payload)
            #expect(try JSON(parsing: third)["ledger"]?["correlation"] == "request-17")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    private static func work(_ ledger: Ledger) async throws {
        let units = Units(ledger)
        try await units.run { unit in
            let author = try await unit.load(Author.self, "ann")
            try author.swap { author in
                author.email = "ann@example.org"
                author.articles += 1
            }
            try await unit.load(Article.self, "1").apply(ArticleWritten(title: "Ledgers"))
            try unit.claim("email", "ann@example.org", for: "author:ann")
        }

        let unit = units.begin()
        let article = try await unit.load(Article.self, "1")
        try article.apply(try article.state.comment("Well said"))
        try await unit.commit()  // or unit.rollBack()

        try await units.run(.relaxed(window: .seconds(5))) { unit in
            let article = try await unit.load(Article.self, "1")
            try article.apply(try article.state.comment("Me too"))
        }
        try await units.exclusively([try Units.Claim(Author.self, "ann")]) { unit in
            try unit.loaded(Author.self, "ann").swap { $0.articles += 1 }
        }

        let first = try await units.runOnce(key: "request-17") { unit in
            try await unit.load(Article.self, "1").apply(ArticleClosed())
        }
        let again = try await units.runOnce(key: "request-17") { unit in
            try await unit.load(Article.self, "1").apply(ArticleClosed())
        }
        guard case .done = first, case .repeated = again else { throw ArticleError.closed }

        try await Trace.withCorrelation("request-17") {
            try await Comments(articles: PublishedArticles(units: units), units: units).add("Third", to: "2")
        }
    }

    private static func keepSnapshots(_ location: BookLocation, _ owner: BookLocation) async throws {
        let snapshots = Snapshots(of: Author.self, every: 100)
        let generation = try await BookOwner(owner).createGeneration(of: snapshots)
        try await BookOwner(owner).switchLive(snapshots, to: generation)
        let projector = Projector(location, jobs: Projector.builtIn + [snapshots])
        try await projector.catchUp()
        let reader = Ledger(location, snapshots: snapshots)
        await projector.close()
        await reader.close()
    }

    @Test func `the document has this code and no other`() throws {
        try expectCode(of: "docs/units.md", in: "Tests/LedgerStoreTests/UnitDocumentTests.swift", atLeast: 80)
    }
}
