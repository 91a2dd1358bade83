public import Configuration
import Foundation
public import Indelible
public import Logging

/// What the service is told by its environment: `LEDGER_MODE`, `LEDGER_DATABASE` and so on, as the README lists them.
public struct Settings: Sendable {
    /// Who runs the projections.
    public enum Jobs: String, Sendable, CaseIterable {
        /// This process; any number of processes may.
        case here
        /// Other processes, or `indelible project run`.
        case elsewhere
    }

    /// `read-only`: it reads as the book's `auditor`, and what would write is refused.
    public var mode = LedgerMode.writer
    /// Where the book is, and who asks.
    public var location: BookLocation
    /// Where it listens.
    public var host = "127.0.0.1"
    /// 0 for any that is free.
    public var port = 8080
    /// Who runs the projections, and the webhook.
    public var jobs = Jobs.here
    /// The service is not ready while the balances are further behind the journal than so many positions.
    public var lagMax: UInt64 = 10_000
    /// What is logged.
    public var logLevel = Logger.Level.info
    /// Where public events are sent; nil for nowhere.
    public var webhook: WebhookTarget?

    /// Followers of events hear something at least so often.
    var heartbeat = Duration.seconds(15)

    /// Everything as it is if nobody says otherwise.
    public init(location: BookLocation) { self.location = location }

    /// Reads `mode`, `database`, `socket`, `password`, `password.file`, `host`, `port`, `jobs`, `lag.max`, `log.level`, `webhook.url` and `webhook.secret`.
    /// - Throws: `SettingsError`, which names the variable.
    public init(_ reader: ConfigReader) throws {
        func text(_ key: String, isSecret: Bool = false) -> String? { reader.string(forKey: ConfigKey(key), isSecret: isSecret) }
        func choice<T: RawRepresentable & CaseIterable>(_ key: String, _ standard: T) throws -> T where T.RawValue == String {
            guard let word = text(key) else { return standard }
            guard let choice = T(rawValue: word) else {
                throw SettingsError(key, "is “\(word)”; it can be \(T.allCases.map(\.rawValue).joined(separator: " or "))")
            }
            return choice
        }
        func number<T: FixedWidthInteger>(_ key: String, _ standard: T) throws -> T {
            guard let word = text(key) else { return standard }
            guard let number = T(word), number >= 0 else { throw SettingsError(key, "is “\(word)”, which is no such number") }
            return number
        }
        location = try Self.location(text)
        mode = try choice("mode", LedgerMode.writer)
        host = text("host") ?? host
        port = try Int(number("port", UInt16(8080)))
        jobs = try choice("jobs", .here)
        lagMax = try number("lag.max", lagMax)
        logLevel = try choice("log.level", .info)
        if let url = text("webhook.url") {
            guard let secret = text("webhook.secret", isSecret: true) else { throw SettingsError("webhook.secret", "is missing") }
            webhook = try WebhookTarget(url: url, secret: secret)
        }
    }

    /// Those that the environment of this process has, in variables that begin with `LEDGER_`.
    /// - Throws: `SettingsError`, which names the variable.
    public static func ofEnvironment() throws -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider().prefixKeys(with: "ledger")))
    }

    private static func location(_ text: (String, Bool) -> String?) throws -> BookLocation {
        guard let url = text("database", false) else { throw SettingsError("database", "is missing: mariadb://user@host:3306/book") }
        var password = text("password", true) ?? ""
        if let path = text("password.file", false) {
            guard let data = FileManager.default.contents(atPath: path) else { throw SettingsError("password.file", "names a file that cannot be read") }
            password = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        }
        do {
            var location = try BookLocation(url: url, defaultUser: NSUserName(), password: Secret(password))
            if let socket = text("socket", false) { location.server = .socket(path: socket) }
            return location
        } catch { throw SettingsError("database", "is wrong: \(error.message)") }
    }
}

/// A setting that is missing or wrong. It never shows a secret.
public struct SettingsError: Error, CustomStringConvertible {
    /// Names the variable, and says what is wrong with it.
    public let description: String

    init(_ key: String, _ problem: String) {
        description = "LEDGER_\(key.uppercased().replacing(".", with: "_")) \(problem)"
    }
}
