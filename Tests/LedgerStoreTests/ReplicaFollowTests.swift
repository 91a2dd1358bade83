import Foundation
import IndelibleTesting
import MariaDBDriver
import Replication
import Synchronization
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// A reader on a replica follows the journal while writers on the primary race, roll back and commit late.
@Suite(.serialized) struct ReplicaFollowTests {
    private struct RollBack: Error {}

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    /// What a reader has read, step by step.
    private struct Followed: Sendable {
        var lines: [String] = []
        /// Ids that ``Ledger/entries(after:of:following:pollInterval:patience:)`` has handed out, in its order.
        var ids: [EntryID] = []
        var last = Position.zero
        var through = Position.zero
        /// What the accounts stood at when it had come to a position.
        var moments: [(position: Position, sums: [Int128])] = []
        /// How often something above a gap was visible and was not read.
        var gaps = 0
        /// Ids that a reader finds which remembers the last position that it has seen.
        var byLastSeen: Set<EntryID> = []
        var lastSeen = Position.zero
    }

    @Test(.timeLimit(.minutes(2))) func `what it has read is always a prefix of the primary's journal`() async throws {
        var random = Seeded("replica")
        try await Replicated.with { both in
            let accounts = try await both.book.openAccounts(6)
            let plans = (0..<6).map { _ in Self.plan(&random) }
            let reader = Ledger(both.replica, mode: .readOnly)
            let isOver = Flag()
            let following = Task { try await Self.follow(reader, isOver) }
            let projecting = Task {
                let projector = Projector(both.book.location)
                try await projector.run(pollInterval: .milliseconds(2))
                await projector.close()
            }
            let posted = try await Self.write(both, accounts, plans)
            projecting.cancel()
            _ = await projecting.result
            try await both.book.project()
            try await both.catchUp()
            isOver.set()
            let followed = try await following.value
            await reader.close()
            try await Self.check(followed, both, posted)
        }
    }

    private struct Step: Sendable {
        let (from, to): (Int, Int)
        let amount: Int64
        let pause: UInt32
        let rollsBack: Bool
    }

    private static func plan(_ random: inout Seeded) -> [Step] {
        (0..<60).map { _ in
            Step(
                from: Int.random(in: 0..<3, using: &random), to: Int.random(in: 3..<6, using: &random),
                amount: Int64.random(in: 1...1000, using: &random),
                pause: Int.random(in: 0..<8, using: &random) == 0 ? 30_000 : UInt32.random(in: 0...2000, using: &random),
                rollsBack: Int.random(in: 0..<10, using: &random) == 0)
        }
    }

    /// The writers; what they posted altogether.
    private static func write(_ both: Replicated, _ accounts: [Account], _ plans: [[Step]]) async throws -> Int64 {
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for plan in plans {
                group.addTask {
                    let database = Database(both.book.location, role: .writer, connectionsMax: 1)
                    var sum: Int64 = 0
                    for step in plan where try await post(step, both.book.ledger, accounts, database) { sum += step.amount }
                    await database.close()
                    return sum
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// Posts in a transaction that lasts for a while; false if it is rolled back.
    private static func post(_ step: Step, _ ledger: Ledger, _ accounts: [Account], _ database: Database) async throws -> Bool {
        let entry = transfer(accounts[step.from], accounts[step.to], step.amount)
        do {
            try await database.write { transaction in
                _ = try ledger.post(entry, in: transaction)
                usleep(step.pause)
                if step.rollsBack { throw RollBack() }
            }
            return true
        } catch is RollBack { return false }
    }

    private static func follow(_ reader: Ledger, _ isOver: Flag) async throws -> Followed {
        var followed = Followed()
        while true {
            let isLast = isOver.isSet
            var text = ""
            let from = Position(followed.through.number + 1)
            let read = try await Exporter(reader).run(.jsonl, from: from) { text += $0 }
            if read.head > read.through { followed.gaps += 1 }
            if read.through > followed.through {
                followed.through = read.through
                followed.lines += text.split(separator: "\n").map(String.init)
                let sums = try await reader.balances(at: .position(read.through)).map(\.minorUnits)
                followed.moments.append((read.through, sums))
            }
            for try await entry in reader.entries(after: followed.last) {
                followed.ids.append(entry.id)
                followed.last = entry.position
            }
            try await seeLast(reader, &followed)
            if isLast { return followed }
            try await Task.sleep(for: .milliseconds(3))
        }
    }

    private static func seeLast(_ reader: Ledger, _ followed: inout Followed) async throws {
        var query = EntryQuery()
        (query.after, query.limit) = (followed.lastSeen, 10_000)
        let entries = try await reader.entries(query)
        followed.byLastSeen.formUnion(entries.compactMap(\.id))
        followed.lastSeen = entries.last?.position ?? followed.lastSeen
    }

    private static func check(_ followed: Followed, _ both: Replicated, _ posted: Int64) async throws {
        var text = ""
        let whole = try await Exporter(both.book.ledger).run(.jsonl) { text += $0 }
        #expect(whole.through == whole.head && followed.through == whole.through)
        #expect(followed.lines == text.split(separator: "\n").map(String.init))
        var query = EntryQuery()
        query.limit = 100_000
        #expect(try await followed.ids == both.book.ledger.entries(query).compactMap(\.id))
        for (position, sums) in followed.moments {
            let there = try await both.book.ledger.balances(at: .position(position)).map(\.minorUnits)
            #expect(there == sums, "at position \(position)")
        }
        let sums = try #require(followed.moments.last).sums
        #expect(sums.prefix(3).reduce(0, +) == Int128(posted) && sums.suffix(3).reduce(0, +) == -Int128(posted))
        // The test would find a reader that skips: there were gaps, and one that remembers the last position lost entries.
        let all = try await both.book.number("SELECT COUNT(*) FROM entry WHERE id IS NOT NULL")
        print("\(followed.moments.count) looks that found something, \(followed.gaps) with a gap; by the last position \(all - followed.byLastSeen.count) of \(all) were lost")
        #expect(followed.moments.count > 10 && followed.gaps > 0 && followed.byLastSeen.count < all)
    }
}
