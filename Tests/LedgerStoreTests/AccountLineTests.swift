import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Pages of an account's history against a fold that is too simple to be wrong.
@Suite struct AccountLineTests {
    /// A line as the fold makes it.
    struct Plain: Equatable {
        var position: UInt64
        var line: UInt32
        var effective: Timestamp
        var counterpart: AccountPath
        var side: Side
        var amount: UInt64
        var status: PostingStatus
        var balance: Int128 = 0

        init(_ line: AccountLine) {
            (position, self.line, effective, counterpart) = (line.position.number, line.line, line.effectiveAt, line.counterpart)
            (side, amount, status, balance) = (line.side, line.amount, line.status, line.balance)
        }

        init(_ entry: JournalEntry, _ posting: JournalPosting, _ side: Side, _ counterpart: AccountPath) {
            (position, line, effective, self.counterpart) = (entry.position.number, posting.line, entry.effectiveAt, counterpart)
            (self.side, amount, status) = (side, posting.amount, posting.status)
        }
    }

    /// An account's lines through a position, in an order, with the balances in it.
    static func fold(
        _ account: Account, _ entries: [JournalEntry], _ accounts: [AccountID: Account], _ order: AccountLineRange.Order, _ through: Position
    ) -> [Plain] {
        var lines: [Plain] = []
        for entry in entries where entry.position <= through {
            for posting in entry.postings {
                if posting.debit == account.id { lines.append(Plain(entry, posting, .debit, accounts[posting.credit]!.path)) }
                if posting.credit == account.id { lines.append(Plain(entry, posting, .credit, accounts[posting.debit]!.path)) }
            }
        }
        if order == .effective { lines.sort { ($0.effective, $0.position, $0.line) < ($1.effective, $1.position, $1.line) } }
        var balance: Int128 = 0
        for index in lines.indices {
            if lines[index].status == .posted {
                balance += lines[index].side == account.type.normalSide ? Int128(lines[index].amount) : -Int128(lines[index].amount)
            }
            lines[index].balance = balance
        }
        return lines
    }

    /// All pages of a range, one after the other.
    static func pages(
        _ ledger: Ledger, _ account: Account, _ range: AccountLineRange, limit: Int, between: () async throws -> Void = {}
    ) async throws -> [AccountLinePage] {
        var pages = [try await ledger.accountLines(of: account.path, in: account.currency.code, range, limit: limit)]
        while let next = pages.last?.next {
            try await between()
            // The range is in the cursor; who says it again says the same.
            let again = pages.count % 2 == 0 ? range : nil
            let cursor = try AccountLineCursor(next.text)
            pages.append(try await ledger.accountLines(of: account.path, in: account.currency.code, again, after: cursor, limit: limit))
        }
        return pages
    }

    /// Compares the pages of a range with what the fold says of it.
    static func expect(_ pages: [AccountLinePage], are all: [Plain], in range: AccountLineRange, limit: Int, _ comment: String) {
        func isInside(_ line: Plain) -> Bool {
            let key = range.order == .position ? Int64(line.position) : line.effective.microseconds
            return key >= range.lower ?? .min && key < range.upper ?? .max
        }
        let inside = all.filter(isInside)
        let told = pages.flatMap(\.lines).map(Plain.init)
        #expect(told == (range.isNewestFirst ? inside.reversed() : inside), "\(comment)")
        #expect(pages.dropLast().allSatisfy { $0.lines.count == limit } && pages.last!.lines.count <= limit, "\(comment)")
        var index = all.firstIndex(where: isInside) ?? 0
        if inside.isEmpty { return }
        // One page's closing is the next one's opening, and the first begins with what was before it.
        for page in range.isNewestFirst ? pages.reversed() : pages {
            #expect(page.opening == (index == 0 ? 0 : all[index - 1].balance), "\(comment)")
            index += page.lines.count
            #expect(page.closing == all[index - 1].balance, "\(comment)")
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: AccountLineHistory.Times.allCases)
    func `in both orders and directions the pages are those of a plain fold`(_ times: AccountLineHistory.Times) async throws {
        try await withBook { book in
            var random = Seeded("account lines \(times)")
            let history = try await AccountLineHistory(book, &random, times)
            for round in 0..<4 {
                try await history.post(40, &random, from: 40 * round)
                if round < 3 { try await book.project() }
            }
            let late = try await book.number("SELECT COUNT(*) FROM account_line_late_g1")
            let inTime = try await book.number("SELECT COUNT(*) FROM account_line_g1 WHERE late = 0")
            #expect(late > 30 && inTime > 30, "\(late) late, \(inTime) not")
            let (entries, accounts) = try await history.journal()
            for account in accounts.values.sorted(by: { $0.id < $1.id }) {
                for _ in 0..<12 {
                    let (range, limit) = (history.range(&random), Int.random(in: 1...40, using: &random))
                    let pages = try await Self.pages(book.ledger, account, range, limit: limit)
                    let plain = Self.fold(account, entries, accounts, range.order, pages[0].through)
                    Self.expect(pages, are: plain, in: range, limit: limit, "\(account.path) \(account.currency) \(range) \(limit)")
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(3))) func `pages stay what they are while posting and projecting go on`() async throws {
        try await withBook { book in
            var random = Seeded("stable lines")
            let history = try await AccountLineHistory(book, &random)
            try await history.post(80, &random)
            try await book.project()
            let ranges: [AccountLineRange] = [.positions(), .positions(newestFirst: true), .effective(), .effective(newestFirst: true)]
            for range in ranges {
                let account = history.accounts[0]
                let seed = UInt64.random(in: 0...UInt64.max, using: &random)
                var other = Seeded(seed: seed)
                let pages = try await Self.pages(book.ledger, account, range, limit: 7) {
                    try await history.post(3, &other)
                    try await book.project()
                }
                #expect(pages.count > 3)
                #expect(Set(pages.map(\.through)).count == 1)
                let (entries, accounts) = try await history.journal()
                let plain = Self.fold(account, entries, accounts, range.order, pages[0].through)
                Self.expect(pages, are: plain, in: range, limit: 7, "\(range)")
            }
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `an account without lines, and ranges without lines, have a balance all the same`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(3)
            let before = try await book.ledger.accountLines(of: "a0", in: .eur)
            #expect(before.lines.isEmpty && before.opening == 0 && before.closing == 0 && before.through == .zero && before.next == nil)
            let day = try AccountingDay("2026-02-01")
            var entry = transfer(accounts[0], accounts[1], 70)
            entry.effectiveAt = try Timestamp("2026-01-31T23:30:00Z")
            let receipt = try await book.ledger.post(entry)
            try await book.project()
            let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
            func page(_ range: AccountLineRange, of path: AccountPath = "a0") async throws -> AccountLinePage {
                try await book.ledger.accountLines(of: path, in: .eur, range)
            }
            for range in [AccountLineRange.positions(), .effective(), .positions(newestFirst: true), .effective(newestFirst: true)] {
                #expect(try await page(range, of: "a2").lines.isEmpty)
                let one = try await page(range)
                #expect(one.lines.map(\.balance) == [70] && one.opening == 0 && one.closing == 70, "\(range)")
                #expect(one.lines[0].entry == entry.id && one.lines[0].credit == 70 && one.lines[0].debit == nil)
            }
            // Midnight in Berlin has passed.
            #expect(try await page(.days(from: day, through: day, in: berlin)).lines.count == 1)
            #expect(try await page(.days(from: day, in: .gmt)).opening == 70)
            #expect(try await page(.days(from: day, in: .gmt)).closing == 70)
            #expect(try await page(.days(through: day, in: berlin)).lines.count == 1)
            let last = try AccountingDay("9999-12-31")
            #expect(try await page(.days(from: AccountingDay("1000-01-01"), through: last, in: .gmt, newestFirst: true)).lines.count == 1)
            #expect(try await page(.positions(from: Position(receipt.position.number + 1))).opening == 70)
            #expect(try await page(.positions(from: Position(.max), newestFirst: true)).closing == 70)
            #expect(try await page(.positions(through: Position(receipt.position.number - 1))).closing == 0)
            #expect(try await page(.positions(from: receipt.position, through: Position(.max))).lines.count == 1)
            let unknown = await #expect(throws: LedgerError.self) { try await book.ledger.accountLines(of: "a9", in: .eur) }
            #expect(unknown?.code == .unknownAccount)
            #expect(await #expect(throws: LedgerError.self) { try await book.ledger.accountLines(of: "a0", in: .usd) }?.code == .currencyMismatch)
        }
    }
}
