import Indelible
import IndelibleTesting
import Testing

/// The code of docs/processes.md: compiled and run here, and the document has exactly this.
@Suite struct ProcessDocumentTests {
    struct PaymentOrder: Aggregate {
        static let category: StreamCategory = "payment-order"
        static var events: [any DomainEvent<PaymentOrder>.Type] { [PaymentReceived.self, PaymentTimedOut.self] }
        let id: String
        init(id: String) { self.id = id }
    }

    struct PaymentReceived: DomainEvent {
        static let name: EntryKind = "payment.received"
        let order: String
        let units: Int64
        func fold(into order: inout PaymentOrder) {}
    }

    struct PaymentTimedOut: DomainEvent {
        static let name: EntryKind = "payment.timed-out"
        let order: String
        func fold(into order: inout PaymentOrder) {}
    }

    enum OrderInput: Sendable {
        case placed, paymentReceived(Int64), paymentTimedOut, orderCancelled
    }

    struct OrderFacts: Hashable, Sendable {
        var received: Int64?
        var isPlaced = false
        var isTimedOut = false
        var isCancelled = false
        var isCalledOff: Bool { isTimedOut || isCancelled }

        mutating func add(_ input: OrderInput) {
            switch input {
            case .placed: isPlaced = true
            case .paymentReceived(let units): received = units
            case .paymentTimedOut: isTimedOut = true
            case .orderCancelled: isCancelled = true
            }
        }
    }

    struct Money: StateMachine {
        let order: String
        var facts = OrderFacts()
        var isEnded: Bool { facts.received != nil && facts.isCalledOff }

        mutating func evolve(_ input: OrderInput) { facts.add(input) }

        func react(to input: OrderInput) -> [Effect] {
            guard let units = facts.received else { return [] }
            let amount = Amount(minorUnits: units, .eur)
            let accepted = Entry(
                kind: "order.payment-accepted", reference: order, postings: [Posting(debit: "bank", credit: "deposits", amount: amount)])
            let refunded = Entry(
                kind: "order.payment-refunded", reference: order, postings: [Posting(debit: "deposits", credit: "bank", amount: amount)])
            let effects: [Effect] = [.post(accepted, once: "accepted")]
            return facts.isCalledOff ? effects + [.post(refunded, once: "refunded")] : effects
        }
    }

    struct CallOff: Command {
        static let name: EntryKind = "order.call-off"
        let order: String
        var subject: StreamName { get throws { try StreamName("shop-order", order) } }
    }

    struct Deadline: StateMachine {
        let order: String
        var facts = OrderFacts()
        var isEnded: Bool { facts.isCalledOff }

        mutating func evolve(_ input: OrderInput) { facts.add(input) }

        func react(to input: OrderInput) -> [Effect] {
            if facts.isCalledOff { return [.cancelTimer("payment"), .command(CallOff(order: order), once: "call-off")] }
            if facts.received != nil { return [.cancelTimer("payment")] }
            return facts.isPlaced ? [.startTimer("payment", after: .seconds(900))] : []
        }
    }

    struct OrderPayment: ProcessManager {
        static let name: ProcessName = "order-payment"
        static var inputs: [InputType<OrderPayment>] {
            [
                .entry("order.placed", for: { $0.reference }, as: { _ in .placed }),
                .event(PaymentReceived.self, for: { event, _ in event.order }, as: { .paymentReceived($0.units) }),
                .event(PaymentTimedOut.self, for: { event, _ in event.order }, as: { _ in .paymentTimedOut }),
                .entry("order.cancelled", for: { $0.reference }, as: { _ in .orderCancelled }),
                .timer("payment", as: .paymentTimedOut),
            ]
        }

        var machines: Both<Money, Deadline>
        init(id: String) { machines = Both(Money(order: id), Deadline(order: id)) }

        mutating func evolve(_ input: OrderInput) { machines.evolve(input) }
        func react(to input: OrderInput) -> [Effect] { machines.react(to: input) }
        var isEnded: Bool { machines.isEnded }
    }

    @Test func `the process of the document comes to one end in all orders`() {
        let tried = expectConvergence(
            of: OrderPayment.self, inputs: [.placed, .paymentReceived(1250), .paymentTimedOut, .orderCancelled])
        #expect(tried.orders == 25_506 && tried.ends == 23)
    }

    @Test func `the code of the document is compiled here`() throws {
        try expectCode(of: "docs/processes.md", in: "Tests/LedgerStoreTests/ProcessDocumentTests.swift", atLeast: 70)
    }

    @Test func `the code of the document does what it says on a book`() async throws {
        try await withBook { book in
            let (ledger, location, owner) = (book.ledger, book.location, book.owner)
            try await ledger.openAccount("bank", in: .eur, type: .asset)
            try await ledger.openAccount("deposits", in: .eur, type: .liability)

            let router = ProcessRouter(of: OrderPayment.self, ledger: ledger)
            try await BookOwner(owner).createGeneration(of: router)
            let generation = try await BookOwner(owner).createGeneration(of: Timers())
            try await BookOwner(owner).switchLive(Timers(), to: generation)
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
