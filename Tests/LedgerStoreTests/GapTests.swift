import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// The journal's order (DESIGN §3): no reader skips what commits late, whoever races.
@Suite struct GapTests {
    private struct RollBack: Error {}

    @Test func `balances equal the table's while 16 writers race, roll back and commit late`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(10)
            var random = Seeded("gap")
            let plans = (0..<16).map { _ in
                (0..<40).map { _ in
                    (from: Int.random(in: 0..<5, using: &random), to: Int.random(in: 5..<10, using: &random),
                     amount: Int64.random(in: 1...1000, using: &random), pause: UInt32.random(in: 0...6000, using: &random),
                     rollsBack: Int.random(in: 0..<10, using: &random) == 0)
                }
            }
            let posted = try await withThrowingTaskGroup(of: Int64.self) { group in
                group.addTask {
                    // One that takes its position first and commits long after the others passed it.
                    try await commit([Draft(accounts[0], accounts[5], 7)], in: book, after: 2_000_000)
                    return 7
                }
                for plan in plans {
                    group.addTask {
                        let database = Database(book.location, role: .writer, connectionsMax: 1)
                        var sum: Int64 = 0
                        for step in plan {
                            do {
                                try await database.write { transaction in
                                    let draft = Draft(accounts[step.from], accounts[step.to], step.amount)
                                    _ = try JournalWriter.append([draft], in: transaction)
                                    usleep(step.pause)
                                    if step.rollsBack { throw RollBack() }
                                }
                                sum += step.amount
                            } catch is RollBack {}
                        }
                        await database.close()
                        return sum
                    }
                }
                let following = (0..<2).map { _ in
                    Task {
                        let projector = Projector(book.location)
                        try await projector.run(pollInterval: .milliseconds(2))
                        await projector.close()
                    }
                }
                var sum: Int64 = 0
                for try await part in group { sum += part }
                for task in following { task.cancel() }
                for task in following { try await task.value }
                return sum
            }
            try await book.project()
            let credited = try await book.ledger.balances(at: .projected).map(\.totals.creditsPosted).reduce(0, +)
            #expect(credited == Int128(posted))
            #expect(try await book.number("SELECT SUM(amount) FROM posting") == Int(posted))
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE id IS NULL") > 0, "nothing was rolled back")
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a reader that trusts the last id loses what commits late; the projector waits for it`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.project()
            let naive = NaiveReader(last: try await book.number("SELECT MAX(position) FROM entry"))

            let late = Latch()
            let holding = Task {
                let database = Database(book.location, role: .writer, connectionsMax: 1)
                try await database.write { transaction in
                    _ = try JournalWriter.append([Draft(accounts[0], accounts[1], 5)], in: transaction)
                    late.open()
                    late.waitForRelease()
                }
                await database.close()
            }
            await late.waitUntilOpen()
            let passed = try await book.ledger.post(transfer(accounts[0], accounts[1], 3))

            try await naive.read(book)
            let projector = Projector(book.location)
            let before = try await projector.catchUp()
            #expect(before.waitingFor == Position(passed.position.number - 1))
            #expect(before.through == Position(passed.position.number - 2))
            // Everything that is committed counts in the current balance; the projection is behind.
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .current).totals.debitsPosted == 3)
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .projected).totals.debitsPosted == 0)
            await #expect(throws: LedgerError.self) {
                try await book.ledger.balance(of: "a1", in: .eur, at: .position(passed.position))
            }
            let unproven = try await book.reconcile()
            #expect(unproven.verdict == .incomplete)

            late.release()
            try await holding.value
            try await naive.read(book)
            let after = try await projector.catchUp()
            await projector.close()
            #expect(after.through == passed.position && after.waitingFor == nil)
            let table = try await book.number("SELECT SUM(amount) FROM posting")
            #expect(table == 8)
            #expect(await naive.sum == 3, "the naive reader was expected to lose the late 5")
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .projected).totals.debitsPosted == 8)
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .position(passed.position)).totals.debitsPosted == 8)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a position that was rolled back becomes a tombstone`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let database = Database(book.location, role: .writer, connectionsMax: 1)
            for _ in 0..<3 {
                await #expect(throws: RollBack.self) {
                    try await database.write { transaction in
                        let drafts = (0..<700).map { _ in Draft(accounts[0], accounts[1], 1) }
                        _ = try JournalWriter.append(drafts, in: transaction)
                        throw RollBack()
                    }
                }
            }
            await database.close()
            let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            #expect(try await book.project() == receipt.position)
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE id IS NULL AND kind = 'ledger.tombstone'") == 2100)
            let tombstone = try #require(try await book.ledger.entry(at: Position(receipt.position.number - 1)))
            #expect(tombstone.isTombstone && tombstone.postings.isEmpty)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a writer whose position was claimed takes new ones and loses nothing`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let posting = Task {
                for _ in 0..<15 {
                    try await book.ledger.post((0..<1000).map { _ in transfer(accounts[0], accounts[1], 1) })
                }
            }
            // Claims positions that a running INSERT holds and has not come to yet. No job does that on purpose, but a writer
            // that stalls between the two may meet it.
            let claimer = Database(book.location, role: .projector, connectionsMax: 1, waitsForLocks: false)
            let done = Task {
                while !Task.isCancelled {
                    let head = UInt64(try await book.number("SELECT MAX(position) FROM entry"))
                    _ = try? await claimer.run(.tombstones(at: [head + 900], kind: EntryKind.tombstone.text))
                }
            }
            try await posting.value
            done.cancel()
            _ = await done.result
            await claimer.close()
            try await book.project()
            // A batch that lost one of its positions has burned all of them.
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE id IS NULL") > 1000, "no batch lost a position")
            #expect(try await book.number("SELECT COUNT(*) FROM posting") == 15_000)
            #expect(try await book.ledger.balance(of: "a1", in: .eur).totals.debitsPosted == 15_000)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a gap of more than ten million positions stops the jobs and is named`() async throws {
        try await withBook { book in
            try await book.project()
            try await book.withConnection(role: .projector) { connection in
                _ = try await connection.query("INSERT INTO entry (position, kind) VALUES (20000000, 'ledger.tombstone')")
            }
            let projector = Projector(book.location)
            let error = await #expect(throws: LedgerError.self) { try await projector.step() }
            await projector.close()
            #expect(error?.code == .integrity)
            #expect(error?.message.contains("20000000") == true)
        }
    }

    private func commit(_ drafts: [Draft], in book: TestBook, after microseconds: UInt32) async throws {
        let database = Database(book.location, role: .writer, connectionsMax: 1)
        try await database.write { transaction in
            _ = try JournalWriter.append(drafts, in: transaction)
            usleep(microseconds)
        }
        await database.close()
    }
}

/// Remembers the last position that it saw, as most event stores on MySQL do.
private actor NaiveReader {
    private var last: Int
    private(set) var sum: Int64 = 0

    init(last: Int) { self.last = last }

    func read(_ book: TestBook) async throws {
        let start = last
        let rows = try await book.withOwner { connection in
            try await connection.query("SELECT position, amount FROM posting WHERE position > \(start) ORDER BY position")
        }
        for row in rows {
            if case .uint(let position) = row[0], case .uint(let amount) = row[1] {
                last = Int(position)
                sum += Int64(amount)
            }
        }
    }
}

/// Lets a test hold a transaction open: opened inside it, released from outside.
private final class Latch: @unchecked Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)

    func open() { opened.signal() }
    func release() { released.signal() }
    func waitForRelease() { released.wait() }
    func waitUntilOpen() async {
        while opened.wait(timeout: .now()) == .timedOut { try? await Task.sleep(for: .milliseconds(5)) }
    }
}
