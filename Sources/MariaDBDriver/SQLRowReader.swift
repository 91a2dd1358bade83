/// One row of a result that is read as it arrives, without a copy of it: valid only while its closure runs.
public struct SQLRowReader: ~Copyable {
    private let statement: PreparedStatement

    init(_ statement: PreparedStatement) { self.statement = statement }

    /// The same row for a wrapper that lives no longer than this one.
    package borrowing func rewrapped() -> SQLRowReader { SQLRowReader(statement) }

    public var columns: [String] { statement.columnNames }

    /// The value of a column, from 0, as ``SQLRow`` would hold it.
    public subscript(column: Int) -> SQLValue { statement.buffers.value(column) }

    /// An integer column; nil for NULL, and for a column that is not of an integer type or does not fit.
    public func int(_ column: Int) -> Int64? { statement.buffers.int(column) }

    /// An integer column that is not negative; nil for NULL, and for any other.
    public func uint(_ column: Int) -> UInt64? { statement.buffers.uint(column) }

    /// The bytes of a text or binary column, without a copy; nil for NULL and for integers.
    public func withBytes<T>(_ column: Int, _ body: (Span<UInt8>) throws -> T) rethrows -> T? {
        try statement.buffers.withBytes(column, body)
    }
}
