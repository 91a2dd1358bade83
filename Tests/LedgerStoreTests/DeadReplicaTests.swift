import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import OrdersTutorial

/// A writer whose replica does not answer: nothing that records needs it, and no query that a caller asks is answered without it.
@Suite struct DeadReplicaTests {
    private static func withDead<T>(_ body: (TestBook, Ledger) async throws -> T) async throws -> T {
        try await withBook { book in
            var nowhere = book.location
            nowhere.server = .socket(path: "/nowhere/at.sock")
            let ledger = Ledger(book.location, reading: nowhere)
            do {
                let result = try await body(book, ledger)
                await ledger.close()
                return result
            } catch {
                await ledger.close()
                throw error
            }
        }
    }

    private static func moved(_ units: Int64, _ debit: AccountPath = "bank", _ credit: AccountPath = "deposits", kind: EntryKind = "sale") -> Entry {
        Entry(kind: kind, postings: [Posting(debit: debit, credit: credit, amount: Amount(minorUnits: units, .eur))])
    }

    @Test func `everything that records goes on, and gives the book of one that has no replica`() async throws {
        try await Self.withDead { book, ledger in
            try await Self.recordMoney(ledger, book)
            try await Self.recordUnits(ledger)
            try await Self.recordCommands(ledger, book)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            for (name, write) in ReadOnlyTests.writes {
                // What refuses it says so without the replica.
                do { try await write(ledger) } catch let error as LedgerError { #expect(error.code != .unavailable, "\(name): \(error)") }
            }
            try await Self.importAgain(book)
        }
    }

    private static func recordMoney(_ ledger: Ledger, _ book: TestBook) async throws {
        try await ledger.openAccount("bank", in: .eur, type: .asset)
        try await ledger.openAccount("deposits", in: .eur, type: .liability, limits: .noOverdraft)
        try await ledger.openAccount("fees", in: .eur, type: .income)
        try await ledger.openAccount("shops:a", in: .eur, type: .liability)
        try await ledger.open(TemplateBookTests.Chart.clearing)
        try await ledger.open(TemplateBookTests.Chart.merchant("bob"))
        try await ledger.defineCurrency(try Currency(CurrencyCode("XYZ"), exponent: 3))
        try await ledger.post(TemplateBookTests.OrderPaid(order: "9", price: Money(minorUnits: 5), fee: .zero, merchant: "merchants:bob"))
        let paid = moved(500)
        try await ledger.post(paid)
        #expect(try await ledger.post([paid])[0].isRepeat)
        var held = moved(20, "deposits", "bank")
        held.hold = Hold()
        try await ledger.post(held)
        try await ledger.capture(held.id, amounts: [Amount(minorUnits: 7, .eur)])
        var other = moved(20, "deposits", "bank")
        other.hold = Hold()
        try await ledger.post(other)
        try await ledger.void(other.id)
        try await ledger.expireHolds()
        let mistake = moved(3)
        try await ledger.post(mistake)
        try await ledger.reverse(mistake.id)
        try await ledger.setLimits(AccountLimits(floor: -50), of: "deposits", in: .eur)
        try await ledger.setStatus(.frozen, of: "deposits", in: .eur)
        try await ledger.setStatus(.open, of: "deposits", in: .eur)
        try await ledger.publishFeeSchedule(FeeTests.schedule(prices: #"{"basis_points": 100}"#))
        var charged = moved(1000, "bank", "shops:a", kind: "card.charged")
        charged.effectiveAt = try Timestamp("2026-01-10T12:00:00Z")
        try await ledger.post(charged)
        try await book.project()
        let assessed = try await ledger.assessFees(for: AccountingMonth("2026-01"))
        #expect(assessed.posted.count == 1 && assessed.refused.isEmpty)
        try await ledger.closePeriod(through: AccountingDay("2026-01-31"))
        #expect(try await ledger.preview([moved(1)]).count == 1)
    }

    private static func recordUnits(_ ledger: Ledger) async throws {
        let units = Units(ledger)
        try await units.run { unit in
            try await unit.load(Story.self, "1").apply(StoryOpened(title: "One"))
            try unit.claim("email", "a@example.org", for: "a")
            try unit.post(moved(4))
        }
        for _ in 0..<2 { try await units.runOnce(key: "k") { try await $0.load(Story.self, "1").apply(CommentAdded(text: "once")) } }
        try await units.exclusively([Units.Claim(Story.self, "1")]) { _ = try $0.loaded(Story.self, "1").apply(CommentAdded(text: "mine")) }
        #expect(try await units.begin().load(Story.self, "1").state.comments == ["once", "mine"])
    }

    /// Commands and processes with their jobs.
    private static func recordCommands(_ ledger: Ledger, _ book: TestBook) async throws {
        let (first, second) = (EntryID.minted(), EntryID.minted())
        try await ledger.enqueue(ReserveName(member: "a", name: "x"), id: first)
        let router = ProcessRouter(of: OrderPayment.self, ledger: ledger)
        let owner = BookOwner(book.owner)
        try await owner.createCommands()
        try await owner.createGeneration(of: router)
        try await owner.createGeneration(of: Timers())
        try await owner.switchLive(Timers(), to: 1)
        try await ledger.post(Entry(kind: "order.placed", reference: "7"))
        let jobs: [any Job] = Projector.builtIn + [CommandProcessor(ledger, CommandSupport.handlers), router, Timers()]
        let projector = Projector(book.location, jobs: jobs)
        try await projector.catchUp()
        // Those of two subjects are decided at once: who is first has to be first.
        try await ledger.enqueue(ReserveName(member: "b", name: "x"), id: second)
        try await projector.catchUp()
        #expect(try await TimerRunner(ledger).fireDue() == 0)
        let again = try await ledger.retry(command: second)
        try await projector.catchUp()
        try await ledger.resolve(command: again.id, actor: "eve", reason: "told")
        try await projector.catchUp()
        await projector.close()
        #expect(try await ledger.outcome(of: first, waiting: .seconds(60)).state == .done)
        #expect(try await ledger.primary.process(OrderPayment.self, "7").timers == ["payment"])
    }

    /// The book once more, by a ledger whose replica does not answer either.
    private static func importAgain(_ book: TestBook) async throws {
        var text = ""
        let told = try await Exporter(book.ledger).run(.jsonl) { text += $0 }
        try await withDead { other, ledger in
            let summary = try await Importer(ledger).run([Importer.File(name: "book.jsonl", format: .jsonl, bytes: Array(text.utf8))])
            #expect(summary.problems == [])
            try await other.project()
            #expect(try await Exporter(other.ledger).hash().hash == told.hash)
        }
    }

    @Test func `no query is answered without it, and all of them by the primary when it is asked`() async throws {
        try await ProcessRouterTests.withProcesses { book, router in
            let known = try await ReadOnlyTests.fill(book, router)
            var nowhere = book.location
            nowhere.server = .socket(path: "/nowhere/at.sock")
            let ledger = Ledger(book.location, reading: nowhere)
            for (name, read) in ReadOnlyTests.reads {
                #expect(try await read(ledger.primary, known), "\(name)")
                if ["receipt", "a unit that looks", "preview"].contains(name) {
                    #expect(try await read(ledger, known), "\(name)")
                    continue
                }
                let error = await #expect(throws: LedgerError.self, "\(name)") { try await read(ledger, known) }
                #expect(error?.code == .unavailable && error?.message.contains("the replica") == true, "\(name): \(error?.message ?? "")")
            }
            for (name, time) in ReadOnlyTests.times {
                await #expect(throws: LedgerError.self, "\(name)") { try await ledger.balance(of: "bank", in: .eur, at: time(known)) }
            }
            await ledger.close()
        }
    }
}
