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

/// The values of a bulk execution: for each parameter an array, with indicators for NULL.
@safe struct ColumnParameters {
    let binds: UnsafeMutablePointer<MYSQL_BIND>
    private var owned = unsafe [UnsafeMutableRawPointer]()

    init(_ columns: [SQLColumnValues]) {
        unsafe binds = .allocate(capacity: columns.count)
        unsafe binds.initialize(repeating: MYSQL_BIND(), count: columns.count)
        for (index, column) in columns.enumerated() {
            switch column {
            case .int(let values):
                unsafe bind(index, MYSQL_TYPE_LONGLONG, own(values))
            case .uint(let values):
                unsafe bind(index, MYSQL_TYPE_LONGLONG, own(values))
                unsafe binds[index].is_unsigned = 1
            case .optionalInt(let values):
                unsafe bind(index, MYSQL_TYPE_LONGLONG, own(values.map { $0 ?? 0 }))
                indicate(index, values.map { $0 == nil })
            case .text(let values):
                bindStrings(index, MYSQL_TYPE_STRING, values.map { $0.map { Array($0.utf8) } })
            case .bytes(let values):
                bindStrings(index, MYSQL_TYPE_BLOB, values)
            }
        }
    }

    func deallocate() {
        for unsafe pointer in unsafe owned { unsafe pointer.deallocate() }
        unsafe binds.deallocate()
    }

    private func bind(_ index: Int, _ type: enum_field_types, _ buffer: UnsafeMutableRawPointer) {
        unsafe binds[index].buffer_type = type
        unsafe binds[index].buffer = buffer
    }

    /// A copy of an array at an address that stays.
    private mutating func own<T: BitwiseCopyable>(_ values: [T]) -> UnsafeMutableRawPointer {
        let size = max(1, values.count) * MemoryLayout<T>.stride
        let copy = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<T>.alignment)
        unsafe values.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { unsafe copy.copyMemory(from: start, byteCount: bytes.count) }
        }
        unsafe owned.append(copy)
        return unsafe copy
    }

    private mutating func indicate(_ index: Int, _ isNull: [Bool]) {
        let flags = unsafe own(isNull.map { Int8(truncatingIfNeeded: ($0 ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE).rawValue) })
        unsafe binds[index].u.indicator = unsafe flags.assumingMemoryBound(to: CChar.self)
    }

    /// One block for all bytes, an array of addresses into it, and one of lengths.
    private mutating func bindStrings(_ index: Int, _ type: enum_field_types, _ values: [[UInt8]?]) {
        var all: [UInt8] = []
        var lengths: [UInt] = []
        var offsets: [Int] = []
        for value in values {
            offsets.append(all.count)
            lengths.append(UInt(value?.count ?? 0))
            if let value { all += value }
        }
        let block = unsafe own(all)
        unsafe bind(index, type, own(offsets.map { unsafe UInt(bitPattern: block + $0) }))
        unsafe binds[index].length = unsafe own(lengths).assumingMemoryBound(to: UInt.self)
        indicate(index, values.map { $0 == nil })
    }
}
