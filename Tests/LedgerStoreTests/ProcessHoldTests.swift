import Indelible
import IndelibleTesting
import Testing

/// Processes that capture and void holds.
@Suite struct ProcessHoldTests {
    enum Input: Sendable { case paid, cancelled }

    /// The money is held; whoever pays first captures a part, whoever cancels first gives it back.
    struct Booking: ProcessManager {
        static let name: ProcessName = "booking"
        static var inputs: [InputType<Booking>] {
            [.entry("booking.paid", for: { $0.reference }, as: { _ in .paid }), .entry("booking.cancelled", for: { $0.reference }, as: { _ in .cancelled })]
        }
        let id: String
        var isPaid = false
        var isCancelled = false
        init(id: String) { self.id = id }
        var hold: EntryID { EntryID(key: "hold \(id)") }

        mutating func evolve(_ input: Input) {
            switch input {
            case .paid: isPaid = true
            case .cancelled: isCancelled = true
            }
        }

        /// Who cancels is heard, also when it is late: what was captured is given back.
        func react(to input: Input) -> [Effect] {
            if isCancelled { return [.void(hold)] }
            return [.capture(hold, amounts: [Amount(minorUnits: 80, .eur)])]
        }
        var isEnded: Bool { isCancelled }
    }

    private static func withBookings(_ body: (TestBook, Projector) async throws -> Void) async throws {
        try await withBook { book in
            try await book.ledger.openAccount("guest", in: .eur, type: .asset)
            try await book.ledger.openAccount("house", in: .eur, type: .income)
            for id in ["1", "2", "3"] {
                try await book.ledger.post(
                    Entry(
                        id: EntryID(key: "hold \(id)"), kind: "booking.held",
                        postings: [Posting(debit: "guest", credit: "house", amount: Amount(minorUnits: 100, .eur))], hold: Hold()))
            }
            let router = ProcessRouter(of: Booking.self, ledger: book.ledger)
            try await BookOwner(book.owner).createJob(router)
            let projector = Projector(book.location, jobs: [router])
            try await body(book, projector)
            await projector.close()
        }
    }

    private static func say(_ kind: EntryKind, _ id: String, _ book: TestBook) async throws {
        try await book.ledger.post(Entry(kind: kind, reference: id))
    }

    @Test func `a hold is settled once, however often the process asks for it`() async throws {
        try await Self.withBookings { book, projector in
            for _ in 1...2 { try await Self.say("booking.paid", "1", book) }
            for _ in 1...2 { try await Self.say("booking.cancelled", "2", book) }
            // Somebody has voided it before.
            try await book.ledger.void(EntryID(key: "hold 3"))
            try await Self.say("booking.cancelled", "3", book)
            try await projector.catchUp()
            let totals = try await book.ledger.balance(of: "house", in: .eur).totals
            #expect(totals.creditsPosted == 80 && totals.creditsPending == 0)
            #expect(try await book.ledger.processes().map(\.steps) == [2, 2, 1])
            let kinds = try await ["1", "2", "3"].asyncMap { try await book.ledger.entry(.settlement(of: EntryID(key: "hold \($0)")))?.kind }
            #expect(kinds == [.holdCaptured, .holdVoided, .holdVoided])
            let history = try #require(try await book.ledger.processHistory(Booking.name, "1"))
            #expect(history.contains { $0.what == .posted(.holdCaptured) })
            _ = try await book.project()
            try await book.expectClean()
        }
    }

    @Test(arguments: [false, true]) func `a hold that was settled otherwise stops the router, which names it`(isByHand: Bool) async throws {
        try await Self.withBookings { book, projector in
            if isByHand {
                try await book.ledger.capture(EntryID(key: "hold 1"), amounts: [Amount(minorUnits: 70, .eur)])
            } else {
                try await Self.say("booking.cancelled", "1", book)
                try await projector.catchUp()
                try await book.ledger.void(EntryID(key: "hold 2"))
            }
            try await Self.say("booking.paid", isByHand ? "1" : "2", book)
            await #expect { try await projector.catchUp() } throws: { error in
                (error as? LedgerError)?.code == .integrity && "\(error)".contains("cannot be captured so")
            }
        }
    }

    @Test func `that one captures and another voids the same hold depends on the order, and the test kit says so`() {
        let tried = Convergence(of: Booking.self, inputs: [.paid, .cancelled])
        #expect(tried.problem?.contains("two effects that differ have one id") == true)
        let cancelled = Convergence(of: Booking.self, inputs: [.cancelled])
        #expect(cancelled.problem == nil && cancelled.difference == nil && cancelled.ends == 1)
    }
}

extension Array where Element: Sendable {
    fileprivate func asyncMap<T>(_ body: (Element) async throws -> T) async rethrows -> [T] {
        var all: [T] = []
        for element in self { all.append(try await body(element)) }
        return all
    }
}
