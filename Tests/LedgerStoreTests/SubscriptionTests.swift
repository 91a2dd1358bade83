import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

/// Durable named subscribers.
@Suite struct SubscriptionTests {
    private final class Receiver: Sendable {
        struct Down: Error {}
        private let state = Mutex((told: [String](), failures: [String: Int]()))
        var told: [String] { state.withLock { $0.told } }

        init(failures: [String: Int] = [:]) { state.withLock { $0.failures = failures } }

        func take(_ entry: RecordedEntry) throws {
            try state.withLock { state in
                let name = entry.reference ?? ""
                if state.failures[name, default: 0] > 0 {
                    state.failures[name, default: 0] -= 1
                    throw Down()
                }
                state.told.append(name)
            }
        }
    }

    private static func post(_ numbers: ClosedRange<Int>, _ book: TestBook) async throws {
        for number in numbers { try await book.ledger.post(Entry(kind: number % 2 == 0 ? "even" : "odd", reference: "\(number)")) }
    }

    private static func run(_ subscription: Subscription, _ book: TestBook, until isDone: () -> Bool) async throws {
        let projector = Projector(book.location, jobs: [subscription])
        let running = Task { try await projector.run(pollInterval: .milliseconds(2)) }
        for _ in 0..<12_000 where !isDone() { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        _ = await running.result
        await projector.close()
    }

    @Test func `each entry of its kinds is told in order, and not again when one behind it fails`() async throws {
        try await withBook { book in
            let receiver = Receiver(failures: ["6": 2, "8": 1])
            let subscription = Subscription("evens", of: ["even"], on: book.ledger) { try receiver.take($0) }
            try await BookOwner(book.owner).createGeneration(of: subscription)
            try await Self.post(1...10, book)
            try await Self.run(subscription, book) { receiver.told.count == 5 }
            #expect(receiver.told == ["2", "4", "6", "8", "10"])
            // Another program goes on where this one ended.
            try await Self.post(11...14, book)
            let later = Subscription("evens", of: ["even"], on: book.ledger) { try receiver.take($0) }
            try await Self.run(later, book) { receiver.told.count == 7 }
            #expect(receiver.told.suffix(2) == ["12", "14"])
        }
    }

    @Test func `a slow receiver is not taken for one that hangs`() async throws {
        try await withBook { book in
            let projector = Mutex<Projector?>(nil)
            let seen = Mutex<(begun: ContinuousClock.Instant, since: [Duration])>((.now, []))
            let subscription = Subscription("slow", on: book.ledger) { entry in
                if entry.reference == "1" { seen.withLock { $0.begun = .now } }
                if entry.reference == "4" {
                    let since = projector.withLock { $0?.health.first?.sinceHeartbeat }
                    seen.withLock { $0.since = [$0.begun.duration(to: .now)] + (since.map { [$0] } ?? []) }
                }
                try await Task.sleep(for: .milliseconds(400))
            }
            try await BookOwner(book.owner).createJob(subscription)
            try await book.ledger.post((1...4).map { Entry(kind: "told", reference: "\($0)") })
            projector.withLock { $0 = Projector(book.location, jobs: [subscription]) }
            let running = projector.withLock { $0 }!
            let following = Task { try await running.run() }
            for _ in 0..<6000 where seen.withLock({ $0.since.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
            following.cancel()
            _ = await following.result
            await running.close()
            let times = seen.withLock { $0.since }
            // All of it is one step: the loop itself has not come round since the first.
            #expect(times.count == 2 && times[0] > .milliseconds(1100) && times[1] < times[0] - .milliseconds(700), "\(times)")
        }
    }

    @Test func `a new one begins after the position that it is given`() async throws {
        try await withBook { book in
            try await Self.post(1...4, book)
            let start = try await book.ledger.post(Entry(kind: "now")).position
            try await Self.post(5...6, book)
            let receiver = Receiver()
            let subscription = Subscription("new", after: start, on: book.ledger) { try receiver.take($0) }
            try await BookOwner(book.owner).createGeneration(of: subscription)
            try await Self.run(subscription, book) { receiver.told.count == 2 }
            #expect(receiver.told == ["5", "6"])
        }
    }

    @Test func `an entry that is wrong for its receiver stops it there, and it goes on when it is told to`() async throws {
        try await withBook { book in
            let isRepaired = Atomic(false)
            let receiver = Receiver()
            let subscription = Subscription("strict", on: book.ledger) { entry in
                if entry.reference == "3", !isRepaired.load(ordering: .relaxed) { throw LedgerError(.integrity, "three is wrong") }
                try receiver.take(entry)
            }
            try await BookOwner(book.owner).createGeneration(of: subscription)
            try await Self.post(1...4, book)
            let projector = Projector(book.location, jobs: [subscription])
            await #expect(throws: LedgerError.self) { try await projector.catchUp() }
            let status = try await projector.status().first { $0.generation.job == "events_strict" }
            #expect(status?.failed?.failure.message.contains("three is wrong") == true && status?.failed?.failure.position == Position(3))
            #expect(receiver.told == ["1", "2"])
            isRepaired.store(true, ordering: .relaxed)
            try await projector.catchUp(heedsOperators: false)
            #expect(receiver.told == ["1", "2", "3", "4"])
            await projector.close()
        }
    }

    @Test func `what cannot be translated is named, and what has no translation is nobody's business`() async throws {
        try await withBook { book in
            try await Self.post(1...2, book)
            let translator = Translator(source: "/t", [.entry("odd", to: "t.odd.v1") { entry in
                guard entry.reference == "2" else { throw Receiver.Down() }
                return [:]
            }])
            for try await entry in book.ledger.entries(after: .zero) {
                if entry.kind == "even" { #expect(try translator.event(of: entry) == nil) } else {
                    #expect { try translator.event(of: entry) } throws: { error in
                        (error as? LedgerError)?.code == .integrity && "\(error)".contains("the odd at position 1 cannot be translated")
                    }
                }
            }
            for broken in ["", "[]", "{}", #"{"specversion":"0.3"}"#, #"{"specversion":"1.0","data":{},"id":"1","source":"/t"}"#] {
                #expect(throws: LedgerError.self) { try PublicEvent(parsing: broken) }
            }
        }
    }
}
