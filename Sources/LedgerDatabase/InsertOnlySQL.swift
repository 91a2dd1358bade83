internal import MariaDBDriver

/// The whole language that the ledger speaks to a database: SELECT, INSERT of rows, and tombstones.
///
/// There is no way to write anything else in it. The text of a select is always sent behind the word `SELECT`, an insert
/// is made of a table, columns and values, and the connection refuses several statements in one; so no value of this
/// type is an UPDATE, a DELETE, a REPLACE or an INSERT … ON DUPLICATE KEY UPDATE. The driver's own, general SQL is
/// not visible to the targets that use this one.
public struct InsertOnlySQL: Sendable {
    let sql: SQL

    /// The text with `?` for values.
    public var text: String { sql.text }
    /// The values, in the order of their `?`.
    public var values: [LedgerValue] { sql.binds.map(LedgerValue.init) }

    /// `SELECT` and what follows.
    /// ```swift
    /// .select("position FROM \(table: .entry) WHERE id = \(id.bytes)")
    /// ```
    public static func select(_ rest: SelectText) -> InsertOnlySQL {
        InsertOnlySQL(sql: "SELECT \(rest.sql)")
    }

    /// `INSERT INTO table (columns) VALUES rows`, at least one row, each with a value for every column.
    public static func insert(into table: LedgerTable, _ columns: [LedgerColumn], rows: [[LedgerValue]]) -> InsertOnlySQL {
        for row in rows { precondition(row.count == columns.count, "every row has a value for every column") }
        return insert(into: table, columns, values: rows.flatMap { $0 })
    }

    /// The same, with the values of all rows one after the other.
    public static func insert(into table: LedgerTable, _ columns: [LedgerColumn], values: [LedgerValue]) -> InsertOnlySQL {
        precondition(!values.isEmpty && !columns.isEmpty, "an insert has rows and columns")
        precondition(values.count % columns.count == 0, "every row has a value for every column")
        return InsertOnlySQL(sql: "\(head: table, columns) \(values: values.map(\.value), columns.map(\.isDefaultedToNow))")
    }

    /// Claims positions for nobody: a row whose position is taken is passed over. The only use of INSERT IGNORE.
    public static func tombstones(at positions: [UInt64], kind: String) -> InsertOnlySQL {
        let rows = positions.map { [SQLValue.uint($0), .text(kind)] }
        return InsertOnlySQL(sql: "INSERT IGNORE INTO entry (position, kind) VALUES \(rows: rows)")
    }
}

/// What stands behind `SELECT`: a literal in which `\(value)` binds, `\(table:)` names one of the ledger's tables,
/// `\(column:)` a column, and `\(list:)` is the list behind `IN`.
public struct SelectText: Sendable, ExpressibleByStringInterpolation {
    let sql: SQL

    public init(stringLiteral value: StaticString) { sql = SQL(stringLiteral: value) }
    public init(stringInterpolation interpolation: StringInterpolation) { sql = SQL(stringInterpolation: interpolation.sql) }

    public struct StringInterpolation: StringInterpolationProtocol {
        public typealias StringLiteralType = StaticString
        var sql: SQL.StringInterpolation

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql = .init(literalCapacity: literalCapacity, interpolationCount: interpolationCount)
        }
        public mutating func appendLiteral(_ literal: StaticString) { sql.appendLiteral(literal) }
        public mutating func appendInterpolation(_ value: some FixedWidthInteger & SignedInteger) { sql.appendInterpolation(value) }
        public mutating func appendInterpolation(_ value: some FixedWidthInteger & UnsignedInteger) { sql.appendInterpolation(value) }
        public mutating func appendInterpolation(_ value: String) { sql.appendInterpolation(value) }
        public mutating func appendInterpolation(_ value: [UInt8]) { sql.appendInterpolation(value) }
        public mutating func appendInterpolation(table: LedgerTable) { sql.appendInterpolation(identifier: table.name) }
        public mutating func appendInterpolation(column: LedgerColumn) { sql.appendInterpolation(identifier: column.name) }
        public mutating func appendInterpolation(list: [LedgerValue]) { sql.appendInterpolation(list: list.map(\.value)) }
        public mutating func appendInterpolation(_ part: SelectText) { sql.appendInterpolation(part.sql) }
    }
}

/// A value that is bound to a statement, or a column of a row.
public struct LedgerValue: Sendable, Hashable {
    let value: SQLValue

    /// What it is, for an ``SQLExecutor`` of your own.
    public enum Content: Sendable, Hashable {
        case null
        case int(Int64)
        case uint(UInt64)
        case text(String)
        case bytes([UInt8])
    }

    init(value: SQLValue) { self.value = value }

    public init(_ content: Content) {
        value =
            switch content {
            case .null: .null
            case .int(let number): .int(number)
            case .uint(let number): .uint(number)
            case .text(let text): .text(text)
            case .bytes(let bytes): .bytes(bytes)
            }
    }

    public var content: Content {
        switch value {
        case .null: .null
        case .int(let number): .int(number)
        case .uint(let number): .uint(number)
        case .text(let text): .text(text)
        case .bytes(let bytes): .bytes(bytes)
        }
    }

    public static let null = LedgerValue(value: .null)
    public static func uint(_ number: some FixedWidthInteger & UnsignedInteger) -> LedgerValue { LedgerValue(value: .uint(UInt64(number))) }
    public static func int(_ number: Int64?) -> LedgerValue { LedgerValue(value: number.map(SQLValue.int) ?? .null) }
    public static func text(_ text: String) -> LedgerValue { LedgerValue(value: .text(text)) }
    public static func text(_ text: String?) -> LedgerValue { LedgerValue(value: text.map(SQLValue.text) ?? .null) }
    public static func bytes(_ bytes: [UInt8]) -> LedgerValue { LedgerValue(value: .bytes(bytes)) }
    /// A whole number wider than 64 bits, sent as its digits.
    public static func decimal(_ number: Int128) -> LedgerValue { LedgerValue(value: .text(String(number))) }
}

/// A column of an insert.
public struct LedgerColumn: Sendable, Hashable, ExpressibleByStringLiteral {
    let name: SQLIdentifier
    /// A value that is NULL becomes the server's time.
    let isDefaultedToNow: Bool

    public init(stringLiteral value: StaticString) {
        guard let name = SQLIdentifier(value.description) else { preconditionFailure("\(value) is no column") }
        self.name = name
        isDefaultedToNow = false
    }

    private init(_ name: SQLIdentifier) {
        self.name = name
        isDefaultedToNow = true
    }

    /// The column with NULL standing for the server's time (UTC).
    public var defaultedToNow: LedgerColumn { LedgerColumn(name) }
}

/// A table of a book.
public struct LedgerTable: Sendable, Hashable {
    let name: SQLIdentifier

    private init(_ text: String) {
        guard let name = SQLIdentifier(text) else { preconditionFailure("\(text) is no table") }
        self.name = name
    }

    public static let currency = LedgerTable("currency")
    public static let account = LedgerTable("account")
    public static let entry = LedgerTable("entry")
    public static let posting = LedgerTable("posting")
    public static let generation = LedgerTable("generation")
    public static let live = LedgerTable("live")
    public static let checkpoint = LedgerTable("checkpoint")
    public static let accountClaim = LedgerTable("account_claim")
    public static let control = LedgerTable("control")
    public static let holdExpiry = LedgerTable("hold_expiry")
    public static let holdSweep = LedgerTable("hold_sweep")
    public static let jobControl = LedgerTable("job_control")
    public static let jobFailure = LedgerTable("job_failure")
    public static let retirement = LedgerTable("retirement")
    public static let feeSchedule = LedgerTable("fee_schedule")
    public static let streamEntry = LedgerTable("stream_entry")

    /// A table of one generation of a projection: `balance_g1`.
    public static func generated(_ base: StaticString, generation: UInt32) -> LedgerTable { LedgerTable("\(base)_g\(generation)") }
}

/// Values for the columns of one table, column by column: a bulk of rows.
public struct ColumnRows: Sendable {
    /// The values of one column.
    public enum Values: Sendable {
        case uint([UInt64])
        case int([Int64])
        case text([String])
        case bytes([[UInt8]])

        var count: Int {
            switch self {
            case .uint(let values): values.count
            case .int(let values): values.count
            case .text(let values): values.count
            case .bytes(let values): values.count
            }
        }

        func value(_ row: Int) -> LedgerValue {
            switch self {
            case .uint(let values): .uint(values[row])
            case .int(let values): .int(values[row])
            case .text(let values): .text(values[row])
            case .bytes(let values): .bytes(values[row])
            }
        }
    }

    let table: LedgerTable
    let columns: [LedgerColumn]
    let values: [Values]

    /// - Parameter values: for each column its values, as many in each.
    public init(into table: LedgerTable, _ columns: [LedgerColumn], values: [Values]) {
        precondition(columns.count == values.count && !columns.isEmpty, "every column has its values")
        precondition(values.allSatisfy { $0.count == values[0].count }, "every column has as many values")
        self.table = table
        self.columns = columns
        self.values = values
    }

    public var count: Int { values[0].count }

    /// One execution for all rows: the statement has a `?` for each column.
    var bulk: SQL { "\(head: table, columns) (\(placeholders: columns.count))" }

    /// The rows of a range as a statement of their own.
    func statement(_ range: Range<Int>) -> InsertOnlySQL {
        .insert(into: table, columns, values: range.flatMap { row in values.map { $0.value(row) } })
    }
}

extension SQL.StringInterpolation {
    /// `INSERT INTO table (columns) VALUES`.
    fileprivate mutating func appendInterpolation(head table: LedgerTable, _ columns: [LedgerColumn]) {
        appendLiteral("INSERT INTO ")
        appendInterpolation(identifier: table.name)
        for (index, column) in columns.enumerated() {
            appendLiteral(index == 0 ? " (" : ", ")
            appendInterpolation(identifier: column.name)
        }
        appendLiteral(") VALUES")
    }

    /// `?,?,?`, whose values are sent apart from the statement.
    fileprivate mutating func appendInterpolation(placeholders count: Int) {
        for index in 0..<count { appendLiteral(index == 0 ? "?" : ",?") }
    }

    /// The rows behind `VALUES`, with `COALESCE(?, UTC_TIMESTAMP(6))` in the columns whose NULL is the server's time.
    fileprivate mutating func appendInterpolation(values: [SQLValue], _ isDefaultedToNow: [Bool]) {
        appendInterpolation(
            values, pattern: isDefaultedToNow.map { $0 ? "COALESCE(?,UTC_TIMESTAMP(6))" : "?" })
    }
}
