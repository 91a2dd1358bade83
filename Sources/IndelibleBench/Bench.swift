import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver

/// Runs benchmarks on a private server of their own and reports figures beside their bounds.
public struct Bench: Sendable {
    public enum Part: String, Sendable, CaseIterable {
        /// Single posts by 1, 8, 64 and 128 callers, and bulk.
        case writing
        /// The driver by itself.
        case driver
    }

    /// How much is measured. The figures of the documents come from `full`; `short` shows that everything runs.
    public enum Size: String, Sendable, CaseIterable { case short, full }

    let server: LocalMariaDB
    let size: Size
    let report: @Sendable (Figure) -> Void

    /// Runs the parts in a folder that is made for it and removed.
    /// - Parameter report: told of each figure as soon as it is there.
    public static func run(
        _ parts: [Part], size: Size, report: @escaping @Sendable (Figure) -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "indelible-bench-\(UUID().uuidString.prefix(8))"
        let server = try await LocalMariaDB.start(
            .init(folder: folder, idleShutdownSeconds: 300, extraOptions: ["--innodb_buffer_pool_size=1G"]))
        let bench = Bench(server: server, size: size, report: report)
        do {
            if parts.contains(.driver) { try await bench.driver() }
            if parts.contains(.writing) { try await bench.writing() }
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
    func book(_ name: String) async throws -> Ledger {
        let owner = try BookLocation(server: .socket(path: server.socketPath), book: name, user: server.adminUser)
        try await BookOwner(owner).create()
        try await BookOwner(owner).createLogin("bench", password: Secret("bench"))
        try await BookOwner(owner).grantRoles(to: "bench")
        let connection = try await connect(name)
        _ = try await connection.query("INSERT INTO currency (code, exponent) VALUES ('EUR', 2)")
        _ = try await connection.query(
            """
            INSERT INTO account (id, path, currency, type)
            SELECT seq, CONCAT('a:', seq), 'EUR', 'liability' FROM seq_1_to_10000
            """)
        await connection.close()
        return Ledger(
            try BookLocation(
                server: .socket(path: server.socketPath), book: name, user: "bench", password: Secret("bench")),
            connectionsMax: 16)
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
                let seconds = unsafe socket.withCString { socket in
                    unsafe user.withCString { user in
                        unsafe database.withCString { database in
                            unsafe error.withUnsafeMutableBufferPointer { error in
                                unsafe body(bare_server(socket: socket, user: user, database: database), error.baseAddress!)
                            }
                        }
                    }
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
