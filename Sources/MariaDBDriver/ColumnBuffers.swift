import CMariaDB

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The buffers that rows are fetched into.
@safe final class ColumnBuffers {
    /// A time has a number of decimals; it is read as the client's structure, since its text costs more than all else of a row.
    private enum Kind: Equatable { case int, uint, text, bytes, time(decimals: UInt32) }
    private static let initialBytes = 256

    let names: [String]
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    var hasGrown = false
    private let kinds: [Kind]
    private let lengths: UnsafeMutablePointer<UInt>
    private let nulls: UnsafeMutablePointer<Int8>
    private let truncated: UnsafeMutablePointer<Int8>

    init(fields: UnsafeBufferPointer<MYSQL_FIELD>) {
        names = unsafe fields.map { unsafe String(cString: $0.name) }
        kinds = unsafe fields.map { unsafe Self.kind($0) }
        let count = fields.count
        unsafe binds = .allocate(capacity: count)
        unsafe binds.initialize(repeating: MYSQL_BIND(), count: count)
        unsafe lengths = .allocate(capacity: count)
        unsafe lengths.initialize(repeating: 0, count: count)
        unsafe nulls = .allocate(capacity: count)
        unsafe nulls.initialize(repeating: 0, count: count)
        unsafe truncated = .allocate(capacity: count)
        unsafe truncated.initialize(repeating: 0, count: count)
        for column in 0..<count {
            let (type, size) =
                switch kinds[column] {
                case .int, .uint: (MYSQL_TYPE_LONGLONG, 8)
                case .time: (MYSQL_TYPE_DATETIME, MemoryLayout<MYSQL_TIME>.size)
                case .bytes: (MYSQL_TYPE_BLOB, Self.initialBytes)
                case .text: (MYSQL_TYPE_STRING, Self.initialBytes)
                }
            unsafe binds[column].buffer = .allocate(byteCount: size, alignment: 8)
            unsafe binds[column].buffer_length = UInt(size)
            unsafe binds[column].buffer_type = type
            unsafe binds[column].is_unsigned = kinds[column] == .uint ? 1 : 0
            unsafe binds[column].length = lengths + column
            unsafe binds[column].is_null = nulls + column
            unsafe binds[column].error = truncated + column
        }
    }

    deinit {
        for column in names.indices { unsafe binds[column].buffer.deallocate() }
        unsafe binds.deallocate()
        unsafe lengths.deallocate()
        unsafe nulls.deallocate()
        unsafe truncated.deallocate()
    }

    func isTruncated(_ column: Int) -> Bool {
        unsafe nulls[column] == 0 && lengths[column] > binds[column].buffer_length
            && (kinds[column] == .text || kinds[column] == .bytes)
    }

    /// Makes room for the value that was just cut, and a quarter more for those to come.
    func grow(_ column: Int) {
        let size = unsafe Int(lengths[column]) * 5 / 4
        unsafe binds[column].buffer.deallocate()
        unsafe binds[column].buffer = .allocate(byteCount: size, alignment: 8)
        unsafe binds[column].buffer_length = UInt(size)
        hasGrown = true
    }

    func value(_ column: Int) -> SQLValue {
        guard unsafe nulls[column] == 0 else { return .null }
        let buffer = unsafe binds[column].buffer!
        switch kinds[column] {
        case .int: return unsafe .int(buffer.load(as: Int64.self))
        case .uint: return unsafe .uint(buffer.load(as: UInt64.self))
        case .text:
            let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: Int(lengths[column]))
            return unsafe .text(String(decoding: bytes, as: UTF8.self))
        case .bytes:
            let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: Int(lengths[column]))
            return unsafe .bytes([UInt8](bytes))
        case .time(let decimals): return .text(time(column)!.text(decimals: decimals))
        }
    }

    /// A DATETIME or TIMESTAMP.
    func time(_ column: Int) -> SQLTime? {
        guard unsafe nulls[column] == 0, case .time = kinds[column] else { return nil }
        return unsafe SQLTime(binds[column].buffer.load(as: MYSQL_TIME.self))
    }

    /// The 16 bytes of a binary column, as two words with the most significant byte first.
    func words(_ column: Int) -> (UInt64, UInt64)? {
        guard unsafe nulls[column] == 0, unsafe lengths[column] == 16, kinds[column] == .bytes else { return nil }
        let buffer = unsafe binds[column].buffer!
        return unsafe (UInt64(bigEndian: buffer.load(as: UInt64.self)), UInt64(bigEndian: buffer.load(fromByteOffset: 8, as: UInt64.self)))
    }

    func text(_ column: Int) -> String? {
        guard unsafe nulls[column] == 0, kinds[column] == .text else { return nil }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: binds[column].buffer, count: Int(lengths[column])), as: UTF8.self)
    }

    /// True if a text column has exactly this.
    func isText(_ column: Int, _ text: String) -> Bool {
        guard unsafe nulls[column] == 0, kinds[column] == .text, unsafe Int(lengths[column]) == text.utf8.count else { return false }
        var text = text
        return text.withUTF8 { other in
            unsafe other.count == 0 || memcmp(binds[column].buffer, other.baseAddress!, other.count) == 0
        }
    }

    func int(_ column: Int) -> Int64? {
        guard unsafe nulls[column] == 0 else { return nil }
        switch kinds[column] {
        case .int: return unsafe binds[column].buffer.load(as: Int64.self)
        case .uint: return unsafe Int64(exactly: binds[column].buffer.load(as: UInt64.self))
        case .text, .bytes, .time: return nil
        }
    }

    func uint(_ column: Int) -> UInt64? {
        guard unsafe nulls[column] == 0 else { return nil }
        switch kinds[column] {
        case .uint: return unsafe binds[column].buffer.load(as: UInt64.self)
        case .int: return unsafe UInt64(exactly: binds[column].buffer.load(as: Int64.self))
        case .text, .bytes, .time: return nil
        }
    }

    func withBytes<T>(_ column: Int, _ body: (Span<UInt8>) throws -> T) rethrows -> T? {
        guard unsafe nulls[column] == 0, kinds[column] == .text || kinds[column] == .bytes else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: binds[column].buffer, count: Int(lengths[column]))
        return try unsafe bytes.withMemoryRebound(to: UInt8.self) { unsafe try body($0.span) }
    }

    private static let binaryCharset: UInt32 = 63
    private static let unsignedFlag: UInt32 = 32

    private static func kind(_ field: MYSQL_FIELD) -> Kind {
        switch unsafe field.type {
        case MYSQL_TYPE_TINY, MYSQL_TYPE_SHORT, MYSQL_TYPE_LONG, MYSQL_TYPE_INT24, MYSQL_TYPE_LONGLONG,
            MYSQL_TYPE_YEAR:
            unsafe field.flags & unsignedFlag != 0 ? .uint : .int
        case MYSQL_TYPE_BIT, MYSQL_TYPE_GEOMETRY:
            .bytes
        case MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB,
            MYSQL_TYPE_STRING, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VARCHAR:
            unsafe field.charsetnr == binaryCharset ? .bytes : .text
        case MYSQL_TYPE_DATETIME, MYSQL_TYPE_TIMESTAMP:
            unsafe .time(decimals: field.decimals)
        default:
            .text
        }
    }
}
