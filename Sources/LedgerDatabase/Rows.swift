internal import MariaDBDriver

/// The rows of a select, or what an insert did.
public struct Rows: Sendable, RandomAccessCollection {
    let result: SQLResult

    init(result: SQLResult) { self.result = result }

    /// What an ``SQLExecutor`` of your own got.
    /// - Parameters:
    ///   - columns: their names; none for an insert.
    ///   - values: of all rows, one after the other. Whole numbers as `int` or `uint`, BINARY as `bytes`, everything else (DECIMAL
    ///     and DATETIME too) as the server's text.
    ///   - lastInsertID: the first AUTO_INCREMENT value that the statement was given; 0 if none.
    public init(columns: [String], values: [LedgerValue], affectedRows: UInt64, lastInsertID: UInt64) {
        precondition(columns.isEmpty ? values.isEmpty : values.count % columns.count == 0, "every row has a value for every column")
        result = SQLResult(
            columns: columns, values: values.map(\.value), affectedRows: affectedRows, lastInsertID: lastInsertID)
    }

    /// The AUTO_INCREMENT value of the first row inserted.
    public var lastInsertID: UInt64 { result.lastInsertID }
    /// Rows inserted.
    public var affectedRows: UInt64 { result.affectedRows }

    public var startIndex: Int { result.startIndex }
    public var endIndex: Int { result.endIndex }
    public subscript(position: Int) -> Row { Row(row: result[position]) }
}

/// One row. Each reader throws `schema` if the column holds something else: the tables are not the ones this
/// program was built for.
public struct Row: Sendable {
    let row: SQLRow

    public func isNull(_ column: Int) -> Bool { row[column] == .null }

    public func uint(_ column: Int) throws(DatabaseError) -> UInt64 {
        switch row[column] {
        case .uint(let number): return number
        case .int(let number) where number >= 0: return UInt64(number)
        case .text(let text):
            if let number = UInt64(text) { return number }
        default: break
        }
        throw wrong(column, "a whole number")
    }

    /// A BIGINT; nil for NULL.
    public func optionalInt(_ column: Int) throws(DatabaseError) -> Int64? {
        switch row[column] {
        case .null: return nil
        case .int(let number): return number
        case .uint(let number):
            if let number = Int64(exactly: number) { return number }
        case .text(let text):
            if let number = Int64(text) { return number }
        default: break
        }
        throw wrong(column, "a whole number")
    }

    public func text(_ column: Int) throws(DatabaseError) -> String {
        if case .text(let text) = row[column] { return text }
        throw wrong(column, "text")
    }

    public func optionalText(_ column: Int) throws(DatabaseError) -> String? {
        isNull(column) ? nil : try text(column)
    }

    public func bytes(_ column: Int) throws(DatabaseError) -> [UInt8] {
        if case .bytes(let bytes) = row[column] { return bytes }
        throw wrong(column, "bytes")
    }

    public func optionalBytes(_ column: Int) throws(DatabaseError) -> [UInt8]? {
        isNull(column) ? nil : try bytes(column)
    }

    /// A DECIMAL without decimals; NULL (the sum of nothing) is 0.
    public func decimal(_ column: Int) throws(DatabaseError) -> Int128 {
        switch row[column] {
        case .null: return 0
        case .int(let number): return Int128(number)
        case .uint(let number): return Int128(number)
        case .text(let text):
            if let number = Int128(text) { return number }
        case .bytes: break
        }
        throw wrong(column, "a whole number")
    }

    private func wrong(_ column: Int, _ expected: String) -> DatabaseError {
        DatabaseError(
            kind: .schema, message: "column \(row.columns[column]) does not hold \(expected): the tables are not the ones "
                + "this program was built for")
    }
}
