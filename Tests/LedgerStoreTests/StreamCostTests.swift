import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// What units of work send and write, as the server counts it.
@Suite struct StreamCostTests {
    /// A book on a server of its own, which counts what each login does.
    private static func withCounting<T>(_ body: (TestBook) async throws -> T) async throws -> T {
        try await TestServer.withOwn(extraOptions: ["--general-log=1", "--log-output=TABLE"]) { server in
            let book = try await TestBook.make(on: server)
            let result = try await body(book)
            await book.ledger.close()
            return result
        }
    }

    /// Statements that a book's login has sent so far, prepared ones when they are executed.
    private static func statements(_ book: TestBook) async throws -> [String] {
        let login = "\(book.location.user)["
        return try await ParcelRows.texts(
            book, "SELECT argument FROM mysql.general_log WHERE user_host LIKE CONCAT(\(login), '%') AND command_type IN ('Query', 'Execute')")
    }

    /// Those that a piece of work sends.
    private static func statements(_ book: TestBook, _ body: () async throws -> Void) async throws -> [String] {
        let before = try await statements(book).count
        try await body()
        return try await statements(book).dropFirst(before).map { String($0.prefix(60)) }
    }

    private static func rows(_ book: TestBook) async throws -> [String: Int] {
        var rows: [String: Int] = [:]
        for table in ["entry", "stream_entry", "posting", "account_claim", "control"] {
            guard let name = SQLIdentifier(table) else { continue }
            rows[table] = try await book.number("SELECT COUNT(*) FROM \(identifier: name)")
        }
        return rows
    }

    private static func comments(_ unit: UnitOfWork, _ story: String, _ count: Int) async throws {
        let story = try await unit.load(Story.self, story)
        try story.apply((0..<count).map { CommentAdded(text: "\($0)") })
    }

    @Test(.timeLimit(.minutes(2))) func `a child that is added to a thousand is one row in the journal and one in the stream`() async throws {
        try await Self.withCounting { book in
            try await Units(book.ledger).run { try await Self.comments($0, "1", 1000) }
            let forgetful = Ledger(book.location, streamsRemembered: 0)
            for ledger in [book.ledger, book.ledger, forgetful, forgetful] {
                let before = try await Self.rows(book)
                let sent = try await Self.statements(book) { try await Units(ledger).run { try await Self.comments($0, "1", 1) } }
                let added = try await Self.rows(book).merging(before) { $0 - $1 }
                #expect(added == ["entry": 1, "stream_entry": 1, "posting": 0, "account_claim": 0, "control": 0])
                let inserts = sent.filter { $0.hasPrefix("INSERT") }.map { $0.prefix(20) }
                #expect(inserts == ["INSERT INTO `stream_", "INSERT INTO `entry` "], "\(sent)")
            }
            await forgetful.close()
        }
    }

    private static func load(_ ledger: Ledger, _ range: Range<Int>) async throws {
        let refs = try await Units(ledger).begin().preload(Story.self, range.map(String.init))
        #expect(refs.count == range.count && refs.allSatisfy { $0.state.comments == ["0", "1", "2"] })
    }

    @Test(.timeLimit(.minutes(2))) func `a hundred aggregates take as many statements as ten`() async throws {
        try await Self.withCounting { book in
            for start in stride(from: 0, to: 220, by: 20) {
                try await Units(book.ledger).run { unit in for number in start..<start + 20 { try await Self.comments(unit, "\(number)", 3) } }
            }
            let fresh = Ledger(book.location)
            // A connection.
            try await Self.load(fresh, 110..<120)
            let ten = try await Self.statements(book) { try await Self.load(fresh, 0..<10) }
            let hundred = try await Self.statements(book) { try await Self.load(fresh, 10..<110) }
            // Of the first ten and the next the states are remembered.
            let remembered = try await Self.statements(book) { try await Self.load(fresh, 0..<100) }
            let mixed = try await Self.statements(book) { try await Self.load(fresh, 20..<220) }
            #expect(ten.count == 4 && hundred == ten && remembered == ten && mixed == ten, "\(ten) \(hundred) \(remembered) \(mixed)")
            await fresh.close()
        }
    }

    private static func rowsRead(_ book: TestBook, _ body: () async throws -> Void) async throws -> Int {
        let count: SQL = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'ROWS_READ'"
        let before = try await book.number(count)
        try await body()
        return try await book.number(count) - before
    }

    private static func read(_ ledger: Ledger) async throws {
        let story = try await Units(ledger).begin().load(Story.self, "1")
        #expect(story.state.comments == (0..<1050).map { "\($0)" } && story.revision == 1050)
    }

    @Test(.timeLimit(.minutes(2))) func `with snapshots only what came after the last one is read`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let snapshots = Snapshots(of: Story.self)
            let owner = BookOwner(book.owner)
            _ = try await owner.createGeneration(of: snapshots)
            _ = try await owner.switchLive(snapshots, to: 1)
            try await Units(book.ledger).run { try await Self.comments($0, "1", 1050) }
            let plain = Ledger(book.location, streamsRemembered: 0)
            let kept = Ledger(book.location, snapshots: snapshots, streamsRemembered: 0)
            // Connections, and a first look at everything.
            for ledger in [plain, kept] { try await Self.read(ledger) }
            let whole = try await Self.rowsRead(book) { try await Self.read(plain) }
            let before = try await Self.rowsRead(book) { try await Self.read(kept) }
            let projector = Projector(book.location, jobs: Projector.builtIn + [snapshots])
            try await projector.catchUp()
            await projector.close()
            let after = try await Self.rowsRead(book) { try await Self.read(kept) }
            // An event is a row in its stream and a row in the journal.
            #expect(whole >= 2100 && before >= 2100 && after >= 100 && after < 200, "\(whole) \(before) \(after)")
            for ledger in [plain, kept, book.ledger] { await ledger.close() }
        }
    }
}
