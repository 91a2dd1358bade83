import CMariaDB

/// A statement that the server has parsed, with the buffers for its rows.
///
/// The buffers stay at one address for the life of the statement: the C client keeps pointers to them.
@safe final class PreparedStatement {
    private let statement: UnsafeMutablePointer<MYSQL_STMT>
    // The session owns its statements and outlives them.
    private unowned(unsafe) let session: Session
    let text: String
    private let parameterCount: Int
    private var columns: ColumnBuffers?
    private var width = 0
    /// Rows of a result may be left to read.
    private var hasResult = false
    private var isOpen = true
    private var isArrayBound = false
    var lastUse: UInt64 = 0
    private(set) var affectedRows: UInt64 = 0
    private(set) var lastInsertID: UInt64 = 0

    init(_ session: Session, _ text: String) throws(MariaDBError) {
        guard let statement = unsafe mysql_stmt_init(session.handle) else {
            throw MariaDBError(number: 2008, message: "out of memory in the client library", statement: text)
        }
        unsafe self.statement = statement
        unsafe self.session = session
        self.text = text
        session.announce(.prepare)
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

    /// The names of the result's columns; empty if there is none.
    var columnNames: [String] { width == 0 ? [] : columns?.names ?? [] }
    var buffers: ColumnBuffers {
        guard let columns else { preconditionFailure("a row is read before one was fetched") }
        return columns
    }

    // MARK: - Sending

    func send(_ binds: [SQLValue]) throws(MariaDBError) {
        try requireCount(binds.count)
        setArraySize(0)
        let parameters = ParameterBuffers(binds)
        defer { parameters.deallocate() }
        if !binds.isEmpty {
            guard unsafe mysql_stmt_bind_param(statement, parameters.binds) == 0 else { throw failure() }
        }
        try execute()
    }

    /// Sends one execution for each row of the columns.
    func sendBulk(_ values: [SQLColumnValues]) throws(MariaDBError) {
        try requireCount(values.count)
        let rows = values.first?.count ?? 0
        guard rows > 0, values.allSatisfy({ $0.count == rows }) else {
            throw MariaDBError(number: 0, message: "bulk columns have the same number of values, at least one", statement: text)
        }
        let parameters = ColumnParameters(values)
        defer { parameters.deallocate() }
        setArraySize(UInt32(rows))
        guard unsafe mysql_stmt_bind_param(statement, parameters.binds) == 0 else { throw failure() }
        try execute()
    }

    private func setArraySize(_ size: UInt32) {
        guard size > 0 || isArrayBound else { return }
        var size = size
        unsafe mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &size)
        isArrayBound = size > 0
    }

    private func requireCount(_ count: Int) throws(MariaDBError) {
        guard count == parameterCount else {
            throw MariaDBError(number: 0, message: "\(parameterCount) parameters and \(count) values", statement: text)
        }
    }

    private func execute() throws(MariaDBError) {
        unsafe session.announce(.execute)
        guard unsafe mysql_stmt_execute(statement) == 0 else { throw failure() }
        width = unsafe Int(mysql_stmt_field_count(statement))
        affectedRows = unsafe width == 0 ? mysql_stmt_affected_rows(statement) : 0
        lastInsertID = unsafe width == 0 ? mysql_stmt_insert_id(statement) : 0
        guard width > 0 else { return }
        hasResult = true
        let buffers = try columnBuffers()
        guard unsafe mysql_stmt_bind_result(statement, buffers.binds) == 0 else { throw failure() }
    }

    private func columnBuffers() throws(MariaDBError) -> ColumnBuffers {
        if let columns, columns.names.count == width { return columns }
        guard let metadata = unsafe mysql_stmt_result_metadata(statement) else { throw failure() }
        defer { unsafe mysql_free_result(metadata) }
        let new = unsafe ColumnBuffers(fields: UnsafeBufferPointer(start: mysql_fetch_fields(metadata), count: width))
        columns = new
        return new
    }

    // MARK: - Reading

    /// Fetches the next row into the buffers; false at the end.
    func fetch() throws(MariaDBError) -> Bool {
        guard hasResult, let columns else { return false }
        if columns.hasGrown {
            // The client copied the old addresses.
            guard unsafe mysql_stmt_bind_result(statement, columns.binds) == 0 else { throw failure() }
            columns.hasGrown = false
        }
        unsafe session.announce(.fetch)
        switch unsafe mysql_stmt_fetch(statement) {
        case 0: return true
        case MYSQL_DATA_TRUNCATED:
            for column in 0..<width where columns.isTruncated(column) { try fetchWhole(column, columns) }
            return true
        case MYSQL_NO_DATA:
            try drain()
            return false
        default: throw failure()
        }
    }

    func appendValues(to values: inout [SQLValue]) throws(MariaDBError) {
        for column in 0..<width { values.append(buffers.value(column)) }
    }

    /// Reads what is left of a result, so that the next statement can be sent.
    func drain() throws(MariaDBError) {
        guard hasResult else { return }
        hasResult = false
        unsafe session.announce(.drain)
        guard unsafe mysql_stmt_free_result(statement) == 0 else { throw failure() }
    }

    private func fetchWhole(_ column: Int, _ columns: ColumnBuffers) throws(MariaDBError) {
        columns.grow(column)
        unsafe session.announce(.fetchColumn)
        guard unsafe mysql_stmt_fetch_column(statement, columns.binds.advanced(by: column), UInt32(column), 0) == 0
        else { throw failure() }
    }

    /// What went wrong. While rows are fetched from the network the client library notes it at the connection only.
    private func failure() -> MariaDBError {
        if unsafe mysql_stmt_errno(statement) != 0 { return unsafe Self.error(of: statement, text) }
        if unsafe mysql_errno(session.handle) != 0 { return unsafe Session.error(of: session.handle, statement: text) }
        return MariaDBError(
            number: 2013, message: "the result broke off, and the client library does not say why", statement: text,
            retry: .sameRequest)
    }

    private static func error(of statement: UnsafeMutablePointer<MYSQL_STMT>, _ text: String) -> MariaDBError {
        unsafe MariaDBError(
            reported: mysql_stmt_errno(statement), sqlState: String(cString: mysql_stmt_sqlstate(statement)),
            message: String(cString: mysql_stmt_error(statement)), statement: text)
    }
}
