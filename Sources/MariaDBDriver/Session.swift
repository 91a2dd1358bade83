import CMariaDB

/// One session with a server: the synchronous core that a connection's queue owns.
///
/// Not Sendable: ``MariaDBConnection`` confines it. Every function blocks until the server has answered and
/// has read the answer to its end, so between calls the protocol is always idle.
@safe final class Session {
    private let handle: UnsafeMutablePointer<MYSQL>
    private var prepared: [String: PreparedStatement] = [:]
    private var useCounter: UInt64 = 0
    private let preparedMax: Int
    private var isOpen = true
    /// False once the link is lost or its state is not known: then it can only be closed.
    private(set) var isUsable = true
    /// The server's number for this session, as `SHOW PROCESSLIST` and `KILL` name it.
    let serverThreadID: UInt

    init(_ configuration: ConnectionConfiguration) throws(MariaDBError) {
        _ = Self.libraryReady
        guard let handle = unsafe mysql_init(nil) else {
            throw MariaDBError(number: 2008, message: "out of memory in the client library")
        }
        unsafe self.handle = handle
        preparedMax = max(1, configuration.preparedStatementsMax)
        do throws(MariaDBError) {
            try unsafe Self.connect(handle, configuration)
        } catch {
            unsafe mysql_close(handle)
            throw error
        }
        serverThreadID = unsafe UInt(mysql_thread_id(handle))
        do throws(MariaDBError) {
            let fixed = ["time_zone = '+00:00'", "sql_mode = 'TRADITIONAL,NO_ENGINE_SUBSTITUTION'"]
            let assignments = fixed + configuration.sessionVariables.map(\.assignment)
            try runText("SET SESSION " + assignments.joined(separator: ", SESSION "))
            if let role = configuration.role {
                try runText("SET ROLE " + Self.quoted(role))
                // The right to the database may come with the role only.
                if let database = configuration.database, unsafe mysql_select_db(handle, database) != 0 {
                    throw unsafe Self.error(of: handle, statement: nil)
                }
            }
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    func close() {
        guard isOpen else { return }
        isOpen = false
        isUsable = false
        for statement in prepared.values { statement.close() }
        prepared = [:]
        unsafe mysql_close(handle)
    }

    /// Runs one statement as a prepared statement.
    func run(_ sql: SQL) throws(MariaDBError) -> SQLResult {
        try requireUsable(sql.text)
        let statement = try statement(for: sql.text)
        do throws(MariaDBError) {
            return try statement.execute(sql.binds)
        } catch {
            noteFailure(error)
            throw error
        }
    }

    /// Runs one statement without values in the text protocol, and drops its rows. For BEGIN, COMMIT, SET and DDL.
    func runText(_ text: String) throws(MariaDBError) {
        try requireUsable(text)
        if unsafe text.withCString({ unsafe mysql_real_query(handle, $0, UInt(text.utf8.count)) }) != 0 {
            let error = unsafe Self.error(of: handle, statement: text)
            noteFailure(error)
            throw error
        }
        if let result = unsafe mysql_store_result(handle) { unsafe mysql_free_result(result) }
        if unsafe mysql_errno(handle) != 0 {
            let error = unsafe Self.error(of: handle, statement: text)
            noteFailure(error)
            throw error
        }
    }

    func ping() -> Bool {
        guard isUsable, unsafe mysql_ping(handle) == 0 else {
            isUsable = false
            return false
        }
        return true
    }

    func invalidate() { isUsable = false }

    private func requireUsable(_ text: String) throws(MariaDBError) {
        guard isUsable else {
            throw MariaDBError(
                number: 2006, message: "the connection was closed", statement: text, retry: .sameRequest)
        }
    }

    private func noteFailure(_ error: MariaDBError) {
        // 2000…2999: the client library lost track of the protocol or of the server.
        if error.isConnectionLost || (2000...2999).contains(error.number) { isUsable = false }
    }

    private func statement(for text: String) throws(MariaDBError) -> PreparedStatement {
        useCounter += 1
        if let known = prepared[text] {
            known.lastUse = useCounter
            return known
        }
        if prepared.count >= preparedMax, let oldest = prepared.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            oldest.value.close()
            prepared[oldest.key] = nil
        }
        do throws(MariaDBError) {
            let new = try unsafe PreparedStatement(handle, text)
            new.lastUse = useCounter
            prepared[text] = new
            return new
        } catch {
            noteFailure(error)
            throw error
        }
    }

    // MARK: - The C client

    private static let libraryReady: Bool = mysql_server_init(0, nil, nil) == 0

    private static func connect(
        _ handle: UnsafeMutablePointer<MYSQL>, _ configuration: ConnectionConfiguration
    ) throws(MariaDBError) {
        var connectTimeout = configuration.connectTimeoutSeconds
        var responseTimeout = configuration.responseTimeoutSeconds
        unsafe mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connectTimeout)
        unsafe mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &responseTimeout)
        unsafe mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &responseTimeout)
        unsafe mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        let database = configuration.role == nil ? configuration.database : nil
        let connected: Bool
        // CLIENT_MULTI_STATEMENTS is never asked for: one call is one statement.
        switch configuration.address {
        case .host(let host, let port):
            var tcp = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            unsafe mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp)
            connected = unsafe mysql_real_connect(
                handle, host, configuration.user, configuration.password.secret, database,
                UInt32(port), nil, 0) != nil
        case .socket(let path):
            connected = unsafe mysql_real_connect(
                handle, nil, configuration.user, configuration.password.secret, database,
                0, path, 0) != nil
        }
        guard connected else { throw unsafe error(of: handle, statement: nil) }
    }

    static func error(of handle: UnsafeMutablePointer<MYSQL>, statement: String?) -> MariaDBError {
        unsafe MariaDBError(
            reported: mysql_errno(handle), sqlState: String(cString: mysql_sqlstate(handle)),
            message: String(cString: mysql_error(handle)), statement: statement)
    }

    /// A string literal for the few statements that take no parameters.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }
}
