import IndelibleTesting
import MariaDBDriver
import Synchronization
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Rebuild, compare, switch, switch back, retire: beside a book that goes on.
@Suite struct GenerationTests {
    private static let jobs: [any Job] = Projector.builtIn + [KindVolume()]

    @Test func `rebuild racing live: equal, switched, and back`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(6)
            let owner = BookOwner(book.owner)
            try await owner.create(jobs: Self.jobs)
            try await book.ledger.openAccount("fees", in: .eur, type: .income)
            try await book.ledger.publishFeeSchedule(
                """
                {"schedule": "all", "version": 1, "effective_from": "2026-01-01", "income": "fees", "rules": [
                 {"name": "all", "kinds": ["*"], "accounts": ["*"], "side": "credit", "prices": {"EUR": {"basis_points": 100}}}]}
                """)
            for number in 0..<200 { try await book.ledger.post(transfer(accounts[number % 5], accounts[5], Int64(number + 1))) }
            try await book.whileProjecting(Self.jobs, positionsMax: 16) {
                async let posting: Void = {
                    for number in 0..<300 { try await book.ledger.post(transfer(accounts[number % 5], accounts[5], Int64(number + 1))) }
                }()
                for job in Self.jobs {
                    let number = try await owner.createGeneration(of: job)
                    #expect(number == 2)
                    try await book.withProjector(Self.jobs, positionsMax: 7) { _ = try await $0.catchUp([job.definition.name], generation: 2) }
                }
                try await posting
            }
            try await book.withProjector(Self.jobs) { projector in
                let end = try await projector.catchUp().through
                for job in Self.jobs.map(\.definition.name) {
                    let comparison = try await projector.compare(job, generation: 2)
                    #expect(comparison.isEqual && comparison.through == end && comparison.examined > 0, "\(comparison)")
                    #expect(comparison.other == .generation(1))
                }
                for job in ["balance", "account_line"] {
                    let journal = try await projector.compare(job, generation: 2, with: .journal)
                    #expect(journal.isEqual && journal.through == end, "\(journal)")
                    // As of any position, for one account too.
                    for position in stride(from: UInt64(1), through: end.number, by: 61) {
                        let past = try await projector.compare(job, generation: 2, account: accounts[5].id, at: Position(position))
                        #expect(past.isEqual && past.through == Position(position), "\(past)")
                        #expect(try await projector.compare(job, generation: 2, with: .journal, at: Position(position)).isEqual)
                    }
                }
            }
            let before = try await book.ledger.balances(at: .projected)
            for job in Self.jobs {
                #expect(try await owner.switchLive(job, to: 2) == 1)
                #expect(try await owner.switchLive(job, to: 2) == 2, "it is live already")
            }
            #expect(try await book.ledger.balances(at: .projected) == before)
            #expect(try await book.reconcile().basis.generation == 2)
            for job in Self.jobs { #expect(try await owner.switchBack(job) == (2, 1)) }
            #expect(try await book.status("balance", 1).generation.isLive)
            for job in Self.jobs { #expect(try await owner.switchBack(job) == (1, 2)) }
            #expect(try await book.reconcile().verdict == .clean)
            try await book.expectEachPositionOnce()
        }
    }

    @Test func `switch racing a running batch: every balance that is read is exact`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            #expect(try await owner.createGeneration(of: BalanceProjection()) == 2)
            let race = Race()
            try await book.whileProjecting(positionsMax: 5) {
                async let posting: Void = {
                    for _ in 0..<400 {
                        let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
                        race.posted.withLock { $0.append(receipt.position) }
                    }
                }()
                async let reading: Void = {
                    while !race.isOver.withLock({ $0 }) {
                        var some = [
                            try await book.ledger.balance(of: "a1", in: .eur, at: .projected),
                            try await book.ledger.balance(of: "a1", in: .eur, at: .current),
                        ]
                        if let past = race.posted.withLock({ $0.randomElement() }) {
                            some.append(try await book.ledger.balance(of: "a1", in: .eur, at: .position(past)))
                        }
                        race.reads.withLock { $0 += some }
                    }
                }()
                for _ in 0..<40 {
                    try await owner.switchLive(BalanceProjection(), to: 2, force: true)
                    try await Task.sleep(for: .milliseconds(5))
                    try await owner.switchBack(BalanceProjection(), force: true)
                }
                try await posting
                race.isOver.withLock { $0 = true }
                try await reading
            }
            // Each post moves 1: the balance is how many of them lie at or before the position that it names.
            let positions = race.posted.withLock { $0 }
            let seen = race.reads.withLock { $0 }
            #expect(seen.count > 100 && Set(seen.map(\.through)).count > 20)
            let wrong = seen.filter { balance in
                balance.totals.debitsPosted != Int128(positions.count { $0 <= balance.through })
            }
            #expect(wrong.isEmpty, "\(wrong.count) of \(seen.count): \(wrong.prefix(3))")
            try await book.project()
            let comparison = try await book.withProjector { try await $0.compare("balance", generation: 2) }
            #expect(comparison.isEqual)
            #expect(try await book.number("SELECT COUNT(*) FROM live WHERE job = 'balance'") == 81)
        }
    }

    @Test func `a switch to what readers could not read is refused`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            try await book.project()
            func refused(_ code: LedgerError.Code, _ part: String, _ body: () async throws -> Void) async {
                let error = await #expect(throws: LedgerError.self) { try await body() }
                #expect(error?.code == code && error?.message.contains(part) == true, "\(String(describing: error))")
            }
            await refused(.historyUnavailable, "no generation 7") { try await owner.switchLive(BalanceProjection(), to: 7) }
            await refused(.historyUnavailable, "ever live") { try await owner.switchBack(BalanceProjection()) }
            try await book.withOwner { connection in
                _ = try await connection.query(
                    "INSERT INTO generation (job, generation, fingerprint) VALUES ('balance', 5, \([UInt8](repeating: 1, count: 32)))")
            }
            await refused(.historyUnavailable, "not finished") { try await owner.switchLive(BalanceProjection(), to: 5) }
            #expect(try await owner.createGeneration(of: BalanceProjection()) == 6)
            await refused(.tailTooLong, "behind the live generation") { try await owner.switchLive(BalanceProjection(), to: 6, lagMax: 1) }
            #expect(try await owner.switchLive(BalanceProjection(), to: 6, force: true) == 1)
            // Exact all the same, only slower.
            try await book.ledger.post(transfer(accounts[0], accounts[1], 3))
            #expect(try await book.ledger.balance(of: "a1", in: .eur).totals.debitsPosted == 3)
            // Nobody but the owner.
            await refused(.accessDenied, "only the owner") { try await BookOwner(book.location).switchBack(BalanceProjection(), force: true) }
            await refused(.accessDenied, "only the owner") { try await BookOwner(book.location).retire("balance", generation: 1) }
            await refused(.accessDenied, "only the owner") { _ = try await BookOwner(book.location).createGeneration(of: BalanceProjection()) }
            #expect(try await book.number("SELECT COUNT(*) FROM retirement") == 0)
        }
    }

    @Test func `retire drops the tables, and workers stop`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            func conflict(_ number: UInt32) async {
                let error = await #expect(throws: LedgerError.self) { try await owner.retire("balance", generation: number) }
                #expect(error?.code == .conflict)
            }
            await conflict(1)
            #expect(try await owner.createGeneration(of: BalanceProjection()) == 2)
            let events = try await book.whileProjecting {
                try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
                try await book.eventually("both caught up") {
                    let (one, two) = (try await book.status("balance", 1), try await book.status("balance", 2))
                    return one.state == .caughtUp && two.state == .caughtUp
                }
                try await owner.switchLive(BalanceProjection(), to: 2)
                await conflict(2)
                try await owner.retire("balance", generation: 1)
                try await owner.retire("balance", generation: 1)
                let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 5))
                try await book.eventually("it goes on") { try await book.status("balance", 2).through == receipt.position }
            }
            #expect(events.contains { event in
                if case .success(.retired) = event.result { event.generation == 1 && event.job == "balance" } else { false }
            })
            let tables = try await book.withOwner { try await $0.query("SHOW TABLES LIKE 'balance%g1'") }
            #expect(tables.isEmpty)
            let error = await #expect(throws: LedgerError.self) { try await owner.switchLive(BalanceProjection(), to: 1) }
            #expect(error?.code == .historyUnavailable && error?.message.contains("retired") == true)
            await #expect(throws: LedgerError.self) { try await owner.switchBack(BalanceProjection()) }
            await conflict(2)
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .projected).totals.debitsPosted == 10)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `switch and retire at once: what is live is never retired`() async throws {
        try await withBook { book in
            let owner = BookOwner(book.owner)
            for number in UInt32(2)...5 {
                #expect(try await owner.createGeneration(of: AccountLineProjection()) == number)
                async let switched = Result { try await owner.switchLive(AccountLineProjection(), to: number, force: true) }
                async let retired = Result { try await owner.retire("account_line", generation: number) }
                let wins = [(try? await switched.get()) != nil, (try? await retired.get()) != nil]
                #expect(wins.count { $0 } == 1, "\(wins)")
                let both = try await book.number(
                    """
                    SELECT COUNT(*) FROM retirement r WHERE r.generation = (SELECT generation FROM live WHERE job = 'account_line'
                    ORDER BY sequence DESC LIMIT 1) AND r.job = 'account_line'
                    """)
                #expect(both == 0)
            }
        }
    }
}

/// What a poster has posted, and what a reader has read meanwhile.
private final class Race: Sendable {
    let reads = Mutex<[Balance]>([])
    let posted = Mutex<[Position]>([])
    let isOver = Mutex(false)
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
