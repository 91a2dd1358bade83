import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// Limits, holds, corrections and periods from the command line.
@Suite struct LimitCommandTests {
    /// A book of its own, and a way to say something to it.
    struct Book: Sendable {
        let folder: String
        let name: String

        static func make(_ options: [String] = []) async throws -> Book {
            let book = Book(folder: try await TestServer.shared().folder, name: bookName())
            let finished = try await indelible(["init"] + options + book.place)
            guard finished.status == 0 else { throw TestFailure(finished.all) }
            for line in ["account open cash EUR --type asset", "account open alice EUR --type liability --no-overdraft"] {
                try await book.ok(line)
            }
            return book
        }

        var place: [String] { ["--folder", folder, "--book", name] }

        func run(_ line: String, input: String = "") async throws -> Finished {
            try await indelible(line.split(separator: " ").map(String.init) + place, input: input)
        }

        /// Its data.
        @discardableResult
        func ok(_ line: String, input: String = "", _ location: SourceLocation = #_sourceLocation) async throws -> String {
            let finished = try await run(line, input: input)
            #expect(finished.status == 0, "\(line): \(finished.all)", sourceLocation: location)
            return finished.output
        }

        func refused(
            _ line: String, _ status: Int32, _ message: String, _ location: SourceLocation = #_sourceLocation
        ) async throws {
            expectFailure(try await run(line), status, message, line, location)
        }

        func pay(_ key: String, _ amount: String, _ more: String = "") async throws {
            try await ok("post --key \(key) --debit cash --credit alice --amount \(amount) --currency EUR \(more)")
        }

        static func draw(_ key: String, _ amount: String, _ more: String = "") -> String {
            "post --key \(key) --debit alice --credit cash --amount \(amount) --currency EUR \(more)"
        }
    }

    @Test func `limits are set at opening and changed later, and a draw beyond them is refused with 2`() async throws {
        let book = try await Book.make()
        #expect(try await book.ok("account list --format csv") == "account,currency,type,floor,ceiling\nalice,EUR,liability,0.00,\ncash,EUR,asset,,\n")
        try await book.pay("in", "100")
        try await book.refused(Book.draw("out", "100.01"), 2, "alice has 100.00 EUR available and may not go below 0.00: 0.01 missing")
        try await book.ok("account limit alice EUR --floor -50 --key wider")
        #expect(try await book.ok("account limit alice EUR --floor -50 --key wider --format json").contains(#""repeat":true"#))
        try await book.ok(Book.draw("out", "150"))
        try await book.refused("account limit alice EUR --floor 0", 2, "alice stands at -50.00 EUR")
        try await book.refused("account limit alice EUR --ceiling 1000", 65, "was opened without a ceiling")
        try await book.ok("account limit alice EUR --no-floor")
        try await book.ok(Book.draw("out-2", "1000"))
        try await book.ok("account open bob EUR --type liability --credit-line 500 --ceiling 1000")
        #expect(
            try await book.ok("account show bob") == """
                ACCOUNT  CURRENCY  TYPE       STATUS    FLOOR  CEILING  DEBITS  CREDITS  HELD_DEBITS  HELD_CREDITS  BALANCE  AVAILABLE
                bob      EUR       liability  open    -500.00  1000.00    0.00     0.00         0.00          0.00     0.00       0.00

                """)
        try await book.refused(
            "post --debit cash --credit bob --amount 1000.01 --currency EUR", 2,
            "bob has 0.00 EUR and may not go above 1000.00: 0.01 too much")
        try await book.ok("account limit bob EUR --no-ceiling")
        #expect(try await book.ok("account show bob --format csv").contains("bob,EUR,liability,open,-500.00,,"))
        try await book.refused("account open bob EUR --type liability", 65, "was opened with other limits")
    }

    @Test func `an account is frozen, closed and opened again`() async throws {
        let book = try await Book.make()
        try await book.pay("in", "10")
        try await book.ok("account freeze alice EUR --key f --actor eve")
        try await book.refused(Book.draw("out", "1"), 2, "alice in EUR is frozen")
        try await book.refused("account close alice EUR", 2, "empty it before it is closed")
        try await book.ok("account reopen alice EUR")
        try await book.ok(Book.draw("out", "10"))
        try await book.ok("account close alice EUR")
        try await book.refused("post --debit cash --credit alice --amount 1 --currency EUR", 2, "alice in EUR is closed")
        #expect(try await book.ok("account show alice --format csv").contains(",closed,"))
        #expect(try await book.ok("entry show f").contains("actor        eve"))
    }

    @Test func `a hold is placed, listed, captured in part, voided and expired`() async throws {
        let book = try await Book.make()
        try await book.pay("in", "100")
        try await book.ok(Book.draw("room", "80", "--hold --reference room-7"))
        #expect(try await book.ok("balance alice").contains("ACCOUNT  BALANCE  AVAILABLE  CURRENCY"))
        #expect(try await book.ok("balance alice").contains("alice     100.00      20.00  EUR"))
        try await book.refused(Book.draw("out", "20.01"), 2, "20.00 EUR available")
        let list = try await book.ok("hold list --format csv").split(separator: "\n")
        #expect(list.count == 2 && list[1].hasSuffix("held,,80.00,EUR,alice,cash,room-7"), "\(list)")
        try await book.refused("hold capture room --amount 80.01", 65, "posting 1 holds 8000 minor units; 8001 cannot be captured")
        try await book.refused("hold capture room --amount 1 --amount 1", 65, "has 1 postings, and --amount is there 2 times")
        try await book.refused("hold capture in", 2, "is no hold")
        try await book.refused("hold void nobody", 65, "there is no such entry")
        let captured = try await book.ok("hold capture room --amount 30 --format json")
        #expect(try await book.ok("hold capture room --amount 30 --format json") == captured.replacing(#""repeat":false"#, with: #""repeat":true"#))
        try await book.refused("hold void room", 2, "is settled: captured at position")
        #expect(try await book.ok("hold list --format csv").split(separator: "\n").count == 1)
        let end = try await book.ok("entry find --kind ledger.hold-captured")
        #expect(end.contains("    80.00 EUR  debit alice  credit cash  (released)\n    30.00 EUR  debit alice  credit cash\n"), "\(end)")
        #expect(try await book.ok("entry find --kind ledger.hold-captured --format json").contains(#""status":"released""#))
        try await book.ok(Book.draw("other", "10", "--hold"))
        try await book.ok("hold void other")
        try await book.refused(Book.draw("late", "1", "--hold --expires-at 2020-01-01"), 65, "let it expire later")
        try await book.refused(Book.draw("late", "1", "--expires-at 2030-01-01"), 64, "--expires-at is of a hold")
        let soon = Date(timeIntervalSinceNow: 0.8).formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
        try await book.ok(Book.draw("short", "70", "--hold --expires-at \(soon)"))
        try await Task.sleep(for: .seconds(1))
        #expect(try await book.ok("hold list --format csv").contains(",over,"))
        try await book.refused("hold capture short", 2, "expired at")
        #expect(try await book.ok("hold expire --format csv") == "expired\n1\n")
        #expect(try await book.ok("hold expire --format csv") == "expired\n0\n")
        #expect(try await book.ok("balance alice --format csv").contains("alice,70.00,70.00,EUR"))
        try await book.ok("project once")
        #expect(try await book.run("reconcile").status == 0)
    }

    @Test func `an entry is reversed once`() async throws {
        let book = try await Book.make()
        try await book.pay("in", "12.50")
        try await book.ok("reverse in --description mistake --actor eve")
        #expect(try await book.ok("reverse in --description mistake --actor eve --format json").contains(#""repeat":true"#))
        try await book.refused("reverse in", 65, "stands for another entry")
        try await book.refused("reverse --position 1", 2, "moved nothing that could be reversed")
        #expect(try await book.ok("balance alice --format csv").contains("alice,0.00,"))
    }

    @Test func `a period is closed, and what counts in it is refused or re-dated`() async throws {
        let book = try await Book.make(["--time-zone", "Europe/Berlin"])
        #expect(try await book.ok("period show --format csv") == "closed_through,closed_before,time_zone\n,,Europe/Berlin\n")
        try await book.ok("period close 2026-01-31 --key january")
        #expect(
            try await book.ok("period show --format csv")
                == "closed_through,closed_before,time_zone\n2026-01-31,2026-01-31T23:00:00Z,Europe/Berlin\n")
        try await book.refused("period close 2026-01-30", 65, "is closed before 2026-01-31T23:00:00Z already")
        try await book.refused("period close 2999-01-30", 65, "has not ended in Europe/Berlin")
        try await book.refused("period close january", 65, "“january” is no day: write 2026-01-31")
        let late = "post --key late --debit cash --credit alice --amount 1 --currency EUR --effective-at 2026-01-31"
        try await book.refused(late, 2, "the book is closed before 2026-01-31T23:00:00Z")
        try await book.ok(late + " --redate")
        let shown = try await book.ok("entry show late")
        #expect(shown.contains("2026-01-31T23:00:00Z") && shown.contains("redated_from  2026-01-31T00:00:00Z"), "\(shown)")
        let other = try await indelible(["init", "--time-zone", "Asia/Tokyo"] + book.place)
        expectFailure(other, 65, "the book's time zone is Europe/Berlin; it never changes", "time zone")
        expectFailure(try await indelible(["init", "--time-zone", "Mars"] + book.place), 65, "“Mars” is no time zone", "no zone")
    }

    @Test func `a dry run prints the balances after and writes nothing`() async throws {
        let book = try await Book.make()
        try await book.pay("in", "10")
        let count = try await book.ok("entry find --format json").split(separator: "\n").count
        #expect(
            try await book.ok(Book.draw("out", "4", "--dry-run --hold --format csv")) == """
                account,balance,available,currency,type,through
                alice,10.00,6.00,EUR,liability,\(count)
                cash,10.00,6.00,EUR,asset,\(count)

                """)
        try await book.refused(Book.draw("out", "11", "--dry-run"), 2, "1.00 missing")
        let again = try await book.run("post --key in --debit cash --credit alice --amount 10 --currency EUR --dry-run")
        #expect(again.status == 0 && again.error.contains("recorded already, at position"), "\(again.all)")
        #expect(try await book.ok("entry find --format json").split(separator: "\n").count == count)
    }

    @Test(arguments: [
        ("account open x EUR --type asset --no-overdraft --floor 0", "give one of them"),
        ("account limit x EUR", "Give --floor, --no-floor, --ceiling or --no-ceiling."),
        ("account limit x EUR --floor 1 --no-floor", "cannot be set and lifted at once"),
        ("hold capture", "Give a key, --id or --position."),
        ("hold void a --position 1", "Give a key, --id or --position."),
        ("reverse --id xyz", "“xyz” is no id"),
    ])
    func `a wrong command is refused`(_ line: String, _ message: String) async throws {
        let book = try await standing.value
        let finished = try await indelible(
            line.split(separator: " ").map(String.init), environment: ["INDELIBLE_FOLDER": book.folder, "INDELIBLE_BOOK": book.name])
        expectFailure(finished, 64, message, line)
    }
}
