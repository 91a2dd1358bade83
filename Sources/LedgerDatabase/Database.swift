internal import MariaDBDriver

/// Whatever can run a statement of the ledger: a transaction of this library's driver, or of yours.
///
/// A conforming type sends the text with its values as a prepared statement and throws ``DatabaseError``.
///
/// ```swift
/// struct Mine: SQLExecutor {
///     func run(_ statement: InsertOnlySQL) throws(DatabaseError) -> Rows {
///         // Send statement.text, bind statement.values, and give back what came:
///         return Rows(columns: names, values: values, affectedRows: affected, lastInsertID: id)
///     }
/// }
/// ```
public protocol SQLExecutor: ~Copyable {
    @discardableResult
    borrowing func run(_ statement: InsertOnlySQL) throws(DatabaseError) -> Rows
    /// Inserts many rows; by default with ``run(_:)``, a thousand at a time.
    borrowing func insert(_ rows: ColumnRows) throws(DatabaseError)
}

extension SQLExecutor where Self: ~Copyable {
    public borrowing func insert(_ rows: ColumnRows) throws(DatabaseError) {
        for start in stride(from: 0, to: rows.count, by: 1000) {
            try run(rows.statement(start..<min(start + 1000, rows.count)))
        }
    }
}

/// A book's database as one role sees it: a few connections, and ``InsertOnlySQL`` as the only language.
public struct Database: Sendable {
    private let pool: MariaDBPool
    private let calledName: String?
    public let location: BookLocation
    public let role: BookRole?

    /// Connects when the first statement is sent.
    /// - Parameters:
    ///   - role: `SET ROLE` on each connection; nil keeps what the user has by itself.
    ///   - waitsForLocks: false for the connections that claim positions: there, a row in flight is an error at once.
    ///   - calledName: what errors call a server that is one of several.
    public init(
        _ location: BookLocation, role: BookRole?, connectionsMax: Int = 8, waitsForLocks: Bool = true, calledName: String? = nil
    ) {
        var configuration = location.configuration(role: role)
        if !waitsForLocks { configuration.sessionVariables.append(SessionVariable("innodb_lock_wait_timeout", 0)) }
        pool = MariaDBPool(configuration, connectionsMax: connectionsMax)
        self.location = location
        self.role = role
        self.calledName = calledName
    }

    /// Runs `body` in one READ COMMITTED transaction and commits it, or rolls it back if `body` throws.
    public func write<T: Sendable>(
        _ body: @Sendable (borrowing LedgerTransaction) throws -> T
    ) async throws -> T {
        try await transaction(.readCommitted, body)
    }

    /// Runs `body` on one snapshot: all its statements see the same state. If the link is lost, once more on another.
    public func read<T: Sendable>(
        _ body: @Sendable (borrowing LedgerTransaction) throws -> T
    ) async throws -> T {
        do { return try await transaction(.snapshot, body) } catch let error as DatabaseError where error.isLinkLost {
            do { return try await transaction(.snapshot, body) } catch let error as DatabaseError where error.isLinkLost {
                // Also where the answer to COMMIT is lost: a reader has done nothing that could be in doubt.
                throw DatabaseError(kind: .connectionLost, number: error.number, message: error.message)
            }
        }
    }

    /// Runs `body` on one connection with each statement committing by itself.
    public func autocommit<T: Sendable>(
        _ body: @Sendable (borrowing LedgerTransaction) throws -> T
    ) async throws -> T {
        try await translated {
            try await pool.withConnection { connection in
                try await connection.session { try body(LedgerTransaction($0)) }
            }
        }
    }

    /// Runs one statement that commits by itself.
    @discardableResult
    public func run(_ statement: InsertOnlySQL) async throws -> Rows {
        try await autocommit { try $0.run(statement) }
    }

    public func close() async { await pool.close() }

    private func transaction<T: Sendable>(
        _ mode: TransactionMode, _ body: @Sendable (borrowing LedgerTransaction) throws -> T
    ) async throws -> T {
        try await translated {
            try await pool.transaction(mode) { session in try body(LedgerTransaction(session)) }
        }
    }

    private func translated<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let error as MariaDBError {
            let error = DatabaseError(error)
            guard let calledName else { throw error }
            throw DatabaseError(kind: error.kind, number: error.number, message: "\(calledName): \(error.message)")
        }
    }
}

/// A database transaction (or a run of statements that commit one by one), borrowed for the length of a closure.
public struct LedgerTransaction: ~Copyable, SQLExecutor {
    private let session: SQLSession

    init(_ session: borrowing SQLSession) { self.session = session.rewrapped() }

    @discardableResult
    public borrowing func run(_ statement: InsertOnlySQL) throws(DatabaseError) -> Rows {
        do throws(MariaDBError) { return Rows(result: try session.query(statement.sql)) } catch {
            throw DatabaseError(error)
        }
    }

    /// Hands out the rows of a select one by one, as they arrive, without a copy.
    public borrowing func forEachRow(_ statement: InsertOnlySQL, _ body: (borrowing RowInPlace) throws -> Void) throws {
        do { try session.forEachRow(statement.sql) { row in try body(RowInPlace(row: row)) } } catch let error as MariaDBError {
            throw DatabaseError(error)
        }
    }

    /// The same transaction for a wrapper that lives no longer than this one.
    package borrowing func rewrapped() -> LedgerTransaction { LedgerTransaction(session) }

    /// All rows in one execution (array binding).
    public borrowing func insert(_ rows: ColumnRows) throws(DatabaseError) {
        guard rows.count > 0 else { return }
        do throws(MariaDBError) { try session.bulk(rows.bulk, rows.values.map(SQLColumnValues.init)) } catch {
            throw DatabaseError(error)
        }
    }
}

/// One row of a select that is read as it arrives: valid only while its closure runs. Each reader gives nil for NULL, and for a
/// column of another type.
public struct RowInPlace: ~Copyable {
    private let row: SQLRowReader

    init(row: borrowing SQLRowReader) { self.row = row.rewrapped() }

    /// A whole number that is not negative.
    public func uint(_ column: Int) -> UInt64? { row.uint(column) }
    public func text(_ column: Int) -> String? { row.text(column) }
    /// A DECIMAL without decimals.
    public func decimal(_ column: Int) -> Int128? {
        row.withBytes(column) { bytes in
            let isNegative = bytes.count > 0 && bytes[0] == UInt8(ascii: "-")
            let first = isNegative ? 1 : 0
            // The widest column has 38 digits.
            guard (1...38).contains(bytes.count - first) else { return nil }
            var value: Int128 = 0
            for index in first..<bytes.count {
                guard (48...57).contains(bytes[index]) else { return nil }
                value = value * 10 + Int128(bytes[index] - 48)
            }
            return isNegative ? -value : value
        } ?? nil
    }
    /// A BINARY or VARBINARY.
    public func bytes(_ column: Int) -> [UInt8]? {
        row.withBytes(column) { bytes in (0..<bytes.count).map { bytes[$0] } }
    }
    /// True if a text column has exactly this.
    public func isText(_ column: Int, _ text: String) -> Bool { row.isText(column, text) }
    /// A BINARY(16) as two words, the most significant byte first.
    public func words(_ column: Int) -> (UInt64, UInt64)? { row.words(column) }
    /// A DATETIME in UTC.
    public func time(_ column: Int) -> CivilTime? { row.time(column).map(CivilTime.init) }
}

/// A DATETIME by its parts, in UTC.
public struct CivilTime: Sendable, Hashable {
    public let (year, month, day, hour, minute, second, microsecond): (Int, Int, Int, Int, Int, Int, Int)

    init(_ time: SQLTime) {
        (year, month, day, hour, minute, second, microsecond) =
            (time.year, time.month, time.day, time.hour, time.minute, time.second, time.microsecond)
    }
}

extension SQLColumnValues {
    fileprivate init(_ values: ColumnRows.Values) {
        switch values {
        case .uint(let values): self = .uint(values)
        case .int(let values): self = .int(values)
        case .text(let values): self = .text(values)
        case .bytes(let values): self = .bytes(values)
        }
    }
}
