import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The service as a program of its own, `ledger-service`, on a port that stays its own when it is started again.
actor Instance {
    let client: Client
    private let environment: [String: String]
    private var process: Process?

    init(_ book: TestBook, _ others: [String: String] = [:]) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        client = Client(port: port)
        environment = [
            "LEDGER_DATABASE": "mariadb://\(book.location.user)@localhost/\(book.name)", "LEDGER_SOCKET": book.server.socketPath,
            "LEDGER_PASSWORD": book.password, "LEDGER_PORT": String(port), "LEDGER_LOG_LEVEL": "critical",
        ].merging(others) { $1 }
    }

    func launch() throws {
        let process = Process()
        process.executableURL = Self.program
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Starts it, and waits until it takes requests.
    func start() async throws {
        try launch()
        for _ in 0..<6000 {
            if let answer = try? await client.undocumented("GET", "/health/live", nil), answer.status == 200 { return }
            guard isRunning else { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw NeverRan()
    }

    var isRunning: Bool { process?.isRunning ?? false }

    /// kill -9.
    func killNow() {
        guard let process, process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// SIGTERM.
    /// - Returns: the exit code, or minus the signal.
    func stop() -> Int32 {
        guard let process else { return -1 }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Beside these tests.
    private static let program = {
        let tests = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" } ?? URL(fileURLWithPath: CommandLine.arguments[0])
        return tests.deletingLastPathComponent().appendingPathComponent("ledger-service")
    }()
}
