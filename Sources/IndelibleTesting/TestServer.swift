import Foundation
public import LocalMariaDB

/// The private server that the tests of one run share.
///
/// Its folder is `INDELIBLE_TEST_FOLDER`, or one of this user's in the temporary folder. It stops by itself when it has been
/// idle for a minute.
public enum TestServer {
    public static var folder: String {
        ProcessInfo.processInfo.environment["INDELIBLE_TEST_FOLDER"]
            ?? NSTemporaryDirectory() + "indelible-tests-\(NSUserName())"
    }

    /// The shared server, started if it does not run.
    public static func shared() async throws -> LocalMariaDB {
        try await LocalMariaDB.start(.init(folder: folder, idleShutdownSeconds: 60))
    }

    /// A server of its own for a test that kills it, or that sends what the shared one must never see. It is stopped
    /// afterwards, and its folder removed unless `body` throws.
    public static func withOwn<T>(
        extraOptions: [String] = [], tcpPort: Int? = nil, _ body: (LocalMariaDB) async throws -> T
    ) async throws -> T {
        let folder = NSTemporaryDirectory() + "indelible-own-\(UUID().uuidString.prefix(8))"
        let server = try await LocalMariaDB.start(
            .init(folder: folder, idleShutdownSeconds: 120, tcpPort: tcpPort, extraOptions: extraOptions))
        do {
            let result = try await body(server)
            try await LocalMariaDB.attach(folder: folder)?.stop()
            try? FileManager.default.removeItem(atPath: folder)
            return result
        } catch {
            try? await LocalMariaDB.attach(folder: folder)?.stop()
            throw error
        }
    }
}
