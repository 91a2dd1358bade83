import BareClient
import Foundation
import Indelible
import LedgerModel
import LocalMariaDB
import MariaDBDriver
import Synchronization

extension Bench {
    func jobs() async throws {
        try await rebuild()
        try await catchUp()
        try await draining()
        try await lag()
        try await rebuildMemory()
        try await accountLines()
        try await balances()
    }

    /// Entries of the book that most shapes work on.
    private var entries: Int { size == .full ? 2_000_000 : 20_000 }

    // MARK: - Shapes

    /// A generation of balances from the first entry on, beside the sums that a report would make of the same postings.
    private func rebuild() async throws {
        guard isAsked("rebuild of balances") else { return }
        let book = try await journal("rebuild", entries: entries)
        var (bounds, values): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            bounds.append(try await groupBys(book))
            let generation = try await owner(book).createGeneration(of: Self.balance)
            values.append(try await seconds(projecting: ["balance"], generation, book))
        }
        report(
            Figure(
                "rebuild of balances, \(entries) entries", Self.median(values), "s", bound: Self.median(bounds),
                is: "two GROUP BY sums of the same postings, by debit and by credit", atMost: 3,
                settings: settings(["repetitions": String(repetitions), "accounts": "10,000, uniform"])))
        try await hledger(book, Self.median(values))
        try await drop(book.book)
    }

    /// The same balances by another program, from the exported journal.
    private func hledger(_ book: BookLocation, _ rebuild: Double) async throws {
        guard let program = ["/usr/bin/hledger", "/usr/local/bin/hledger", "/opt/homebrew/bin/hledger"].first(where: FileManager.default.isExecutableFile)
        else { return }
        let file = NSTemporaryDirectory() + "indelible-bench-\(UUID().uuidString).journal"
        defer { try? FileManager.default.removeItem(atPath: file) }
        guard FileManager.default.createFile(atPath: file, contents: nil), let handle = FileHandle(forWritingAtPath: file) else { return }
        let ledger = Ledger(book)
        _ = try await Exporter(ledger).run(.hledger) { try handle.write(contentsOf: Data($0.utf8)) }
        try handle.close()
        await ledger.close()
        let seconds = try await Self.seconds {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["-f", file, "bal", "-N", "--flat"]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw BareFailure(description: "hledger failed") }
        }
        report(
            Figure(
                "rebuild of balances, \(entries) entries", 1 / rebuild, "1/s", bound: 1 / seconds, is: "hledger bal on the exported journal",
                atLeast: 20, settings: settings(["hledger seconds": Figure.text(seconds)])))
    }

    /// The projector behind a journal that was posted in bulk, at the rate of the posting.
    private func catchUp() async throws {
        guard isAsked("catch-up of balances") else { return }
        var rates: (bulk: [Double], balances: [Double], both: [Double]) = ([], [], [])
        let batches = max(2, entries / Self.batch)
        for _ in 0..<repetitions {
            let ledger = try await book(Self.bookName())
            let location = ledger.location
            let count = Double(batches * Self.batch)
            rates.bulk.append(count / (try await Self.postBatches(batches, callers: 2, ledger)))
            await ledger.close()
            rates.balances.append(count / (try await seconds(projecting: ["balance"], nil, location)))
            // Both from the beginning.
            let generation = try await owner(location).createGeneration(of: Self.balance)
            rates.both.append(count / (try await seconds(projecting: ["balance", "account_line"], nil, location)))
            _ = generation
            try await drop(location.book)
        }
        for (shape, rate, least) in [("catch-up of balances", rates.balances, 1.5), ("catch-up of balances and account lines", rates.both, 0.5)] {
            report(
                Figure(
                    shape, Self.median(rate), "entries/s", bound: Self.median(rates.bulk), is: "bulk posting, 2 callers, in the same run",
                    atLeast: least, settings: settings(["entries": String(batches * Self.batch), "repetitions": String(repetitions)])))
        }
    }

    /// As many entries, behind a short journal and behind a long one.
    private func draining() async throws {
        guard isAsked("draining") else { return }
        let (batches, long) = size == .full ? (12, 5_000_000) : (2, 50_000)
        let books = [try await journal("short", entries: 0), try await journal("long", entries: long)]
        for book in books { _ = try await seconds(projecting: ["balance"], nil, book) }
        var times: [[Double]] = [[], []]
        for _ in 0..<repetitions {
            for (index, book) in books.enumerated() {
                let ledger = Ledger(book)
                _ = try await Self.postBatches(batches, callers: 2, ledger)
                await ledger.close()
                times[index].append(try await seconds(projecting: ["balance"], nil, book))
            }
        }
        for book in books { try await drop(book.book) }
        report(
            Figure(
                "draining \(batches * Self.batch) entries when the journal holds \(long)", Self.median(times[1]), "s", bound: Self.median(times[0]),
                is: "the same when it holds no others", atMost: 1.1, settings: settings(["repetitions": String(repetitions)])))
    }

    /// From the receipt of a post until the projected balance has it.
    private func lag() async throws {
        guard isAsked("lag at 5,000 posts/s") else { return }
        let ledger = try await book(Self.bookName())
        let projector = Projector(ledger.location)
        let clock = ContinuousClock()
        let steps = Mutex<[(through: UInt64, at: ContinuousClock.Instant)]>([])
        let running = Task {
            try await projector.run(["balance"]) { event in
                if case .success(.advanced(_, let through)) = event.result { steps.withLock { $0.append((through.number, clock.now)) } }
            }
        }
        let seconds = size == .full ? 20 : 1
        let receipts = Mutex<[(position: UInt64, at: ContinuousClock.Instant)]>([])
        let begun = clock.now
        try await Self.posting(for: seconds, from: begun, ledger) { receipt in
            receipts.withLock { $0.append((receipt.position.number, clock.now)) }
        }
        let rate = Double(seconds * 5000) / Self.number(begun.duration(to: clock.now))
        let last = receipts.withLock { $0.map(\.position).max() ?? 0 }
        while steps.withLock({ $0.last?.through ?? 0 }) < last { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        _ = await running.result
        await projector.close()
        let ends = steps.withLock { $0 }
        var lags: [Double] = []
        for receipt in receipts.withLock({ $0 }) {
            guard let end = ends.first(where: { $0.through >= receipt.position }) else { continue }
            lags.append(max(0, Self.number(receipt.at.duration(to: end.at)) * 1000))
        }
        lags.sort()
        report(
            Figure(
                "lag at 5,000 posts/s, p99", lags[lags.count * 99 / 100], "ms", bound: 100, is: "100 ms", atMost: 1,
                settings: settings(["posts/s": Figure.text(rate), "p50": Figure.text(lags[lags.count / 2]) + " ms", "steps": String(ends.count)])))
        await ledger.close()
        try await drop(ledger.location.book)
    }

    /// What the process of a rebuild holds in memory.
    private func rebuildMemory() async throws {
        guard isAsked("memory of a rebuild") else { return }
        let (entries, accounts) = size == .full ? (5_000_000, 1_000_000) : (20_000, 10_000)
        let location = try await journal("memory", entries: entries, accounts: accounts)
        let ran = try await workers(1, .rebuild("balance"), location.book)
        report(
            Figure(
                "memory of a rebuild, \(entries) entries, \(accounts) accounts", ran.mebibytes[1], "MiB", bound: 512, is: "512 MiB", atMost: 1,
                settings: settings(["seconds": Figure.text(ran.seconds)])))
        try await drop(location.book)
    }

    /// A page of an account's history, wherever it lies, beside the rows of its lines alone.
    private func accountLines() async throws {
        let (lines, calls, limit) = (size == .full ? 1_000_000 : 20_000, size == .full ? 2000 : 100, 50)
        guard isAsked("page of \(limit) lines") else { return }
        let location = try await journal("lines", entries: lines, touching: .first)
        _ = try await seconds(projecting: ["account_line"], nil, location)
        let ledger = Ledger(location)
        // A service knows its accounts after a while.
        _ = try await ledger.accounts()
        func page(_ range: AccountLineRange?, _ cursor: AccountLineCursor?) async throws -> (page: AccountLinePage, seconds: Double) {
            let begun = ContinuousClock.now
            let page = try await ledger.accountLines(of: "a:1", in: .eur, range, after: cursor, limit: limit)
            let seconds = Self.number(begun.duration(to: .now))
            guard page.lines.count == limit else { throw BareFailure(description: "a page has \(page.lines.count) lines") }
            return (page, seconds)
        }
        var (bounds, values): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            // Two pages at each place: one from a position, and the next one with its cursor.
            let places = (0..<calls / 2).map { _ in UInt64.random(in: 100..<UInt64(lines - 200)) }
            var times: [Double] = []
            for place in places {
                let first = try await page(.positions(from: Position(place)), nil)
                times += [first.seconds, try await page(nil, first.page.next).seconds]
            }
            values.append(Self.median(times))
            let parameters: [UInt64] = places.flatMap { [1, $0, 1, $0 + UInt64(limit)] }
            bounds.append(
                try await unsafe bare(location.book) { server, error in
                    unsafe bare_select_median(server, Self.linesSQL.description, parameters, 2, Int32(parameters.count / 2), error)
                })
        }
        await ledger.close()
        report(
            Figure(
                "page of \(limit) lines of an account with \(lines)", Self.median(values) * 1000, "ms", bound: Self.median(bounds) * 1000,
                is: "as many rows of account_line by primary key, the bare C client", atMost: 3,
                settings: settings(["repetitions": String(repetitions), "pages": String(calls), "place": "random"])))
        try await drop(location.book)
    }

    private static let linesSQL: StaticString = """
        SELECT * FROM account_line_g1 WHERE account = ? AND position >= ? ORDER BY position, line LIMIT 50
        """

    // MARK: - Work

    static var balance: any Job { Projector.builtIn[0] }

    func isAsked(_ shape: String) -> Bool { self.shape.isEmpty || shape.contains(self.shape) }

    func owner(_ location: BookLocation) throws -> BookOwner {
        BookOwner(try BookLocation(server: location.server, book: location.book, user: server.adminUser))
    }

    /// Steps until nothing is left.
    func seconds(projecting jobs: Set<String>, _ generation: UInt32?, _ location: BookLocation) async throws -> Double {
        let projector = Projector(location)
        let seconds = try await Self.seconds { try await projector.catchUp(jobs, generation: generation) }
        await projector.close()
        return seconds
    }

    /// 5,000 posts each second, whatever becomes of those before.
    private static func posting(
        for seconds: Int, from begun: ContinuousClock.Instant, _ ledger: Ledger, _ answered: @escaping @Sendable (Receipt) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for tick in 0..<(seconds * 500) {
                try await Task.sleep(until: begun + .milliseconds(2 * tick), clock: .continuous)
                for number in 0..<10 {
                    group.addTask { answered(try await ledger.post(entry(UInt64(tick * 10 + number)))) }
                }
            }
            try await group.waitForAll()
        }
    }

    private func groupBys(_ location: BookLocation) async throws -> Double {
        let connection = try await connect(location.book)
        let seconds = try await Self.seconds {
            _ = try await connection.query(
                "SELECT COUNT(*), SUM(moved) FROM (SELECT debit, SUM(amount) AS moved FROM posting GROUP BY debit) sums")
            _ = try await connection.query(
                "SELECT COUNT(*), SUM(moved) FROM (SELECT credit, SUM(amount) AS moved FROM posting GROUP BY credit) sums")
        }
        await connection.close()
        return seconds
    }

    enum Touching: Int {
        case uniform
        /// Every entry debits account 1.
        case first
        /// One account after the other.
        case inTurn
    }

    /// A book with a journal made by two statements, since posting it is not measured.
    /// - Parameters:
    ///   - touching: which accounts entries touch.
    ///   - chargedEach: one in so many is a charge, and they count one after the other through January 2026.
    ///   - first: what is done to the book before.
    func journal(
        _ name: String, entries: Int, accounts: Int = 10_000, touching: Touching = .uniform, chargedEach: Int? = nil,
        after first: (Ledger) async throws -> Void = { _ in }
    ) async throws -> BookLocation {
        let ledger = try await book(Self.bookName())
        try await first(ledger)
        await ledger.close()
        let connection = try await connect(ledger.location.book)
        if accounts > Int(Self.accounts) {
            _ = try await connection.query(
                """
                INSERT INTO account (path, currency, type) SELECT CONCAT('b:', seq), 'EUR', 'liability' FROM seq_1_to_5000000
                WHERE seq <= \(accounts - Int(Self.accounts))
                """)
        }
        let first: Int
        switch try await connection.query("SELECT MAX(position) FROM entry")[0][0] {
        case .uint(let number): first = Int(number)
        default: first = 0
        }
        for start in stride(from: first, to: first + entries, by: 500_000) {
            let count = min(500_000, first + entries - start)
            // With positions: else such a statement leaves holes.
            _ = try await connection.query(
                """
                INSERT INTO entry (position, id, kind, `lines`, effective_at) SELECT \(start) + seq, UNHEX(LPAD(HEX(\(start) + seq), 32, '0')),
                IF(MOD(seq, \(chargedEach ?? 1)) = 0 AND \(chargedEach ?? 0) > 0, 'card.charged', 'transfer'), 1,
                IF(\(chargedEach ?? 0) = 0, UTC_TIMESTAMP(6), '2026-01-01' + INTERVAL (\(start) + seq) SECOND)
                FROM seq_1_to_500000 WHERE seq <= \(count)
                """)
            _ = try await connection.query(
                """
                INSERT INTO posting (position, line, debit, credit, amount, status)
                SELECT \(start) + seq, 1,
                CASE \(touching.rawValue) WHEN 1 THEN 1 WHEN 2 THEN 1 + MOD(\(start) + seq + 1, \(accounts)) ELSE 1 + MOD((\(start) + seq) * 7919, \(accounts)) END,
                CASE \(touching.rawValue) WHEN 1 THEN 2 + MOD((\(start) + seq) * 7919, \(accounts - 1)) WHEN 2 THEN 1 + MOD(\(start) + seq, \(accounts))
                 ELSE 1 + MOD((\(start) + seq) * 7919 + 1 + MOD((\(start) + seq) * 104729, \(accounts - 1)), \(accounts)) END, 100, 0
                FROM seq_1_to_500000 WHERE seq <= \(count)
                """)
        }
        await connection.close()
        return ledger.location
    }

    static func number(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
}
