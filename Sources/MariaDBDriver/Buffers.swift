import CMariaDB

/// The values of one execution, laid out as the C client wants them: one block of memory for all.
@safe struct ParameterBuffers {
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private let lengths: UnsafeMutablePointer<UInt>
    private let arena: UnsafeMutableRawPointer

    init(_ values: [SQLValue]) {
        var size = 0
        for value in values { size += Self.size(value) }
        unsafe binds = .allocate(capacity: max(1, values.count))
        unsafe binds.initialize(repeating: MYSQL_BIND(), count: max(1, values.count))
        unsafe lengths = .allocate(capacity: max(1, values.count))
        unsafe arena = .allocate(byteCount: max(8, size), alignment: 8)
        var offset = 0
        for (index, value) in values.enumerated() {
            let place = unsafe arena + offset
            unsafe binds[index].buffer = place
            switch value {
            case .null:
                unsafe binds[index].buffer_type = MYSQL_TYPE_NULL
            case .int(let number):
                unsafe place.storeBytes(of: number, as: Int64.self)
                unsafe binds[index].buffer_type = MYSQL_TYPE_LONGLONG
            case .uint(let number):
                unsafe place.storeBytes(of: number, as: UInt64.self)
                unsafe binds[index].buffer_type = MYSQL_TYPE_LONGLONG
                unsafe binds[index].is_unsigned = 1
            case .text(var text):
                text.withUTF8 { unsafe copy($0, to: place, index) }
                unsafe binds[index].buffer_type = MYSQL_TYPE_STRING
            case .bytes(let bytes):
                unsafe bytes.withUnsafeBufferPointer { unsafe copy($0, to: place, index) }
                unsafe binds[index].buffer_type = MYSQL_TYPE_BLOB
            }
            offset += Self.size(value)
        }
    }

    func deallocate() {
        unsafe binds.deallocate()
        unsafe lengths.deallocate()
        unsafe arena.deallocate()
    }

    private func copy(_ bytes: UnsafeBufferPointer<UInt8>, to place: UnsafeMutableRawPointer, _ index: Int) {
        if let start = bytes.baseAddress { unsafe place.copyMemory(from: start, byteCount: bytes.count) }
        unsafe lengths[index] = UInt(bytes.count)
        unsafe binds[index].length = lengths + index
        unsafe binds[index].buffer_length = UInt(bytes.count)
    }

    /// Bytes in the arena, rounded up to keep integers aligned.
    private static func size(_ value: SQLValue) -> Int {
        switch value {
        case .null: 0
        case .int, .uint: 8
        case .text(let text): (text.utf8.count + 7) & ~7
        case .bytes(let bytes): (bytes.count + 7) & ~7
        }
    }
}

/// The buffers that rows are fetched into.
@safe final class ColumnBuffers {
    private enum Kind { case int, uint, text, bytes }
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
            let isInteger = kinds[column] == .int || kinds[column] == .uint
            let size = isInteger ? 8 : Self.initialBytes
            unsafe binds[column].buffer = .allocate(byteCount: size, alignment: 8)
            unsafe binds[column].buffer_length = UInt(size)
            unsafe binds[column].buffer_type =
                isInteger ? MYSQL_TYPE_LONGLONG : kinds[column] == .bytes ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING
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
        }
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
        default:
            .text
        }
    }
}
