import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver

extension Bench {
    static let batch = 8192

    func writing() async throws {
        try await onePost()
        try await manyCallers()
        try await bulk()
        try await hotAccount()
        try await limits()
        try await processes()
        try await room()
    }

    // MARK: - Shapes

    private func onePost() async throws {
        let posts = scaled(4000)
        try await compare(
            "post, 1 caller", posts, atLeast: 0.9, is: "the same statements through the bare C client, 1 connection",
            ["concurrency": "1 caller", "batch": "1"],
            bound: { book in
                try await unsafe bare(book) { server, error in unsafe bare_posts(server, 1, Int32(posts), Self.accounts, error) }
            },
            value: { ledger in try await Self.post(posts, callers: 1, ledger) })
    }

    private func manyCallers() async throws {
        let posts = scaled(64_000)
        // One transaction each is slower; it gets as long.
        let each = posts / 16 / 8
        try await compare(
            "post, 128 callers", posts, atLeast: 4, is: "one transaction each through the bare C client, 16 connections",
            ["concurrency": "128 callers", "batch": "1"], boundEntries: each * 16,
            bound: { book in
                try await unsafe bare(book) { server, error in unsafe bare_posts(server, 16, Int32(each), Self.accounts, error) }
            },
            value: { ledger in try await Self.post(posts, callers: 128, ledger) })
    }

    private func bulk() async throws {
        let batches = max(2, scaled(36))
        let entries = batches * Self.batch
        let conditions = ["batch": "8,192", "accounts": "10,000, uniform"]
        for callers in [1, 2] {
            try await compare(
                "bulk, \(callers) \(callers == 1 ? "caller" : "callers")", entries, atLeast: callers == 1 ? nil : 1,
                is: "LOAD DATA INFILE of as many rows, one connection, one statement and commit a table",
                conditions.merging(["concurrency": "\(callers)"]) { $1 },
                bound: { book in try await loadData(rows: entries, book) },
                value: { ledger in try await Self.postBatches(batches, callers: callers, ledger) })
        }
        try await compare(
            "bulk, 1 caller", entries, atLeast: nil, is: "the same statements through the bare C client",
            conditions.merging(["concurrency": "1"]) { $1 },
            bound: { book in
                try await unsafe bare(book) { server, error in
                    unsafe bare_bulk(server, Int32(batches), Int32(Self.batch), Self.accounts, error)
                }
            },
            value: { ledger in try await Self.postBatches(batches, callers: 1, ledger) })
    }

    /// Every entry touches one account.
    private func hotAccount() async throws {
        let posts = scaled(64_000)
        try await compare(
            "post, 128 callers, one hot account", posts, atLeast: 0.95, is: "the same, uniform", ["concurrency": "128 callers", "batch": "1"],
            boundLedger: { ledger in try await Self.post(posts, callers: 128, ledger) },
            value: { ledger in try await Self.post(posts, callers: 128, ledger, Self.hotEntry) })
        let batches = max(2, scaled(36))
        try await compare(
            "bulk, 2 callers, one hot account", batches * Self.batch, atLeast: 0.95, is: "the same, uniform", ["batch": "8,192"],
            boundLedger: { ledger in try await Self.postBatches(batches, callers: 2, ledger) },
            value: { ledger in try await Self.postBatches(batches, callers: 2, ledger, Self.hotEntry) })
    }

    private func limits() async throws {
        let batches = max(2, scaled(36))
        // Whatever claims has one lane of its own, so a second caller gains nothing here, and much on unlimited accounts.
        for callers in [1, 2] {
            try await compare(
                "bulk, \(callers) \(callers == 1 ? "caller" : "callers"), all accounts limited", batches * Self.batch, atLeast: 0.5,
                is: "the same on unlimited accounts", ["batch": "8,192", "projector": "stopped"], limited: true,
                boundLedger: { ledger in try await Self.postBatches(batches, callers: callers, ledger) },
                value: { ledger in try await Self.postBatches(batches, callers: callers, ledger) })
        }
        let posts = scaled(64_000)
        try await compare(
            "post, 128 callers, one limited account", posts, atLeast: 0.3, is: "the same callers on unlimited accounts",
            ["concurrency": "128 callers", "batch": "1", "projector": "stopped"], limited: true,
            boundLedger: { ledger in try await Self.post(posts, callers: 128, ledger) },
            value: { ledger in try await Self.drawEverything(posts, callers: 128, ledger) })
    }

    private func processes() async throws {
        let posts = scaled(64_000)
        try await compare(
            "post, 4 processes with 32 callers each", posts, atLeast: 0.9, is: "1 process with 128 callers",
            ["concurrency": "128 callers", "batch": "1"],
            bound: { book in try await workers(1, .posts(posts, callers: 128), book).seconds },
            value: { ledger in try await workers(4, .posts(posts / 4, callers: 32), ledger.location.book).seconds })
    }

    /// Memory of a process and room on disk, after many entries.
    private func room() async throws {
        guard shape.isEmpty || "memory and disk".contains(shape) else { return }
        let entries = max(2, scaled(610)) * Self.batch
        let ledger = try await book("room")
        let ran = try await workers(1, .bulk(entries / Self.batch, callers: 2), "room")
        let conditions = settings(["batch": "8,192", "entries": String(entries), "concurrency": "2 callers"])
        report(
            Figure(
                "memory of a process that posts \(entries) entries", ran.mebibytes[1], "MiB", bound: 128, is: "128 MiB", atMost: 1,
                settings: conditions))
        report(
            Figure(
                "the same when a fifth is posted, and at the end", ran.mebibytes[1] - ran.mebibytes[0], "MiB", bound: 16, is: "16 MiB more",
                atMost: 1, settings: conditions))
        let connection = try await connect("room")
        let files = try await connection.query(
            "SELECT CAST(SUM(FILE_SIZE) AS UNSIGNED) FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME IN ('room/entry', 'room/posting')")
        await connection.close()
        await ledger.close()
        guard case .uint(let bytes)? = files.first?[0] else { throw BareFailure(description: "the server tells no file sizes") }
        report(
            Figure(
                "disk for an entry with one posting and no payload", Double(bytes) / Double(entries), "bytes", bound: 220, is: "220 bytes",
                atMost: size == .full ? 1 : nil, settings: conditions))
    }

    /// The seconds that LOAD DATA takes for entries with one posting each.
    private func loadData(rows: Int, _ book: String) async throws -> Double {
        var entries = ""
        var postings = ""
        // After the few that are there.
        for number in 1_000_001...1_000_000 + rows {
            let entry = Self.entry(UInt64(number))
            entries += "\(number)\t\(entry.id)\t\(entry.kind)\t1\n"
            let (from, to) = Self.accounts(UInt64(number))
            postings += "\(number)\t1\t\(to)\t\(from)\t100\t0\n"
        }
        let files = ["entry": entries, "posting": postings].mapValues { ($0, NSTemporaryDirectory() + UUID().uuidString) }
        defer { for file in files.values { try? FileManager.default.removeItem(atPath: file.1) } }
        for (text, path) in files.values { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        let statements = [
            "LOAD DATA INFILE '\(files["entry"]!.1)' INTO TABLE entry (position, @id, kind, `lines`) SET id = UNHEX(@id)",
            "LOAD DATA INFILE '\(files["posting"]!.1)' INTO TABLE posting (position, line, debit, credit, amount, status)",
        ]
        return try await unsafe bare(book) { server, error in
            var pointers: [UnsafePointer<CChar>?] = unsafe statements.map { unsafe UnsafePointer(strdup($0)) }
            defer { for unsafe pointer in unsafe pointers { unsafe free(UnsafeMutablePointer(mutating: pointer)) } }
            return unsafe bare_statements(server, &pointers, Int32(pointers.count), error)
        }
    }

    // MARK: - Work

    /// Every caller posts one entry after the other and waits for its receipt.
    static func post(
        _ posts: Int, callers: Int, _ ledger: Ledger, _ entry: @escaping @Sendable (UInt64) -> Entry = Bench.entry
    ) async throws -> Double {
        try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        for number in stride(from: caller, to: posts, by: callers) { try await ledger.post(entry(UInt64(number))) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    static func postBatches(
        _ batches: Int, callers: Int, _ ledger: Ledger, _ entry: @escaping @Sendable (UInt64) -> Entry = Bench.entry,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> Double {
        try await seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        for number in stride(from: caller, to: batches, by: callers) {
                            let start = UInt64(number * batch)
                            try await ledger.post((0..<UInt64(batch)).map { entry(start + $0) })
                            progress(number)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Draws everything from one account whose limit is 0, and one time more than there is for.
    private static func drawEverything(_ posts: Int, callers: Int, _ ledger: Ledger) async throws -> Double {
        try await ledger.post(
            Entry(kind: "paid", postings: [Posting(debit: "a:2", credit: "drawn", amount: Amount(minorUnits: Int64(posts), .eur))]))
        let draw = { @Sendable (_: UInt64) in
            Entry(kind: "drawn", postings: [Posting(debit: "drawn", credit: "a:2", amount: Amount(minorUnits: 1, .eur))])
        }
        let seconds = try await post(posts, callers: callers, ledger, draw)
        do { try await ledger.post(draw(0)) } catch {
            guard error.code == .limitExceeded, try await ledger.balance(of: "drawn", in: .eur).minorUnits == 0 else { throw error }
            return seconds
        }
        throw BareFailure(description: "more was drawn than there was")
    }

    // MARK: - Entries

    /// A cheap hash, so that every caller moves money between accounts all over the book.
    static func accounts(_ number: UInt64) -> (from: UInt64, to: UInt64) {
        var z = number &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z ^= z >> 31
        let from = z % UInt64(accounts) + 1
        let to = (from + (z >> 32) % UInt64(accounts - 1)) % UInt64(accounts) + 1
        return (from, to)
    }

    private static let paths: [AccountPath] = (1...Int(accounts)).map { number in
        guard let path = try? AccountPath("a:\(number)") else { preconditionFailure("a:\(number) is a path") }
        return path
    }

    @Sendable static func entry(_ number: UInt64) -> Entry {
        let (from, to) = accounts(number)
        return entry(from, to)
    }

    @Sendable private static func hotEntry(_ number: UInt64) -> Entry { entry(accounts(number).from / 2 + 2, 1) }

    private static func entry(_ from: UInt64, _ to: UInt64) -> Entry {
        Entry(
            kind: "transfer",
            postings: [
                Posting(debit: paths[Int(from) - 1], credit: paths[Int(to) - 1], amount: Amount(minorUnits: 100, .eur))
            ])
    }
}
