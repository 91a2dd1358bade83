import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What reading a balance costs, however long the book is, and what a switch of generations does to it.
@Suite struct BalanceCostTests {
    @Test(.timeLimit(.minutes(2))) func `one account's balance is one statement and few rows, however long the book is`() async throws {
        // Of its own: every row and statement of this server is counted.
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let accounts = try await book.openAccounts(3)
            let projector = Projector(book.location)
            // Many checkpoints: more than a hundred, and a maximum over them would be looked for in all.
            for round in 0..<150 {
                try await book.ledger.post((0..<30).map { _ in transfer(accounts[0], accounts[round % 2 + 1], 1) })
                try await projector.catchUp(["balance"])
            }
            let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            let old = Position(receipt.position.number / 2)
            func status(_ name: String) -> SQL { "SELECT variable_value FROM information_schema.global_status WHERE variable_name = \(name)" }
            func count(_ names: [String]) async throws -> [Int] {
                var counts: [Int] = []
                for name in names { counts.append(try await book.number(status(name))) }
                return counts
            }
            let names = ["COM_SELECT", "COM_STMT_EXECUTE", "COM_BEGIN", "COM_COMMIT", "ROWS_READ"]
            func cost(_ time: BalanceTime) async throws -> [String: Int] {
                _ = try await book.ledger.balance(of: "a1", in: .eur, at: time)
                let (before, again) = (try await count(names), try await count(names))
                for _ in 0..<10 { _ = try await book.ledger.balance(of: "a1", in: .eur, at: time) }
                let after = try await count(names)
                // What counting itself costs is the same both times.
                return Dictionary(uniqueKeysWithValues: names.indices.map { (names[$0], after[$0] - again[$0] - (again[$0] - before[$0])) })
            }
            let rows: [(BalanceTime, statements: Int)] = [
                (.current, 1), (.projected, 1), (.atLeast(receipt), 2), (.position(old), 2), (.position(Position(5)), 2),
            ]
            for row in rows {
                let cost = try await cost(row.0)
                print("ten times \(row.0): \(cost.sorted { $0.key < $1.key })")
                // Once in a second it asks how far the projection is.
                let statements = try #require(cost["COM_STMT_EXECUTE"])
                #expect(statements >= 10 * row.statements && statements < 10 * row.statements + 5, "\(row.0)")
                #expect(cost["COM_BEGIN"] == 0 && cost["COM_COMMIT"] == 0, "\(row.0)")
                #expect(cost["ROWS_READ"]! < 10 * 150, "\(row.0): \(cost)")
            }
            #expect(try await book.ledger.balance(of: "a1", in: .eur).totals.debitsPosted == 75 * 30 + 1)
            await projector.close()
            await book.ledger.close()
        }
    }

    @Test func `a handle that has read one generation reads the next one after a switch, and after the old one is gone`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let owner = BookOwner(book.owner)
            let definition = BalanceProjection.definition
            let times: [BalanceTime] = [.current, .projected, .position(Position(4))]
            func check(_ projected: Int128, _ current: Int128) async throws {
                for (time, wanted) in zip(times, [current, projected, 1]) {
                    let one = try await book.ledger.balance(of: "a1", in: .eur, at: time)
                    let all = try await book.ledger.balances(at: time)
                    #expect(one.totals.debitsPosted == wanted && all[1] == one, "\(time): \(one.totals), \(all[1].totals)")
                }
            }
            for _ in 0..<4 { try await book.ledger.post(transfer(accounts[0], accounts[1], 1)) }
            try await book.project()
            try await check(4, 4)
            try await owner.createGeneration(job: definition.name, schema: definition.schema, fingerprint: definition.fingerprint)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            let projector = Projector(book.location)
            try await projector.catchUp(["balance"], generation: 2)
            await projector.close()
            // The first one is behind, the second is not.
            try await check(4, 5)
            try await book.withOwner { connection in
                _ = try await connection.query("INSERT INTO live (job, sequence, generation) VALUES ('balance', 2, 2)")
            }
            try await check(5, 5)
            // And back, to one that is behind.
            try await book.withOwner { connection in
                _ = try await connection.query("INSERT INTO live (job, sequence, generation) VALUES ('balance', 3, 1)")
            }
            try await check(4, 5)
            try await book.withOwner { connection in
                _ = try await connection.query("INSERT INTO live (job, sequence, generation) VALUES ('balance', 4, 2)")
            }
            try await owner.dropGeneration(job: "balance", generation: 1)
            try await check(5, 5)
        }
    }

    @Test(.timeLimit(.minutes(3))) func `current balances never miss or double an entry while others post and a projector runs`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let projector = Projector(book.location, positionsMax: 20)
            let running = Task { try await projector.run(["balance"]) }
            let rounds = 150
            let poster = Task {
                var last: Receipt?
                for _ in 0..<rounds { last = try await book.ledger.post([transfer(accounts[0], accounts[1], 1), transfer(accounts[0], accounts[1], 1)]).last }
                return last
            }
            var (seen, looks): (Int128, Int) = (0, 0)
            while seen < Int128(rounds * 2) {
                let one = try await book.ledger.balance(of: "a1", in: .eur)
                // Of a batch both entries, and never fewer than before.
                #expect(one.totals.debitsPosted % 2 == 0 && one.totals.debitsPosted >= seen)
                #expect(one.through.number >= 3 && one.totals.debitsPosted >= Int128(one.through.number) - 3)
                seen = one.totals.debitsPosted
                looks += 1
            }
            #expect(looks > 10)
            let last = try #require(try await poster.value)
            #expect(try await book.ledger.balance(of: "a1", in: .eur, at: .atLeast(last)).totals.debitsPosted == Int128(rounds * 2))
            running.cancel()
            _ = try? await running.value
            await projector.close()
        }
    }
}
