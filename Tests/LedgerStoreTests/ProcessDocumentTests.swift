import Indelible
import IndelibleTesting
import Testing

@testable import OrdersTutorial

/// The code of docs/processes.md: compiled and run here, and the document has exactly this.
@Suite struct ProcessDocumentTests {
    @Test func `the code of the document is compiled here`() throws {
        try expectCode(of: "docs/processes.md", in: "Tests/LedgerStoreTests/ProcessDocumentTests.swift", atLeast: 11)
    }

    @Test func `the code of the document does what it says on a book`() async throws {
        try await withBook { book in
            let (ledger, location, owner) = (book.ledger, book.location, book.owner)
            try await ledger.openAccount("bank", in: .eur, type: .asset)
            try await ledger.openAccount("deposits", in: .eur, type: .liability)

            let router = ProcessRouter(of: OrderPayment.self, ledger: ledger)
            try await BookOwner(owner).createJob(router)
            try await BookOwner(owner).createJob(Timers())
            let callOffs = CommandHandler(for: CallOff.self) { command, unit in
                try unit.post(Entry(kind: "order.called-off", reference: command.order))
            }
            try await BookOwner(owner).createCommands()
            let projector = Projector(location, jobs: Projector.builtIn + [router, Timers(), CommandProcessor(ledger, [callOffs])])
            let timers = TimerRunner(ledger)

            try await ledger.post(Entry(kind: "order.placed", reference: "1001"))
            try await projector.catchUp()
            #expect(try await timers.fireDue() == 0)
            let placed = try await ledger.process(OrderPayment.self, "1001")
            #expect(placed.timers == ["payment"] && placed.revision == 2 && !placed.isEnded)

            try await Units(ledger).run { unit in
                try unit.append(PaymentReceived(order: "1001", units: 1250), to: "1001", expecting: .any)
            }
            try await ledger.post(Entry(kind: "order.cancelled", reference: "1001"))
            try await projector.catchUp()
            let paid = try await ledger.process(OrderPayment.self, "1001")
            #expect(paid.timers.isEmpty && paid.isEnded)
            #expect(try await ledger.balance(of: "deposits", in: .eur).totals.creditsPosted == 1250)
            #expect(try await ledger.balance(of: "deposits", in: .eur).totals.debitsPosted == 1250)
            let history = try #require(try await ledger.processHistory(OrderPayment.name, "1001"))
            #expect(history.count == 8)
            try await projector.catchUp()
            #expect(try await book.entries("order.called-off").count == 1)
            let summary = try #require(try await ledger.processes().first)
            #expect(summary.id == "1001" && summary.steps == 3 && summary.timers == 0 && summary.isEnded)
            await projector.close()
            _ = try await book.project()
            try await book.expectClean()
        }
    }
}
