import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Everybody in everybody's way: each call ends, in time, with a receipt or with an error that says what to do.
@Suite struct StormTests {
    /// Of what a storm's calls were told.
    private struct Told: Sendable {
        var receipts: [Receipt] = []
        var errors: [LedgerError] = []
        var longest = Duration.zero

        mutating func add(_ other: Told) {
            receipts += other.receipts
            errors += other.errors
            longest = max(longest, other.longest)
        }

        static func of(_ body: () async throws -> [Receipt]) async -> Told {
            let start = ContinuousClock.now
            var told = Told()
            do { told.receipts = try await body() } catch { told.errors = [LedgerError.translating(error)] }
            told.longest = start.duration(to: .now)
            return told
        }
    }

    private static let paths: [AccountPath] = ["s0", "s1", "s2", "s3"]

    private static func drawn(_ paths: [AccountPath], _ amount: Int64) -> Entry {
        Entry(kind: "drawn", postings: paths.map { Posting(debit: $0, credit: "cash", amount: Amount(minorUnits: amount, .eur)) })
    }

    /// Draws on two accounts each, in either order: posts, batches, and transactions that keep what they have claimed for a while.
    private static func storm(_ ledger: Ledger, _ database: Database, _ number: Int, _ seed: UInt64) async -> Told {
        var random = Seeded(seed: seed)
        var told = Told()
        for _ in 0..<12 {
            let pair = Array(Self.paths.shuffled(using: &random).prefix(2))
            let amount = Int64.random(in: 1...60, using: &random)
            let pause = UInt32.random(in: 0...15_000, using: &random)
            switch number % 3 {
            case 0: told.add(await .of { [try await ledger.post(drawn(pair, amount))] })
            case 1: told.add(await .of { try await ledger.post(pair.map { drawn([$0], amount) }) })
            default:
                told.add(await .of {
                    try await database.write { transaction in
                        try pair.map { path in
                            let receipt = try ledger.post(drawn([path], amount), in: transaction)
                            usleep(pause)
                            return receipt
                        }
                    }
                })
            }
        }
        return told
    }

    @Test(.timeLimit(.minutes(2))) func `drawers in opposite orders, and some that keep their claims for a while, all get an answer`() async throws {
        let random = Seeded("storm")
        try await withTwo(paid: 0) { book, one, two in
            for path in Self.paths {
                try await one.openAccount(path, in: .eur, type: .liability, limits: .noOverdraft)
                try await one.post(LimitTests.paid(path, 1500))
            }
            let database = Database(book.location, role: .writer, connectionsMax: 8)
            let told = await withTaskGroup(of: Told.self) { group in
                for number in 0..<18 {
                    group.addTask { await Self.storm([one, two][number % 2], database, number, random.seed &+ UInt64(number)) }
                }
                return await group.reduce(into: Told()) { $0.add($1) }
            }
            await database.close()
            let codes = Dictionary(grouping: told.errors, by: \.code).mapValues(\.count)
            print("storm: \(told.receipts.count) receipts, \(codes), the longest took \(told.longest)")
            #expect(Set(codes.keys).isSubset(of: [.limitExceeded, .busy]), "\(codes)")
            #expect(told.errors.filter { $0.code == .busy }.allSatisfy { $0.retry == .afterBackoff || $0.retry == .sameRequest })
            #expect(told.receipts.count >= 40 && codes[.limitExceeded, default: 0] > 0)
            #expect(told.longest < .seconds(30))
            // What was acknowledged is there, and nothing else is.
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE kind = 'drawn'") == told.receipts.count)
            for receipt in told.receipts { #expect(try await two.entry(receipt.id)?.position == receipt.position) }
            for path in Self.paths { #expect(try await book.lowest(path) >= 0) }
        }
    }

    @Test(.timeLimit(.minutes(2))) func `who waits for a claim that is never committed tries so often, and is told busy`() async throws {
        try await TestServer.withOwn(extraOptions: ["--innodb-lock-wait-timeout=1"]) { server in
            let book = try await TestBook.make(on: server)
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await book.ledger.post(LimitTests.paid("alice", 100))
            let other = Ledger(book.location)
            // It may have to connect first, and that is not to be counted.
            try await other.post(LimitTests.drawn("alice", 1))
            let database = Database(book.location, role: .writer, connectionsMax: 1)
            struct RolledBack: Error {}
            func rollbacks() async throws -> Int {
                try await book.number("SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'COM_ROLLBACK'")
            }
            let before = try await rollbacks()
            await #expect(throws: RolledBack.self) {
                try await database.write { transaction in
                    try book.ledger.post(LimitTests.drawn("alice", 10), in: transaction)
                    let answer = Self.wait { await Told.of { [try await other.post(LimitTests.drawn("alice", 10))] } }
                    #expect(answer.errors.map(\.code) == [.busy] && answer.errors.first?.retry == .afterBackoff, "\(answer)")
                    #expect(answer.longest > .seconds(Retrying.attemptsMax) && answer.longest < .seconds(2 * Retrying.attemptsMax + 5), "\(answer)")
                    throw RolledBack()
                }
            }
            // One for each attempt, and the last one for the transaction that was in the way.
            #expect(try await rollbacks() - before == Retrying.attemptsMax + 1)
            // Who commits in time holds up nobody for longer.
            async let late = Told.of {
                try await Task.sleep(for: .milliseconds(500))
                return [try await other.post(LimitTests.drawn("alice", 10))]
            }
            try await database.write { transaction in
                try book.ledger.post(LimitTests.drawn("alice", 10), in: transaction)
                usleep(2_500_000)
            }
            #expect(await late.errors.isEmpty)
            #expect(try await book.ledger.balance(of: "alice", in: .eur).available == 79)
            await database.close()
            await other.close()
            await book.ledger.close()
        }
    }

    /// Blocks the thread until `body` has ended elsewhere.
    private static func wait<T: Sendable>(_ body: @escaping @Sendable () async -> T) -> T {
        let gate = Gate()
        let result = Box<T>()
        Task.detached {
            result.value = await body()
            gate.open()
        }
        gate.wait()
        return result.value!
    }

    private final class Box<T>: @unchecked Sendable { var value: T? }

    @Test(arguments: [
        DatabaseError.Kind.duplicateKey("PRIMARY"), .lockWaitTimeout, .tryAgain, .connectionLost, .outcomeUnknown,
    ])
    func `whatever may be tried again is tried so often and no more`(kind: DatabaseError.Kind) async throws {
        var retrying = Retrying()
        var pauses = 0
        while true {
            do { try await retrying.pause(after: DatabaseError(kind: kind, message: "")) } catch { break }
            pauses += 1
            try #require(pauses < 100)
        }
        #expect(pauses == Retrying.attemptsMax - 1)
    }
}

extension TestBook {
    /// The least balance that a liability ever had, reckoned by the server from the postings alone. Each entry counts as a whole.
    func lowest(_ path: AccountPath) async throws -> Int {
        try await number(
            """
            SELECT COALESCE(MIN(balance), 0) FROM (
                SELECT SUM(SUM(IF(p.credit = a.id, CAST(p.amount AS SIGNED), -CAST(p.amount AS SIGNED)))) OVER (ORDER BY p.position) AS balance
                FROM account a JOIN posting p ON a.id IN (p.debit, p.credit) WHERE a.path = \(path.text) AND p.status = 0 GROUP BY p.position
            ) line
            """)
    }
}
