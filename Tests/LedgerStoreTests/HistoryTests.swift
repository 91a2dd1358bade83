import Foundation
import IndelibleTesting
import Testing

@testable import LedgerModel
@testable import LedgerStore

/// What bounds writing goes out and comes in again: holds and what settles them, reversals, limits, freezing, closed periods.
@Suite struct HistoryTests {
    /// A book in which everything has happened that the ledger itself writes.
    static func fill(_ ledger: Ledger) async throws {
        let eur = { (units: Int64) in Amount(minorUnits: units, .eur) }
        try await ledger.openAccount("cash", in: .eur, type: .asset)
        try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
        try await ledger.openAccount("bob", in: .eur, type: .liability, limits: AccountLimits(floor: -500, ceiling: 100_000))
        try await ledger.openAccount("till", in: .eur, type: .asset, limits: AccountLimits(ceiling: 5_000_000))
        try await ledger.post(LimitTests.paid("alice", 10_000, id: EntryID(key: "in")))
        // Two postings on the same accounts: the second is captured in part, the first not at all.
        let twice = Entry(
            id: EntryID(key: "twice"), kind: "held", description: "two", reference: "r", payload: ["n": 1],
            postings: [Posting(debit: "alice", credit: "cash", amount: eur(10)), Posting(debit: "alice", credit: "cash", amount: eur(900))],
            hold: Hold())
        try await ledger.post(twice)
        try await ledger.capture(twice.id, amounts: [eur(0), eur(300)], description: "half", actor: "eve")
        try await ledger.reverse(.settlement(of: twice.id), effectiveAt: try Timestamp("2026-02-03"), description: "no")
        // Long enough for a busy machine to capture the second.
        let soon = Timestamp(microseconds: Timestamp(.now).microseconds + 2_000_000)
        try await ledger.post(LimitTests.drawn("alice", 4_000, id: EntryID(key: "short"), hold: Hold(expiresAt: soon)))
        try await ledger.post(LimitTests.drawn("alice", 1_000, id: EntryID(key: "until"), hold: Hold(expiresAt: soon)))
        try await ledger.capture(EntryID(key: "until"))
        try await ledger.post(LimitTests.drawn("alice", 700, id: EntryID(key: "void"), hold: Hold()))
        try await ledger.void(EntryID(key: "void"), reference: "changed my mind")
        try await ledger.setLimits(AccountLimits(floor: -100), of: "alice", in: .eur, id: EntryID(key: "limit"), actor: "eve")
        try await ledger.setStatus(.frozen, of: "bob", in: .eur)
        try await ledger.setStatus(.open, of: "bob", in: .eur)
        try await ledger.closePeriod(through: try AccountingDay("2026-01-31"))
        var late = LimitTests.paid("bob", 50, id: EntryID(key: "late"))
        (late.effectiveAt, late.backdating) = (try Timestamp("2026-01-15"), .redate)
        try await ledger.post(late)
        try await Task.sleep(for: .microseconds(max(0, soon.microseconds - Timestamp(.now).microseconds) + 50_000))
        // Needs the room of the hold that is over.
        try await ledger.post(LimitTests.drawn("alice", 8_900, id: EntryID(key: "draw")))
        try await ledger.post(LimitTests.drawn("bob", 20, id: EntryID(key: "open"), hold: Hold(expiresAt: try Timestamp("2999-01-01"))))
        try await ledger.setStatus(.closed, of: "till", in: .eur)
    }

    @Test func `a book with all of it is the same book again, and hledger agrees about what is posted`() async throws {
        var exports: [Exporter.Format: String] = [:]
        var (hash, ours) = ("", PlainBalances())
        var totals: [Totals] = []
        try await withBook { book in
            try await Self.fill(book.ledger)
            #expect(try await book.ledger.entry(.settlement(of: EntryID(key: "short")))?.kind == .holdExpired)
            for format in Exporter.Format.allCases { exports[format] = try await book.exported(format) }
            (hash, ours) = (try await book.journalHash(), try await book.plainBalances())
            totals = try await book.ledger.balances().map(\.totals)
            for dates in Exporter.Dates.allCases {
                let plain = try await book.exported(.hledger, dates: dates)
                #expect(try await PlainText.check(plain) == nil)
                #expect(try await PlainText.hledger(plain) == ours)
                #expect(try await PlainText.ledger(plain) == ours)
            }
            // The same book knows all of it again.
            for (text, format) in [(exports[.jsonl], Importer.Format.jsonl), (exports[.csv], .csv)] {
                let again = try await book.imported(text ?? "", format)
                #expect(again.problems.map(\.description) == [] && again.entriesPosted == 0, "\(again)")
            }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
        for (format, read, batches) in [(Exporter.Format.jsonl, Importer.Format.jsonl, [1, 500]), (.csv, .csv, [7])] {
            let text = exports[format] ?? ""
            for batch in batches {
                try await withBook { other in
                    let summary = try await Importer(other.ledger, batchEntries: batch)
                        .run([Importer.File(name: "f.\(read.rawValue)", format: read, bytes: Array(text.utf8))])
                    #expect(summary.problems.map(\.description) == [], "\(text)")
                    #expect(try await other.journalHash() == hash, "\(text)")
                    #expect(try await other.exported(format) == text)
                    #expect(try await other.ledger.balances().map(\.totals) == totals)
                    #expect(try await other.ledger.control(of: "alice", in: .eur).limits.floor == -100)
                    #expect(try await other.ledger.control(of: "till", in: .eur).status == .closed)
                    #expect(try await other.ledger.closedBefore() == Timestamp("2026-02-01"))
                    // The rules are in force: what the book refuses it refuses here.
                    let refused = await #expect(throws: LedgerError.self) { try await other.ledger.post(LimitTests.drawn("alice", 201)) }
                    #expect(refused?.code == .limitExceeded)
                    try await other.project()
                    #expect(try await other.reconcile().verdict == .clean)
                }
            }
        }
    }

    @Test func `a hold and limits can be imported by key, as any other file`() async throws {
        try await withBook { book in
            let lines = """
                {"account":"cash","currency":"EUR","type":"asset"}
                {"account":"alice","currency":"EUR","type":"liability","floor":"-5.00","ceiling":"1000"}
                {"key":"h","hold":{"expires_at":"2999-01-01T00:00:00Z"},"postings":[{"debit":"alice","credit":"cash","amount":"4","currency":"EUR"}]}
                """
            #expect(try await book.imported(lines, .jsonl).problems.map(\.description) == [])
            let balance = try await book.ledger.balance(of: "alice", in: .eur)
            #expect(balance.available == -400 && balance.minorUnits == 0 && balance.account.openingLimits == AccountLimits(floor: -500, ceiling: 100_000))
            let csv = """
                key,debit,credit,amount,currency,status,expires_at
                a,alice,cash,0.50,EUR,pending,2999-01-01
                a,alice,cash,0.25,EUR,pending,2999-01-01
                """
            #expect(try await book.imported(csv, .csv).problems.map(\.description) == [])
            #expect(try await book.ledger.balance(of: "alice", in: .eur).available == -475)
            let more = try await #require(throws: LedgerError.self) {
                try await book.imported(#"{"key":"b","postings":[{"debit":"alice","credit":"cash","amount":"0.26","currency":"EUR"}]}"#, .jsonl)
            }
            #expect(more.code == .limitExceeded && more.message.contains("f:1: alice has -4.75 EUR available"), "\(more.message)")
        }
    }

    @Test func `accounts with limits come from CSV, and what they do not allow has its line`() async throws {
        try await withBook { book in
            let csv = """
                account,currency,type,floor,ceiling
                cash,EUR,asset,,
                alice,EUR,liability,-5.00,1000
                bob,EUR,liability,,1000
                """
            #expect(try await book.imported(csv).problems.map(\.description) == [])
            #expect(try await book.imported(csv).problems.map(\.description) == [])
            #expect(try await book.ledger.account("bob", in: .eur).openingLimits == AccountLimits(ceiling: 100_000))
            // A file that says nothing of limits contradicts none.
            #expect(try await book.imported("account,currency,type\nalice,EUR,liability\n").problems.isEmpty)
            for (line, message) in [("alice,EUR,liability,,900", "with other limits"), ("x,EUR,asset,1.005,", "3 decimals")] {
                let problems = try await book.imported("account,currency,type,floor,ceiling\n\(line)\n").problems
                #expect(problems.count == 1 && problems[0].description.contains(message), "\(problems)")
            }
            for (status, message) in [("released", "only an entry of the ledger's own releases"), ("gone", "“gone” is no status")] {
                let problems = try await book.imported("key,debit,credit,amount,currency,status\na,alice,cash,1,EUR,\(status)\n").problems
                #expect(problems.count == 1 && problems[0].description.contains(message), "\(problems)")
            }
        }
    }

    @Test func `what was on its way when an account was closed is refused where it comes after, and plain text brings no captures`() async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("box", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await book.ledger.post(LimitTests.paid("alice", 100))
            let hold = try await book.ledger.post(LimitTests.drawn("alice", 100, hold: Hold())).id
            try await book.ledger.capture(hold)
            let plain = try await PlainText.print(try await book.exported(.hledger))
            let problems = try await book.imported(plain).problems
            #expect(problems.count == 1 && problems[0].description.contains("reserved for the ledger itself"), "\(problems)")
            try await book.ledger.setStatus(.closed, of: "box", in: .eur, id: EntryID(key: "closed"))
            var lines = try await book.exported(.jsonl)
            lines += #"{"id":"00112233445566778899aabbccddeeff","kind":"x","postings":[{"debit":"box","credit":"cash","amount":"1","currency":"EUR"}]}"#
            try await withOther { other in
                let refused = try await #require(throws: LedgerError.self) { try await other.imported(lines, .jsonl) }
                #expect(refused.code == .accountClosed && refused.message.hasPrefix("f:9: box in EUR is closed"), "\(refused.message)")
            }
        }
    }

    @Test func `a hold that is over is not brought into a book that looks for it no more`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            try await book.ledger.expireHolds()
            let line = #"{"id":"00112233445566778899aabbccddeeff","kind":"x","effective_at":"2020-01-01","hold":{"expires_at":"2020-01-02"},"postings":[{"debit":"alice","credit":"cash","amount":"1","currency":"EUR"}]}"#
            let refused = try await #require(throws: LedgerError.self) { try await book.imported(line, .jsonl) }
            #expect(refused.code == .invalidTime && refused.message.contains("Import it into a new book"), "\(refused.message)")
        }
    }

    private func withOther(_ body: (TestBook) async throws -> Void) async throws {
        let book = try await TestBook.make(on: try await TestServer.shared())
        try await body(book)
        await book.ledger.close()
    }

    /// Lines of an export that no ledger writes. `HOLD` and `CAPTURE` stand for the ids of a hold and of its settlement.
    static let forged: [(line: String, message: String)] = [
        (#"{"id":"CAPTURE","kind":"ledger.hold-captured","payload":{"hold":"HOLD"}}"#, "reserved for the ledger"),
        (#"{"key":"x","kind":"ledger.hold-captured","effective_at":"2026-01-01"}"#, "reserved for the ledger"),
        (#"{"id":"00112233445566778899aabbccddeeff","kind":"ledger.hold-voided","effective_at":"2026-01-01","payload":{"hold":"HOLD"}}"#, "has not the id that follows"),
        (#"{"id":"CAPTURE","kind":"ledger.hold-voided","effective_at":"2026-01-01","payload":{}}"#, "says nothing of the entry that it ends"),
        (#"{"id":"CAPTURE","kind":"ledger.hold-voided","effective_at":"2026-01-01","payload":{"hold":"HOLD","x":1}}"#, "has “x” in its payload"),
        (#"{"id":"CAPTURE","kind":"ledger.tombstone","effective_at":"2026-01-01"}"#, "reserved for the ledger"),
        (#"{"id":"CAPTURE","kind":"ledger.status-set","effective_at":"2026-01-01","payload":{"account":"alice","currency":"EUR","status":"gone"}}"#, "sets no status"),
        (#"{"id":"CAPTURE","kind":"ledger.status-set","effective_at":"2026-01-01","payload":{"account":"who","currency":"EUR","status":"open"}}"#, "there is no account who"),
        (#"{"id":"CAPTURE","kind":"ledger.limits-set","effective_at":"2026-01-01","payload":{"account":"alice","currency":"EUR","floor":"1"}}"#, "no whole number"),
        (#"{"key":"x","postings":[{"debit":"alice","credit":"cash","amount":"1","currency":"EUR","released":true}]}"#, "only an entry of the ledger's own releases"),
        (#"{"key":"x","hold":true}"#, "a hold is an object"),
        (#"{"key":"x","hold":{}}"#, "it has no posting"),
        (#"{"key":"x","hold":{"until":"2026-01-01"}}"#, "“until” is not known"),
        (#"{"account":"alice","currency":"EUR","type":"liability","floor":"-1"}"#, "was opened with other limits"),
    ]

    @Test func `what no ledger writes is refused with its place`() async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await book.ledger.post(LimitTests.paid("alice", 100))
            let hold = try await book.ledger.post(LimitTests.drawn("alice", 100, hold: Hold())).id
            let count = try await book.journalCount()
            func filled(_ line: String) -> String {
                line.replacing("HOLD", with: hold.description).replacing("CAPTURE", with: EntryID.settlement(of: hold).description)
            }
            for (line, message) in Self.forged {
                let summary = try await book.imported(filled(line), .jsonl)
                #expect(summary.problems.count == 1 && summary.problems[0].description.contains(message), "\(line): \(summary.problems)")
            }
            let unknown = EntryID(key: "nobody")
            let nowhere = #"{"id":"\#(EntryID.settlement(of: unknown))","kind":"ledger.hold-voided","effective_at":"2026-01-01","payload":{"hold":"\#(unknown)"}}"#
            #expect(try await book.imported(nowhere, .jsonl).problems.first?.description.contains("neither in the book nor further up") == true)
            // It captures more than is held.
            let more = filled(
                #"{"id":"CAPTURE","kind":"ledger.hold-captured","effective_at":"2026-01-01","payload":{"hold":"HOLD"},"postings":[{"debit":"alice","credit":"cash","amount":"1.00","currency":"EUR","released":true},{"debit":"alice","credit":"cash","amount":"1.01","currency":"EUR"}]}"#)
            await #expect(throws: LedgerError.self) { try await book.imported(more, .jsonl) }
            #expect(try await book.journalCount() == count)
        }
    }
}
