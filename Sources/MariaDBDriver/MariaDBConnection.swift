/// A connection to one server: an actor on a queue of its own, so its calls run one after the other and block no
/// thread of Swift Concurrency.
///
/// ```swift
/// let connection = try await MariaDBConnection.connect(configuration)
/// let rows = try await connection.query("SELECT path FROM account WHERE id = \(id)")
/// ```
/// A connection whose link is lost, or whose state is not known, refuses every further call
/// (``isUsable`` is false); a ``MariaDBPool`` replaces it.
public actor MariaDBConnection {
    private nonisolated let queue = QueueExecutor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }

    private var session: Session?

    /// Opens a connection.
    /// - Throws: ``MariaDBError`` of the server or the client library, for example 1045 (access denied) or
    ///   2002, 2003, 2005 (no server there).
    public static func connect(
        _ configuration: ConnectionConfiguration
    ) async throws(MariaDBError) -> MariaDBConnection {
        let connection = MariaDBConnection()
        try await connection.open(configuration)
        return connection
    }

    private init() {}

    private func open(_ configuration: ConnectionConfiguration) throws(MariaDBError) {
        session = try Session(configuration)
    }

    /// False once the link is lost: then the connection can only be closed.
    public var isUsable: Bool { session?.isUsable ?? false }

    /// The server's number for this session, as `SHOW PROCESSLIST` names it.
    public var serverThreadID: UInt { session?.serverThreadID ?? 0 }

    /// Runs one statement and returns its rows, or what it inserted. Outside ``transaction(_:_:)`` it commits by itself.
    public func query(_ sql: SQL) throws(MariaDBError) -> SQLResult {
        try Self.autocommit(try current(), sql)
    }

    /// Runs one statement that takes no values, in the text protocol: DDL, `SET`, `GRANT`.
    ///
    /// The text is not a literal, so never build it from data.
    public func execute(unprepared text: String) throws(MariaDBError) {
        try current().runText(text)
    }

    /// Runs several statements on this connection in one step, without any other call in between, each
    /// committing by itself.
    public func session<T: Sendable>(_ body: @Sendable (borrowing SQLSession) throws -> T) throws -> T {
        try body(SQLSession(session: try current(), isTransaction: false))
    }

    /// Runs `body` in one database transaction and commits it, or rolls it back if `body` throws.
    ///
    /// The closure is synchronous: while it runs, nothing else of the program runs on this connection, and
    /// the transaction cannot be kept, copied or awaited in.
    /// - Throws: what `body` throws, or a ``MariaDBError``. If the answer to COMMIT was lost its `retry` is
    ///   ``MariaDBError/Retry/outcomeUnknown``.
    public func transaction<T: Sendable>(
        _ mode: TransactionMode = .readCommitted, _ body: @Sendable (borrowing SQLSession) throws -> T
    ) throws -> T {
        let session = try current()
        for statement in mode.begin { try session.runText(statement) }
        let result: T
        do {
            result = try body(SQLSession(session: session, isTransaction: true))
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
            try session.runText("COMMIT")
        } catch {
            session.invalidate()
            throw error.isConnectionLost || error.number >= 2000 ? error.with(retry: .outcomeUnknown) : error
        }
        return result
    }

    /// True if the server answers.
    public func ping() -> Bool { session?.ping() ?? false }

    public func close() {
        session?.close()
        session = nil
    }

    private func current() throws(MariaDBError) -> Session {
        guard let session else {
            throw MariaDBError(number: 2006, message: "the connection was closed", retry: .sameRequest)
        }
        return session
    }

    /// Outside a transaction a lost answer means that the statement may have been done.
    fileprivate static func autocommit(_ session: Session, _ sql: SQL) throws(MariaDBError) -> SQLResult {
        let wasUsable = session.isUsable
        do throws(MariaDBError) {
            return try session.run(sql)
        } catch {
            throw wasUsable && error.isConnectionLost && !sql.isRead ? error.with(retry: .outcomeUnknown) : error
        }
    }
}

extension SQL {
    fileprivate var isRead: Bool { text.hasPrefix("SELECT ") || text.hasPrefix("SHOW ") }
}

/// How a transaction begins.
public enum TransactionMode: Sendable {
    /// For writers: each statement sees what was committed before it.
    case readCommitted
    /// For readers: every statement sees one snapshot, taken at the start; writing is refused.
    case snapshot

    var begin: [String] {
        switch self {
        case .readCommitted: ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION"]
        case .snapshot:
            [
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ]
        }
    }
}

/// A session borrowed for the length of a closure: a database transaction, or a run of statements that commit
/// one by one.
public struct SQLSession: ~Copyable {
    private let session: Session
    private let isTransaction: Bool

    init(session: Session, isTransaction: Bool) {
        self.session = session
        self.isTransaction = isTransaction
    }

    /// The same session for a wrapper that lives no longer than this one.
    package borrowing func rewrapped() -> SQLSession { SQLSession(session: session, isTransaction: isTransaction) }

    /// Runs one statement and returns its rows, or what it inserted.
    @discardableResult
    public borrowing func query(_ sql: SQL) throws(MariaDBError) -> SQLResult {
        isTransaction ? try session.run(sql) : try MariaDBConnection.autocommit(session, sql)
    }

    /// Runs one statement that takes no values, in the text protocol. The text is not a literal, so never build it
    /// from data.
    public borrowing func execute(unprepared text: String) throws(MariaDBError) { try session.runText(text) }
}
