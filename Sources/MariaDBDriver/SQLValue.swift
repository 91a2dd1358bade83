/// A value that travels between Swift and the server: a bound parameter or a column of a row.
///
/// There is no floating point on purpose: `FLOAT` and `DOUBLE` columns arrive as the server's text, and so
/// do `DECIMAL`, `DATE`, `TIME` and `DATETIME` (`2026-01-31 23:59:59.000001`, in the session's time zone,
/// which this driver sets to UTC).
public enum SQLValue: Sendable, Hashable {
    case null
    case int(Int64)
    case uint(UInt64)
    case text(String)
    case bytes([UInt8])
}

/// The name of a table or column, quoted when it is written into a statement.
///
/// Names cannot be bound as parameters, so only a literal or letters, digits and `_` are accepted.
public struct SQLIdentifier: Sendable, Hashable, CustomStringConvertible {
    public let name: String

    /// - Parameter name: 1 to 64 ASCII letters, digits or `_`; anything else gives nil.
    public init?(_ name: String) {
        guard (1...64).contains(name.utf8.count),
            name.utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 95
            })
        else { return nil }
        self.name = name
    }

    public var description: String { "`\(name)`" }
}
