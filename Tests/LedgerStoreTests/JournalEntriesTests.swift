import Foundation
import IndelibleTesting
import Synchronization
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reading along: `ledger.entries(after:)`.
@Suite struct JournalEntriesTests {
    private struct RollBack: Error {}

    private static func all(_ entries: JournalEntries) async throws -> [RecordedEntry] {
        var found: [RecordedEntry] = []
        for try await entry in entries { found.append(entry) }
        return found
    }

    @Test func `entries come in order with paths and payloads, from any position, and end at the last one`() async throws {
        try await withBook { book in
            _ = try await book.openAccounts(2)
            try await book.ledger.post((1...1100).map { Entry(kind: $0 % 2 == 0 ? "even" : "odd", reference: "\($0)") })
            let hold = try await book.ledger.post(
                Entry(kind: "held", postings: [Posting(debit: "a0", credit: "a1", amount: Amount(minorUnits: 7, .eur))], hold: Hold()))
            let all = try await Self.all(book.ledger.entries(after: .zero))
            #expect(all.map(\.position.number) == Array(1...hold.position.number))
            #expect(all.compactMap(\.reference) == (1...1100).map(String.init))
            #expect(all.last?.postings == [RecordedPosting(debit: "a0", credit: "a1", amount: Amount(minorUnits: 7, .eur), status: .pending)])
            let some = try await Self.all(book.ledger.entries(after: all[599].position, of: ["even", "held"]))
            #expect(some.map(\.id) == all.dropFirst(600).filter { $0.kind == "even" || $0.kind == "held" }.map(\.id))
            #expect(try await Self.all(book.ledger.entries(after: hold.position)).isEmpty)
        }
    }

    @Test func `an event is read as its type, and says to what its unit belonged`() async throws {
        try await withBook { book in
            try await Trace.withCorrelation("request-7") {
                try await Units(book.ledger).run { unit in try unit.append(Told(words: "hello"), to: "1", expecting: .any) }
            }
            let entry = try #require(try await Self.all(book.ledger.entries(after: .zero, of: ["talk.told"])).first)
            #expect(try entry.decoded(Told.self).words == "hello")
            #expect(entry.stream?.text == "talk:1" && entry.correlation == "request-7" && entry.payload == ["words": "hello"])
        }
    }

    struct Talk: Aggregate {
        static let category: StreamCategory = "talk"
        static var events: [any DomainEvent<Talk>.Type] { [Told.self] }
        init(id: String) {}
    }

    struct Told: DomainEvent {
        static let name: EntryKind = "talk.told"
        let words: String
        func fold(into talk: inout Talk) {}
    }

    @Test func `who follows while 8 writers race, roll back and commit late gets each entry once, in order`() async throws {
        var random = Seeded("following")
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let plans = (0..<8).map { _ in
                (0..<30).map { _ in (pause: UInt32.random(in: 0...6000, using: &random), rollsBack: Int.random(in: 0..<10, using: &random) == 0) }
            }
            let head = Mutex<UInt64?>(nil)
            let following = Task { () throws -> [UInt64] in
                var positions: [UInt64] = []
                for try await entry in book.ledger.entries(after: .zero, following: true, pollInterval: .milliseconds(1)) {
                    positions.append(entry.position.number)
                    if positions.last == head.withLock({ $0 }) { break }
                }
                return positions
            }
            // Somebody decides what is dead.
            let projector = Projector(book.location)
            let jobs = Task { try await projector.run(pollInterval: .milliseconds(2)) }
            await withTaskGroup(of: Void.self) { group in
                for plan in plans { group.addTask { await Self.write(plan, accounts, book) } }
            }
            let last = try await book.ledger.post(Entry(kind: "last")).position.number
            head.withLock { $0 = last }
            // It may have passed the last one before it was told of it.
            try await book.ledger.post(Entry(kind: "really.last"))
            head.withLock { $0 = last + 1 }
            let positions = try await following.value
            jobs.cancel()
            _ = await jobs.result
            await projector.close()
            let standing = try await book.ledger.entries(Self.everything()).map(\.position.number)
            #expect(positions == standing.filter { $0 <= (positions.last ?? 0) }, "INDELIBLE_SEED=\(random.seed)")
            #expect(positions.count > 200)
        }
    }

    private static func everything() -> EntryQuery {
        var query = EntryQuery()
        query.limit = 1_000_000
        return query
    }

    private static func write(_ plan: [(pause: UInt32, rollsBack: Bool)], _ accounts: [Account], _ book: TestBook) async {
        let database = Database(book.location, role: .writer, connectionsMax: 1)
        for step in plan {
            try? await database.write { transaction in
                _ = try JournalWriter.append([Draft(accounts[0], accounts[1], 1)], in: transaction)
                usleep(step.pause)
                if step.rollsBack { throw RollBack() }
            }
        }
        await database.close()
    }

    @Test func `a position that nobody decides ends the reading, and whoever follows is told which it is`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let database = Database(book.location, role: .writer, connectionsMax: 1)
            // The position is gone: it was handed out, and rolled back after others had taken theirs.
            try? await database.write { transaction in
                _ = try JournalWriter.append([Draft(accounts[0], accounts[1], 1)], in: transaction)
                throw RollBack()
            }
            await database.close()
            let gap = try await book.ledger.post(Entry(kind: "behind")).position.number - 1
            #expect(try await Self.all(book.ledger.entries(after: .zero)).last?.position.number == gap - 1)
            await #expect {
                _ = try await Self.all(book.ledger.entries(after: .zero, following: true, patience: .milliseconds(100)))
            } throws: { error in
                (error as? LedgerError)?.code == .busy && "\(error)".contains("position \(gap) is not decided")
            }
            // A job decides it.
            _ = try await book.project()
            #expect(try await Self.all(book.ledger.entries(after: .zero)).last?.position.number == gap + 1)
        }
    }

    @Test func `who is cancelled while following ends without an error`() async throws {
        try await withBook { book in
            let count = Atomic(0)
            let following = Task {
                for try await _ in book.ledger.entries(after: .zero, following: true) { count.add(1, ordering: .relaxed) }
            }
            try await book.ledger.post(Entry(kind: "one"))
            for _ in 0..<12_000 where count.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(count.load(ordering: .relaxed) == 1)
            following.cancel()
            try await following.value
        }
    }
}
