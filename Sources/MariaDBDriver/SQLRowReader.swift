/// One row of a result that is read as it arrives, without a copy of it: valid only while its closure runs.
public struct SQLRowReader: ~Copyable {
    private let buffers: ColumnBuffers

    init(_ buffers: ColumnBuffers) { self.buffers = buffers }

    /// The same row for a wrapper that lives no longer than this one.
    package borrowing func rewrapped() -> SQLRowReader { SQLRowReader(buffers) }

    public var columns: [String] { buffers.names }

    /// The value of a column, from 0, as ``SQLRow`` would hold it.
    public subscript(column: Int) -> SQLValue { buffers.value(column) }

    /// An integer column; nil for NULL, and for a column that is not of an integer type or does not fit.
    public func int(_ column: Int) -> Int64? { buffers.int(column) }

    /// An integer column that is not negative; nil for NULL, and for any other.
    public func uint(_ column: Int) -> UInt64? { buffers.uint(column) }

    /// The bytes of a text or binary column, without a copy; nil for NULL and for integers.
    public func withBytes<T>(_ column: Int, _ body: (Span<UInt8>) throws -> T) rethrows -> T? {
        try buffers.withBytes(column, body)
    }

    /// A DATETIME or TIMESTAMP; nil for NULL, and for any other column.
    public func time(_ column: Int) -> SQLTime? { buffers.time(column) }

    /// A text column; nil for NULL, and for any other.
    public func text(_ column: Int) -> String? { buffers.text(column) }

    /// True if a text column has exactly this; nothing is copied.
    public func isText(_ column: Int, _ text: String) -> Bool { buffers.isText(column, text) }

    /// A BINARY(16) as two words, the most significant byte first; nil for NULL, and for any other column.
    public func words(_ column: Int) -> (UInt64, UInt64)? { buffers.words(column) }
}
