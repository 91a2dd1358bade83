import IndelibleTesting
import Logging
@testable import MariaDBDriver
import Testing

/// What is logged: statements, never values.
@Suite struct LoggingTests {
    private final class Lines: Sendable {
        private let lines = Locked<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.add("\(event.level) \(event.message) \(event.metadata ?? [:])")
        }
    }

    @Test func `statements are logged without their values, failures and slow ones too`() async throws {
        let lines = Lines()
        var configuration = configuration(try await TestServer.shared())
        configuration.logger = Logger(label: "test") { _ in Handler(lines: lines) }
        configuration.slowStatement = .milliseconds(50)
        let connection = try await MariaDBConnection.connect(configuration)
        let secret = "a bound secret"
        _ = try await connection.query("SELECT \(secret)")
        _ = try await connection.query("SELECT SLEEP(0.1), \(secret)")
        _ = await failure { try await connection.query("SELECT \(secret) FROM nowhere.nothing") }
        _ = await failure { try await connection.query("SELECT CAST(\(secret) AS DATE) FROM nothing_here") }
        try await connection.session { try $0.forEachRow("SELECT 'read in place', \(secret)") { _ in } }
        await connection.close()
        let all = lines.all
        #expect(all.contains { $0.hasPrefix("trace statement") && $0.contains("SELECT ?") })
        #expect(all.contains { $0.hasPrefix("warning slow statement") && $0.contains("SLEEP(0.1), ?") })
        #expect(all.contains { $0.hasPrefix("debug statement failed") && $0.contains("1146") })
        #expect(all.contains { $0.hasPrefix("trace statement") && $0.contains("read in place") })
        #expect(!all.contains { $0.contains(secret) })
    }
}
