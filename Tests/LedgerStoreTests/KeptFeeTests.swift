import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Synchronization
import Testing

@testable import LedgerStore

/// The two flows of ``LostFeeTests`` on a book: no fee is lost, in whatever order they meet.
///
/// The event is an entry of its own, and the fee is a row that the projector adds. Neither flow writes what the other has written, so there is
/// nothing that an old copy could be saved over: the charge's entry stands as it was posted, and nobody has to be faster. Two workers that compute
/// the same fee both insert the same checkpoint; one of them gets a duplicate key and rolls its rows back. What is projected twice, or by another
/// worker, or made again in a new generation, is the same, because it follows from the entries alone.
@Suite struct KeptFeeTests {
    private static let schedule = """
        {"schedule": "cards", "version": 1, "effective_from": "2026-01-01", "income": "fees", "rules": [
          {"name": "cards", "kinds": ["card.charged"], "accounts": ["merchants:*"], "side": "credit", "prices": {"EUR": {"basis_points": 140, "fixed": "0.25"}}}]}
        """

    private static func charge(_ key: String) throws -> Entry {
        Entry(
            id: EntryID(key: "charge \(key)"), kind: "card.charged", effectiveAt: try Timestamp("2026-02-01"),
            postings: [Posting(debit: "clearing", credit: "merchants:bob", amount: Amount(minorUnits: 10_000, .eur))])
    }

    private static func event(_ key: String) -> Entry {
        Entry(
            id: EntryID(key: "event \(key)"), kind: "card.captured", reference: "charge \(key)",
            postings: [Posting(debit: "bank", credit: "clearing", amount: Amount(minorUnits: 10_000, .eur))])
    }

    /// A book with the schedule, and two workers that run no step unless they are told.
    private func withShop(_ body: (TestBook, [Projector]) async throws -> Void) async throws {
        try await withBook { book in
            try await book.ledger.openAccount("bank", in: .eur, type: .asset)
            try await book.ledger.openAccount("clearing", in: .eur, type: .asset)
            try await book.ledger.openAccount("fees", in: .eur, type: .income)
            try await book.ledger.openAccount("merchants:bob", in: .eur, type: .liability)
            try await book.ledger.publishFeeSchedule(Self.schedule)
            try await book.withProjector { one in
                try await book.withProjector { two in try await body(book, [one, two]) }
            }
        }
    }

    /// The fee of a charge: one row, never another one; and its event stands.
    private static func expectBoth(_ key: String, _ book: TestBook, _ order: String, _ location: SourceLocation = #_sourceLocation) async throws {
        let fees = try await book.ledger.fees(of: EntryID(key: "charge \(key)")).fees.map(\.fee)
        #expect(fees == [165], "\(order)", sourceLocation: location)
        let event = try await book.ledger.entry(EntryID(key: "event \(key)"))
        #expect(event != nil, "\(order)", sourceLocation: location)
    }

    @Test(.timeLimit(.minutes(2))) func `in every order of charge, event and two workers the fee is there, once`() async throws {
        func orders(_ rest: [String]) -> [[String]] {
            rest.isEmpty ? [[]] : rest.indices.flatMap { index in orders(rest.filter { $0 != rest[index] }).map { [rest[index]] + $0 } }
        }
        let all = orders(["charge", "event", "one", "two"])
        #expect(all.count == 24)
        try await withShop { book, workers in
            for (number, order) in all.enumerated() {
                let key = String(number)
                for step in order {
                    switch step {
                    case "charge": try await book.ledger.post(try Self.charge(key))
                    case "event": try await book.ledger.post(Self.event(key))
                    case "one": try await workers[0].catchUp(["fee"])
                    default: try await workers[1].catchUp(["fee"])
                    }
                }
                try await workers[number % 2].catchUp(["fee"])
                try await Self.expectBoth(key, book, order.joined(separator: ", "))
            }
        }
    }

    /// The fees, with something that happens between what a step reads and what it writes.
    private struct Interrupted: Job {
        let interruption: @Sendable () async throws -> Void
        var definition: JobDefinition { FeeProjection.definition }

        func begin(after previous: (any JobStep)?) -> any JobStep {
            Step(step: FeeProjection().begin(after: (previous as? Step)?.step), interruption: interruption)
        }

        struct Step: JobStep {
            var step: any JobStep
            let interruption: @Sendable () async throws -> Void

            mutating func take(_ entries: JournalBatch) throws { try step.take(entries) }
            func prepare() async throws { try await interruption() }
            func write(_ writer: borrowing StepWriter) throws { try step.write(writer) }
        }
    }

    private final class Once: Sendable {
        private let isDone = Mutex(false)
        func isFirst() -> Bool { isDone.withLock { done in defer { done = true }; return !done } }
    }

    @Test(.timeLimit(.minutes(2))) func `an event between what the fee's flow reads and what it writes changes nothing of the fee`() async throws {
        try await withShop { book, workers in
            try await workers[0].catchUp(["fee"])
            try await book.ledger.post(try Self.charge("read"))
            let once = Once()
            let job = Interrupted { if once.isFirst() { try await book.ledger.post(Self.event("read")) } }
            try await book.withProjector([job]) { _ = try await $0.catchUp() }
            #expect(!once.isFirst())
            try await Self.expectBoth("read", book, "event in between")

            // And another worker that does the whole step in between: one of them has done it, the other has written nothing.
            try await book.ledger.post(try Self.charge("twice"))
            try await book.ledger.post(Self.event("twice"))
            let again = Once()
            let overtaken = Interrupted { if again.isFirst() { try await workers[1].catchUp(["fee"]) } }
            let rows = try await book.number("SELECT COUNT(*) FROM fee_g1")
            try await book.withProjector([overtaken]) { projector in
                let step = try await projector.step(of: "fee")
                #expect(step == .stoodDown)
            }
            #expect(try await book.number("SELECT COUNT(*) FROM fee_g1") == rows + 1)
            try await Self.expectBoth("twice", book, "another worker in between")
        }
    }

    private static let lanes = 4
    private static let chargesOfLane = 25

    /// For each charge of a lane both flows at once, each with a pause of its own.
    private static func race(_ lane: Int, _ book: TestBook, _ workers: [Projector], _ random: inout Seeded) async throws {
        for number in 0..<chargesOfLane {
            let key = "\(lane)-\(number)"
            try await book.ledger.post(try charge(key))
            let pauses = (0..<2).map { _ in Int.random(in: 0...8000, using: &random) }
            async let fee: Void = {
                try await Task.sleep(for: .microseconds(pauses[0]))
                try await workers[lane % 2].catchUp(["fee"])
            }()
            async let captured: Void = {
                try await Task.sleep(for: .microseconds(pauses[1]))
                try await book.ledger.post(event(key))
            }()
            _ = try await (fee, captured)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `of a hundred charges whose flows meet none has lost its fee, and projecting again changes nothing`() async throws {
        let random = Seeded("kept fees")
        try await withShop { book, workers in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<Self.lanes {
                    group.addTask {
                        var random = Seeded(seed: random.seed &+ UInt64(lane))
                        try await Self.race(lane, book, workers, &random)
                    }
                }
                try await group.waitForAll()
            }
            let count = Self.lanes * Self.chargesOfLane
            func expectAll(_ when: String) async throws {
                #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE kind = 'card.captured'") == count, "\(when)")
                #expect(try await book.number("SELECT COUNT(DISTINCT id) FROM fee_g1 WHERE fee = 165") == count, "\(when)")
                #expect(try await book.number("SELECT COUNT(*) FROM fee_g1") == count, "\(when): a fee was written twice")
            }
            // A worker waits for nobody: what was behind a position in flight it left to the next one.
            try await workers[0].catchUp()
            try await expectAll("when both flows have ended")
            for _ in 0..<2 {
                async let one = workers[0].catchUp()
                async let two = workers[1].catchUp()
                _ = try await (one, two)
            }
            try await expectAll("projected twice by two workers")
            let generation = try await BookOwner(book.owner).createGeneration(of: FeeProjection())
            try await workers[1].catchUp(["fee"])
            let comparison = try await workers[0].compare("fee", generation: generation)
            #expect(comparison.isEqual && comparison.examined > 0, "\(comparison.differences)")
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
