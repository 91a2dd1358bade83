public import Logging

/// How to reach a server, as whom, and what the session is set to.
public struct ConnectionConfiguration: Sendable {
    public enum Address: Sendable, Hashable, CustomStringConvertible {
        /// TCP.
        case host(String, port: UInt16)
        /// A unix socket.
        case socket(String)

        public var description: String {
            switch self {
            case .host(let host, let port): "\(host):\(port)"
            case .socket(let path): path
            }
        }
    }

    public var address: Address
    public var user: String
    /// Never printed, by no description of this type.
    public var password: Password
    public var database: String?
    /// `SET ROLE` on connect.
    public var role: String?
    /// For TCP: encrypted, and the server verified, unless you say otherwise. A unix socket never leaves the machine, and is
    /// not encrypted.
    public var tls: TLS = .verifyServerCertificate()
    /// `SET SESSION name = value` on connect; read back afterwards.
    public var sessionVariables: [SessionVariable] = []
    /// How long to wait for the server to accept the connection.
    public var connectTimeoutSeconds: UInt32 = 10
    /// How long a statement may run on the server (`max_statement_time`); 0 for any time. The server ends it with error 1969.
    public var statementTimeoutSeconds: UInt32 = 0
    /// How long to wait for bytes from the server before the link is given up: for a server or network that is stuck.
    public var responseTimeoutSeconds: UInt32 = 600
    /// Prepared statements kept per connection; the least recently used one is closed.
    public var preparedStatementsMax = 256
    /// For a connection that runs transactions and nothing else: autocommit is off, so that a transaction begins with its
    /// first statement and needs none of its own for that.
    package var beginsImplicitly = false
    /// Statements go to it at `trace`, slow ones and failures at `debug`, with their text and never a bound value.
    public var logger = Logger(label: "mariadb")
    /// A statement that takes longer is logged at `warning`; nil for never.
    public var slowStatement: Duration?

    /// Told before each call of the C client, for tests: ``ClientCall``.
    var willCall: (@Sendable (ClientCall) -> ClientFault?)?

    public init(
        address: Address, user: String, password: Password = "", database: String? = nil, role: String? = nil
    ) {
        self.address = address
        self.user = user
        self.password = password
        self.database = database
        self.role = role
    }
}

/// Encryption of a TCP connection, by the names of the `mariadb` client's options.
public enum TLS: Sendable, Hashable {
    /// `--skip-ssl`: not encrypted; passwords of some plugins and all data can be read on the way.
    case skipSSL
    /// `--ssl --disable-ssl-verify-server-cert`: encrypted, with whoever answers.
    case disableVerifyServerCertificate(certificates: Certificates = Certificates())
    /// `--ssl --ssl-verify-server-cert`: encrypted, and the server's certificate is valid, issued by an authority that is
    /// trusted, and made for this host name.
    case verifyServerCertificate(certificates: Certificates = Certificates())

    /// Files in PEM form.
    public struct Certificates: Sendable, Hashable {
        /// `--ssl-ca`: the authorities that are trusted; nil for those of the system.
        public var authorities: String?
        /// `--ssl-cert` and `--ssl-key`: what this client shows.
        public var certificate: String?
        public var key: String?

        public init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
            self.authorities = authorities
            self.certificate = certificate
            self.key = key
        }
    }
}

/// A session variable and its value, both literals of the program.
public struct SessionVariable: Sendable, Hashable {
    let name: String
    /// As `SELECT @@name` answers.
    let value: String
    private let isText: Bool

    public init(_ name: StaticString, _ value: Int) {
        self.name = name.description
        self.value = String(value)
        isText = false
    }

    public init(_ name: StaticString, _ value: StaticString) {
        self.name = name.description
        self.value = value.description
        isText = true
    }

    init(name: String, value: String) {
        self.name = name
        self.value = value
        isText = true
    }

    var assignment: String { "SESSION \(name) = " + (isText ? Session.quoted(value) : value) }
}

/// A secret that does not print itself.
public struct Password: Sendable, ExpressibleByStringLiteral, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    let secret: String

    public init(_ secret: String) { self.secret = secret }
    public init(stringLiteral value: String) { secret = value }

    public var isEmpty: Bool { secret.isEmpty }
    public var description: String { secret.isEmpty ? "(none)" : "(set)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
