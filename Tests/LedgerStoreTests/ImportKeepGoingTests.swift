import Indelible
import IndelibleTesting
import Testing

@Suite struct ImportKeepGoingTests {
    static let header = "key,debit,credit,amount,currency\n"

    /// Imports rows with --keep-going and tells which keys were posted, with their numbers of postings, and the lines of
    /// the problems. A prefix makes the keys a to d, at the beginning of lines, others in the book.
    static func run(
        _ book: TestBook, _ rows: String, header: String = header, prefix: String = ""
    ) async throws -> (posted: String, lines: [Int]) {
        let before = try await book.ledger.entries(all()).last?.position ?? .zero
        let lines = rows.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("\"") ? "\"" + prefix + line.dropFirst() : line.isEmpty ? "" : prefix + line
        }
        let summary = try await book.run([file(header + lines.joined(separator: "\n"))], keepGoing: true)
        let names = Dictionary(uniqueKeysWithValues: "abcd".map { (EntryID(key: prefix + String($0)), String($0)) })
        let entries = try await book.entries(after: before)
        #expect(entries.count == summary.entriesPosted)
        let posted = entries.map { "\($0.id.flatMap { names[$0] } ?? "?")\($0.postings.count)" }.joined(separator: " ")
        return (posted, summary.problems.map(\.line).sorted())
    }

    static func all() -> EntryQuery {
        var query = EntryQuery()
        query.limit = 1_000_000
        return query
    }

    @Test func `good records are posted and bad ones reported`() async throws {
        let rows = """
            {"account":"carol","currency":"EUR","type":"liability"}
            {"account":"dave","currency":"EUR","type":"nobody"}
            {"key":"a","postings":[{"debit":"cash","credit":"carol","amount":"1","currency":"EUR"}]}
            {"key":"b","postings":[{"debit":"cash","credit":"dave","amount":"1","currency":"EUR"}]}
            {"key":"c","postings":[{"debit":"cash","credit":"carol","amount":"x","currency":"EUR"}]}
            not JSON
            {"key":"d","kind":"note"}
            {"key":"a","kind":"note"}
            """
        try await withBook { book in
            try await book.openAccounts()
            let summary = try await book.run([file(rows, "f.jsonl")], keepGoing: true)
            #expect(summary.accountsOpened == 1)
            #expect(summary.entriesPosted == 2)
            #expect(summary.problems.map(\.line) == [2, 4, 5, 6, 8])
            #expect(summary.problems[3].text == "not JSON")
            #expect(try await book.entries().map(\.id) == [EntryID(key: "a"), EntryID(key: "d")])
            // The same again: the good ones are there, the bad ones still bad.
            let again = try await book.run([file(rows, "f.jsonl")], keepGoing: true)
            #expect(again.problems == summary.problems)
            #expect(again.entriesPosted == 0)
            #expect(again.entriesRepeated == 2)
            #expect(again.accountsOpened == 0)
        }
    }

    @Test func `an entry is posted with all its rows or not at all`() async throws {
        let a = "a,cash,alice,1,EUR\n"
        let b = "b,cash,alice,2,EUR\n"
        let c = "c,cash,alice,3,EUR\n"
        let table: [(rows: String, posted: String, lines: [Int])] = [
            (a + b + c, "a1 b1 c1", []),
            (a + a + b, "a2 b1", []),
            // A bad field.
            (a + "b,cash,alice,x,EUR\n" + c, "a1 c1", [3]),
            (a + "a,cash,alice,x,EUR\n" + b, "b1", [3]),
            ("a,cash,alice,x,EUR\n" + a + b, "b1", [2]),
            // Too few and too many fields.
            (a + "b,cash,alice,2\n" + c, "a1 c1", [3]),
            (a + "a,cash,alice,2\n" + b, "b1", [3]),
            ("a,cash,alice,2\n" + a + b, "b1", [2]),
            (a + "a,cash,alice,2,5,EUR\n" + b, "b1", [3]),
            // A row that cannot be read: before it, in it and behind it.
            (a + "b,ca\"sh,alice,2,EUR\n" + c, "a1 c1", [3]),
            (a + "a,ca\"sh,alice,2,EUR\n" + b, "b1", [3]),
            ("a,ca\"sh,alice,2,EUR\n" + a + b, "b1", [2]),
            (a + "\"b\"x,cash,alice,2,EUR\n" + c + b, "b1", [2, 3, 4]),
            (a + "b\"b,cash,alice,2,EUR\n" + b + c, "c1", [2, 3, 4]),
            (a + "b,\"cash,alice,2,EUR\n" + b + c, "a1", [3]),
            (a + "a,\"cash,alice,2,EUR\n" + b + c, "", [3]),
            // The quote takes in the row behind it, and may have taken in rows of the next.
            (a + "b,\"cash,alice,2,EUR\nc,\"cash\",alice,3,EUR\n" + c + "d,cash,alice,4,EUR\n", "a1 d1", [4, 5]),
            // Rows of one key that stand apart.
            (a + b + a + c, "b1 c1", [2, 4]),
            (a + b + a + c + a, "b1 c1", [2, 4, 6]),
            ("a,cash,alice,x,EUR\n" + b + a, "b1", [2, 4]),
            ("a,cash,alice,1\n" + b + a + c, "b1 c1", [2, 4]),
            (a + b + "a,cash,alice,x,EUR\n", "b1", [2, 4]),
            (a + b + "a,ca\"sh,alice,1,EUR\n", "b1", [2, 4]),
            // The same text, once good and once bad.
            (a + b + b + a, "b2", [2, 5]),
            // The account.
            ("a,carol,alice,1,EUR\n" + b, "b1", [2]),
            ("a,cash,alice,1,EUR\na,carol,alice,1,EUR\n" + b, "b1", [3]),
        ]
        try await withBook { book in
            try await book.openAccounts()
            for (number, row) in table.enumerated() {
                let found = try await Self.run(book, row.rows, prefix: "\(number)-")
                #expect(found.posted == row.posted, "\(row.rows)")
                #expect(found.lines == row.lines, "\(row.rows)")
            }
        }
    }

    @Test func `where the key stands further behind, a row of another width may be of any entry`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let header = "debit,credit,amount,currency,key\n"
            func row(_ key: String) -> String { "cash,alice,1,EUR,\(key)\n" }
            let found = try await Self.run(
                book, row("a") + row("b") + "cash,alice,1,5,EUR,b\n" + row("c") + row("d"), header: header)
            #expect(found.posted == "a1 d1")
            #expect(found.lines == [3, 4, 5])
        }
    }

    @Test func `a file with a bad header is reported and the others are posted`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let files = [file("key,what\n1,2\n", "bad.csv"), file(Self.header + "a,cash,alice,1,EUR\n", "good.csv")]
            let summary = try await book.run(files, keepGoing: true)
            #expect(summary.entriesPosted == 1)
            #expect(summary.problems.map(\.file) == ["bad.csv"])
        }
    }

    @Test func `a file that is named twice is posted once`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let once = file(Self.header + "a,cash,alice,1,EUR\nb,cash,alice,1,EUR\n")
            let summary = try await book.run([once, once], keepGoing: true)
            #expect(summary.entriesPosted == 2)
            #expect(summary.problems.map(\.line) == [2, 3])
        }
    }

    @Test func `a key that stands for something else is reported and the rest is posted`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            _ = try await book.run([file(Self.header + "b,cash,alice,9,EUR\n")])
            let found = try await Self.run(book, "a,cash,alice,1,EUR\nb,cash,alice,1,EUR\nc,cash,alice,1,EUR\n")
            #expect(found.posted == "a1 c1")
            #expect(found.lines == [3])
        }
    }
}
