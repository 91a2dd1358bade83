import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// Whatever the size of the steps, a generation says the same of every position.
@Suite struct RebuildAgreementTests {
    /// Positions in a step; nil as many as the job says.
    private static let sizes: [UInt64?] = [nil, 1, 7, 1000, nil]

    @Test(.timeLimit(.minutes(5))) func `rebuilds of any step size and the live generation agree as of any position`() async throws {
        try await withBook { book in
            var random = Seeded("rebuilds agree")
            let history = try await AccountLineHistory(book, &random)
            try await Self.fill(history, book, &random)
            let end = try await book.project()
            let owner = BookOwner(book.owner)
            for size in Self.sizes.dropFirst() {
                for job in Projector.builtIn {
                    let number = try await owner.createGeneration(of: job)
                    let through = try await book.withProjector(positionsMax: size) {
                        try await $0.catchUp([job.definition.name], generation: number).through
                    }
                    #expect(through == end)
                }
            }
            let steps = try await book.number("SELECT COUNT(*) FROM checkpoint WHERE job = 'balance' AND generation = 2")
            #expect(UInt64(steps) == end.number, "one position in a step")
            try await Self.expectRows(book, end)

            let told = try await BalanceTimeTests.journal(book)
            let accounts = try await book.ledger.accounts()
            let positions = [0, 1, end.number - 1, end.number] + (0..<25).map { _ in UInt64.random(in: 1...end.number, using: &random) }
            var different: Set<[Totals]> = []
            for number in 1...UInt32(Self.sizes.count) {
                try await owner.switchLive(BalanceProjection(), to: number)
                try await owner.switchLive(AccountLineProjection(), to: number)
                for position in positions {
                    let wanted = BalanceTimeTests.fold(told, accounts) { $0.position <= position }
                    let balances = try await book.ledger.balances(at: .position(Position(position)))
                    #expect(balances.map(\.totals) == wanted, "generation \(number) at \(position)")
                    different.insert(wanted)
                    let account = accounts.randomElement(using: &random)!
                    let one = try await book.ledger.balance(of: account.path, in: account.currency.code, at: .position(Position(position)))
                    #expect(one.totals == wanted[accounts.firstIndex(of: account)!], "generation \(number) at \(position), \(account.path)")
                }
                #expect(try await book.reconcile().verdict == .clean, "generation \(number)")
            }
            // Totals that never move would agree with anything.
            #expect(different.count > 20)
        }
    }

    /// Holds and their ends, entries of many lines, positions that nobody uses, and accounts that are touched very often.
    private static func fill(_ history: AccountLineHistory, _ book: TestBook, _ random: inout Seeded) async throws {
        for _ in 0..<5 {
            try await history.post(30, &random)
            for _ in 0..<3 { try await BalanceTimeTests.rollBackOne(book) }
        }
        let (one, other) = (history.accounts[0], history.accounts[1])
        // More than a row names.
        try await book.ledger.post((0..<400).map { transfer(one, other, Int64($0 + 1)) })
        // All on the same accounts, in one entry.
        try await book.ledger.post(
            Entry(
                kind: "test.large",
                postings: (1...700).map { Posting(debit: one.path, credit: other.path, amount: Amount(minorUnits: $0, .eur)) }))
        try await history.post(20, &random)
    }

    private static func expectRows(_ book: TestBook, _ end: Position) async throws {
        #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE id IS NULL") >= 15)
        #expect(try await book.number("SELECT MAX(LENGTH(touched)) FROM balance_g1") == 4 * 127)
        #expect(try await book.number("SELECT MAX(LENGTH(touched)) FROM balance_g2") == 0)
        try await JobProof.with(book) { proof in
            let generations = try await proof.generations()
            #expect(generations.count == 2 * sizes.count)
            for one in generations {
                #expect(try await proof.chain(one, end: end.number).isEmpty)
                #expect(try await proof.rows(one).isEmpty)
                let checkpoints = try await proof.checkpoints(of: one)
                for through in checkpoints.count > 60 ? checkpoints.shuffled().prefix(40) + [end.number] : checkpoints {
                    #expect(try await proof.check(one, at: through).isEmpty)
                }
            }
        }
    }
}
