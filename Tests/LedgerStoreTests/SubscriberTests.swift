import Indelible
import IndelibleTesting
import MariaDBDriver
import Synchronization
import Testing

/// A job that acts outside of the book stands on the same engine: at least once, in order, and on with what comes after.
@Suite struct SubscriberTests {
    private final class Receiver: Sendable {
        struct Down: Error {}
        private let state = Mutex((received: [UInt64](), refusals: 0))
        var received: [UInt64] { state.withLock { $0.received } }

        init(refusals: Int) { state.withLock { $0.refusals = refusals } }

        func receive(_ positions: [UInt64]) throws {
            try state.withLock { state in
                // It has the first of them when it goes down.
                if state.refusals > 0 {
                    state.refusals -= 1
                    state.received += positions.prefix(1)
                    throw Down()
                }
                state.received += positions
            }
        }
    }

    private struct Subscriber: Job {
        let definition = JobDefinition(name: "subscriber", version: "1", positionsMax: 4)
        let receiver: Receiver
        func begin(after previous: (any JobStep)?) -> any JobStep { Step(receiver: receiver) }

        struct Step: JobStep {
            let receiver: Receiver
            var positions: [UInt64] = []
            mutating func take(_ entries: JournalBatch) { positions += entries.map(\.position.number) }
            func prepare() throws { try receiver.receive(positions) }
            func write(_ writer: borrowing StepWriter) {}
        }
    }

    @Test func `a receiver that is down for a while misses nothing, and nobody stops the job for it`() async throws {
        try await withBook { book in
            let receiver = Receiver(refusals: 3)
            let subscriber = Subscriber(receiver: receiver)
            #expect(try await BookOwner(book.owner).createGeneration(of: subscriber) == 1)
            for number in 1...20 { try await book.ledger.post(Entry(id: EntryID(key: "\(number)"), kind: "told", postings: [])) }
            let projector = Projector(book.location, jobs: [subscriber])
            let running = Task { try await projector.run(pollInterval: .milliseconds(2)) }
            for _ in 0..<6000 where receiver.received.last != 20 { try await Task.sleep(for: .milliseconds(10)) }
            running.cancel()
            _ = await running.result
            #expect(try await projector.status().first { $0.generation.job == "subscriber" }?.failed == nil)
            await projector.close()
            let received = receiver.received
            // Three times the first one too often; without what came twice it is the journal.
            #expect(received.count == 23)
            #expect(received.prefix(7) == [1, 1, 1, 1, 2, 3, 4])
            #expect(Array(received.dropFirst(3)) == Array(1...20))
            #expect(try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'subscriber'") == 5)
        }
    }
}
