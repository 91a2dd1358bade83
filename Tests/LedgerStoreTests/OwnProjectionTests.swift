import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// A projection of somebody's own, from its tables to its next version; and what a comparison finds.
@Suite struct OwnProjectionTests {
    @Test func `its tables, its rows, another definition, and the rebuild beside the old`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            let (old, new) = (KindVolume(), KindVolume(version: "2"))
            try await book.withProjector([old]) { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.catchUp() }
                #expect(error?.code == .schema, "the book does not have it yet")
            }
            #expect(try await owner.createGeneration(of: old) == 1)
            #expect(try await owner.switchLive(old, to: 1) == nil)
            for number in 1...30 { try await book.ledger.post(transfer(accounts[0], accounts[1], Int64(number))) }
            try await book.withProjector([old], positionsMax: 4) { _ = try await $0.catchUp() }
            #expect(try await book.number("SELECT MAX(amount) FROM kind_volume_g1 WHERE kind = 'transfer'") == 465)

            // Its rows are guarded like all others.
            try await book.withOwner { connection in
                await #expect(throws: MariaDBError.self) {
                    try await connection.execute(unprepared: "INSERT INTO kind_volume_g1 VALUES ('transfer', 1, 1, NULL)")
                }
                let triggers = try await connection.query("SHOW TRIGGERS LIKE 'kind_volume_g1'")
                #expect(triggers.count == 2)
            }

            // Another definition does not go on with it.
            try await book.withProjector([new]) { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.step(of: "kind_volume") }
                #expect(error?.code == .schema && error?.message.contains("another definition") == true)
                let status = try #require(try await projector.status().first { $0.generation.job == "kind_volume" })
                #expect(status.state == .foreign && status.isForeign && status.needsAttention)
            }
            #expect(try await owner.createGeneration(of: new) == 2)
            try await book.withProjector([new], positionsMax: 9) { projector in
                let end = try await projector.catchUp(["kind_volume"]).through
                let comparison = try await projector.compare("kind_volume", generation: 2, with: .generation(1))
                #expect(comparison.isEqual && comparison.through == end && comparison.examined == 3, "\(comparison)")
            }
            // The old program cannot make it live, since it could not read it.
            let error = await #expect(throws: LedgerError.self) { try await owner.switchLive(old, to: 2) }
            #expect(error?.code == .schema)
            #expect(try await owner.switchLive(new, to: 2) == 1)
            try await book.withProjector([new]) { projector in
                let statuses = try await projector.status().filter { $0.generation.job == "kind_volume" }
                #expect(statuses.map(\.state) == [.foreign, .caughtUp] && statuses.allSatisfy { !$0.needsAttention })
            }
            // The old one goes on with its own, so there is a way back.
            try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            try await book.withProjector([old]) { _ = try await $0.catchUp() }
            #expect(try await owner.switchBack(old) == (2, 1))
            try await owner.retire("kind_volume", generation: 2)
            #expect(try await book.withOwner { try await $0.query("SHOW TABLES LIKE 'kind_volume_g%'") }.count == 1)
        }
    }

    @Test func `two generations are compared where both have ended a step`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            try await owner.create(jobs: [KindVolume()])
            #expect(try await owner.createGeneration(of: KindVolume()) == 2)
            for _ in 0..<30 { try await book.ledger.post(transfer(accounts[0], accounts[1], 1)) }
            try await book.withProjector([KindVolume()], positionsMax: 4) { _ = try await $0.catchUp(generation: 1) }
            func compare(at position: UInt64? = nil) async throws -> JobComparison {
                try await book.withProjector([KindVolume()]) {
                    try await $0.compare("kind_volume", generation: 2, at: position.map { Position($0) })
                }
            }
            #expect(try await compare().hasNothingInCommon)
            // 1 … 4, 8, 12 … of the first; 6, 12 of the second.
            let second = Projector(book.location, jobs: [KindVolume()], positionsMax: 6)
            let worker = JobWorker(
                KindVolume(), generation: 2, reader: JournalReader(database: second.database, claimer: second.database),
                database: second.database, positionsMax: 6)
            for _ in 0..<3 { _ = try await worker.step() }
            let common = try await compare()
            #expect(common.through == Position(12) && common.isEqual, "\(common)")
            #expect(try await compare(at: 11).hasNothingInCommon)
            let error = await #expect(throws: LedgerError.self) { try await compare(at: 19) }
            #expect(error?.code == .historyUnavailable)
            _ = try await second.catchUp()
            await second.close()
            let whole = try await compare()
            #expect(whole.through == (try await book.status("kind_volume", jobs: [KindVolume()]).head) && whole.isEqual)

            try await book.withOwner { connection in
                _ = try await connection.query("INSERT INTO kind_volume_g2 VALUES ('more', 3, 1, 2), ('other', 3, 1, 2)")
                _ = try await connection.query("INSERT INTO kind_volume_g1 VALUES ('other', 4, 1, 3)")
            }
            let differing = try await compare()
            #expect(differing.differencesTotal == 2 && !differing.isEqual)
            #expect(
                Set(differing.differences) == [
                    "kind_volume 'more': only generation 2 has it", "kind_volume 'other': ('1', '2') in generation 2, ('1', '3') in generation 1",
                ])
        }
    }

    @Test func `a comparison finds what is wrong, and only that`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(4)
            let owner = BookOwner(book.owner)
            for number in 0..<30 { try await book.ledger.post(transfer(accounts[number % 3], accounts[3], Int64(number + 1))) }
            for job in Projector.builtIn { #expect(try await owner.createGeneration(of: job) == 2) }
            let end = try await book.project().number
            let last = try await book.number("SELECT MAX(through) FROM balance_g2 WHERE account = \(accounts[0].id.number)")
            // Rows that nobody computed.
            try await book.withOwner { connection in
                _ = try await connection.query(
                    """
                    INSERT INTO balance_g2 SELECT account, \(end), debits_posted + 1, credits_posted, debits_pending, credits_pending, ''
                    FROM balance_g2 WHERE account = \(accounts[0].id.number) AND through = \(last)
                    """)
                _ = try await connection.query(
                    """
                    INSERT INTO account_line_g2 SELECT account, \(end), 9, side, counterpart, amount, status, effective_at, balance, late
                    FROM account_line_g2 WHERE account = \(accounts[1].id.number) LIMIT 1
                    """)
            }
            try await book.withProjector { projector in
                for other in [JobComparison.Other.live, .journal] {
                    let balances = try await projector.compare("balance", generation: 2, with: other)
                    #expect(balances.differencesTotal == 1 && balances.examined == 4, "\(balances)")
                    #expect(balances.differences.first?.hasPrefix("a0 EUR: debits posted") == true, "\(balances)")
                    let lines = try await projector.compare("account_line", generation: 2, with: other)
                    #expect(!lines.isEqual, "\(lines)")
                    #expect(try await projector.compare("account_line", generation: 2, with: other, account: accounts[2].id).isEqual)
                    #expect(try await projector.compare("balance", generation: 2, with: other, account: accounts[2].id).isEqual)
                    #expect(try await !projector.compare("balance", generation: 2, with: other, account: accounts[0].id).isEqual)
                    // Before the wrong rows everything is right.
                    let past = try await projector.compare("balance", generation: 2, with: other, at: Position(end - 1))
                    #expect(past.isEqual, "\(past)")
                }
                await #expect(throws: LedgerError.self) { try await projector.compare("balance", generation: 1) }
                await #expect(throws: LedgerError.self) { try await projector.compare("balance", generation: 3) }
                await #expect(throws: LedgerError.self) { try await projector.compare("balance", generation: 2, at: Position(end + 1)) }
            }
        }
    }
}
