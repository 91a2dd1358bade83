import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

@testable import OrdersTutorial

/// The code of docs/subscriptions.md: compiled and run here, and the document has exactly this.
@Suite struct SubscriptionDocumentTests {
    struct Welcome: Command {
        static let name: EntryKind = "welcome.send"
        let account: String
        var subject: StreamName { get throws { try StreamName("customer", account) } }
    }

    private final class Office: Sendable {
        private let letters = Mutex<[String]>([])
        var written: [String] { letters.withLock { $0 } }
        func write(_ text: String, reference: String) async throws { letters.withLock { $0.append(text) } }
    }

    @Test func `the code of the document does what it says`() async throws {
        try await withBook { book in
            let (ledger, location, owner) = (book.ledger, book.location, book.owner)
            let other = try await TestBook.make(on: book.server).ledger
            let office = Office()
            try await ledger.openAccount("bank", in: .eur, type: .asset)
            try await ledger.openAccount("customers:ann", in: .eur, type: .liability)
            try await Units(ledger).run { unit in
                try unit.append(PaymentReceived(order: "1001", units: 1250), to: "1001", expecting: .any)
            }

            var last = Position.zero
            for try await entry in ledger.entries(after: last) {
                print(entry.position, entry.kind, entry.postings.map { "\($0.debit) \($0.credit) \($0.amount)" })
                last = entry.position
            }
            #expect(try await ledger.entry(at: last)?.kind == "payment.received")

            let letters = Subscription("letters", of: [PaymentReceived.name], on: ledger) { entry in
                let payment = try entry.decoded(PaymentReceived.self)
                try await office.write("received \(payment.units) for \(payment.order)", reference: entry.id.description)
            }
            try await BookOwner(owner).createJob(letters)
            let projector = Projector(location, jobs: Projector.builtIn + [letters])
            try await projector.catchUp()
            #expect(office.written == ["received 1250 for 1001"])
            await projector.close()

            let translator = Self.translator
            let welcomes = Subscription("welcomes", of: translator.kinds, on: ledger) { entry in
                guard let event = try translator.event(of: entry), event.type == "com.example.account-opened.v1" else { return }
                try await other.enqueue(
                    Welcome(account: event.data["account"]?.string ?? ""), id: EntryID(key: event.source + "#" + event.id), sentAt: SentTime(event.time))
            }
            // The second one begins at the beginning too: what it tells was told before.
            for _ in 1...2 {
                let generation = try await BookOwner(owner).createGeneration(of: welcomes)
                let projector = Projector(location, jobs: [welcomes])
                try await projector.catchUp(generation: generation)
                await projector.close()
            }
            var query = EntryQuery()
            query.kind = "welcome.send"
            #expect(try await other.entries(query).map { try JSON(parsing: $0.payload ?? "")["account"] } == ["customers:ann"])
            try await Self.expectDocumented(ledger)
            await other.close()
        }
    }

    private static let translator: Translator = {
        let translator = Translator(source: "/books/shop", [
            .event(PaymentReceived.self, to: "com.example.payment-received.v1", subject: { event, _ in event.order }) { event, _ in
                ["order": .string(event.order), "minorUnits": .integer(event.units)]
            },
            .entry(.accountOpened, to: "com.example.account-opened.v1") { entry in
                guard let account = entry.payload["account"], entry.payload["type"] == "liability" else { return nil }
                return ["account": account]
            },
        ])
        return translator
    }()

    /// The JSON that the document shows, but for id and time.
    private static func expectDocumented(_ ledger: Ledger) async throws {
        for try await entry in ledger.entries(after: .zero, of: [PaymentReceived.name]) {
            let event = try #require(try translator.event(of: entry))
            let shown = event.json.replacing(event.id, with: "…").replacing(event.time.description, with: "…")
            let document = try String(contentsOf: repository.appendingPathComponent("docs/subscriptions.md"), encoding: .utf8)
            #expect(document.contains("\n\(shown)\n"), "\(shown)")
            #expect(try PublicEvent(parsing: event.json) == event && event.position == entry.position)
            let data = try JSONEncoder().encode([event])
            #expect(try JSONDecoder().decode([PublicEvent].self, from: data) == [event])
        }
    }

    @Test func `the code of the document is compiled here`() throws {
        try expectCode(of: "docs/subscriptions.md", in: "Tests/LedgerStoreTests/SubscriptionDocumentTests.swift", atLeast: 25)
    }
}
