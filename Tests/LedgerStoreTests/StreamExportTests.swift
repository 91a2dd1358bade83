import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// Streams go out with the journal and come in again as they were.
@Suite struct StreamExportTests {
    /// What an id may be and a form could take for something else.
    static let odd = "a,b;\"c\" = (Zoë) \\u0041 \u{2028}:|%25"

    /// A book with everything that units of work record.
    private static func fill(_ book: TestBook, _ units: Units) async throws {
        try await units.run(correlation: "order;9, \"x\"", causation: "mail-1") { unit in
            let story = try await unit.load(Story.self, odd)
            try story.apply([StoryOpened(title: odd), CommentAdded(text: "")])
            try await unit.load(Member.self, "bob").swap { $0.email = "bob@example.org" }
            try unit.claim("email", "bob@example.org", for: "member:bob")
            try unit.post(Entry(kind: "gift.made", description: "A gift", postings: [Wallet.posting(7)]))
        }
        try await units.run { unit in
            let wallet = try await unit.load(Wallet.self, "a")
            try await unit.load(Member.self, "bob").check()
            try wallet.apply(WalletPaid(units: 500, description: "Lunch"))
            try wallet.apply(WalletReserved(wallet: "a", units: 300))
        }
        try await units.run { try await $0.load(Wallet.self, "a").apply(WalletSettled(wallet: "a", units: 200)) }
        try await units.run { unit in
            let wallet = try await unit.load(Wallet.self, "b")
            try wallet.apply(WalletReserved(wallet: "b", units: 50))
            try wallet.apply(WalletFreed(wallet: "b"))
            try unit.release("email", "bob@example.org", of: "member:bob")
            try unit.append(CommentAdded(text: "commutes"), to: odd, expecting: .any)
        }
        try await units.run { try $0.claim("email", "bob@example.org", for: "member:rob") }
        _ = try await units.runOnce(key: "request \(odd)") { try await $0.load(Story.self, odd).apply(CommentAdded(text: "once")) }
        let hold = try await book.ledger.post(Entry(kind: "hold.made", postings: [Wallet.posting(20)], hold: Hold()))
        try await units.run(.relaxed(window: .seconds(5))) { unit in
            try await unit.load(Story.self, odd).apply(StoryClosed())
            try unit.capture(hold.id)
        }
        try await units.exclusively(try claims()) { try exclusive($0) }
    }

    private static func claims() throws -> [Units.Claim] { [try Units.Claim(Wallet.self, "a"), try Units.Claim(Member.self, "bob")] }

    /// One of two claimed streams gets no event.
    private static func exclusive(_ unit: UnitOfWork) throws {
        try unit.loaded(Wallet.self, "a").apply(WalletPaid(units: 1))
    }

    struct Whole: Equatable, Sendable {
        var places: [String] = []
        var hash = ""
        var story = Story(id: odd)
        var member = Member(id: "bob")
        var wallets: [Wallet] = []
    }

    private static func whole(_ book: TestBook) async throws -> Whole {
        let unit = Units(book.ledger).begin()
        var whole = Whole()
        whole.places = try await ParcelRows.texts(
            book, "SELECT stream, HEX(entry_id), revision FROM stream_entry ORDER BY stream, revision, entry_id")
        whole.hash = try await book.journalHash()
        whole.story = try await unit.load(Story.self, odd).state
        whole.member = try await unit.load(Member.self, "bob").state
        whole.wallets = try await unit.preload(Wallet.self, ["a", "b"]).map(\.state)
        return whole
    }

    /// A book of these entries, and its exports.
    private static func exports() async throws -> (Whole, [Exporter.Format: String]) {
        try await StreamAppendTests.withUnits { book, units in
            try await fill(book, units)
            var texts: [Exporter.Format: String] = [:]
            for format in Exporter.Format.allCases { texts[format] = try await book.exported(format) }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            return (try await whole(book), texts)
        }
    }

    @Test(arguments: [Exporter.Format.jsonl, .csv])
    func `streams, claims, checks and keyed units come in as they went out, and a second time change nothing`(format: Exporter.Format) async throws {
        let (whole, texts) = try await Self.exports()
        #expect(whole.story.comments == ["", "commutes", "once"] && whole.story.isClosed && whole.wallets.map(\.paid) == [701, 0])
        #expect(whole.places.count == 17)
        let text = texts[format] ?? ""
        let read: Importer.Format = format == .csv ? .csv : .jsonl
        try await withBook { book in
            let first = try await book.imported(text, read)
            #expect(first.problems.map(\.description) == [] && first.entriesPosted > 20)
            #expect(try await Self.whole(book) == whole)
            #expect(try await book.exported(format) == text)
            let second = try await book.imported(text, read)
            #expect(second.problems.map(\.description) == [] && second.entriesPosted == 0)
            #expect(try await Self.whole(book) == whole)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            try await Self.goOn(Units(book.ledger))
        }
    }

    /// What stood in the first book stands in the second: keys, claims, holds, revisions.
    private static func goOn(_ units: Units) async throws {
        if try await isNew(units, "request \(odd)") { Issue.record("the key was done") }
        let taken = await #expect(throws: LedgerError.self) { try await units.run { try $0.claim("email", "bob@example.org", for: "member:bob") } }
        #expect(taken?.code == .claimTaken && taken?.message.contains("member:rob") == true)
        let settled = await #expect(throws: LedgerError.self) { try await units.run { try await $0.load(Wallet.self, "a").apply(WalletFreed(wallet: "a")) } }
        #expect(settled?.code == .holdSettled)
        try await units.run { try await $0.load(Wallet.self, "a").apply(WalletPaid(units: 3)) }
    }

    private static func isNew(_ units: Units, _ key: String) async throws -> Bool {
        let outcome = try await units.runOnce(key: key) { unit in try unit.post(Entry(kind: "gift.made")) }
        if case .done = outcome { return true }
        return false
    }

    // MARK: - Refused

    /// Lines of a file in which each entry of a story is one line.
    private static func lines(_ format: Exporter.Format = .jsonl) async throws -> [String] {
        let text = try await StreamAppendTests.withUnits { book, units in
            for text in ["one", "two", "three", "four"] { try await units.run { try await $0.load(Story.self, "s").apply(CommentAdded(text: text)) } }
            try await units.run { try $0.claim("email", "x", for: "story:s") }
            try await units.run { try $0.release("email", "x", of: "story:s") }
            return try await book.exported(format)
        }
        return text.split(separator: "\n").map(String.init)
    }

    private static func line(_ text: String, _ lines: [String]) -> Int { lines.firstIndex { $0.contains(text) } ?? 0 }

    /// Imports lines into a new book: what is said.
    private static func refusal(_ lines: [String], _ format: Importer.Format = .jsonl) async throws -> String {
        try await withBook { book in
            do { return try await book.imported(lines.map { $0 + "\n" }.joined(), format).problems.map(\.description).joined(separator: "; ") } catch {
                return "\(error)"
            }
        }
    }

    private static func doubled(_ line: String) -> String {
        // Another id at the same revision.
        line.replacing(/"id":"[0-9a-f]{32}"/, with: #""id":"\#(EntryID.minted())""#)
    }

    @Test(arguments: [0, 1, 2, 3, 4])
    func `a file whose revisions have a gap or a double is refused, naming the line`(row: Int) async throws {
        var lines = try await Self.lines()
        let (second, released) = (Self.line(#""text":"two""#, lines), Self.line("claim-released", lines))
        let named: Int
        switch row {
        case 0:
            // The next one stands where the second was.
            lines.remove(at: second)
            named = second + 1
        case 1:
            lines.insert(Self.doubled(lines[second]), at: second + 1)
            named = second + 2
        case 2:
            lines.swapAt(second, second + 1)
            named = second + 1
        case 3:
            lines.remove(at: released - 1)
            named = released
        default:
            lines[second] = lines[second].replacing(#""revision":2"#, with: #""revision":7"#)
            named = second + 1
        }
        let said = try await Self.refusal(lines)
        #expect(said.contains("f:\(named):"), "\(said)")
    }

    @Test func `a gap in CSV is refused too`() async throws {
        var lines = try await Self.lines(.csv)
        let second = Self.line(#"""text"":""two"""#, lines)
        #expect(second > 1)
        lines.remove(at: second)
        let said = try await Self.refusal(lines, .csv)
        #expect(said.contains("f:\(second + 1):") && said.contains("story:s"), "\(said)")
    }

    // MARK: - Plain text

    @Test func `the balances of hledger and ledger are those of a book with streams`() async throws {
        let (_, texts) = try await Self.exports()
        let plain = texts[.hledger] ?? ""
        #expect(try await PlainText.check(plain) == nil)
        let balances = try await PlainText.hledger(plain)
        #expect(balances == ["customers:alice|EUR": "7.28", "merchants:bob|EUR": "-7.28"])
        #expect(try await PlainText.ledger(plain) == balances)
    }

    private static let liabilities: PlainTextOptions = {
        var options = PlainTextOptions()
        options.defaultType = .liability
        return options
    }()

    private static func pay(_ units: Units, _ checking: Bool) async throws {
        for amount in [500, 7] as [Int64] {
            try await units.run(correlation: odd) { try await $0.load(Wallet.self, odd).apply(WalletPaid(units: amount, description: odd)) }
            if checking { try await units.run { try await $0.load(Wallet.self, odd).check() } }
        }
    }

    @Test(arguments: [false, true]) func `plain text brings a stream back if all of it moves money, and else is refused, naming the line`(isChecked: Bool) async throws {
        let (plain, whole) = try await StreamAppendTests.withUnits { book, units in
            try await Self.pay(units, isChecked)
            return (try await book.exported(.hledger), try await Self.whole(book))
        }
        let text = try await PlainText.print(plain)
        try await withBook { book in
            if isChecked {
                // The checks are not in hledger's CSV, so the second payment has nothing to follow.
                let error = await #expect(throws: LedgerError.self) { try await book.imported(text, .csv, Self.liabilities) }
                #expect(error?.code == .invalidFile && error?.message.hasPrefix("f:6: an entry of its stream") == true, "\(error?.message ?? "")")
                #expect(try await Self.whole(book).places.isEmpty)
            } else {
                for posted in [2, 0] {
                    let summary = try await book.imported(text, .csv, Self.liabilities)
                    #expect(summary.problems.map(\.description) == [] && summary.entriesPosted == posted)
                    #expect(try await Self.whole(book) == whole)
                }
            }
        }
    }
}
