import CMariaDB

/// A statement that the server has parsed, with the buffers for its rows.
///
/// The buffers stay at one address for the life of the statement: the C client keeps pointers to them.
@safe final class PreparedStatement {
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    private let text: String
    private let parameterCount: Int
    private var columns: ColumnBuffers?
    private var isOpen = true
    var lastUse: UInt64 = 0

    init(_ handle: UnsafeMutablePointer<MYSQL>, _ text: String) throws(MariaDBError) {
        guard let statement = unsafe mysql_stmt_init(handle) else {
            throw MariaDBError(number: 2008, message: "out of memory in the client library", statement: text)
        }
        unsafe self.statement = statement
        self.text = text
        let failed = unsafe text.withCString { unsafe mysql_stmt_prepare(statement, $0, UInt(text.utf8.count)) != 0 }
        if failed {
            let error = unsafe Self.error(of: statement, text)
            unsafe mysql_stmt_close(statement)
            throw error
        }
        parameterCount = unsafe Int(mysql_stmt_param_count(statement))
    }

    deinit { close() }

    func close() {
        guard isOpen else { return }
        isOpen = false
        unsafe mysql_stmt_close(statement)
    }

    func execute(_ binds: [SQLValue]) throws(MariaDBError) -> SQLResult {
        guard binds.count == parameterCount else {
            throw MariaDBError(
                number: 0, message: "\(parameterCount) parameters and \(binds.count) values", statement: text)
        }
        try send(binds)
        let width = unsafe Int(mysql_stmt_field_count(statement))
        guard width > 0 else {
            return unsafe SQLResult(
                columns: [], values: [], affectedRows: mysql_stmt_affected_rows(statement),
                lastInsertID: mysql_stmt_insert_id(statement))
        }
        defer { unsafe mysql_stmt_free_result(statement) }
        let buffers = try columnBuffers(width: width)
        guard unsafe mysql_stmt_bind_result(statement, buffers.binds) == 0 else { throw failure() }
        var values: [SQLValue] = []
        while true {
            switch unsafe mysql_stmt_fetch(statement) {
            case 0, MYSQL_DATA_TRUNCATED:
                for column in 0..<width { values.append(try value(column, of: buffers)) }
                if buffers.hasGrown {
                    // The client copied the old addresses.
                    guard unsafe mysql_stmt_bind_result(statement, buffers.binds) == 0 else { throw failure() }
                    buffers.hasGrown = false
                }
            case MYSQL_NO_DATA:
                return SQLResult(columns: buffers.names, values: values, affectedRows: 0, lastInsertID: 0)
            default: throw failure()
            }
        }
    }

    private func send(_ binds: [SQLValue]) throws(MariaDBError) {
        let parameters = ParameterBuffers(binds)
        defer { parameters.deallocate() }
        if !binds.isEmpty {
            guard unsafe mysql_stmt_bind_param(statement, parameters.binds) == 0 else { throw failure() }
        }
        guard unsafe mysql_stmt_execute(statement) == 0 else { throw failure() }
    }

    private func columnBuffers(width: Int) throws(MariaDBError) -> ColumnBuffers {
        if let columns, columns.names.count == width { return columns }
        guard let metadata = unsafe mysql_stmt_result_metadata(statement) else { throw failure() }
        defer { unsafe mysql_free_result(metadata) }
        let new = unsafe ColumnBuffers(fields: UnsafeBufferPointer(start: mysql_fetch_fields(metadata), count: width))
        columns = new
        return new
    }

    private func value(_ column: Int, of buffers: ColumnBuffers) throws(MariaDBError) -> SQLValue {
        if buffers.isTruncated(column) {
            buffers.grow(column)
            guard
                unsafe mysql_stmt_fetch_column(statement, buffers.binds.advanced(by: column), UInt32(column), 0) == 0
            else { throw failure() }
        }
        return buffers.value(column)
    }

    private func failure() -> MariaDBError { unsafe Self.error(of: statement, text) }

    private static func error(of statement: UnsafeMutablePointer<MYSQL_STMT>, _ text: String) -> MariaDBError {
        unsafe MariaDBError(
            reported: mysql_stmt_errno(statement), sqlState: String(cString: mysql_stmt_sqlstate(statement)),
            message: String(cString: mysql_stmt_error(statement)), statement: text)
    }
}
