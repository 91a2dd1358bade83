import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Limits with and without a projector, tails that are too long, and many who change what is in force.
@Suite struct ContentionTests {
    @Test(.timeLimit(.minutes(2)), arguments: [false, true])
    func `limits are exact, whether a projector runs or not`(isProjecting: Bool) async throws {
        let random = Seeded("projecting: \(isProjecting)")
        try await withTwo(paid: 500) { book, one, two in
            let projecting = Task {
                guard isProjecting else { return 0 }
                let projector = Projector(book.location)
                var steps = 0
                while !Task.isCancelled {
                    do { if case .advanced = try await projector.step() { steps += 1 } } catch { if !Task.isCancelled { throw error } }
                }
                await projector.close()
                return steps
            }
            let seed = random.seed
            let results = await race(16) { number in
                var random = Seeded(seed: seed &+ UInt64(number))
                var last: Result<Receipt, LedgerError>?
                for _ in 0..<25 {
                    let amount = Int64.random(in: 1...90, using: &random)
                    let pays = Int.random(in: 0..<5, using: &random) < 2
                    do {
                        last = .success(try await [one, two][number % 2].post(pays ? LimitTests.paid("alice", amount) : LimitTests.drawn("alice", amount)))
                    } catch let error as LedgerError {
                        guard error.code == .limitExceeded || error.code == .busy else { throw error }
                        if let shortfall = error.shortfall { #expect(shortfall.limit == 0 && shortfall.balance >= 0 && shortfall.shortfall > 0) }
                        last = .failure(error)
                    }
                }
                return try last!.get()
            }
            projecting.cancel()
            let steps = try await projecting.value
            #expect(isProjecting ? steps > 1 : steps == 0)
            #expect(results.errors.allSatisfy { $0.code == .limitExceeded || $0.code == .busy }, "\(results.errors)")
            let (lowest, draws) = (try await book.lowest("alice"), try await book.number("SELECT COUNT(*) FROM entry WHERE kind = 'drawn'"))
            print("projecting \(isProjecting), \(steps) steps: \(draws) draws, the lowest balance was \(lowest)")
            #expect(lowest >= 0 && lowest < 90 && draws > 30)
            if !isProjecting { #expect(try await book.number("SELECT COUNT(*) FROM checkpoint") == 0) }
        }
    }

    @Test func `behind too many entries a limit is not decided, and says what to run; the rest goes on`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let short = Ledger(book.location, tailMax: 10)
            for _ in 0..<10 { try await one.post(LimitTests.paid("alice", 1)) }
            let draw = LimitTests.drawn("alice", 1)
            let late = await #expect(throws: LedgerError.self) { try await short.post(draw) }
            #expect(late?.code == .tailTooLong && late?.retry == .afterBackoff)
            #expect(late?.message.contains("projected through position 0") == true && late?.message.contains("indelible project run") == true)
            let limits = await #expect(throws: LedgerError.self) { try await short.setLimits(.creditLine(5), of: "alice", in: .eur) }
            #expect(limits?.code == .tailTooLong)
            // Who claims nothing sums nothing.
            try await short.post(LimitTests.paid("alice", 1))
            #expect(try await two.entry(draw.id) == nil)
            try await book.project()
            #expect(try await !short.post(draw).isRepeat)
            // A program that remembers the account needs no tail for a yes.
            for _ in 0..<10 { try await one.post(LimitTests.paid("alice", 1)) }
            try await short.post(LimitTests.drawn("alice", 1))
            await short.close()
            try await book.expect(available: 119, balance: 119)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `of many controls at once each gets its place, and none takes back what another has set`() async throws {
        try await withTwo(paid: 1000) { book, one, two in
            try await one.openAccount("bob", in: .eur, type: .liability, limits: .noOverdraft)
            let results = await race(48) { number in
                let (ledger, path): (Ledger, AccountPath) = ([one, two][number % 2], number % 4 < 2 ? "alice" : "bob")
                return number % 3 == 0
                    ? try await ledger.setStatus(number % 6 == 0 ? .frozen : .open, of: path, in: .eur, id: EntryID(key: "\(number)"))
                    : try await ledger.setLimits(.creditLine(Int64(number)), of: path, in: .eur, id: EntryID(key: "\(number)"))
            }
            #expect(results.errors.isEmpty, "\(results.errors)")
            #expect(results.receipts.count == 48 && Set(results.receipts.map(\.position)).count == 48)
            #expect(try await book.number("SELECT COUNT(*) FROM control") == 48)
            #expect(try await book.number("SELECT MAX(sequence) FROM control") == 48)
            let order = Dictionary(uniqueKeysWithValues: results.receipts.map { ($0.id, $0.position) })
            for path: AccountPath in ["alice", "bob"] {
                let own = (0..<48).filter { ($0 % 4 < 2) == (path == "alice") }.sorted { order[EntryID(key: "\($0)")]! < order[EntryID(key: "\($1)")]! }
                let (status, limits) = (own.last { $0 % 3 == 0 }!, own.last { $0 % 3 != 0 }!)
                let control = AccountControl(limits: .creditLine(Int64(limits)), status: status % 6 == 0 ? .frozen : .open)
                for ledger in [one, two] { #expect(try await ledger.control(of: path, in: .eur) == control) }
            }
            // The same again changes nothing.
            let again = try await two.setLimits(.creditLine(1), of: "alice", in: .eur, id: EntryID(key: "1"))
            #expect(again.isRepeat && again.position == order[EntryID(key: "1")])
            #expect(try await book.number("SELECT COUNT(*) FROM control") == 48)
        }
    }

    @Test func `everybody gets the receipt of his own, also where a draw has written an expiry that another asks for`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 500_000)
            let hold = try await one.post(LimitTests.drawn("alice", 80, hold: Hold(expiresAt: expiresAt)))
            let entry = try #require(try await one.entry(hold.id))
            try await RegressionTests.sleep(until: expiresAt.microseconds + 1000)
            let accounts = try await one.accounts(Set(entry.postings.flatMap { [$0.debit, $0.credit] }))
            let expiry = try Draft(settling: entry, by: .expiry) { accounts[$0] }
            let entries = [LimitTests.paid("alice", 1), LimitTests.drawn("alice", 50), LimitTests.drawn("alice", 2), LimitTests.paid("alice", 3)]
            var requests: [WriteStep.Request] = []
            for entry in entries { requests.append(try await one.drafts([entry])) }
            requests.insert([expiry], at: 2)
            let asked = requests
            let outcome = try await one.database.write { transaction in
                try WriteStep(catalog: one.catalog, memory: nil, tailMax: 1000).run(asked, attempt: 0, transaction)
            }
            for (request, result) in zip(requests, outcome.results) {
                let receipt = try #require(try result.get().first)
                #expect(receipt.id == request[0].id && !receipt.isRepeat)
                #expect(try await two.entry(at: receipt.position)?.id == request[0].id)
            }
            // The expiry stands before the draw that needs its room.
            let positions = try outcome.results.map { try $0.get()[0].position }
            #expect(positions[2] < positions[1] && positions[1] < positions[3])
            try await book.expect(available: 52, balance: 52)
        }
    }
}
