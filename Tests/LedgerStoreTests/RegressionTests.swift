import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What has gone wrong in other ledgers, each with two handles on the book, which are to each other like two programs.
@Suite struct RegressionTests {
    // MARK: - Holds

    @Test func `six holds of 1,000 on 5,000 from two programs: five are placed`() async throws {
        try await withTwo(paid: 5000) { book, one, two in
            let results = await race(6) { number in
                try await [one, two][number % 2].post(LimitTests.drawn("alice", 1000, hold: Hold()))
            }
            #expect(results.receipts.count == 5)
            #expect(results.errors.map(\.code) == [.limitExceeded] && results.errors[0].shortfall?.balance == 0)
            try await book.expect(available: 0, balance: 5000)
        }
    }

    @Test func `a hold voided twice at the same time is voided once`() async throws {
        try await withTwo(paid: 1000) { book, one, two in
            for _ in 0..<10 {
                let hold = try await one.post(LimitTests.drawn("alice", 1000, hold: Hold()))
                let results = await race(4) { number in try await [one, two][number % 2].void(hold.id) }
                #expect(results.receipts.count == 4 && Set(results.receipts.map(\.position)).count == 1)
                #expect(results.receipts.filter { !$0.isRepeat }.count == 1)
                try await book.expect(available: 1000, balance: 1000)
            }
        }
    }

    @Test func `of partial captures at the same time exactly one wins`() async throws {
        try await withTwo(paid: 1000) { book, one, two in
            var drawn: Int64 = 0
            for _ in 0..<10 {
                let hold = try await one.post(LimitTests.drawn("alice", 90, hold: Hold()))
                let results = await race(6) { number in
                    try await [one, two][number % 2].capture(hold.id, amounts: [Amount(minorUnits: Int64(number + 1) * 10, .eur)])
                }
                #expect(results.receipts.count == 1)
                #expect(results.errors.count == 5 && results.errors.allSatisfy { $0.code == .holdSettled })
                let winner = try #require(results.receipts.first)
                for standing in results.errors.compactMap(\.standing) { #expect(standing.position == winner.position) }
                let captured = try #require(try await one.entry(at: winner.position))
                drawn += Int64(captured.postings.last { $0.status == .posted }?.amount ?? 0)
                try await book.expect(available: 1000 - drawn, balance: 1000 - drawn)
            }
        }
    }

    @Test func `a payment that comes after the void is refused`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let hold = try await one.post(LimitTests.drawn("alice", 100, hold: Hold()))
            let void = try await one.void(hold.id)
            let late = await #expect(throws: LedgerError.self) { try await two.capture(hold.id) }
            #expect(late?.code == .holdSettled && late?.standing?.position == void.position)
            try await book.expect(available: 100, balance: 100)
        }
    }

    @Test func `more than a hold holds cannot be captured, and the hold stays`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let hold = try await one.post(LimitTests.drawn("alice", 60, hold: Hold()))
            for amounts: [Int64] in [[61], [0], [-1], [30, 30]] {
                let refused = await #expect(throws: LedgerError.self) {
                    try await two.capture(hold.id, amounts: amounts.map { Amount(minorUnits: $0, .eur) })
                }
                #expect(refused?.code == (amounts.count == 1 ? .invalidAmount : .invalidEntry))
            }
            try await book.expect(available: 40, balance: 100)
            try await two.capture(hold.id, amounts: [Amount(minorUnits: 60, .eur)])
            try await book.expect(available: 40, balance: 40)
        }
    }

    @Test func `a draw into an expired hold's room and a late capture of it never both win`() async throws {
        try await withTwo(paid: 0) { book, one, two in
            var random = Seeded("late capture")
            var captures = 0
            for round in 0..<16 {
                let path = try AccountPath("late\(round)")
                try await one.openAccount(path, in: .eur, type: .liability, limits: .noOverdraft)
                try await one.post(LimitTests.paid(path, 100))
                let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 300_000)
                let hold = try await one.post(LimitTests.drawn(path, 80, hold: Hold(expiresAt: expiresAt)))
                // Around the instant at which it ends.
                let pauses = (0..<6).map { _ in Int64.random(in: -6000...4000, using: &random) }
                let results = await race(6) { number in
                    try await Self.sleep(until: expiresAt.microseconds + pauses[number])
                    return number < 3 ? try await one.capture(hold.id) : try await two.post(LimitTests.drawn(path, 80))
                }
                #expect(results.receipts.filter { !$0.isRepeat }.count <= 1, "\(results)")
                captures += try await one.entry(.settlement(of: hold.id))?.kind == .holdCaptured ? 1 : 0
                let balance = try await two.balance(of: path, in: .eur)
                #expect(balance.available == (results.receipts.isEmpty ? 100 : 20))
            }
            print("late capture: \(captures) of 16 captured")
        }
    }

    @Test func `who relies on a hold being over ends it: a capture that is being committed stands against it`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 400_000)
            let hold = try await one.post(LimitTests.drawn("alice", 80, hold: Hold(expiresAt: expiresAt)))
            let entry = try #require(try await one.entry(hold.id))
            let accounts = try await one.accounts(Set(entry.postings.flatMap { [$0.debit, $0.credit] }))
            let capture = try Draft(settling: entry, by: .capture(nil)) { accounts[$0] }
            // It was in time, and its COMMIT takes long.
            async let captured = one.database.write { transaction in
                let step = WriteStep(catalog: one.catalog, memory: nil, tailMax: 1000)
                let outcome = try step.run([[capture]], attempt: 0, transaction)
                usleep(900_000)
                return try outcome.results[0].get()
            }
            try await Self.sleep(until: expiresAt.microseconds + 50_000)
            let refused = await #expect(throws: LedgerError.self) {
                try await two.setLimits(AccountLimits(floor: 50), of: "alice", in: .eur)
            }
            #expect(refused?.code == .limitExceeded && refused?.shortfall?.balance == 20)
            #expect(try await captured.count == 1)
            try await book.expect(available: 20, balance: 20)
        }
    }

    @Test func `as-of answers are the same before and after the entry that ends a hold`() async throws {
        try await withTwo(paid: 100) { book, one, two in
            let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 300_000)
            let hold = try await one.post(LimitTests.drawn("alice", 80, hold: Hold(expiresAt: expiresAt)))
            let before = try await one.post(LimitTests.paid("alice", 1)).position
            try await Self.sleep(until: expiresAt.microseconds + 5_000)
            let after = try await one.post(LimitTests.paid("alice", 1)).position
            func available() async throws -> [Int128] {
                var all: [Int128] = []
                for time in [BalanceTime.position(hold.position), .position(before), .position(after), .current] {
                    all.append(try await two.balance(of: "alice", in: .eur, at: time).available)
                }
                return all
            }
            #expect(try await available() == [20, 21, 102, 102])
            #expect(try await two.expireHolds() == 1)
            #expect(try await available() == [20, 21, 102, 102])
            try await book.project()
            #expect(try await available() == [20, 21, 102, 102])
            #expect(try await one.expireHolds() == 0)
        }
    }

    // MARK: - Ids

    @Test func `the same request in flight twice gets one receipt, also where it takes all there is`() async throws {
        try await withTwo(paid: 0) { book, one, two in
            for round in 0..<20 {
                try await one.post(LimitTests.paid("alice", 100))
                let draw = LimitTests.drawn("alice", 100, id: EntryID(key: "in flight \(round)"))
                let results = await race(8) { number in try await [one, two][number % 2].post(draw) }
                #expect(results.errors.isEmpty, "\(results.errors)")
                #expect(Set(results.receipts.map(\.position)).count == 1)
                #expect(results.receipts.filter { !$0.isRepeat }.count == 1)
            }
            try await book.expect(available: 0, balance: 0)
        }
    }

    @Test func `the same id with other content at the same time: one stands, and the others are told which`() async throws {
        try await withTwo(paid: 0) { book, one, two in
            for round in 0..<10 {
                let id = EntryID(key: "other \(round)")
                let results = await race(6) { number in
                    try await [one, two][number % 2].post(LimitTests.paid("alice", Int64(number + 1), id: id))
                }
                #expect(results.receipts.count == 1 && results.errors.count == 5)
                let stands = try #require(results.receipts.first)
                #expect(results.errors.allSatisfy { $0.code == .conflict && $0.id == id })
                for standing in results.errors.compactMap(\.standing) { #expect(standing.position == stands.position) }
                let again = await #expect(throws: LedgerError.self) { try await two.post(LimitTests.paid("alice", 99, id: id)) }
                #expect(again?.standing?.position == stands.position)
            }
        }
    }

    @Test func `an entry reversed twice at the same time is reversed once`() async throws {
        try await withTwo(paid: 0) { book, one, two in
            for _ in 0..<10 {
                let paid = try await one.post(LimitTests.paid("alice", 100))
                let results = await race(4) { number in try await [one, two][number % 2].reverse(paid.id) }
                #expect(results.errors.isEmpty, "\(results.errors)")
                #expect(Set(results.receipts.map(\.position)).count == 1)
                #expect(results.receipts.filter { !$0.isRepeat }.count == 1)
            }
            try await book.expect(available: 0, balance: 0)
        }
    }

    static func sleep(until microseconds: Int64) async throws {
        try await Task.sleep(for: .microseconds(max(0, microseconds - Timestamp(.now).microseconds)))
    }
}

/// A book with `cash` and `alice`, who may not overdraw, and two handles on it, which know nothing of each other.
func withTwo(paid: Int64, _ body: (TestBook, Ledger, Ledger) async throws -> Void) async throws {
    try await withBook { book in
        try await book.ledger.openAccount("cash", in: .eur, type: .asset)
        try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
        if paid > 0 { try await book.ledger.post(LimitTests.paid("alice", paid)) }
        let other = Ledger(book.location)
        try await body(book, book.ledger, other)
        await other.close()
        try await book.project()
        #expect(try await book.reconcile().verdict == .clean)
    }
}

/// Everything at once, and what came of it.
func race(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Receipt
) async -> (receipts: [Receipt], errors: [LedgerError]) {
    await withTaskGroup(of: Result<Receipt, LedgerError>.self) { group in
        for number in 0..<count {
            group.addTask {
                do { return .success(try await body(number)) } catch { return .failure(LedgerError.translating(error)) }
            }
        }
        var results: (receipts: [Receipt], errors: [LedgerError]) = ([], [])
        for await result in group {
            switch result {
            case .success(let receipt): results.receipts.append(receipt)
            case .failure(let error): results.errors.append(error)
            }
        }
        return results
    }
}

extension TestBook {
    /// What alice stands at.
    func expect(available: Int64, balance: Int64, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let alice = try await ledger.balance(of: "alice", in: .eur)
        #expect(alice.available == Int128(available) && alice.minorUnits == Int128(balance), sourceLocation: sourceLocation)
    }
}
