import Foundation
import IndelibleTesting
import Testing

@testable import LedgerModel
@testable import LedgerStore

/// What cannot be imported from plain text is refused with its line and reason; and keys do not depend on places.
@Suite struct PlainTextRefusalTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let name: String
        let journal: String
        let place: String
        let reason: String
        init(_ name: String, _ journal: String, _ place: String, _ reason: String) {
            (self.name, self.journal, self.place, self.reason) = (name, journal, place, reason)
        }
        var testDescription: String { name }
    }

    private static let good = "2026-01-01 good\n    assets:a   1 EUR\n    income:b\n"

    static let refusals: [Refusal] = [
        .init("costs", good + "2026-01-02 a\n    assets:a   -10 EUR @ 1.10 USD\n    assets:b   11 USD\n", "f:4:",
            "EUR does not balance in this entry, -10.00 is left over"),
        .init("an inferred price", good + "2026-01-02 a\n    assets:a   10 EUR\n    assets:b   -11 USD\n", "f:4:", "--conversion-account"),
        .init("a virtual posting", good + "2026-01-02 a\n    assets:a   1 EUR\n    income:b\n    (virtual:x)   5 EUR\n", "f:6:34:", "virtual posting"),
        .init("balanced virtual postings", good + "2026-01-02 a\n    [assets:a]   1 EUR\n    [income:b]\n", "f:4:34:", "virtual posting"),
        .init("an account of no type", good + "2026-01-02 a\n    cash   1 EUR\n    income:b\n", "f:4:34:", "--account-type \"cash=asset\""),
        .init("no commodity", good + "2026-01-02 a\n    assets:a   1\n    income:b\n", "f:4:49:", "--commodity =CODE"),
        .init("a commodity that is no code", good + "2026-01-02 a\n    assets:a   1 \"a b\"\n    income:b\n", "f:4:49:", "--commodity \"a b=CODE\""),
        .init("more decimals than ISO has", good + "2026-01-02 a\n    assets:a   1.005 EUR\n    income:b\n", "f:4:45:",
            "has 3 decimals, and EUR has 2: define it with more"),
        .init("more money than 64 bits", good + "2026-01-02 a\n    assets:a   92233720368547758.08 EUR\n    income:b\n", "f:4:45:", "64 bits"),
        .init("more decimals than any", good + "2026-01-02 a\n    assets:a   1.0000000000000000001 ETH\n    income:b\n", "f:4:45:", "19 decimals, and no currency has more than 18"),
        .init("a year that the book has not", "0999-01-01 a\n    assets:a   1 EUR\n    income:b\n", "f:2:5:", "no time"),
        .init("a name that is no path", good + "2026-01-02 a\n    assets:a \"x\"   1 EUR\n    income:b\n", "f:4:34:", "no account path"),
        .init("a mark without an id", good + "2026-01-02 a\n    ; indelible:12, kind:x\n    assets:a   1 EUR\n    income:b\n", "f:4:31:", "no id and kind"),
        .init("a mark that is not ours", good
            + "2026-01-02 a\n    ; indelible:0123456789abcdef0123456789abcdef, kind:x\n    ; indelible-more: {\"amount\":1}\n    assets:a   1 EUR\n    income:b\n",
            "f:4:31:", "“amount”"),
        .init("a reserved kind", good
            + "2026-01-02 a\n    ; indelible:0123456789abcdef0123456789abcdef, kind:ledger.tombstone\n    assets:a   1 EUR\n    income:b\n",
            "f:4:1:", "reserved"),
    ]

    @Test(arguments: refusals) func `it is refused with its place`(_ refusal: Refusal) async throws {
        let csv = try await PlainText.print(refusal.journal)
        try await withBook { book in
            var summary = try await book.imported(csv)
            #expect(summary.problems.count == 1 && summary.entriesPosted == 0 && summary.accountsOpened == 0)
            let problem = try #require(summary.problems.first)
            #expect(problem.description.hasPrefix(refusal.place) && problem.reason.contains(refusal.reason), "\(problem)")
            // The rest can go on without it.
            guard refusal.journal.hasPrefix(Self.good) else { return }
            summary = try await Importer(book.ledger).run(
                [.init(name: "f", format: .csv, bytes: Array(csv.utf8))], keepGoing: true)
            #expect(summary.entriesPosted == 1 && summary.problems.count == 1)
            #expect(try await book.plainBalances() == ["assets:a|EUR": "1", "income:b|EUR": "-1"])
        }
    }

    static let broken: [(header: String, rows: String, place: String, reason: String)] = [
        ("\"txnidx\",\"date\",\"amount\"", "", "f:1:1:", "no column “description”"),
        ("txnidx,date,description,account,amount,commodity,x", "", "f:1:50:", "“x” is not known"),
        ("txnidx,date,description,account,amount,commodity", "1,2026-01-01,a,assets:a,1", "f:2:25:", "5 fields"),
        ("txnidx,date,description,account,amount,commodity", "1,2026-01-01,a,assets:a,1,EUR\n1,2026-01-02,a,income:b,-1,EUR", "f:3:3:", "differs"),
        ("txnidx,date,description,account,amount,commodity", "1,2026-01-01,a,assets:a,\"1,234.50\",EUR", "f:2:25:", "two marks"),
        ("txnidx,date,description,account,amount,commodity", "1,2026-01-01,a,assets:a,x,EUR", "f:2:25:", "no amount"),
        ("txnidx,date,description,account,amount,commodity", ",2026-01-01,a,assets:a,1,EUR", "f:2:1:", "no number"),
    ]

    @Test(arguments: broken.indices) func `a file that hledger did not write is refused`(_ index: Int) async throws {
        let (header, rows, place, reason) = Self.broken[index]
        try await withBook { book in
            let problem = try #require(try await book.imported(header + "\n" + rows + "\n").problems.first)
            #expect(problem.description.hasPrefix(place) && problem.reason.contains(reason), "\(problem)")
        }
    }

    @Test func `a commodity of ISO with more decimals is imported if the book has defined it so`() async throws {
        let csv = try await PlainText.print("2026-01-02 a\n    assets:a   1.005 EUR\n    income:b\n")
        try await withBook { book in
            try await book.ledger.defineCurrency(try Currency(.eur, exponent: 4))
            #expect(try await book.imported(csv).entriesPosted == 1)
            #expect(try await book.plainBalances() == ["assets:a|EUR": "1.005", "income:b|EUR": "-1.005"])
        }
    }

    // MARK: - Keys

    private func ids(_ journal: String) async throws -> [String: [EntryID]] {
        let csv = try await PlainText.print(journal)
        let context = PlainTextContext(.init(), PlainTextSurvey([Array(csv.utf8)], .init()), KnownCurrencies([]), [])
        var reader = try PlainTextImport(Array(csv.utf8), context)
        var ids: [String: [EntryID]] = [:]
        while let record = try reader.next(KnownCurrencies([])) {
            if case .entry(let entry, _) = record.content { ids[entry.description ?? "", default: []].append(entry.id) }
        }
        return ids
    }

    @Test func `a line above changes no key, and each of two identical entries has its own`() async throws {
        let journal = "2026-01-02 x\n    assets:a   1.50 EUR\n    income:b\n2026-01-02 x\n    assets:a   1.50 EUR\n    income:b\n" + Self.good
        let before = try await ids(journal)
        #expect(Set(before["x"] ?? []).count == 2)
        let above = "2020-01-01 above\n    assets:z   7 EUR\n    income:b\n\n; a comment\n"
        let after = try await ids(above + journal)
        #expect(after["x"] == before["x"] && after["good"] == before["good"])
        // Another way to write the same.
        let written = try await ids(journal.replacing("1.50 EUR", with: "1.5000 EUR").replacing("2026-01-02 x", with: "2026-01-02 *   x"))
        #expect(written["x"] == before["x"])
        for (old, new) in [("1.50", "1.51"), ("2026-01-02", "2026-01-03"), ("assets:a   1.50", "assets:c   1.50"), (" x", " (7) x")] {
            #expect(try await ids(journal.replacing(old, with: new))["x"] != before["x"], "\(new)")
        }
    }

    @Test func `what is imported again is known, and what grew is added`() async throws {
        let (one, two) = (Self.good, Self.good + "2025-01-01 more\n    assets:c   5 EUR\n    income:b\n")
        try await withBook { book in
            #expect(try await book.imported(try await PlainText.print(one)).entriesPosted == 1)
            let summary = try await book.imported(try await PlainText.print(two))
            #expect(summary.entriesPosted == 1 && summary.entriesRepeated == 1 && summary.accountsOpened == 1)
            // A status that was set since is a conflict, and no second entry.
            let cleared = try await book.imported(try await PlainText.print(two.replacing("01 more", with: "01 * more")))
            #expect(cleared.problems.count == 1 && cleared.entriesPosted == 0)
            #expect(cleared.problems.first?.reason.contains("its payload is") == true)
        }
    }

    @Test func `several files, and accounts that another file opens, make one import`() async throws {
        let one = try await PlainText.print("2026-01-01 a\n    Kasse   1.5 PTS\n    income:b\n")
        let two = try await PlainText.print("2026-01-01 b\n    Kasse   1.255 PTS\n    income:b\n")
        let accounts = "account,currency,type\nKasse,PTS,asset\n"
        try await withBook { book in
            let summary = try await Importer(book.ledger).run([
                .init(name: "c", format: .csv, bytes: Array("currency,exponent\nPTS,3\n".utf8)),
                .init(name: "k", format: .csv, bytes: Array(accounts.utf8)),
                .init(name: "1", format: .csv, bytes: Array(one.utf8)), .init(name: "2", format: .csv, bytes: Array(two.utf8)),
            ])
            #expect(summary.problems.isEmpty && summary.entriesPosted == 2 && summary.accountsOpened == 2)
            #expect(try await book.plainBalances() == ["Kasse|PTS": "2.755", "income:b|PTS": "-2.755"])
        }
        // Without a definition the decimals of all files count.
        try await withBook { book in
            var options = PlainTextOptions()
            options.defaultType = .asset
            let summary = try await Importer(book.ledger, plainText: options).run([
                .init(name: "1", format: .csv, bytes: Array(one.utf8)), .init(name: "2", format: .csv, bytes: Array(two.utf8)),
            ])
            #expect(summary.problems.isEmpty && summary.entriesPosted == 2)
            #expect(try await book.ledger.currencies().map(\.exponent) == [3])
        }
    }
}
