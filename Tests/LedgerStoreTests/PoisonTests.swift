import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// An entry that a job cannot process: the job stops there and says so, and nothing else does.
@Suite struct PoisonTests {
    private static let fixed: [any Job] = Projector.builtIn + [KindVolume()]
    private static let mistaken: [any Job] = Projector.builtIn + [KindVolume(poison: "odd")]

    /// 40 transfers with an odd one in their middle.
    private func post(_ book: TestBook) async throws -> Position {
        let accounts = try await book.openAccounts(2)
        for _ in 0..<20 { try await book.ledger.post(transfer(accounts[0], accounts[1], 1)) }
        let odd = try await book.ledger.post(transfer(accounts[0], accounts[1], 1, kind: "odd"))
        for _ in 0..<20 { try await book.ledger.post(transfer(accounts[0], accounts[1], 1)) }
        return odd.position
    }

    @Test func `a mistake in a projection stops it there; others go on; after the repair retry goes on`() async throws {
        try await withBook { book in
            try await BookOwner(book.owner).create(jobs: Self.mistaken)
            let odd = try await post(book)
            let before = Position(odd.number - 1)
            try await book.withProjector(Self.mistaken) { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                #expect(error?.code == .integrity)
                #expect(error?.message.contains("kind_volume") == true && error?.message.contains("at \(odd)") == true, "\(error?.message ?? "")")
                #expect(error?.message.contains("cannot count odd") == true)

                let failed = try await book.status("kind_volume", jobs: Self.mistaken)
                #expect(failed.state == .failed && failed.needsAttention && failed.through == before)
                #expect(failed.failed?.failure.position == odd && failed.failed?.stands == true)
                #expect(failed.note?.contains("project retry kind_volume") == true)
                for job in ["balance", "account_line"] { #expect(try await book.status(job).state == .caughtUp) }

                // It stands: nothing is tried, and nothing more is recorded.
                await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                #expect(try await book.number("SELECT COUNT(*) FROM job_failure") == 1)
                // A retry without a repair meets it again, and that is recorded.
                #expect(try await projector.retry("kind_volume"))
                #expect(try await book.status("kind_volume", jobs: Self.mistaken).failed?.stands == false)
                #expect(try await !projector.retry("balance"), "nothing of it has failed")
                await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                #expect(try await book.number("SELECT COUNT(*) FROM job_failure") == 2)
            }
            try await book.withProjector(Self.fixed) { projector in
                await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                let steps = try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'kind_volume'")
                #expect(try await projector.retry("kind_volume"))
                let end = try await projector.catchUp(heedsOperators: true).through
                let done = try await book.status("kind_volume", jobs: Self.fixed)
                #expect(done.state == .caughtUp && done.through == end && done.failed?.stands == false)
                // It went on where it stood: what was done before stays.
                #expect(try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'kind_volume'") > steps)
                #expect(try await book.number("SELECT MAX(generation) FROM generation WHERE job = 'kind_volume'") == 1)
            }
            #expect(try await book.number("SELECT MAX(entries) FROM kind_volume_g1 WHERE kind = 'transfer'") == 40)
            #expect(try await book.number("SELECT MAX(entries) FROM kind_volume_g1 WHERE kind = 'odd'") == 1)
            try await book.expectEachPositionOnce()
        }
    }

    @Test func `a running projector stands there, says so, and goes on when somebody says retry`() async throws {
        try await withBook { book in
            try await BookOwner(book.owner).create(jobs: Self.mistaken)
            let odd = try await post(book)
            let events = try await book.whileProjecting(Self.mistaken) {
                try await book.eventually("it fails") { try await book.status("kind_volume", jobs: Self.mistaken).state == .failed }
                try await book.eventually("others go on") { try await book.status("balance").state == .caughtUp }
            }
            let failures = events.compactMap { event -> JobFailure? in
                if case .success(.failed(let failure)) = event.result { failure } else { nil }
            }
            #expect(!failures.isEmpty && failures.allSatisfy { $0.job == "kind_volume" && $0.position == odd })
            try await book.whileProjecting(Self.fixed) {
                let isRetried = try await book.withProjector { try await $0.retry("kind_volume") }
                #expect(isRetried)
                try await book.eventually("it goes on") { try await book.status("kind_volume", jobs: Self.fixed).state == .caughtUp }
            }
        }
    }

    @Test func `a rebuild that cannot go on ends with an error, and status names it; the live generation goes on`() async throws {
        try await withBook { book in
            try await BookOwner(book.owner).create(jobs: Self.fixed)
            let odd = try await post(book)
            try await book.withProjector(Self.fixed) { _ = try await $0.catchUp() }
            let number = try await BookOwner(book.owner).createGeneration(of: KindVolume(poison: "odd"))
            #expect(number == 2)
            // Nobody works on it yet.
            let idle = try await book.status("kind_volume", 2, jobs: Self.fixed, stuckAfter: .zero)
            #expect(idle.state == .stuck && idle.needsAttention && idle.steppedAt == nil)
            try await book.withProjector(Self.mistaken) { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.catchUp(["kind_volume"], generation: 2, heedsOperators: true) }
                #expect(error?.message.contains("generation 2") == true && error?.message.contains("at \(odd)") == true)
                let nothing = try await projector.compare("kind_volume", generation: 2)
                #expect(nothing.hasNothingInCommon)
            }
            #expect(try await book.status("kind_volume", 2, jobs: Self.fixed).state == .failed)
            #expect(try await book.status("kind_volume", 1, jobs: Self.fixed).state == .caughtUp)
            let error = await #expect(throws: LedgerError.self) {
                try await BookOwner(book.owner).switchLive(KindVolume(), to: 2, lagMax: 5)
            }
            #expect(error?.code == .tailTooLong)
        }
    }

    @Test func `a posting that somebody added stops every job that reads it, until it is explained`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let odd = try await post(book)
            try await book.withOwner { connection in
                _ = try await connection.query(
                    "INSERT INTO posting (position, line, debit, credit, amount) VALUES (\(odd.number), 2, 1, 2, 1000000)")
            }
            try await book.withProjector { projector in
                await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                for job in ["balance", "account_line", "fee"] {
                    let status = try await book.status(job)
                    #expect(status.state == .failed && status.through == Position(odd.number - 1))
                    #expect(status.failed?.failure.position == odd)
                    #expect(status.failed?.failure.message.contains("recorded with 1 postings and has 2") == true)
                }
                // What no software of this library does.
                try await book.withOwner { connection in
                    try await connection.execute(unprepared: "DROP TRIGGER posting_no_delete")
                    try await connection.execute(unprepared: "DELETE FROM posting WHERE position = \(odd.number) AND line = 2")
                }
                await #expect(throws: LedgerError.self) { try await projector.catchUp(heedsOperators: true) }
                for job in ["balance", "account_line", "fee"] { #expect(try await projector.retry(job)) }
                _ = try await projector.catchUp(heedsOperators: true)
                for job in ["balance", "account_line"] {
                    #expect(try await projector.compare(job, generation: 1, with: .journal).isEqual)
                }
            }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }
}
