import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What goes out can come in again: the same journal by its hash, the same balances by hledger and ledger.
@Suite struct ExportTests {
    /// Descriptions that one of the forms could take for something else.
    static let texts = [
        "plain", "", " leads", "trails ", "a;b", "; c", "(code) x", "! x", "* x", "=2026-01-01 x", "two\nlines", "cr\r\nlf", "tab\tbed",
        "\"quoted\", comma", "a | b", "indelible:x", "[2026-13-45] x", "x:: 1/0", "{ [1,2] }", "é e\u{301} 名 \u{2028} \u{FEFF} 🏦", "\\u0041", "%25",
        "-- ''", "=SUM(A1)", "#", "@",
    ]
    static let names = ["(v)", "[b]", "!p", "<d>", "%28q", "%q", "%25", "#n", "=e", "@at", "a b:c/d", "-x", "2026-01-01", "~", "'x'", "é:名", "{a}", ":)".replacing(":", with: ""), "$1"]
    static let codes = ["$", "€", "BTC8", "A.B", "X-1", "Y_2", "div", "名", "JPY", "KWD"]

    /// Entries of every kind of text, name and currency.
    private func fill(_ book: TestBook) async throws {
        var entries: [Entry] = []
        for (index, text) in Self.texts.enumerated() {
            let code = try CurrencyCode(Self.codes[index % Self.codes.count])
            if Currency.iso(code) == nil { try await book.ledger.defineCurrency(try Currency(code, exponent: index % Self.codes.count)) }
            let (debit, credit) = (try AccountPath(Self.names[index % Self.names.count]), AccountPath("other"))
            for path in [debit, credit] { try await book.ledger.openAccount(path, in: code, type: AccountType.allCases[index % 5]) }
            let amount = Amount(minorUnits: Int64(index) * 1_001 + 1, code)
            entries.append(
                Entry(
                    id: index % 2 == 0 ? .minted() : EntryID(key: "k\(index)"), kind: "order.paid",
                    effectiveAt: Timestamp(microseconds: Int64(index % 7) * 86_400_000_000 - Int64(index)), description: text,
                    reference: index % 3 == 0 ? text : nil, actor: index % 4 == 0 ? "\(text)," : nil,
                    payload: index % 2 == 0 ? ["a": [1, "[1]", ["=", .object([text: .null])]], "n": .number(Decimal(string: "0.10000000000000000001")!)] : [:],
                    postings: [
                        Posting(debit: debit, credit: credit, amount: amount), Posting(debit: debit, credit: credit, amount: amount),
                        Posting(debit: credit, credit: debit, amount: Amount(minorUnits: 1, code)),
                    ]))
        }
        // A payload that says it is hledger's, and is not, or does not fit the postings.
        for (index, json) in [
            ["status": "x"], ["code": "a)b"], ["comment": "indelible:1"], ["date2": "tomorrow"], ["status": "*", "comment": "kept"],
            ["legs": [["account": "(v)", "amount": "1", "commodity": "$"]]], ["comment": " x"], ["unknown": 1], 7,
        ].enumerated() as EnumeratedSequence<[JSON]> {
            entries.append(
                Entry(
                    id: EntryID(key: "h\(index)"), kind: "imported", effectiveAt: try Timestamp("2026-01-01"), payload: ["hledger": json],
                    postings: [Posting(debit: "(v)", credit: "other", amount: Amount(minorUnits: 5, try CurrencyCode("$")))]))
        }
        try await book.ledger.post(entries)
    }

    @Test func `nothing that an entry can say breaks a form`() async throws {
        var exports: [Exporter.Format: String] = [:]
        var (hash, ours) = ("", PlainBalances())
        try await withBook { book in
            try await fill(book)
            for format in Exporter.Format.allCases { exports[format] = try await book.exported(format) }
            (hash, ours) = (try await book.journalHash(), try await book.plainBalances())
            let recorded = try await book.exported(.hledger, dates: .recorded)
            #expect(try await PlainText.check(recorded) == nil)
            #expect(try await PlainText.hledger(recorded) == ours)
        }
        let plain = exports[.hledger] ?? ""
        #expect(try await PlainText.check(plain) == nil)
        #expect(try await PlainText.hledger(plain) == ours)
        #expect(try await PlainText.ledger(plain) == ours)
        // A canary: hledger sees a wrong cent.
        #expect(try await PlainText.check(plain.replacing("  5 $\n", with: "  5.01 $\n")) != nil)
        for (format, text) in exports {
            try await withBook { book in
                if format == .hledger {
                    // Plain text does not say how many decimals a currency has that uses fewer, nor what an account's type is.
                    let lines = exports[.jsonl]?.split(separator: "\n").filter { !$0.contains("\"kind\"") } ?? []
                    #expect(try await book.imported(lines.joined(separator: "\n"), .jsonl).problems.isEmpty)
                }
                let read = format == .hledger ? try await PlainText.print(text) : text
                let summary = try await book.imported(read, format == .jsonl ? .jsonl : .csv)
                #expect(summary.problems.map(\.description) == [])
                #expect(try await book.plainBalances() == ours)
                if format == .hledger {
                    // The accounts come first here; each entry is the same.
                    let entries = { (text: String) in Set(text.split(separator: "\n").filter { $0.contains("\"kind\"") }) }
                    #expect(entries(try await book.exported(.jsonl)) == entries(exports[.jsonl] ?? ""))
                } else {
                    #expect(try await book.journalHash() == hash, "\(format)")
                    #expect(try await book.exported(format) == text)
                }
            }
        }
    }

    @Test func `facts without postings are carried by JSON Lines and CSV`() async throws {
        for format in [Exporter.Format.jsonl, .csv] {
            var (text, hash) = ("", "")
            try await withBook { book in
                try await book.ledger.post(Entry(kind: "fee.published", description: "", payload: ["rate": "0.5"]))
                try await book.ledger.post(Entry(kind: "empty"))
                (text, hash) = (try await book.exported(format), try await book.journalHash())
            }
            try await withBook { book in
                let read: Importer.Format = format == .csv ? .csv : .jsonl
                let (first, own) = (try await book.imported(text, read), try await book.journalHash())
                #expect(first.problems.isEmpty && own == hash, "\(first.problems)\n\(text)")
                #expect(try await book.imported(text, read).entriesRepeated == 2)
            }
        }
    }

    @Test func `ranges join to the whole, and each says how far it goes`() async throws {
        try await withBook { book in
            try await fill(book)
            let exporter = Exporter(book.ledger)
            let whole = try await book.exported(.jsonl)
            var parts = ""
            let head = try await exporter.hash().head
            for start in stride(from: UInt64(1), through: head.number, by: 10) {
                let end = Position(min(start + 9, head.number))
                let summary = try await exporter.run(.jsonl, from: Position(start), to: end) { parts += $0 }
                #expect(summary.through == end && summary.records > 0)
            }
            #expect(parts == whole)
            var hash = JournalHash()
            for line in whole.split(separator: "\n") { hash.append(String(line)) }
            #expect(try await exporter.hash().hash == hash)
            await #expect(throws: LedgerError.self) { try await exporter.hash(to: Position(head.number + 1)) }
            let past = try await exporter.run(.csv, from: Position(head.number + 5)) { _ in }
            #expect(past.records == 0)
            // A range of plain text declares what it uses.
            var text = ""
            _ = try await exporter.run(.hledger, from: Position(head.number - 3)) { text += $0 }
            #expect(try await PlainText.check(text) == nil)
        }
    }

    @Test func `an export ends before a position that is not decided, and a tombstone changes no hash`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 5, id: EntryID(key: "1")))
            let before = try await Exporter(book.ledger).hash()
            try await book.withConnection(role: .writer) { connection in
                try await connection.execute(unprepared: "START TRANSACTION")
                _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (\([UInt8](repeating: 7, count: 16)), 'x')")
                try await book.ledger.post(transfer(accounts[0], accounts[1], 6, id: EntryID(key: "2")))
                let during = try await Exporter(book.ledger).hash()
                #expect(during.hash == before.hash && during.through == before.through && during.head.number == before.head.number + 2)
                try await connection.execute(unprepared: "ROLLBACK")
            }
            try await book.project()
            let after = try await Exporter(book.ledger).hash()
            #expect(after.through == after.head && after.records == before.records + 1)
            let text = try await book.exported(.jsonl)
            try await withOther(text) { #expect($0 == after.hash?.description) }
        }
    }

    /// The hash of a new book of these lines.
    private func withOther(_ text: String, _ body: (String) async throws -> Void) async throws {
        let book = try await TestBook.make(on: try await TestServer.shared())
        #expect(try await book.imported(text, .jsonl).problems.isEmpty)
        try await body(try await book.journalHash())
        await book.ledger.close()
    }

    @Test func `whatever is different makes another hash`() async throws {
        func hash(_ change: (inout Entry) -> Void = { _ in }, swap: Bool = false) async throws -> String {
            var entry = Entry(
                id: EntryID(key: "1"), kind: "a", effectiveAt: try Timestamp("2026-01-01"), description: "d", reference: "r",
                actor: "a", payload: ["p": 1],
                postings: [Posting(debit: "a0", credit: "a1", amount: Amount(minorUnits: 5, .eur))])
            change(&entry)
            var entries = [entry, Entry(id: EntryID(key: "2"), kind: "b", effectiveAt: try Timestamp("2026-01-01"))]
            if swap { entries.reverse() }
            return try await withBook { book in
                _ = try await book.openAccounts(2)
                try await book.ledger.post(entries)
                return try await book.journalHash()
            }
        }
        let first = try await hash()
        #expect(try await hash() == first)
        let changes: [(inout Entry) -> Void] = [
            { $0.id = EntryID(key: "3") }, { $0.kind = "c" }, { $0.effectiveAt = Timestamp(microseconds: 1) }, { $0.description = "e" },
            { $0.description = nil }, { $0.reference = "s" }, { $0.actor = "b" }, { $0.payload = ["p": 2] }, { $0.payload = [:] }, { $0.postings = [] },
            { $0.postings = [Posting(debit: "a1", credit: "a0", amount: Amount(minorUnits: 5, .eur))] },
            { $0.postings = [Posting(debit: "a0", credit: "a1", amount: Amount(minorUnits: 6, .eur))] },
            { $0.postings += $0.postings },
        ]
        var hashes: Set = [first, try await hash(swap: true)]
        for change in changes { hashes.insert(try await hash(change)) }
        #expect(hashes.count == changes.count + 2)
    }
}
