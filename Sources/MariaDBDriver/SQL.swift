/// A statement with its bound values.
///
/// A statement can only be written as a literal, and `\(value)` never becomes text: it becomes a `?` with
/// the value bound to it.
/// ```swift
/// let rows = try await connection.query("SELECT id FROM account WHERE path = \(path)")
/// ```
/// `\(identifier:)` writes a quoted name, `\(sql)` composes another statement, `\(rows:)` writes the list
/// behind `VALUES`, and `\(list:)` one behind `IN`.
public struct SQL: Sendable, ExpressibleByStringInterpolation {
    /// The text with `?` in place of every value. It is safe to log.
    public private(set) var text: String
    /// The bound values, in the order of their `?`.
    public private(set) var binds: [SQLValue]

    public init(stringLiteral value: StaticString) {
        text = value.description
        binds = []
    }

    /// For text that this driver makes itself.
    init(unchecked text: String) {
        self.text = text
        binds = []
    }

    public init(stringInterpolation interpolation: StringInterpolation) {
        text = interpolation.text
        binds = interpolation.binds
    }

    public static func + (left: SQL, right: SQL) -> SQL {
        var sum = left
        sum.text += right.text
        sum.binds += right.binds
        return sum
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString
        var text = ""
        var binds: [SQLValue] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 2 * interpolationCount)
            binds.reserveCapacity(interpolationCount)
        }

        public mutating func appendLiteral(_ literal: StaticString) { text += literal.description }

        public mutating func appendInterpolation(_ value: SQLValue) {
            text += "?"
            binds.append(value)
        }
        public mutating func appendInterpolation(_ value: some FixedWidthInteger & SignedInteger) {
            appendInterpolation(.int(Int64(value)))
        }
        public mutating func appendInterpolation(_ value: some FixedWidthInteger & UnsignedInteger) {
            appendInterpolation(.uint(UInt64(value)))
        }
        public mutating func appendInterpolation(_ value: String) { appendInterpolation(.text(value)) }
        public mutating func appendInterpolation(_ value: String?) {
            appendInterpolation(value.map(SQLValue.text) ?? .null)
        }
        public mutating func appendInterpolation(_ value: [UInt8]) { appendInterpolation(.bytes(value)) }
        public mutating func appendInterpolation(_ sql: SQL) {
            text += sql.text
            binds += sql.binds
        }
        public mutating func appendInterpolation(identifier: SQLIdentifier) { text += identifier.description }

        /// `(?,?),(?,?)`: the rows behind `VALUES`, each of the same width.
        public mutating func appendInterpolation(rows: [[SQLValue]]) {
            guard let width = rows.first?.count else { return }
            let row = "(" + repeatElement("?", count: width).joined(separator: ",") + ")"
            text += repeatElement(row, count: rows.count).joined(separator: ",")
            for row in rows {
                precondition(row.count == width, "every row of a statement has the same number of values")
                binds += row
            }
        }

        /// `(?,?),(?,?)` with the literals of `pattern`, each of which holds one `?`, and the values of all rows one after
        /// the other.
        package mutating func appendInterpolation(_ values: [SQLValue], pattern: [StaticString]) {
            let row = "(" + pattern.map(\.description).joined(separator: ",") + ")"
            text += row
            text += String(repeating: "," + row, count: values.count / pattern.count - 1)
            binds += values
        }

        /// `(?,?,?)`: the list behind `IN`. An empty list is `(NULL)`, which nothing is in.
        public mutating func appendInterpolation(list: [SQLValue]) {
            guard !list.isEmpty else { return text += "(NULL)" }
            appendInterpolation(rows: [list])
        }
    }
}
