import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver

extension Bench {
    func writing() async throws {
        for callers in [1, 8, 64, 128] { try await singlePosts(callers) }
        try await bulk()
    }

    /// Each caller posts one entry after the other and waits for its receipt.
    private func singlePosts(_ callers: Int) async throws {
        let ledger = try await book("posts_\(callers)")
        // A service knows its accounts after a while.
        _ = try await ledger.accounts()
        let connections = min(callers, 16)
        let posts = (size == .full ? 24_000 : 480) / (callers == 1 ? 4 : 1)
        let each = posts / callers
        try await ledger.post(Self.entry(1))
        let seconds = try await Self.seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<callers {
                    group.addTask {
                        for number in 0..<each { try await ledger.post(Self.entry(UInt64(caller * each + number))) }
                    }
                }
                try await group.waitForAll()
            }
        }
        await ledger.close()
        let bareSeconds = try await unsafe bare("posts_\(callers)") { server, error in
            unsafe bare_posts(server, Int32(connections), Int32(posts / connections), Self.accounts, error)
        }
        report(
            Figure(
                "post, \(callers) callers", Double(each * callers) / seconds, "entries/s",
                bound: Double(posts / connections * connections) / bareSeconds,
                is: "the same statements through the bare C client, \(connections) connections",
                settings: settings([
                    "concurrency": "\(callers) callers on at most 16 connections", "batch": "1", "entries": String(posts),
                ])))
    }

    /// Batches of 8,192 entries on one connection, beside the bare client and LOAD DATA.
    private func bulk() async throws {
        let batch = 8192
        let batches = size == .full ? 36 : 2
        let ledger = try await book("bulk")
        _ = try await ledger.accounts()
        try await ledger.post((0..<UInt64(batch)).map(Self.entry))
        let seconds = try await Self.seconds {
            for number in 1...batches {
                let start = UInt64(number * batch)
                try await ledger.post((0..<UInt64(batch)).map { Self.entry(start + $0) })
            }
        }
        await ledger.close()
        let entries = Double(batch * batches)
        let bareSeconds = try await unsafe bare("bulk") { server, error in
            unsafe bare_bulk(server, Int32(batches), Int32(batch), Self.accounts, error)
        }
        let load = try await loadData(rows: batch * batches)
        let conditions = settings([
            "concurrency": "1 caller, 1 connection", "batch": "8,192", "entries": String(batch * batches),
            "accounts": "10,000, uniform",
        ])
        report(
            Figure(
                "bulk", entries / seconds, "entries/s", bound: entries / bareSeconds,
                is: "the same statements through the bare C client", settings: conditions))
        report(
            Figure(
                "bulk", entries / seconds, "entries/s", bound: entries / load,
                is: "LOAD DATA INFILE of as many rows, one connection, one statement and commit a table", settings: conditions))
    }

    /// The seconds that LOAD DATA takes for entries with one posting each.
    private func loadData(rows: Int) async throws -> Double {
        let ledger = try await book("load")
        await ledger.close()
        var entries = ""
        var postings = ""
        for number in 1...rows {
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
        return try await unsafe bare("load") { server, error in
            var pointers: [UnsafePointer<CChar>?] = unsafe statements.map { unsafe UnsafePointer(strdup($0)) }
            defer { for unsafe pointer in unsafe pointers { unsafe free(UnsafeMutablePointer(mutating: pointer)) } }
            return unsafe bare_statements(server, &pointers, Int32(pointers.count), error)
        }
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

    static func entry(_ number: UInt64) -> Entry {
        let (from, to) = accounts(number)
        return Entry(
            kind: "transfer",
            postings: [
                Posting(
                    debit: paths[Int(to) - 1], credit: paths[Int(from) - 1], amount: Amount(minorUnits: 100, .eur))
            ])
    }
}
