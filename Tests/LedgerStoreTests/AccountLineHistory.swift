import Foundation
import IndelibleTesting

@testable import LedgerModel
@testable import LedgerStore

/// A random history for account lines: back-dated entries, many of one instant, holds, and entries that touch an account often.
struct AccountLineHistory {
    let book: TestBook
    let accounts: [Account]
    let times: Times
    private static let dayMicroseconds: Int64 = 86_400_000_000
    private static let begin = try! Timestamp("2026-01-01").microseconds

    /// When entries count.
    enum Times: CaseIterable {
        /// Anywhere, and often now: most lines are late.
        case scattered
        /// One after the other, two at a time, and each fifth a while before.
        case trending
        /// The same, and two entries that count in centuries to come, the first of them after a while.
        case withFuture
    }

    init(_ book: TestBook, _ random: inout Seeded, _ times: Times = .scattered) async throws {
        self.book = book
        self.times = times
        var accounts: [Account] = []
        for (index, type) in [AccountType.asset, .liability, .income].enumerated() {
            accounts.append(try await book.ledger.openAccount(try AccountPath("x:\(index)"), in: .eur, type: type))
        }
        for index in 0..<2 { accounts.append(try await book.ledger.openAccount(try AccountPath("x:\(index)"), in: .jpy, type: .expense)) }
        self.accounts = accounts
    }

    /// One of few instants, so that many entries share one.
    static func instant(_ random: inout Seeded) -> Timestamp {
        Timestamp(microseconds: begin + Int64.random(in: 0..<24, using: &random) * dayMicroseconds / 2)
    }

    /// Of the entry of a number; nil for now.
    private func instant(_ number: Int, _ random: inout Seeded) -> Timestamp? {
        if times == .scattered { return Int.random(in: 0..<4, using: &random) > 0 ? Self.instant(&random) : nil }
        if times == .withFuture, [70, 110].contains(number) { return try! Timestamp("2800-01-01") }
        let late = Int.random(in: 0..<5, using: &random) == 0 ? Int64.random(in: 1...20, using: &random) : 0
        return Timestamp(microseconds: Self.begin + max(0, Int64(number / 2) - late) * Self.dayMicroseconds / 8)
    }

    func posting(_ random: inout Seeded) -> Posting {
        let own = Bool.random(using: &random) ? Array(accounts[..<3]) : Array(accounts[3...])
        let pair = own.shuffled(using: &random)
        let amount = Int64.random(in: 1...(Int.random(in: 0..<20, using: &random) == 0 ? .max / 1000 : 5000), using: &random)
        return Posting(debit: pair[0].path, credit: pair[1].path, amount: Amount(minorUnits: amount, pair[0].currency.code))
    }

    func post(_ count: Int, _ random: inout Seeded, from first: Int = 0) async throws {
        for number in first..<first + count {
            var entry = Entry(kind: "test.random", description: "entry “\(number)”", reference: "r\n\(number)")
            entry.postings = (0..<Int.random(in: 1...4, using: &random)).map { _ in posting(&random) }
            entry.effectiveAt = instant(number, &random)
            let isHold = Int.random(in: 0..<5, using: &random) == 0
            if isHold { entry.hold = Hold() }
            try await book.ledger.post(entry)
            guard isHold else { continue }
            switch Int.random(in: 0..<3, using: &random) {
            case 0: try await book.ledger.capture(entry.id)
            case 1: try await book.ledger.void(entry.id)
            default: break
            }
        }
    }

    func range(_ random: inout Seeded) -> AccountLineRange {
        let newestFirst = Bool.random(using: &random)
        func maybe<T>(_ value: T) -> T? { Bool.random(using: &random) ? value : nil }
        if Bool.random(using: &random) {
            let from = Position(UInt64.random(in: 0...120, using: &random))
            let through = Position(from.number + UInt64.random(in: 0...120, using: &random))
            return .positions(from: maybe(from), through: maybe(through), newestFirst: newestFirst)
        }
        let from = Self.instant(&random)
        let before = Timestamp(microseconds: from.microseconds + Int64.random(in: 0...6, using: &random) * Self.dayMicroseconds)
        return .effective(from: maybe(from), before: maybe(before), newestFirst: newestFirst)
    }

    func journal() async throws -> ([JournalEntry], [AccountID: Account]) {
        var query = EntryQuery()
        query.limit = 100_000
        return (try await book.ledger.entries(query), Dictionary(uniqueKeysWithValues: accounts.map { ($0.id, $0) }))
    }
}
