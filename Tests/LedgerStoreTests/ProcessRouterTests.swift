import Indelible
import IndelibleTesting
import MariaDBDriver
import Synchronization
import Testing

@testable import OrdersTutorial

/// Processes on a book: whatever the order, whoever works and whoever stops in the middle, each comes to the end that its facts have.
@Suite struct ProcessRouterTests {
    /// A worker that dies after what it did and before its checkpoint, now and then.
    struct Dying<J: Job>: Job {
        struct Died: Error {}
        let job: J
        var definition: JobDefinition { job.definition }
        func begin(after previous: (any JobStep)?) -> any JobStep { Step(step: job.begin(after: previous)) }

        struct Step: JobStep {
            var step: any JobStep
            mutating func take(_ entries: JournalBatch) throws { try step.take(entries) }
            func prepare() async throws {
                try await step.prepare()
                if Int.random(in: 0..<3) == 0 { throw Died() }
            }
            func write(_ writer: borrowing StepWriter) throws { try step.write(writer) }
        }
    }

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    static func withProcesses<T>(_ body: (TestBook, ProcessRouter<OrderPayment>) async throws -> T) async throws -> T {
        try await withBook { book in
            try await book.ledger.openAccount("bank", in: .eur, type: .asset)
            try await book.ledger.openAccount("deposits", in: .eur, type: .liability)
            let router = ProcessRouter(of: OrderPayment.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            try await BookOwner(book.owner).createGeneration(of: Timers())
            try await BookOwner(book.owner).switchLive(Timers(), to: 1)
            return try await body(book, router)
        }
    }

    enum Fact: CaseIterable, Sendable { case placed, paid, late, cancelled }

    static func tell(_ fact: Fact, of order: String, _ ledger: Ledger) async throws {
        switch fact {
        case .placed: try await ledger.post(Entry(kind: "order.placed", reference: order))
        case .cancelled: try await ledger.post(Entry(kind: "order.cancelled", reference: order))
        case .paid:
            try await Units(ledger).run { unit in
                try unit.append(PaymentReceived(order: order, units: 500), to: order, expecting: .any)
            }
        case .late:
            try await Units(ledger).run { try $0.append(PaymentTimedOut(order: order), to: order, expecting: .any) }
        }
    }

    /// Each process has the facts that were told, and every effect that follows from them once.
    static func expectEnds(_ told: [String: Set<Fact>], _ book: TestBook) async throws {
        var posted: [Int] = []
        for kind in ["order.payment-accepted", "order.payment-refunded", "order.call-off"] {
            posted.append(try await book.number("SELECT COUNT(*) FROM entry WHERE kind = \(kind)"))
        }
        var (accepted, refunded, off) = (0, 0, 0)
        for (order, facts) in told {
            let process = try await book.ledger.process(OrderPayment.self, order)
            let state = process.state.machines.first.facts
            let isOff = facts.contains(.late) || facts.contains(.cancelled)
            #expect(
                state.isPlaced == facts.contains(.placed) && state.isCancelled == facts.contains(.cancelled)
                    && state.isTimedOut == facts.contains(.late), "\(order)")
            #expect((state.received != nil) == facts.contains(.paid), "\(order)")
            #expect(process.state.machines.second.facts == state && process.isEnded == (facts.contains(.paid) && isOff), "\(order)")
            let runs = facts.contains(.placed) && !facts.contains(.paid) && !isOff
            #expect(process.timers == (runs ? ["payment"] : []), "\(order)")
            if facts.contains(.paid) { accepted += 1 }
            if facts.contains(.paid) && isOff { refunded += 1 }
            if isOff { off += 1 }
        }
        #expect(posted == [accepted, refunded, off])
        let balance = try await book.ledger.balance(of: "deposits", in: .eur)
        #expect(balance.totals.creditsPosted == Int128(500 * accepted) && balance.totals.debitsPosted == Int128(500 * refunded))
    }

    @Test func `in random orders, with repeats, workers that die and two that race, each process comes to the end of its facts`() async throws {
        try await Self.withProcesses { book, _ in
            var random = Seeded("processes")
            var told: [String: Set<Fact>] = [:]
            var deliveries: [(String, Fact)] = []
            for number in 1...30 {
                let facts = Set(Fact.allCases.filter { _ in Bool.random(using: &random) })
                told["\(number)"] = facts
                for fact in facts { deliveries += Array(repeating: ("\(number)", fact), count: Int.random(in: 1...2, using: &random)) }
            }
            deliveries.shuffle(using: &random)
            let work = deliveries
            let isOver = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        // Each time another program, with nothing remembered.
                        while !isOver.isSet {
                            let ledger = Ledger(book.location)
                            let router = Dying(job: ProcessRouter(of: OrderPayment.self, ledger: ledger))
                            let projector = Projector(book.location, jobs: [router, Timers()], positionsMax: 16)
                            let running = Task { try await projector.run(pollInterval: .milliseconds(2)) }
                            try await Task.sleep(for: .milliseconds(Int.random(in: 50...400)))
                            running.cancel()
                            _ = await running.result
                            await projector.close()
                            await ledger.close()
                        }
                    }
                }
                group.addTask {
                    defer { isOver.set() }
                    for (order, fact) in work { try await Self.tell(fact, of: order, book.ledger) }
                    try await Task.sleep(for: .milliseconds(300))
                }
                try await group.waitForAll()
            }
            let last = ProcessRouter(of: OrderPayment.self, ledger: book.ledger)
            try await book.withProjector(Projector.builtIn + [last, Timers()]) { _ = try await $0.catchUp() }
            try await Self.expectEnds(told, book)
            _ = try await book.project()
            try await book.expectClean()
            // An input is one step, however often it was read.
            let inputs = try await book.number(
                "SELECT COUNT(*) FROM entry WHERE kind IN ('order.placed', 'order.cancelled', 'payment.received', 'payment.timed-out')")
            #expect(inputs == work.count)
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE kind = 'ledger.process-step'") == inputs)
        }
    }

    @Test func `a router that reads everything again writes nothing`() async throws {
        try await Self.withProcesses { book, router in
            for fact in Fact.allCases { try await Self.tell(fact, of: "1", book.ledger) }
            try await book.withProjector([router]) { _ = try await $0.catchUp() }
            let entries = try await book.number("SELECT COUNT(*) FROM entry")
            let other = ProcessRouter(of: OrderPayment.self, ledger: book.ledger, version: "2")
            #expect(try await BookOwner(book.owner).createGeneration(of: other) == 2)
            try await book.withProjector([other]) { _ = try await $0.catchUp() }
            #expect(try await book.number("SELECT COUNT(*) FROM entry") == entries)
            #expect(try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'process_order_payment' AND generation = 2") > 0)
        }
    }

    @Test func `an effect that the book refuses stops the job at its input and names it; then it goes on`() async throws {
        try await withBook { book in
            let router = ProcessRouter(of: OrderPayment.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            try await Self.tell(.placed, of: "1", book.ledger)
            try await Self.tell(.paid, of: "2", book.ledger)
            try await Self.tell(.placed, of: "3", book.ledger)
            let error = await #expect(throws: LedgerError.self) { try await book.withProjector([router]) { _ = try await $0.catchUp() } }
            #expect(error?.code == .integrity)
            #expect(error?.message.contains("cannot take the payment.received at position 2: there is no account bank") == true, "\(error?.message ?? "")")
            #expect(try await book.ledger.process(OrderPayment.self, "1").revision == 2)
            #expect(try await book.ledger.process(OrderPayment.self, "2").revision == 0)
            try await book.ledger.openAccount("bank", in: .eur, type: .asset)
            try await book.ledger.openAccount("deposits", in: .eur, type: .liability)
            try await book.withProjector([router]) { projector in
                try await projector.retry(router.definition.name)
                _ = try await projector.catchUp()
            }
            #expect(try await book.ledger.process(OrderPayment.self, "2").revision == 1)
            #expect(try await book.ledger.process(OrderPayment.self, "3").timers == ["payment"])
        }
    }

    enum NoticeInput: Sendable { case asked }

    /// Two of them post the same entry.
    struct Notice: ProcessManager {
        static let name: ProcessName = "notice"
        static var inputs: [InputType<Notice>] { [.entry("notice.asked", for: { $0.reference }, as: { _ in .asked })] }
        init(id: String) {}
        mutating func evolve(_ input: NoticeInput) {}
        func react(to input: NoticeInput) -> [Effect] { [.post(Entry(id: EntryID(key: "the notice"), kind: "notice.given", reference: "all"))] }
        var isEnded: Bool { false }
    }

    @Test func `an entry with an id that the process gives is posted once, whoever is first, and stops the job if it stands for something else`() async throws {
        try await withBook { book in
            let router = ProcessRouter(of: Notice.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            for id in ["1", "2", "1"] { try await book.ledger.post(Entry(kind: "notice.asked", reference: id)) }
            try await book.withProjector([router]) { _ = try await $0.catchUp() }
            #expect(try await book.entries(.processStep).count == 3)
            #expect(try await book.entries("notice.given").count == 1)
            #expect(try await book.ledger.processHistory(Notice.name, "2")?.count == 2)
        }
        try await withBook { book in
            let router = ProcessRouter(of: Notice.self, ledger: book.ledger)
            try await BookOwner(book.owner).createGeneration(of: router)
            try await book.ledger.post(Entry(id: EntryID(key: "the notice"), kind: "notice.withheld"))
            try await book.ledger.post(Entry(kind: "notice.asked", reference: "1"))
            let error = await #expect(throws: LedgerError.self) { try await book.withProjector([router]) { _ = try await $0.catchUp() } }
            #expect(error?.message.contains("cannot take the notice.asked at position 2") == true, "\(error?.message ?? "")")
            #expect(try await book.entries(.processStep).isEmpty)
        }
    }

    @Test func `what a step brings about stands with it, and belongs to what its input belonged to`() async throws {
        try await Self.withProcesses { book, router in
            try await Trace.withCorrelation("request-7") { try await Self.tell(.paid, of: "1", book.ledger) }
            try await book.withProjector([router]) { _ = try await $0.catchUp() }
            let step = try #require(try await book.entries(.processStep).first)
            let effect = try #require(try await book.entries("order.payment-accepted").first)
            #expect(effect.position.number == step.position.number + 1)
            let input = try #require(try await book.entries("payment.received").first?.id?.description)
            for entry in [step, effect] {
                let own = try JSON(parsing: try #require(entry.payload))["ledger"]
                #expect(own?["correlation"] == "request-7" && own?["causation"]?.string == input)
            }
            let events = try #require(try await book.ledger.processHistory(OrderPayment.name, "1"))
            #expect(events.map(\.id) == [step.id, effect.id])
            #expect(try await book.ledger.processHistory(OrderPayment.name, "2") == nil)
        }
    }
}

extension TestBook {
    func expectClean(_ location: SourceLocation = #_sourceLocation) async throws {
        let found = try await reconcile()
        let findings = found.checks.flatMap { check in check.findings.map { "\(check.name): \($0)" } }
        #expect(found.verdict == .clean, "\(found.verdict) \(findings)", sourceLocation: location)
    }
}
