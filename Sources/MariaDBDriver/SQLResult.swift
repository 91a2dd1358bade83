/// What a statement gave back, read from the server to the end.
public struct SQLResult: Sendable {
    /// The names of the columns; empty for a statement that returns no rows.
    public let columns: [String]
    /// Rows inserted (or otherwise affected).
    public let affectedRows: UInt64
    /// The first AUTO_INCREMENT value that the statement was given; 0 if none.
    public let lastInsertID: UInt64
    let values: [SQLValue]

    package init(columns: [String], values: [SQLValue], affectedRows: UInt64, lastInsertID: UInt64) {
        self.columns = columns
        self.values = values
        self.affectedRows = affectedRows
        self.lastInsertID = lastInsertID
    }
}

extension SQLResult: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { columns.isEmpty ? 0 : values.count / columns.count }
    public subscript(position: Int) -> SQLRow { SQLRow(result: self, offset: position * columns.count) }
}

/// One row of a result, read by the number of the column (from 0).
public struct SQLRow: Sendable {
    let result: SQLResult
    let offset: Int

    public var columns: [String] { result.columns }
    public var count: Int { result.columns.count }

    public subscript(column: Int) -> SQLValue {
        precondition(column >= 0 && column < count, "column \(column) of \(count)")
        return result.values[offset + column]
    }
}
