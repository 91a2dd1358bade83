import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// A random history for fees: charges of all times, in several currencies, several accounts in one; holds and what becomes of them;
/// reversals and their reversals; and schedules that are published meanwhile.
struct RandomFees {
    let book: TestBook
    var random: Seeded
    private var holds: [EntryID] = []
    private var reversible: [EntryID] = []
    /// Not yet published, in the order in which they will be.
    private(set) var documents: [String] = []
    private var published: [String] = []
    /// Accounts are opened while everything goes on.
    private var unopened: [(path: String, coin: FeeDocuments.Coin)] = []
    private var opened: [String: [String]] = [:]

    init(_ book: TestBook, _ random: Seeded, schedules: Int, versions: ClosedRange<Int>) async throws {
        (self.book, self.random) = (book, random)
        for coin in FeeDocuments.coins {
            let code = try CurrencyCode(coin.code)
            if Currency.iso(code) == nil { try await book.ledger.defineCurrency(try Currency(code, exponent: coin.exponent)) }
            try await book.ledger.openAccount("fees:platform", in: code, type: .liability)
        }
        unopened = FeeDocuments.paths.flatMap { path in FeeDocuments.coins.map { (path, $0) } }.shuffled(using: &self.random)
        try await open(12)
        for schedule in 0..<schedules {
            let froms = (0..<3).map { _ in FeeDocuments.when(&self.random, 0..<FeeDocuments.days * 2 / 3) }
            for version in FeeDocuments.some(Array(1...7), versions, &self.random) {
                // Some are effective from the same day.
                let from = try #require(froms.randomElement(using: &self.random))
                documents.append(FeeDocuments().document("s\(schedule)", version: version, from: from, &self.random))
            }
        }
        documents.shuffle(using: &self.random)
    }

    // MARK: - Steps

    /// Opens so many accounts more.
    private mutating func open(_ count: Int) async throws {
        for _ in 0..<count {
            guard let next = unopened.popLast() else { return }
            try await book.ledger.openAccount(try AccountPath(next.path), in: try CurrencyCode(next.coin.code), type: .liability)
            opened[next.coin.code, default: []].append(next.path)
        }
    }

    /// Posts so many entries at least.
    mutating func post(_ count: Int) async throws {
        var posted = 0
        while posted < count {
            let batch = (0..<Int.random(in: 1...20, using: &random)).map { _ in entry() }
            try await book.ledger.post(batch)
            for entry in batch { if entry.hold == nil { reversible.append(entry.id) } else { holds.append(entry.id) } }
            // Somebody asks again.
            if Int.random(in: 0..<10, using: &random) == 0 { try await book.ledger.post(batch) }
            for _ in 0..<Int.random(in: 0...2, using: &random) { try await settle() }
            for _ in 0..<Int.random(in: 0...1, using: &random) { try await reverse() }
            posted += batch.count
        }
        if Bool.random(using: &random) { try await giveUp() }
        try await open(1)
    }

    mutating func publish() async throws {
        guard let document = documents.popLast() else { return }
        try await book.ledger.publishFeeSchedule(document, actor: Bool.random(using: &random) ? "ada" : nil)
        published.append(document)
        if let again = published.randomElement(using: &random), Int.random(in: 0..<4, using: &random) == 0 {
            // Who asks again in other words is told so; the document is the same.
            _ = try? await book.ledger.publishFeeSchedule(again)
        }
    }

    private mutating func time() -> Timestamp? {
        Int.random(in: 0..<20, using: &random) == 0 ? nil : Timestamp(microseconds: FeeDocuments.instant(&random))
    }

    private mutating func entry() -> Entry {
        var entry = Entry(kind: EntryKind(stringLiteral: FeeDocuments.kinds.randomElement(using: &random) ?? ""))
        entry.effectiveAt = time()
        if Int.random(in: 0..<8, using: &random) == 0 { entry.hold = Hold() }
        if Int.random(in: 0..<6, using: &random) == 0 { entry.reference = "r\(Int.random(in: 1...3, using: &random))" }
        if Bool.random(using: &random) {
            var card: [String: JSON] = [:]
            if Int.random(in: 0..<6, using: &random) > 0 { card["region"] = .string(FeeDocuments.regions.randomElement(using: &random) ?? "") }
            let large = 9_007_199_254_740_992 + Int64.random(in: 0...1, using: &random)
            if Bool.random(using: &random) { card["deep"] = ["er": .integer(large)] }
            entry.payload["card"] = .object(card)
        }
        let levels: [JSON] = [1, 2, 3, -2, "1", .null]
        if Bool.random(using: &random) { entry.payload["level"] = levels.randomElement(using: &random) }
        let answers: [JSON] = [true, false, "no", "true", 1]
        if Bool.random(using: &random) { entry.payload["vip"] = answers.randomElement(using: &random) }
        let lines = max(1, Int.random(in: -3...4, using: &random))
        entry.postings = (0..<lines).map { _ in posting() }
        return entry
    }

    private mutating func posting() -> Posting {
        let coins = FeeDocuments.coins.filter { opened[$0.code, default: []].count > 1 }
        let coin = coins[Int.random(in: 0..<coins.count, using: &random)]
        let pair = FeeDocuments.some(opened[coin.code, default: []], 2...2, &random)
        let sizes: [Int64] = [coin.size / 100, coin.size, coin.size, coin.size * 20]
        let most = sizes[Int.random(in: 0..<4, using: &random)]
        return Posting(
            debit: AccountPath(stringLiteral: pair[0]), credit: AccountPath(stringLiteral: pair[1]),
            amount: Amount(minorUnits: Int64.random(in: 1...most, using: &random), CurrencyCode(unchecked: coin.code)))
    }

    /// Captures a hold, all or a part of it, at any time, or voids it.
    private mutating func settle() async throws {
        guard let index = holds.indices.randomElement(using: &random) else { return }
        let id = holds.remove(at: index)
        let choice = Int.random(in: 0..<5, using: &random)
        if choice == 0 {
            try await book.ledger.void(id)
            return
        }
        reversible.append(.settlement(of: id))
        if choice == 1 {
            try await book.ledger.capture(id)
            return
        }
        let hold = try #require(try await book.ledger.standing([id])[id])
        var amounts = hold.postings.map { UInt64.random(in: 0...$0.amount, using: &random) }
        if choice == 2 || amounts.allSatisfy({ $0 == 0 }) { amounts = hold.postings.map(\.amount) }
        var draft = try Draft(settling: hold, by: .capture(amounts), account: { _ in nil })
        draft.effectiveAt = Timestamp(microseconds: FeeDocuments.instant(&random))
        _ = try await book.ledger.commits.write([draft])
    }

    /// What is reversed may be a reversal.
    private mutating func reverse() async throws {
        let isRecent = Bool.random(using: &random)
        guard let index = (isRecent ? reversible.indices.suffix(5) : reversible.indices).randomElement(using: &random) else { return }
        let id = reversible.remove(at: index)
        try await book.ledger.reverse(id, effectiveAt: time())
        reversible.append(.reversal(of: id))
    }

    /// A position that nobody has.
    private func giveUp() async throws {
        try await book.withOwner { connection in
            try await connection.execute(unprepared: "START TRANSACTION")
            _ = try await connection.query("INSERT INTO entry (id, kind) VALUES (UNHEX(MD5(RAND())), 'never')")
            try await connection.execute(unprepared: "ROLLBACK")
        }
    }
}

/// Runs a test with a book whose days begin where `zone` is.
func withBook(inZone zone: String, _ body: (TestBook) async throws -> Void) async throws {
    let book = try await TestBook.make(on: try await TestServer.shared(), timeZone: zone)
    try await body(book)
    await book.ledger.close()
}
