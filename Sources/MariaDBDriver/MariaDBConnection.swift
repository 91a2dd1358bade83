/// A connection to one server: an actor on a queue of its own, so its calls run one after the other and block no
/// thread of Swift Concurrency.
///
/// ```swift
/// let connection = try await MariaDBConnection.connect(configuration)
/// let rows = try await connection.query("SELECT path FROM account WHERE id = \(id)")
/// ```
/// A connection whose link is lost, or whose state is not known, refuses every further call
/// (``isUsable`` is false); a ``MariaDBPool`` replaces it.
///
/// Cancelling the task that waits for a call ends the statement on the server (`KILL QUERY`). The call then throws
/// `CancellationError`, and the connection is either usable again or refuses further calls.
public actor MariaDBConnection {
    private nonisolated let queue: QueueExecutor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }

    private nonisolated let configuration: ConnectionConfiguration
    private nonisolated let link = Link()
    private nonisolated let observer: StatementObserver
    private var session: Session?

    /// Opens a connection.
    /// - Throws: ``MariaDBError`` of the server or the client library, for example 1045 (access denied), 2026 (TLS) or
    ///   2002, 2003, 2005 (no server there).
    public static func connect(
        _ configuration: ConnectionConfiguration
    ) async throws(MariaDBError) -> MariaDBConnection {
        try await connect(configuration, on: QueueExecutor())
    }

    /// Opens a connection that runs on a queue of the caller's.
    package static func connect(
        _ configuration: ConnectionConfiguration, on queue: QueueExecutor
    ) async throws(MariaDBError) -> MariaDBConnection {
        let connection = MariaDBConnection(configuration, queue)
        try await connection.open()
        return connection
    }

    /// Opens a connection for the length of `body`, and closes it whatever happens.
    public static func with<T: Sendable>(
        _ configuration: ConnectionConfiguration, _ body: (MariaDBConnection) async throws -> T
    ) async throws -> T {
        let connection = try await connect(configuration)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    private init(_ configuration: ConnectionConfiguration, _ queue: QueueExecutor) {
        self.queue = queue
        self.configuration = configuration
        observer = StatementObserver(configuration)
    }

    private func open() throws(MariaDBError) {
        let new = try Session(configuration)
        session = new
        link.open(new.descriptor)
        new.link = link
        threadID = new.serverThreadID
    }

    /// False once the link is lost: then the connection can only be closed.
    public nonisolated var isUsable: Bool { link.isUsable }

    /// The server's number for this session, as `SHOW PROCESSLIST` names it.
    public var serverThreadID: UInt { threadID }
    private var threadID: UInt = 0

    // MARK: - Statements

    /// Runs one statement and returns its rows, or what it inserted. Outside ``transaction(_:_:)`` it commits by itself.
    ///
    /// An `INSERT … RETURNING` returns its rows.
    public nonisolated func query(_ sql: SQL) async throws -> SQLResult {
        try await session { try $0.query(sql) }
    }

    /// Runs one statement that takes no values, in the text protocol: DDL, `SET`, `GRANT`.
    ///
    /// The text is not a literal, so never build it from data.
    public nonisolated func execute(unprepared text: String) async throws {
        try await session { try $0.execute(unprepared: text) }
    }

    /// Runs several statements on this connection in one step, without any other call in between, each
    /// committing by itself.
    public nonisolated func session<T: Sendable>(
        _ body: @Sendable (borrowing SQLSession) throws -> T
    ) async throws -> T {
        try await cancellable { connection throws in
            try body(SQLSession(session: try connection.current(), isTransaction: false, connection.observer))
        }
    }

    /// Runs `body` in one database transaction and commits it, or rolls it back if `body` throws.
    ///
    /// The closure is synchronous: while it runs, nothing else of the program runs on this connection, and
    /// the transaction cannot be kept, copied or awaited in.
    /// - Throws: what `body` throws, or a ``MariaDBError``. If the answer to COMMIT was lost its `retry` is
    ///   ``MariaDBError/Retry/outcomeUnknown``.
    public nonisolated func transaction<T: Sendable>(
        _ mode: TransactionMode = .readCommitted, _ body: @Sendable (borrowing SQLSession) throws -> T
    ) async throws -> T {
        try await cancellable { connection throws in try connection.runTransaction(mode, body) }
    }

    /// Reads a result while it arrives: at most `batchRows` rows are in memory, however many there are.
    ///
    /// Until `body` returns the connection does nothing else. What `body` leaves unread is read and dropped.
    /// ```swift
    /// try await connection.withRows("SELECT position, amount FROM posting") { rows in
    ///     for try await row in rows { … }
    /// }
    /// ```
    public nonisolated func withRows<T: Sendable>(
        _ sql: SQL, batchRows: Int = 256, _ body: (SQLRowStream) async throws -> T
    ) async throws -> T {
        precondition(batchRows > 0, "a batch has rows")
        let id = try await cancellable { connection throws in try connection.startStream(sql) }
        let stream = SQLRowStream(connection: self, id: id, batchRows: batchRows)
        do {
            let result = try await body(stream)
            try await endStream(id)
            return result
        } catch {
            try? await endStream(id)
            throw error
        }
    }

    /// True if the server answers.
    public func ping() -> Bool { session?.ping() ?? false }

    public func close() {
        link.close()
        session?.close()
        session = nil
    }

    // MARK: - On the connection's queue

    /// Runs a statement at once, without regard to cancellation.
    func runNow(_ text: String) throws(MariaDBError) { try current().runText(text) }

    private func current() throws(MariaDBError) -> Session {
        guard let session else {
            throw MariaDBError(number: 2006, message: "the connection was closed", retry: .sameRequest)
        }
        return session
    }

    private func runTransaction<T: Sendable>(
        _ mode: TransactionMode, _ body: (borrowing SQLSession) throws -> T
    ) throws -> T {
        let session = try current()
        for statement in mode.begin(isImplicit: configuration.beginsImplicitly) { try session.runText(statement) }
        let result: T
        do {
            result = try body(SQLSession(session: session, isTransaction: true, observer))
        } catch {
            // If it cannot be rolled back the session is of no more use; the server ends it with the link.
            do throws(MariaDBError) { try session.runText("ROLLBACK") } catch { session.invalidate() }
            throw error
        }
        guard session.isUsable else {
            // COMMIT was never sent, so the server has rolled back.
            throw MariaDBError(number: 2006, message: "the link broke before COMMIT", retry: .sameRequest)
        }
        do throws(MariaDBError) {
            try observer.observe("COMMIT") { () throws(MariaDBError) in try session.runText("COMMIT") }
        } catch {
            session.invalidate()
            throw error.isConnectionLost || error.isInterrupted || error.number >= 2000
                ? error.with(retry: .outcomeUnknown) : error
        }
        return result
    }

    private var stream: (id: UInt64, statement: PreparedStatement)?
    private var lastStreamID: UInt64 = 0

    private func startStream(_ sql: SQL) throws(MariaDBError) -> UInt64 {
        let session = try current()
        let statement = try observer.observe(sql.text) { () throws(MariaDBError) in try session.startStream(sql) }
        lastStreamID += 1
        stream = (lastStreamID, statement)
        return lastStreamID
    }

    nonisolated func fetch(stream id: UInt64, rows: Int) async throws -> SQLResult {
        try await cancellable { connection throws in
            guard let stream = connection.stream, stream.id == id else {
                throw MariaDBError(number: 2014, message: "the result is no longer being read")
            }
            return try connection.current().fetchRows(stream.statement, max: rows)
        }
    }

    private func endStream(_ id: UInt64) throws(MariaDBError) {
        guard let stream, stream.id == id else { return }
        self.stream = nil
        try session?.endStream(stream.statement)
    }

    // MARK: - Cancellation

    private nonisolated func cancellable<T: Sendable>(
        _ body: @Sendable (isolated MariaDBConnection) throws -> T
    ) async throws -> T {
        let cancellation = Cancellation(configuration, link)
        do {
            let result = try await withTaskCancellationHandler {
                try await run(cancellation, body)
            } onCancel: {
                cancellation.cancel()
            }
            await settle(cancellation)
            return result
        } catch {
            await settle(cancellation)
            // What a cancelled task was interrupted in is of no interest to it; but what a COMMIT did is.
            if cancellation.isCancelled, (error as? MariaDBError)?.retry != .outcomeUnknown { throw CancellationError() }
            throw error
        }
    }

    private func run<T: Sendable>(
        _ cancellation: Cancellation, _ body: @Sendable (isolated MariaDBConnection) throws -> T
    ) throws -> T {
        guard cancellation.begin(threadID) else { throw CancellationError() }
        defer { cancellation.end() }
        return try body(self)
    }

    /// Waits until a kill that was sent has arrived, so that it cannot meet the next statement.
    private nonisolated func settle(_ cancellation: Cancellation) async {
        guard let killing = cancellation.killing else { return }
        await killing.value
        await absorbKill()
    }

    /// The kill may have come after the statement was done; then it ends whatever comes next, and that is this.
    private func absorbKill() {
        guard let session, session.isUsable, stream == nil else { return }
        do throws(MariaDBError) { try session.runText("DO 0") } catch {
            if !error.isInterrupted { session.invalidate() }
        }
    }
}

extension MariaDBError {
    /// The statement was ended from outside (`KILL QUERY`).
    var isInterrupted: Bool { number == 1317 }
}

/// How a transaction begins.
public enum TransactionMode: Sendable {
    /// For writers: each statement sees what was committed before it.
    case readCommitted
    /// For readers: every statement sees one snapshot, taken at the start; writing is refused.
    case snapshot

    func begin(isImplicit: Bool) -> [String] {
        switch self {
        // The level that every session is set to.
        case .readCommitted: isImplicit ? [] : ["START TRANSACTION"]
        case .snapshot:
            [
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ]
        }
    }
}
