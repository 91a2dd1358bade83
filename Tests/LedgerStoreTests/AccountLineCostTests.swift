import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What a page of account lines reads: its own lines, however long the history is.
@Suite struct AccountLineCostTests {
    /// Lines of the account; `INDELIBLE_LINES` for a long run.
    static let count = ProcessInfo.processInfo.environment["INDELIBLE_LINES"].flatMap(Int.init) ?? 20_000

    @Test(.timeLimit(.minutes(30))) func `a page reads as many rows as it has lines, in both orders, at any place`() async throws {
        // Of its own: every row that this server reads is counted.
        try await TestServer.withOwn(extraOptions: ["--innodb-buffer-pool-size=1G"]) { server in
            let book = try await TestBook.make(on: server)
            let accounts = try await book.openAccounts(2)
            try await Self.fill(book, accounts)
            try await book.project()
            func rowsRead(_ what: String, _ range: AccountLineRange?, _ cursor: AccountLineCursor? = nil) async throws -> (Int, AccountLinePage) {
                let counter: SQL = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'ROWS_READ'"
                _ = try await book.ledger.accountLines(of: "a0", in: .eur, range, after: cursor)
                let before = try await book.number(counter)
                let page = try await book.ledger.accountLines(of: "a0", in: .eur, range, after: cursor)
                let rows = try await book.number(counter) - before
                let clock = ContinuousClock()
                let time = try await clock.measure {
                    for _ in 0..<20 { _ = try await book.ledger.accountLines(of: "a0", in: .eur, range, after: cursor) }
                }
                print("MEASURED \(what): \(rows) rows, \(time / 20)")
                return (rows, page)
            }
            let middle = AccountLineRange.positions(from: Position(UInt64(Self.count / 2)))
            let pages: [(String, AccountLineRange)] = [
                ("oldest", .positions()), ("newest", .positions(newestFirst: true)), ("from the middle", middle), ("by time", .effective()),
                ("by time, newest", .effective(newestFirst: true)),
                ("by time, from near the end", .effective(from: Timestamp(microseconds: Self.instant(Self.count - 200)))),
                ("by time, before near the beginning", .effective(before: Timestamp(microseconds: Self.instant(300)), newestFirst: true)),
            ]
            for (name, range) in pages {
                let (rows, page) = try await rowsRead(name, range)
                #expect(page.lines.count == 50)
                // The balance where a range by time begins: late lines before it are looked at, a hundredth of all.
                #expect(rows < 1500 + Self.count / 100, "\(name)")
                let cursor: AccountLineCursor = try #require(page.next)
                let (later, next) = try await rowsRead(name + ", next page", nil, cursor)
                #expect(later < 450, "\(name)")
                #expect(next.lines.count == 50)
            }
            let (found, half) = try await rowsRead("by time, from the middle", .effective(from: Timestamp(microseconds: Self.instant(Self.count / 2))))
            #expect(found < 1500 + Self.count / 100)
            let cursor: AccountLineCursor = try #require(half.next)
            let (rows, _) = try await rowsRead("by time, from the middle, next page", nil, cursor)
            #expect(rows < 450)
            try await Self.measureBound(book)
            let begin = ContinuousClock.now
            #expect(try await book.reconcile().verdict == .clean)
            print("MEASURED reconcile: \(begin.duration(to: .now))")
            await book.ledger.close()
        }
    }

    /// Microseconds at which the entry of a number counts.
    private static func instant(_ number: Int) -> Int64 { 1_770_000_000_000_000 + Int64(number) * 1_000_000 }

    /// Entries in the order of time, each hundredth a while back.
    private static func fill(_ book: TestBook, _ accounts: [Account]) async throws {
        for start in stride(from: 0, to: count, by: 2000) {
            let batch = (start..<min(start + 2000, count)).map { number in
                var entry = transfer(accounts[0], accounts[1], Int64(number % 100 + 1))
                entry.effectiveAt = Timestamp(microseconds: instant(number % 100 == 0 ? max(0, number - 150) : number))
                return entry
            }
            try await book.ledger.post(batch)
        }
    }

    /// What a plain SELECT of fifty rows by the primary key costs, over the same driver.
    private static func measureBound(_ book: TestBook) async throws {
        try await book.withConnection(role: .auditor) { connection in
            let clock = ContinuousClock()
            let time = try await clock.measure {
                for number in 0..<100 {
                    let from = UInt64(number * count / 200)
                    _ = try await connection.query(
                        "SELECT * FROM account_line_g1 WHERE account = 2 AND position > \(from) ORDER BY position, line LIMIT 50")
                }
            }
            print("MEASURED plain SELECT of 50 rows by primary key: \(time / 100)")
        }
    }
}
