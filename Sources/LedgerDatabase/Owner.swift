internal import LedgerSchema
internal import MariaDBDriver

/// What only the owner of a book does: create it, migrate it, create the tables of a generation, grant roles.
///
/// This is the one place that sends DDL, and all of it comes from the files of `sql/`.
public struct BookOwner: Sendable {
    public let location: BookLocation

    public init(_ location: BookLocation) { self.location = location }

    /// What ``migrate(dryRun:resume:)`` did, or would do.
    public struct Plan: Sendable, Hashable {
        /// Names of migrations in their order.
        public var finished: [String]
        public var pending: [String]
    }

    /// Creates the database if it does not exist, runs the migrations that are missing, and grants the roles.
    ///
    /// Two programs may do so at once: each migration is run by the one whose `started` row is first, the other waits.
    /// - Parameters:
    ///   - dryRun: changes nothing and only says what would be done.
    ///   - resume: runs a migration again that was stopped in the middle.
    /// - Throws: `schema` if a migration is dirty, or if a file was edited or reordered after it was run.
    @discardableResult
    public func migrate(dryRun: Bool = false, resume: Bool = false) async throws -> Plan {
        try await translated {
            try await MariaDBConnection.with(location.configuration(role: nil, isDatabaseSelected: false)) { connection in
                let migrator = Migrator(
                    connection: connection, book: location.book, files: LedgerSchema.migrations, resume: resume)
                let plan = try await dryRun ? migrator.plan() : migrator.run()
                if !dryRun { try await grantRoles(connection) }
                return plan
            }
        }
    }

    /// Records what never changes of the book, once.
    /// - Returns: the time zone that stands.
    public func registerBook(timeZone: String) async throws -> String {
        try await translated {
            try await MariaDBConnection.with(location.configuration(role: nil)) { connection in
                _ = try await connection.inserts("INSERT INTO book (one, time_zone) VALUES (1, \(timeZone))")
                return try Row(row: try await connection.query("SELECT time_zone FROM book")[0]).text(0)
            }
        }
    }

    /// Lets a login of the server take the roles of this book.
    public func grantRoles(to user: String, host: String = "localhost", roles: [BookRole] = BookRole.allCases) async throws {
        try await withConnection { connection in
            for role in roles {
                try await connection.execute(
                    unprepared: "GRANT '\(role.name(book: location.book))' TO \(Self.quoted(user))@\(Self.quoted(host))")
            }
        }
    }

    /// Creates a login with a password and no privileges but the roles that it is granted, or gives the login that stands
    /// this password.
    public func createLogin(_ user: String, host: String = "localhost", password: Secret) async throws {
        try await withConnection { connection in
            let login = "\(Self.quoted(user))@\(Self.quoted(host))"
            let identified = "IDENTIFIED BY \(Self.quoted(password.text))"
            do {
                try await connection.execute(unprepared: "CREATE USER IF NOT EXISTS \(login) \(identified)")
                try await connection.execute(unprepared: "ALTER USER \(login) \(identified)")
            } catch let error as MariaDBError {
                // The statement holds the password.
                throw MariaDBError(number: error.number, sqlState: error.sqlState, message: error.message)
            }
        }
    }

    private func grantRoles(_ connection: MariaDBConnection) async throws {
        for statement in SQLScript.statements(Self.rolesText(book: location.book)) { try await connection.execute(unprepared: statement) }
    }

    static func rolesText(book: String) -> String {
        LedgerSchema.roles.text
            .replacing("{book_pattern}", with: book.replacing("_", with: "\\_"))
            .replacing("{book}", with: book)
    }

    func withConnection(_ body: @Sendable (MariaDBConnection) async throws -> Void) async throws {
        try await translated { try await MariaDBConnection.with(location.configuration(role: nil), body) }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "''") + "'"
    }

    func translated<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let error as MariaDBError { throw DatabaseError(error) }
    }
}

extension MariaDBConnection {
    /// Runs an insert; false if a unique key refused its row.
    func inserts(_ sql: SQL) async throws -> Bool {
        try await session { session in
            do throws(MariaDBError) {
                try session.query(sql)
                return true
            } catch {
                guard error.isDuplicateKey else { throw error }
                return false
            }
        }
    }
}

/// Cuts a file of `sql/` into its statements: each ends with `;` at the end of a line.
enum SQLScript {
    static func statements(_ text: String) -> [String] {
        var statements: [String] = []
        var current: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            if line.hasPrefix("--") { continue }
            current.append(line)
            if line.hasSuffix(";") {
                statements.append(String(current.joined(separator: "\n").dropLast()))
                current = []
            }
        }
        precondition(current.isEmpty, "a file of sql/ ends with a statement without ;")
        return statements
    }
}
