/// Everything that can go wrong between this driver and a server.
///
/// An error never holds a bound value: server messages that quote one (a duplicate key, a wrong value) are
/// reduced to what they say about the schema.
public struct MariaDBError: Error, Sendable, Hashable {
    /// What a caller may do after the error.
    public enum Retry: String, Sendable, Hashable {
        /// The same statement will fail again.
        case never
        /// Nothing was done; the whole transaction may be sent again now, on a new connection.
        case sameRequest
        /// Nothing was done; the whole transaction may be sent again after a pause.
        case afterBackoff
        /// A COMMIT, or a statement outside a transaction, was sent and its answer was lost: it may have
        /// been done or not. Ask for what it would have written.
        case outcomeUnknown
    }

    /// The number of the server (1000 …) or of the client library (2000 …); 0 for the driver's own.
    public let number: UInt32
    public let sqlState: String
    /// The message without bound values.
    public let message: String
    /// For a duplicate key: the name of the unique key that refused the row.
    public let keyName: String?
    /// The text of the statement, with `?` for values.
    public let statement: String?
    public let retry: Retry

    public init(
        number: UInt32, sqlState: String = "HY000", message: String, keyName: String? = nil,
        statement: String? = nil, retry: Retry = .never
    ) {
        self.number = number
        self.sqlState = sqlState
        self.message = message
        self.keyName = keyName
        self.statement = statement
        self.retry = retry
    }

    /// The connection is gone or was never made.
    public var isConnectionLost: Bool {
        switch number {
        case 1053, 1077, 1078, 1079, 1152, 1153, 1158...1161, 1184, 1927, 2001...2013, 2026, 2048, 2055: true
        default: false
        }
    }

    /// A unique key refused the row (see ``keyName``).
    public var isDuplicateKey: Bool { number == Number.duplicateKey || number == 1586 }

    /// The same error, with what is known about its outcome now.
    func with(retry: Retry) -> MariaDBError {
        MariaDBError(
            number: number, sqlState: sqlState, message: message, keyName: keyName, statement: statement,
            retry: retry)
    }
}

extension MariaDBError: CustomStringConvertible {
    public var description: String {
        let code = number == 0 ? "" : " \(number) (\(sqlState))"
        let place = statement.map { " in: \($0.count > 300 ? $0.prefix(300) + "…" : $0[...])" } ?? ""
        return "MariaDB error\(code): \(message)\(place)"
    }
}

extension MariaDBError {
    /// Numbers that callers decide by (`errmsg.h`, `mysqld_error.h`).
    public enum Number {
        public static let duplicateKey: UInt32 = 1062
        public static let lockWaitTimeout: UInt32 = 1205
        public static let deadlock: UInt32 = 1213
    }

    /// An error as the server or the client library reported it.
    init(reported number: UInt32, sqlState: String, message: String, statement: String?) {
        let lost = MariaDBError(number: number, message: "").isConnectionLost
        self.init(
            number: number, sqlState: sqlState,
            message: Self.withoutValues(message, number: number),
            keyName: number == Number.duplicateKey || number == 1586 ? Self.lastQuoted(message) : nil,
            statement: statement,
            retry: lost ? .sameRequest : Self.retry(number))
    }

    static func retry(_ number: UInt32) -> Retry {
        switch number {
        // Lock wait, deadlock, record changed, auto-increment unavailable, Galera not ready, too many
        // connections, user limits.
        case 1205, 1213, 1020, 1467, 1047, 1040, 1203, 1226: .afterBackoff
        default: .never
        }
    }

    /// The last text in quotes. What stands before it may be the caller's data, quotes included.
    static func lastQuoted(_ message: String) -> String? {
        guard let end = message.lastIndex(of: "'"),
            let start = message[..<end].lastIndex(of: "'")
        else { return nil }
        return String(message[message.index(after: start)..<end])
    }

    /// Server messages that quote a value are said again without it.
    static func withoutValues(_ message: String, number: UInt32) -> String {
        switch number {
        case Number.duplicateKey, 1586:
            "a row with the same value of the unique key '\(lastQuoted(message) ?? "?")' exists"
        case 1292, 1366, 1411, 1525:
            "a value of the wrong form\(after(" for column", in: message))"
        case 1690: "a number out of range"
        default: message
        }
    }

    private static func after(_ marker: String, in message: String) -> String {
        guard let index = message.firstRange(of: marker) else { return "" }
        let rest = message[index.lowerBound...]
        // Column names stand in back quotes; whatever stands in plain quotes may be a value.
        return rest.contains("'") ? "" : String(rest)
    }
}
