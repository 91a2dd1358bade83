/// A session borrowed for the length of a closure: a database transaction, or a run of statements that commit
/// one by one.
public struct SQLSession: ~Copyable {
    private let session: Session
    private let isTransaction: Bool
    private let observer: StatementObserver

    init(session: Session, isTransaction: Bool, _ observer: StatementObserver) {
        self.session = session
        self.isTransaction = isTransaction
        self.observer = observer
    }

    /// The same session for a wrapper that lives no longer than this one.
    package borrowing func rewrapped() -> SQLSession {
        SQLSession(session: session, isTransaction: isTransaction, observer)
    }

    /// Runs one statement and returns its rows, or what it inserted.
    @discardableResult
    public borrowing func query(_ sql: SQL) throws(MariaDBError) -> SQLResult {
        try run(sql.text) { () throws(MariaDBError) in try session.run(sql) }
    }

    /// Runs one statement that takes no values, in the text protocol. The text is not a literal, so never build it
    /// from data.
    public borrowing func execute(unprepared text: String) throws(MariaDBError) {
        try run(text) { () throws(MariaDBError) in try session.runText(text) }
    }

    /// Runs one statement and hands out its rows as they arrive; one is in memory at a time.
    ///
    /// If `body` throws, the rest of the result is read and dropped.
    public borrowing func forEachRow(_ sql: SQL, _ body: (borrowing SQLRowReader) throws -> Void) throws {
        // What `body` throws is no failure of the statement.
        var stopped: (any Error)?
        try observer.observe(sql.text) { () throws(MariaDBError) in
            do { try session.forEachRow(sql, body) } catch let error as MariaDBError { throw error } catch { stopped = error }
        }
        if let stopped { throw stopped }
    }

    /// Runs one statement for every row of bound columns, all in one go (array binding).
    ///
    /// The statement is a literal with a `?` for each column:
    /// ```swift
    /// try session.bulk("INSERT INTO posting (position, amount) VALUES (?, ?)", [.int(positions), .int(amounts)])
    /// ```
    /// The server runs it row by row in one transaction. AUTO_INCREMENT values are not consecutive.
    /// - Returns: rows affected.
    @discardableResult
    public borrowing func bulk(_ sql: SQL, _ columns: [SQLColumnValues]) throws(MariaDBError) -> UInt64 {
        precondition(sql.binds.isEmpty, "the values of a bulk statement are its columns")
        return try run(sql.text) { () throws(MariaDBError) in try session.runBulk(sql.text, columns) }
    }

    private borrowing func run<T>(_ text: String, _ body: () throws(MariaDBError) -> T) throws(MariaDBError) -> T {
        let wasUsable = session.isUsable
        do throws(MariaDBError) {
            return try observer.observe(text, body)
        } catch {
            // Outside a transaction a lost answer means that the statement may have been done.
            let isUnknown = !isTransaction && wasUsable && error.isConnectionLost && !Self.isRead(text)
            throw isUnknown ? error.with(retry: .outcomeUnknown) : error
        }
    }

    private static func isRead(_ text: String) -> Bool { text.hasPrefix("SELECT ") || text.hasPrefix("SHOW ") }
}
