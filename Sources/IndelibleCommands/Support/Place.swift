import Configuration
import Foundation
import Indelible
import LocalMariaDB
import SystemPackage

/// Where a command finds its book: options, then the environment, then the configuration file `indelible.json` (or the
/// one that INDELIBLE_CONFIG names), then the private server of the folder.
struct Place: Sendable {
    enum Server: Sendable {
        case given(url: String)
        /// Started on demand.
        case own(folder: String, book: String)
    }

    let server: Server
    let mode: LedgerMode
    /// The address of a replica.
    private let reading: String?
    private let password: Secret
    private let encryption: BookLocation.Encryption
    private let authorities: String?
    /// The login that everything but `init` uses on a private server; it has the roles of its books and nothing else.
    static let privateLogin = "indelible"

    init(_ options: BookOptions) async throws {
        let reader = try await Self.reader()
        func setting(_ option: String?, _ key: ConfigKey, isSecret: Bool = false) async throws -> String? {
            if let option { return option }
            do { return try await reader.fetchString(forKey: key, isSecret: isSecret) } catch {
                // Passing it over would choose another book.
                throw Failure(.badInput, "the setting “\(key)” of the configuration is no text")
            }
        }
        let folder = try await setting(options.folder, "folder") ?? ".indelible"
        if let url = try await setting(options.database, "database") {
            guard options.book == nil else {
                throw Failure(.usage, "--book names a book of the private server; with a database address it stands in the address")
            }
            server = .given(url: url)
        } else {
            server = .own(folder: folder, book: try await setting(options.book, "book") ?? "book")
        }
        reading = try await setting(options.reading, "reading")
        mode = try await setting(options.mode, "mode").map { text throws(LedgerError) in try LedgerMode(parsing: text) } ?? .writer
        let skips: Bool
        do { skips = try await options.skipSSL ? true : reader.fetchBool(forKey: "skip_ssl") ?? false } catch {
            throw Failure(.badInput, "the setting “skip_ssl” of the configuration is neither true nor false")
        }
        encryption = skips ? .skipSSL : options.disableSSLVerifyServerCert ? .disableVerifyServerCertificate : .verifyServerCertificate
        authorities = try await setting(options.sslCA, "ssl_ca")
        if let path = try await setting(options.passwordFile, "password_file") {
            password = try Self.password(inFile: path)
        } else {
            password = Secret(try await setting(nil, "password", isSecret: true) ?? "")
        }
    }

    /// The book for what a role may do. Starts the private server.
    func location() async throws -> BookLocation {
        switch server {
        case .given(let url): return try location(url)
        case .own(let folder, let book):
            guard LocalMariaDB.status(folder: folder) != .absent else {
                throw Failure(.unavailable, "there is no book in \(folder): create one with `indelible init`")
            }
            let own = try await LocalMariaDB.start(.init(folder: folder))
            let password = try privatePassword(create: false)
            return try Self.named { () throws(DatabaseError) in
                try BookLocation(
                    server: .socket(path: own.socketPath), book: book, user: Self.privateLogin, password: password)
            }
        }
    }

    /// The book for what only reads: the replica, if there is one.
    func readingLocation() async throws -> BookLocation {
        if let reading { return try location(reading) }
        return try await location()
    }

    private func location(_ url: String) throws -> BookLocation {
        var location = try Self.named { () throws(DatabaseError) in
            try BookLocation(url: url, defaultUser: Self.systemUser, password: password)
        }
        location.encryption = encryption
        location.authorities = authorities
        return location
    }

    /// The password of the private server's login: a file in its folder, which only its owner can read.
    func privatePassword(create: Bool) throws -> Secret {
        guard case .own(let folder, _) = server else { return password }
        let path = folder + "/password"
        if create, !FileManager.default.fileExists(atPath: path) { try Self.writePassword(path) }
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(.unavailable, "there is no book in \(folder): create one with `indelible init`")
        }
        return try Self.password(inFile: path)
    }

    /// The book for its owner, who may create and migrate it. On a private server that is the user who started it.
    /// - Throws: `readOnly` for who wants to change something in a process that only reads.
    func ownerLocation() async throws -> BookLocation {
        try mode.requireWriter()
        return try await observerLocation()
    }

    /// The same for who only looks at what others may not see.
    func observerLocation() async throws -> BookLocation {
        switch server {
        case .given: return try await location()
        case .own(let folder, let book):
            let own = try await LocalMariaDB.start(.init(folder: folder))
            return try Self.named { () throws(DatabaseError) in
                try BookLocation(server: .socket(path: own.socketPath), book: book, user: own.adminUser)
            }
        }
    }

    /// Writes a new password, whole, unless somebody else was faster: two programs that make the login must agree on it.
    private static func writePassword(_ path: String) throws {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<4).map { _ in String(UInt64.random(in: .min ... .max, using: &random), radix: 36) }.joined()
        let own = path + "." + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: own) }
        guard FileManager.default.createFile(
            atPath: own, contents: Data(digits.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Failure(.unavailable, "the file \(path) cannot be written") }
        // A second name for the same file: the first one to take the name has it.
        do { try FileManager.default.linkItem(atPath: own, toPath: path) } catch {
            guard FileManager.default.fileExists(atPath: path) else {
                throw Failure(.unavailable, "the file \(path) cannot be written")
            }
        }
    }

    private static var systemUser: String { NSUserName() }

    /// A name that cannot be one is bad input: there is nothing wrong with a database.
    private static func named(_ location: () throws(DatabaseError) -> BookLocation) throws -> BookLocation {
        do { return try location() } catch { throw Failure(.badInput, error.message) }
    }

    /// What `indelible.json` may say. Another word is a mistake, and passing it over could choose another book.
    private static let keys: Set<String> = [
        "database", "book", "folder", "mode", "password", "password_file", "reading", "skip_ssl", "ssl_ca",
    ]

    private static func requireKnownKeys(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path),
            case .object(let members)? = try? JSON(parsing: String(decoding: data, as: UTF8.self))
        else { return }
        for key in members.keys.sorted() where !keys.contains(key) {
            throw Failure(
                .badInput, "the configuration file \(path) has the unknown setting “\(key)”: \(keys.sorted().joined(separator: ", "))")
        }
    }

    private static func reader() async throws -> ConfigReader {
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "indelible")
        let named = ProcessInfo.processInfo.environment["INDELIBLE_CONFIG"]
        do {
            let file = try await FileProvider<JSONSnapshot>(
                filePath: FilePath(named ?? "indelible.json"), allowMissing: named == nil)
            try requireKnownKeys(named ?? "indelible.json")
            return ConfigReader(providers: [environment, file])
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.badInput, "the configuration file \(named ?? "indelible.json") cannot be read: \(error)")
        }
    }

    private static func password(inFile path: String) throws -> Secret {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Failure(.badInput, "the password file \(path) cannot be read")
        }
        return Secret(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines))
    }
}

extension BookOptions {
    /// Opens the book, runs `body` and closes it.
    /// - Parameter role: `.auditor` for a command that only reads.
    func withLedger<T>(role: BookRole = .writer, _ body: (Ledger) async throws -> T) async throws -> T {
        let place = try await Place(self)
        let isReader = role == .auditor
        if !isReader { try place.mode.requireWriter() }
        let ledger = Ledger(try await isReader ? place.readingLocation() : place.location(), mode: isReader ? .readOnly : .writer)
        do {
            let result = try await body(ledger)
            await ledger.close()
            return result
        } catch {
            await ledger.close()
            throw error
        }
    }
}
