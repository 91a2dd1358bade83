import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Every `at` against a fold over all entries that shares nothing with it.
@Suite struct BalanceTimeTests {
    /// What one entry moves, as the owner reads it from the tables.
    struct Told {
        let position: UInt64
        let effective: Timestamp
        let recorded: Timestamp
        var moves: [(account: UInt32, side: Side, amount: Int64, status: UInt64)] = []
    }

    @Test(arguments: [1, 7, 50, 1000]) func `every at is what a plain fold says, for any size of step`(_ step: Int) async throws {
        try await withBook { book in
            var random = Seeded("every at, steps of \(step)")
            let accounts = try await book.openAccounts(4)
            let projector = Projector(book.location, jobs: [BalanceProjection(spanLength: 8)], positionsMax: UInt64(step))
            for round in 0..<8 {
                for _ in 0..<Int.random(in: 10...30, using: &random) { try await Self.post(accounts, book, &random) }
                // The last ones are not projected.
                if round < 7 { try await projector.catchUp(["balance"]) }
            }
            await projector.close()
            // Another job decides what nobody has used of the rest; the balances stay behind.
            let other = Projector(book.location)
            try await other.catchUp(["account_line"])
            await other.close()
            let told = try await Self.journal(book)
            #expect(told.count > 80)
            #expect(try await book.number("SELECT COUNT(*) FROM balance_span_g1") > 8)
            var checked = Checked()
            for position in 0...told.count {
                let wanted = Self.fold(told, accounts) { $0.position <= UInt64(position) }
                try await checked.expect(.position(Position(UInt64(position))), wanted, accounts, book, through: UInt64(position))
            }
            for _ in 0..<40 {
                let instant = told.randomElement(using: &random)!.recorded.microseconds - Int64.random(in: 0...1, using: &random)
                let prefix = told.prefix { $0.recorded.microseconds <= instant }
                try await checked.expect(
                    .recorded(Timestamp(microseconds: instant)), Self.fold(Array(prefix), accounts) { _ in true }, accounts, book,
                    through: UInt64(prefix.count))
            }
            for _ in 0..<60 {
                let instant = told.randomElement(using: &random)!.effective.microseconds - Int64.random(in: 0...1, using: &random)
                let wanted = Self.fold(told, accounts) { $0.effective.microseconds <= instant }
                try await checked.expect(
                    .effective(Timestamp(microseconds: instant)), wanted, accounts, book, through: UInt64(told.count))
            }
            let everything = Self.fold(told, accounts) { _ in true }
            try await checked.expect(.current, everything, accounts, book, through: UInt64(told.count))
            let projected = try await book.number("SELECT MAX(through_position) FROM checkpoint WHERE job = 'balance'")
            #expect(projected < told.count)
            try await checked.expect(
                .projected, Self.fold(told, accounts) { $0.position <= UInt64(projected) }, accounts, book, through: UInt64(projected))
            // A fold that is always 0 would agree with anything.
            #expect(checked.different > 50)
        }
    }

    /// Asks for all accounts at once and for one by itself.
    private struct Checked {
        var different = 0
        private var last: [Totals] = []

        mutating func expect(
            _ time: BalanceTime, _ wanted: [Totals], _ accounts: [Account], _ book: TestBook, through: UInt64,
            _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let all = try await book.ledger.balances(at: time)
            #expect(all.map(\.totals) == wanted, "all, \(time)", sourceLocation: location)
            #expect(all.allSatisfy { $0.through.number == through }, "\(time): \(all[0].through)", sourceLocation: location)
            for (account, totals) in zip(accounts, wanted) {
                let one = try await book.ledger.balance(of: account.path, in: .eur, at: time)
                #expect(one.totals == totals, "\(account.path), \(time)", sourceLocation: location)
                #expect(one.through.number == through, "\(account.path), \(time)", sourceLocation: location)
            }
            if wanted != last { different += 1 }
            last = wanted
        }
    }

    /// A transfer, a hold, the end of one, or a position that nobody uses: now, long ago, or far ahead.
    private static func post(_ accounts: [Account], _ book: TestBook, _ random: inout Seeded) async throws {
        let pair = accounts.shuffled(using: &random).prefix(2)
        var entry = transfer(pair[0], pair[1], Int64.random(in: 1...1_000_000, using: &random))
        let year = 365 * 86_400 * Int64(1_000_000)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: entry.effectiveAt = Timestamp(microseconds: Timestamp(Date()).microseconds - Int64.random(in: 0...2, using: &random) * year)
        case 3: entry.effectiveAt = Timestamp(microseconds: Timestamp(Date()).microseconds + Int64.random(in: 1...2, using: &random) * year)
        case 4, 5:
            entry.hold = Hold()
            try await book.ledger.post(entry)
            if Bool.random(using: &random) { try await book.ledger.capture(entry.id, amounts: [Amount(minorUnits: 1, .eur)]) }
            return
        case 6:
            try await rollBackOne(book)
        default: break
        }
        try await book.ledger.post(entry)
    }

    /// Leaves a position that a transaction took and did not use.
    static func rollBackOne(_ book: TestBook) async throws {
        try await book.withConnection(role: .writer) { connection in
            _ = try await connection.query("START TRANSACTION")
            _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (UNHEX(MD5(RAND())), 'lost')")
            _ = try await connection.query("ROLLBACK")
        }
    }

    static func fold(_ told: [Told], _ accounts: [Account], _ counts: (Told) -> Bool) -> [Totals] {
        accounts.map { account in
            var totals = Totals()
            for entry in told where counts(entry) {
                for move in entry.moves where move.account == account.id.number {
                    switch (move.side, move.status) {
                    case (.debit, 0): totals.debitsPosted += Int128(move.amount)
                    case (.credit, 0): totals.creditsPosted += Int128(move.amount)
                    case (.debit, 1): totals.debitsPending += Int128(move.amount)
                    case (.credit, 1): totals.creditsPending += Int128(move.amount)
                    case (.debit, _): totals.debitsPending -= Int128(move.amount)
                    case (.credit, _): totals.creditsPending -= Int128(move.amount)
                    }
                }
            }
            return totals
        }
    }

    /// The whole journal, by queries of the owner.
    static func journal(_ book: TestBook) async throws -> [Told] {
        try await book.withOwner { connection in
            var told: [Told] = []
            for row in try await connection.query("SELECT position, effective_at, recorded_at FROM entry ORDER BY position") {
                guard case .uint(let position) = row[0], case .text(let effective) = row[1], case .text(let recorded) = row[2],
                    let effectiveAt = Timestamp(sqlText: effective), let recordedAt = Timestamp(sqlText: recorded)
                else { continue }
                told.append(Told(position: position, effective: effectiveAt, recorded: recordedAt))
            }
            try #require(told.map(\.position) == Array(1...UInt64(told.count)))
            for row in try await connection.query("SELECT position, debit, credit, amount, status FROM posting") {
                let numbers = (0..<5).map { column in if case .uint(let number) = row[column] { number } else { UInt64(0) } }
                told[Int(numbers[0]) - 1].moves += [
                    (UInt32(numbers[1]), .debit, Int64(numbers[3]), numbers[4]), (UInt32(numbers[2]), .credit, Int64(numbers[3]), numbers[4]),
                ]
            }
            return told
        }
    }
}
