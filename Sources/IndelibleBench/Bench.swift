import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver

/// Runs benchmarks on a private server of their own and reports figures beside their bounds.
public struct Bench: Sendable {
    public enum Part: String, Sendable, CaseIterable {
        /// Single posts and bulk: uniform, on one account, with limits, from several processes; memory and disk.
        case writing
        /// The driver by itself.
        case driver
        /// Projections: rebuilding, catching up, reading.
        case jobs
        /// Fees: keeping up, and posting a month's.
        case fees
    }

    /// How much is measured. The figures of the documents come from `full`; `short` shows that everything runs.
    public enum Size: String, Sendable, CaseIterable { case short, full }

    let server: LocalMariaDB
    let size: Size
    /// Only shapes whose name has this in it.
    let shape: String
    let report: @Sendable (Figure) -> Void

    /// Runs the parts in a folder that is made for it and removed.
    /// - Parameters:
    ///   - shape: only what has this in its name (of `writing`).
    ///   - report: told of each figure as soon as it is there.
    public static func run(
        _ parts: [Part], size: Size, shape: String = "", report: @escaping @Sendable (Figure) -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "indelible-bench-\(UUID().uuidString.prefix(8))"
        let server = try await LocalMariaDB.start(
            .init(folder: folder, idleShutdownSeconds: 300, extraOptions: ["--innodb_buffer_pool_size=1G"]))
        let bench = Bench(server: server, size: size, shape: shape, report: report)
        do {
            if parts.contains(.driver) { try await bench.driver() }
            if parts.contains(.writing) { try await bench.writing() }
            if parts.contains(.jobs) { try await bench.jobs() }
            if parts.contains(.fees) { try await bench.fees() }
        } catch {
            try? await server.stop()
            throw error
        }
        try await server.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: - Books

    static let accounts: UInt32 = 10_000

    /// A new book with 10,000 accounts in EUR, numbers 1 to 10,000: made by one INSERT, since opening them is not measured.
    ///
    /// With limits each may go far below 0, so that every draw claims and none is refused.
    func book(_ name: String, limited: Bool = false) async throws -> Ledger {
        let owner = try BookLocation(server: .socket(path: server.socketPath), book: name, user: server.adminUser)
        try await BookOwner(owner).create()
        try await BookOwner(owner).createLogin("bench", password: Secret("bench"))
        try await BookOwner(owner).grantRoles(to: "bench")
        let connection = try await connect(name)
        _ = try await connection.query("INSERT INTO currency (code, exponent) VALUES ('EUR', 2)")
        _ = try await connection.query(
            """
            INSERT INTO account (id, path, currency, type, floor)
            SELECT seq, CONCAT('a:', seq), 'EUR', 'liability', \(limited ? SQLValue.int(-1_000_000_000_000) : .null) FROM seq_1_to_10000
            """)
        await connection.close()
        let ledger = Ledger(
            try BookLocation(
                server: .socket(path: server.socketPath), book: name, user: "bench", password: Secret("bench")))
        if limited { try await ledger.openAccount("drawn", in: .eur, type: .liability, limits: .noOverdraft) }
        // A service knows its accounts, and has its connections, after a while.
        _ = try await ledger.accounts()
        _ = try await Self.post(16, callers: 4, ledger)
        return ledger
    }

    // MARK: - In turns

    /// How often each figure is measured.
    var repetitions: Int { size == .full ? 5 : 1 }

    func scaled(_ count: Int) -> Int { size == .full ? count : max(1, count / 64) }

    static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// Measures a rate and its bound in turns, since the machine is not the same from one second to the next, each time on new
    /// books; the medians are compared.
    /// - Parameters:
    ///   - boundEntries: entries that the bound writes, if not as many.
    ///   - bound: seconds that it takes on a book of this name.
    ///   - boundLedger: instead of `bound`, for a bound that is measured on a ledger.
    ///   - value: seconds that it takes.
    func compare(
        _ shape: String, _ entries: Int, atLeast: Double?, is boundIs: String, _ conditions: [String: String], limited: Bool = false,
        boundEntries: Int? = nil, bound: ((String) async throws -> Double)? = nil,
        boundLedger: ((Ledger) async throws -> Double)? = nil, value: (Ledger) async throws -> Double
    ) async throws {
        guard shape.contains(self.shape) || self.shape.isEmpty else { return }
        var (bounds, values): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            let first = try await book(Self.bookName())
            if let bound {
                await first.close()
                bounds.append(Double(boundEntries ?? entries) / (try await bound(first.location.book)))
            } else if let boundLedger {
                bounds.append(Double(entries) / (try await boundLedger(first)))
                await first.close()
            }
            let second = try await book(Self.bookName(), limited: limited)
            values.append(Double(entries) / (try await value(second)))
            await second.close()
            for ledger in [first, second] { try await drop(ledger.location.book) }
        }
        report(
            Figure(
                shape, Self.median(values), "entries/s", bound: Self.median(bounds), is: boundIs, atLeast: atLeast,
                settings: settings(conditions.merging(["entries": String(entries), "repetitions": String(repetitions)]) { $1 })))
    }

    static func bookName() -> String { "b_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(12) }

    func drop(_ book: String) async throws {
        let connection = try await connect(nil)
        guard let name = SQLIdentifier(book) else { preconditionFailure("\(book) is a book's name") }
        _ = try await connection.query("DROP DATABASE \(identifier: name)")
        await connection.close()
    }

    func connect(_ database: String?) async throws -> MariaDBConnection {
        try await MariaDBConnection.connect(
            ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, database: database))
    }

    /// What has to stand beside every figure.
    func settings(_ more: [String: String]) -> [String: String] {
        var all = [
            "server": "MariaDB on this machine, unix socket, innodb_flush_log_at_trx_commit=1, sync_binlog=1, row binary log",
            "isolation": "READ COMMITTED", "cores": String(ProcessInfo.processInfo.activeProcessorCount),
            "entry": "1 posting, no payload", "size": size.rawValue,
        ]
        #if DEBUG
        all["build"] = "debug (the figures are of no use; build with -c release)"
        #else
        all["build"] = "release"
        #endif
        return all.merging(more) { $1 }
    }

    // MARK: - The bare client

    struct BareFailure: Error, CustomStringConvertible {
        let description: String
    }

    /// Runs a function of the bare client off Swift Concurrency's threads.
    func bare(
        _ database: String, _ body: @escaping @Sendable (bare_server, UnsafeMutablePointer<CChar>) -> Double
    ) async throws -> Double {
        let (socket, user) = (server.socketPath, server.adminUser)
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                var error = [CChar](repeating: 0, count: 512)
                let texts = [socket, user, database, "bench", "bench", BookRole.writer.name(book: database)]
                let copies = unsafe texts.map { unsafe strdup($0) }
                defer { for unsafe copy in unsafe copies { unsafe free(copy) } }
                let seconds = unsafe error.withUnsafeMutableBufferPointer { error in
                    unsafe body(
                        bare_server(
                            socket: copies[0], user: copies[1], database: copies[2], writer: copies[3], password: copies[4],
                            role: copies[5]), error.baseAddress!)
                }
                if seconds < 0 {
                    let text = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    continuation.resume(throwing: BareFailure(description: "the bare client failed: \(text)"))
                } else {
                    continuation.resume(returning: seconds)
                }
            }
        }
    }

    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let time = try await ContinuousClock().measure(body)
        return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    }
}
