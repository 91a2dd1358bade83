import Indelible
import IndelibleTesting
import Testing

@testable import LedgerStore

@Suite struct ImportTests {
    static let journal = """
        key,kind,effective_at,description,reference,actor,debit,credit,amount,currency
        o-1,order.paid,2025-01-31T10:00:00Z,"Two ""blue"" cups, one lid",A1,shop,cash,alice,12.50,EUR
        o-1,order.paid,2025-01-31T10:00:00Z,"Two ""blue"" cups, one lid",A1,shop,alice,bob,1,EUR
        o-2,,,,,,yen,bank:yen,100,JPY
        """

    @Test func `CSV becomes accounts, currencies and entries`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let currencies = file("currency,exponent\nPTS,0\nEUR,2\n", "c.csv")
            let accounts = file("type,account,currency\nasset,bank:yen,JPY\nliability,points:alice,PTS\n", "a.csv")
            let points = file("amount,currency,key,credit,debit\n7,PTS,p-1,points:alice,points:shop\n", "p.csv")
            let shop = file(#"{"account":"points:shop","currency":"PTS","type":"equity"}"#, "s.jsonl")
            let summary = try await book.run([currencies, accounts, shop, file(Self.journal), points])
            #expect(summary == Importer.Summary(accountsOpened: 3, entriesPosted: 3))

            let entries = try await book.entries()
            #expect(entries.map(\.id) == ["o-1", "o-2", "p-1"].map(EntryID.init(key:)))
            #expect(entries.map(\.kind) == ["order.paid", "imported", "imported"])
            #expect(entries.map(\.postings.count) == [2, 1, 1])
            #expect(entries[0].effectiveAt.description == "2025-01-31T10:00:00Z")
            #expect(entries[0].postings.map(\.amount) == [1250, 100])
            #expect(
                try JSON(parsing: entries[0].payload ?? "")
                    == ["description": "Two \"blue\" cups, one lid", "reference": "A1", "actor": "shop"])
            // Left empty: as if it were not there.
            #expect(entries[1].payload == nil)
            #expect(entries[1].effectiveAt == entries[1].recordedAt)
            #expect(try await book.ledger.balance(of: "points:alice", in: CurrencyCode("PTS")).text == "7")
            #expect(try await book.ledger.balance(of: "alice", in: .eur).text == "11.50")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `JSON Lines say the same as CSV`() async throws {
        let lines = """
            {"account":"bank:yen","currency":"JPY","type":"asset"}

            {"key":"o-1","kind":"order.paid","effective_at":"2025-01-31T11:00:00+01:00","description":"Two \\"blue\\" cups, one lid","reference":"A1","actor":"shop","postings":[{"debit":"cash","credit":"alice","amount":"12.50","currency":"EUR"},{"debit":"alice","credit":"bob","amount":"1","currency":"EUR"}]}
            {"postings":[{"amount":"100","currency":"JPY","credit":"bank:yen","debit":"yen"}],"key":"o-2","description":"","reference":null,"payload":null}
            {"key":"fact","kind":"shop.opened","payload":{"area":12.5,"ids":[9007199254740993]}}
            """
        try await withBook { book in
            try await book.openAccounts()
            #expect(try await book.run([file(lines, "f.jsonl")]) == Importer.Summary(accountsOpened: 1, entriesPosted: 3))
            // The same keys and content: CSV finds that nothing is left to do.
            #expect(try await book.run([file(Self.journal)]) == Importer.Summary(entriesRepeated: 2))
            let fact = try #require(try await book.ledger.entry(EntryID(key: "fact")))
            #expect(fact.postings.isEmpty)
            #expect(fact.payload == #"{"area":12.5,"ids":[9007199254740993]}"#)
        }
    }

    @Test func `importing again posts nothing twice`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let accounts = file("account,currency,type\nbank:yen,JPY,asset\ncarol,EUR,liability\n", "a.csv")
            let journal = file(Self.journal)
            #expect(try await book.run([accounts, journal]) == Importer.Summary(accountsOpened: 2, entriesPosted: 2))
            let count = try await book.journalCount()
            for _ in 0..<2 {
                #expect(try await book.run([accounts, journal]) == Importer.Summary(entriesRepeated: 2))
            }
            // One more row: only that is posted.
            let longer = file(Self.journal + "\no-3,,,,,,cash,carol,1,EUR\n")
            #expect(try await book.run([longer]) == Importer.Summary(entriesPosted: 1, entriesRepeated: 2))
            #expect(try await book.journalCount() == count + 1)
        }
    }

    @Test func `an import that was stopped in the middle goes on where it was`() async throws {
        let rows = (1...20).map { "k\($0),cash,alice,\($0),EUR" }
        let header = "key,debit,credit,amount,currency\n"
        try await withBook { book in
            try await book.openAccounts()
            _ = try await book.run([file(header + rows.prefix(7).joined(separator: "\n"))])
            let summary = try await book.run([file(header + rows.joined(separator: "\n"))])
            #expect(summary == Importer.Summary(entriesPosted: 13, entriesRepeated: 7))
            #expect(try await book.ledger.balance(of: "cash", in: .eur).text == "210.00")
        }
    }

    @Test func `line ends, a byte order mark and empty lines make no difference`() async throws {
        let rows = ["key,debit,credit,amount,currency", "k1,cash,alice,1,EUR", "k1,cash,bob,2,EUR", "k2,cash,bob,3,EUR"]
        let forms = [
            rows.joined(separator: "\n"), rows.joined(separator: "\r\n") + "\r\n", "\u{FEFF}" + rows.joined(separator: "\n") + "\n",
            rows.joined(separator: "\n\n\r\n"),
        ]
        try await withBook { book in
            try await book.openAccounts()
            for (number, form) in forms.enumerated() {
                let summary = try await book.run([file(form)])
                #expect(summary.problems == [])
                #expect(summary.entriesPosted == (number == 0 ? 2 : 0))
                #expect(summary.entriesRepeated == (number == 0 ? 0 : 2))
            }
            let lines = #"{"key":"j1"}"# + "\r\n\r\n \t\n" + #"{"key":"j2"}"#
            for text in [lines, "\u{FEFF}" + lines + "\r\n"] {
                let summary = try await book.run([file(text, "f.jsonl")])
                #expect(summary.entriesPosted + summary.entriesRepeated == 2)
                #expect(summary.problems == [])
            }
            #expect(try await book.entries().count == 4)
        }
    }

    @Test func `files without records bring nothing`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let none = [file("key,debit,credit,amount,currency\n"), file("account,currency,type"), file("", "f.jsonl")]
            #expect(try await book.run(none) == Importer.Summary())
            #expect(try await book.run([]) == Importer.Summary())
        }
    }

    @Test func `progress tells of all entries`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let rows = (1...8).map { "k\($0),cash,alice,\($0),EUR" }.joined(separator: "\n")
            var told: [String] = []
            _ = try await Importer(book.ledger, batchEntries: 3).run(
                [file("key,debit,credit,amount,currency\n" + rows)]
            ) { done, all in told.append("\(done)/\(all)") }
            #expect(told == ["3/8", "6/8", "8/8"])
        }
    }
}
