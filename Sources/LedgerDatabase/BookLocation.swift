import Foundation
internal import MariaDBDriver

/// Where a book is: a server, a database on it, and who asks.
public struct BookLocation: Sendable, Hashable {
    public enum Server: Sendable, Hashable, CustomStringConvertible {
        case tcp(host: String, port: UInt16)
        case socket(path: String)

        public var description: String {
            switch self {
            case .tcp(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    public var server: Server
    /// The database. 1 to 40 lower-case letters, digits or `_`.
    public let book: String
    public var user: String
    /// Never printed.
    public var password: Secret
    /// For TCP.
    public var encryption: Encryption = .verifyServerCertificate
    /// A file (PEM) with the authorities whose certificates are trusted; nil for those of the system.
    public var authorities: String?

    /// What of a TCP connection is encrypted and verified, by the names of the `mariadb` client's options.
    public enum Encryption: Sendable, Hashable {
        /// `--skip-ssl`
        case skipSSL
        /// `--disable-ssl-verify-server-cert`: encrypted, with whoever answers.
        case disableVerifyServerCertificate
        /// `--ssl-verify-server-cert`
        case verifyServerCertificate
    }

    /// - Throws: `schema` if the name of the book cannot be one.
    public init(server: Server, book: String, user: String, password: Secret = Secret("")) throws(DatabaseError) {
        let isWellFormed = book.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        guard (1...40).contains(book.utf8.count), isWellFormed else {
            throw DatabaseError(
                kind: .schema, message: "“\(book)” is no name of a book: 1 to 40 lower-case letters, digits or _")
        }
        self.server = server
        self.book = book
        self.user = user
        self.password = password
    }

    /// Reads `mariadb://user@host:3306/book`. The password never stands in it.
    public init(url text: String, defaultUser: String, password: Secret) throws(DatabaseError) {
        func refusal(_ reason: String) -> DatabaseError {
            DatabaseError(kind: .schema, message: "\(reason): write mariadb://user@host:3306/book")
        }
        guard let url = URLComponents(string: text), url.scheme == "mariadb", let host = url.host, !host.isEmpty else {
            throw refusal("this is no database address")
        }
        guard url.password == nil else {
            throw refusal("a password does not belong into the address, where others can read it (set INDELIBLE_PASSWORD)")
        }
        guard url.path.hasPrefix("/"), url.path.count > 1, url.query == nil, url.fragment == nil else {
            throw refusal("the address names no book")
        }
        guard let port = UInt16(exactly: url.port ?? 3306) else { throw refusal("the port is not one") }
        try self.init(
            server: .tcp(host: host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port: port),
            book: String(url.path.dropFirst()), user: url.user ?? defaultUser, password: password)
    }
}

extension BookLocation: CustomStringConvertible {
    public var description: String {
        switch server {
        case .tcp: "mariadb://\(user)@\(server)/\(book)"
        case .socket(let path): "\(book) (\(path))"
        }
    }
}

/// A secret that does not print itself.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String
    public init(_ text: String) { self.text = text }
    public var description: String { text.isEmpty ? "(none)" : "(set)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension BookLocation {
    /// - Parameter isDatabaseSelected: false to connect before the database exists.
    func configuration(role: BookRole?, isDatabaseSelected: Bool = true) -> ConnectionConfiguration {
        let address: ConnectionConfiguration.Address =
            switch server {
            case .tcp(let host, let port): .host(host, port: port)
            case .socket(let path): .socket(path)
            }
        var configuration = ConnectionConfiguration(
            address: address, user: user, password: Password(password.text), database: isDatabaseSelected ? book : nil,
            role: role.map { $0.name(book: book) })
        let certificates = TLS.Certificates(authorities: authorities)
        switch encryption {
        case .skipSSL: configuration.tls = .skipSSL
        case .disableVerifyServerCertificate: configuration.tls = .disableVerifyServerCertificate(certificates: certificates)
        case .verifyServerCertificate: configuration.tls = .verifyServerCertificate(certificates: certificates)
        }
        configuration.sessionVariables = [SessionVariable("tx_isolation", "READ-COMMITTED")]
        return configuration
    }
}

/// What a connection of a book may do.
public enum BookRole: String, Sendable, CaseIterable {
    /// Posts.
    case writer
    /// Runs jobs: claims positions, inserts checkpoints and the rows of projections.
    case projector
    /// Reads.
    case auditor

    /// The role's name on the server.
    public func name(book: String) -> String { "\(book)_\(rawValue)" }
}
