internal import LedgerSchema
internal import MariaDBDriver

/// Generations: their tables are DDL, so only the owner makes and retires them.
extension BookOwner {
    /// The tables of a built-in job, from `sql/`.
    public static func schema(of job: String) -> String { LedgerSchema.generations[job]?.text ?? "" }

    /// Makes a generation beside those that there are: registers it, creates its tables with the triggers that guard them, and
    /// lets the projector insert into them.
    /// - Parameters:
    ///   - schema: `CREATE TABLE IF NOT EXISTS name_g{generation} (…);` for each table.
    ///   - number: this one, which may be there in part; nil for the next.
    /// - Returns: its number.
    /// - Throws: `schema` if the text has anything else.
    @discardableResult
    public func createGeneration(job: String, schema: String, fingerprint: [UInt8], number: UInt32? = nil) async throws -> UInt32 {
        let statements = SQLScript.statements(schema)
        let names = try statements.map { try Self.tableName($0, job) }
        return try await translated {
            try await MariaDBConnection.with(location.configuration(role: nil)) { connection in
                let generation = try await register(job, fingerprint, number, connection)
                func filled(_ text: String) -> String { text.replacing("{generation}", with: String(generation)) }
                for statement in statements { try await connection.execute(unprepared: filled(statement)) }
                let role = BookRole.projector.name(book: location.book)
                for table in names.map(filled) {
                    for guarded in SQLScript.statements(LedgerSchema.generationGuards.text.replacing("{table}", with: table)) {
                        try await connection.execute(unprepared: guarded)
                    }
                    try await connection.execute(unprepared: "GRANT INSERT ON `\(location.book)`.`\(table)` TO '\(role)'")
                }
                let tables = names.map(filled).joined(separator: " ")
                _ = try await connection.inserts(
                    "INSERT INTO generation_ready (job, generation, tables) VALUES (\(job), \(generation), \(tables))")
                return generation
            }
        }
    }

    private func register(
        _ job: String, _ fingerprint: [UInt8], _ number: UInt32?, _ connection: MariaDBConnection
    ) async throws -> UInt32 {
        while true {
            var next = number ?? 0
            if number == nil {
                let rows = try await connection.query("SELECT COALESCE(MAX(generation), 0) + 1 FROM generation WHERE job = \(job)")
                next = UInt32(try Row(row: rows[0]).uint(0))
            }
            let isNew = try await connection.inserts(
                "INSERT INTO generation (job, generation, fingerprint) VALUES (\(job), \(next), \(fingerprint))")
            if isNew || number != nil { return next }
        }
    }

    /// Makes a generation live if the job has none yet.
    public func makeFirstLive(job: String, generation: UInt32) async throws {
        try await withConnection { connection in
            _ = try await connection.inserts("INSERT INTO live (job, sequence, generation) VALUES (\(job), 1, \(generation))")
        }
    }

    /// Drops the tables of a generation, for ever. Whether it may go is the caller's to know.
    public func dropGeneration(job: String, generation: UInt32) async throws {
        try await withConnection { connection in
            // From here on no worker goes on with it.
            _ = try await connection.inserts("INSERT INTO retirement (job, generation) VALUES (\(job), \(generation))")
            let rows = try await connection.query(
                "SELECT tables FROM generation_ready WHERE job = \(job) AND generation = \(generation)")
            for name in try rows.first.map({ try Row(row: $0).text(0) })?.split(separator: " ") ?? [] {
                guard let table = SQLIdentifier(String(name)) else { continue }
                try await connection.execute(unprepared: "DROP TABLE IF EXISTS `\(location.book)`.`\(table.name)`")
            }
        }
    }

    private static func tableName(_ statement: String, _ job: String) throws -> String {
        guard let match = statement.prefixMatch(of: /CREATE TABLE IF NOT EXISTS ([a-z][a-z0-9_]*_g\{generation\}) \(/),
            match.1.hasPrefix(job), !statement.contains(";")
        else {
            throw DatabaseError(
                kind: .schema, message: "the tables of the job “\(job)” are written CREATE TABLE IF NOT EXISTS "
                    + "\(job)_g{generation} (…); or \(job)_…_g{generation}, each ending with ; at the end of a line")
        }
        return String(match.1)
    }
}
