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
    /// `SET SESSION name = value` on connect, names as the server spells them.
    public var sessionVariables: [SessionVariable] = []
    public var connectTimeoutSeconds: UInt32 = 10
    /// How long to wait for the answer to one statement before the connection is given up.
    public var responseTimeoutSeconds: UInt32 = 600
    /// Prepared statements kept per connection; the least recently used one is closed.
    public var preparedStatementsMax = 64

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

/// A session variable and its value, both literals of the program.
public struct SessionVariable: Sendable, Hashable {
    let assignment: String

    public init(_ name: StaticString, _ value: Int) { assignment = "\(name) = \(value)" }
    public init(_ name: StaticString, _ value: StaticString) { assignment = "\(name) = '\(value)'" }
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
