import CMariaDB

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One session with a server: the synchronous core that a connection's queue owns.
///
/// Not Sendable: ``MariaDBConnection`` confines it. Every function blocks until the server has answered; except for a
/// result that is being streamed (``Stream``), it has read the answer to its end when it returns, so between calls the
/// protocol is idle.
@safe final class Session {
    let handle: UnsafeMutablePointer<MYSQL>
    private var prepared: [String: PreparedStatement] = [:]
    private var useCounter: UInt64 = 0
    private let preparedMax: Int
    private let willCall: (@Sendable (ClientCall) -> ClientFault?)?
    private var isOpen = true
    /// A result of this statement is being streamed: nothing else can be sent.
    private weak var streaming: PreparedStatement?
    /// False once the link is lost or its state is not known: then it can only be closed.
    private(set) var isUsable = true {
        didSet { if !isUsable { link?.lose() } }
    }
    /// Told when the link is lost.
    var link: Link?
    /// The server's number for this session, as `SHOW PROCESSLIST` and `KILL` name it.
    let serverThreadID: UInt
    /// The socket's descriptor.
    let descriptor: Int32

    init(_ configuration: ConnectionConfiguration) throws(MariaDBError) {
        _ = Self.libraryReady
        guard let handle = unsafe mysql_init(nil) else {
            throw MariaDBError(number: 2008, message: "out of memory in the client library")
        }
        unsafe self.handle = handle
        preparedMax = max(1, configuration.preparedStatementsMax)
        willCall = configuration.willCall
        do throws(MariaDBError) {
            try unsafe Connecting(configuration).connect(handle)
        } catch {
            unsafe mysql_close(handle)
            throw error
        }
        serverThreadID = unsafe UInt(mysql_thread_id(handle))
        descriptor = unsafe Int32(mysql_get_socket(handle))
        do throws(MariaDBError) { try setUp(configuration) } catch {
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
        var collected: [SQLValue] = []
        let statement = try start(sql.text) { statement throws(MariaDBError) in try statement.send(sql.binds) }
        let columns = try finishing(statement) { () throws(MariaDBError) in
            while try statement.fetch() { try statement.appendValues(to: &collected) }
        }
        return SQLResult(
            columns: columns, values: collected, affectedRows: statement.affectedRows, lastInsertID: statement.lastInsertID)
    }

    /// Runs one statement and hands out its rows one by one; only one is in memory.
    func forEachRow(_ sql: SQL, _ body: (borrowing SQLRowReader) throws -> Void) throws {
        let statement = try start(sql.text) { statement throws(MariaDBError) in try statement.send(sql.binds) }
        do {
            if try statement.fetch() {
                let row = SQLRowReader(statement.buffers)
                repeat { try body(row) } while try statement.fetch()
            }
            try statement.drain()
        } catch {
            do throws(MariaDBError) { try statement.drain() } catch { noteFailure(error) }
            if let error = error as? MariaDBError { noteFailure(error) }
            throw error
        }
    }

    /// Runs one statement once for each row of bound columns.
    func runBulk(_ text: String, _ columns: [SQLColumnValues]) throws(MariaDBError) -> UInt64 {
        let statement = try start(text) { statement throws(MariaDBError) in try statement.sendBulk(columns) }
        _ = try finishing(statement) { () throws(MariaDBError) in while try statement.fetch() {} }
        return statement.affectedRows
    }

    /// Runs one statement without values in the text protocol, and drops its rows. For BEGIN, COMMIT, SET and DDL.
    func runText(_ text: String) throws(MariaDBError) {
        try requireIdle(text)
        announce(.query)
        if unsafe text.withCString({ unsafe mysql_real_query(handle, $0, UInt(text.utf8.count)) }) != 0 {
            throw failure(text)
        }
        announce(.drain)
        if let result = unsafe mysql_store_result(handle) { unsafe mysql_free_result(result) }
        if unsafe mysql_errno(handle) != 0 { throw failure(text) }
    }

    func ping() -> Bool {
        guard isUsable, streaming == nil else { return false }
        announce(.ping)
        if unsafe mysql_ping(handle) != 0 { isUsable = false }
        return isUsable
    }

    func invalidate() { isUsable = false }

    /// Before a call of the C client.
    func announce(_ call: ClientCall) {
        guard let willCall, let fault = willCall(call) else { return }
        switch fault {
        case .linkBroken: _ = shutdown(descriptor, Int32(SHUT_RDWR))
        }
    }

    // MARK: - Streaming

    /// Sends a statement whose rows are then fetched with ``fetchRows(_:max:)``; nothing else can be sent meanwhile.
    func startStream(_ sql: SQL) throws(MariaDBError) -> PreparedStatement {
        let statement = try start(sql.text) { statement throws(MariaDBError) in try statement.send(sql.binds) }
        streaming = statement
        return statement
    }

    /// The next rows of a stream; an empty result is its end.
    func fetchRows(_ statement: PreparedStatement, max rowsMax: Int) throws(MariaDBError) -> SQLResult {
        guard streaming === statement else {
            throw MariaDBError(number: 2014, message: "the result is no longer being read", statement: statement.text)
        }
        var values: [SQLValue] = []
        var rows = 0
        do throws(MariaDBError) {
            while rows < rowsMax, try statement.fetch() {
                try statement.appendValues(to: &values)
                rows += 1
            }
        } catch {
            streaming = nil
            noteFailure(error)
            throw error
        }
        return SQLResult(columns: statement.columnNames, values: values, affectedRows: 0, lastInsertID: 0)
    }

    /// Reads the rest of a stream and drops it.
    func endStream(_ statement: PreparedStatement) throws(MariaDBError) {
        guard streaming === statement else { return }
        streaming = nil
        do throws(MariaDBError) { try statement.drain() } catch {
            noteFailure(error)
            throw error
        }
    }

    // MARK: - Statements

    private func start(
        _ text: String, _ send: (PreparedStatement) throws(MariaDBError) -> Void
    ) throws(MariaDBError) -> PreparedStatement {
        try requireIdle(text)
        do throws(MariaDBError) {
            let statement = try statement(for: text)
            try send(statement)
            return statement
        } catch {
            noteFailure(error)
            throw error
        }
    }

    /// Reads a result to its end, whatever happens.
    private func finishing(
        _ statement: PreparedStatement, _ read: () throws(MariaDBError) -> Void
    ) throws(MariaDBError) -> [String] {
        do throws(MariaDBError) {
            try read()
            try statement.drain()
            return statement.columnNames
        } catch {
            noteFailure(error)
            if isUsable {
                do throws(MariaDBError) { try statement.drain() } catch { noteFailure(error) }
            }
            throw error
        }
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
        let new = try PreparedStatement(self, text)
        new.lastUse = useCounter
        prepared[text] = new
        return new
    }

    private func requireIdle(_ text: String) throws(MariaDBError) {
        guard isUsable else {
            throw MariaDBError(
                number: 2006, message: "the connection was closed", statement: text, retry: .sameRequest)
        }
        guard streaming == nil else {
            throw MariaDBError(number: 2014, message: "the connection is still reading another result", statement: text)
        }
    }

    private func noteFailure(_ error: MariaDBError) {
        // 2000…2999: the client library lost track of the protocol or of the server.
        if error.isConnectionLost || (2000...2999).contains(error.number) { isUsable = false }
    }

    private func failure(_ text: String?) -> MariaDBError {
        let error = unsafe Self.error(of: handle, statement: text)
        noteFailure(error)
        return error
    }

    // MARK: - Setting up

    /// Sets the session and reads back what it was set to: a proxy between may have kept it from the server.
    private func setUp(_ configuration: ConnectionConfiguration) throws(MariaDBError) {
        var variables = [
            SessionVariable(name: "time_zone", value: "+00:00"),
            SessionVariable(name: "sql_mode", value: Self.sqlMode),
            SessionVariable(name: "tx_isolation", value: "READ-COMMITTED"),
        ]
        if configuration.statementTimeoutSeconds > 0 {
            variables.append(SessionVariable("max_statement_time", Int(configuration.statementTimeoutSeconds)))
        }
        if configuration.beginsImplicitly { variables.append(SessionVariable("autocommit", 0)) }
        variables += configuration.sessionVariables
        try runText("SET " + variables.map(\.assignment).joined(separator: ", "))
        if let role = configuration.role {
            try runText("SET ROLE " + Self.quoted(role))
            // The right to the database may come with the role only.
            if let database = configuration.database {
                announce(.selectDatabase)
                if unsafe mysql_select_db(handle, database) != 0 { throw failure(nil) }
            }
        }
        let values = variables.map { "CAST(@@SESSION.\($0.name) AS CHAR)" }
        let found = try run(
            SQL(unchecked: "SELECT VERSION(), @@character_set_client, " + values.joined(separator: ", ")))[0]
        guard case .text(let version) = found[0], Self.isSupported(version) else {
            throw MariaDBError(number: 0, message: "the server is not MariaDB 10.6 or newer: \(found[0])")
        }
        guard found[1] == .text("utf8mb4") else {
            throw MariaDBError(number: 0, message: "the session's character set is not utf8mb4")
        }
        for (index, variable) in variables.enumerated() {
            guard case .text(let value) = found[index + 2], variable.isSet(value) else {
                throw MariaDBError(
                    number: 0, message: "the session variable \(variable.name) was set to \(variable.value) and is not that")
            }
        }
    }

    /// `10.11.6-MariaDB-log` and its like, from 10.6 on.
    static func isSupported(_ version: String) -> Bool {
        let numbers = version.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return version.contains("MariaDB") && numbers.count == 2 && (numbers[0], numbers[1]) >= (10, 6)
    }

    /// Everything that is refused is an error, never a warning with something else stored.
    static let sqlMode = "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
        + "ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION"

    private static let libraryReady: Bool = mysql_server_init(0, nil, nil) == 0

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

extension SessionVariable {
    /// True if the server's answer is the value: `1`, `1.000000` and `ON` are the same.
    fileprivate func isSet(_ answer: String) -> Bool {
        if answer == value { return true }
        func plain(_ text: String) -> String {
            switch text.uppercased() {
            case "ON": return "1"
            case "OFF": return "0"
            case let text where text.contains("."):
                return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
            case let text: return text
            }
        }
        return plain(answer) == plain(value)
    }
}
