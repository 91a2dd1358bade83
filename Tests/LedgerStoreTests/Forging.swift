import MariaDBDriver

/// For tests that forge rows as the owner, on a server of their own, and take it back.
extension MariaDBConnection {
    /// Takes the triggers away, and keeps the rows as they are.
    func keepRows(of tables: [String]) async throws {
        for table in tables {
            try await execute(unprepared: "DROP TRIGGER \(table)_no_update")
            try await execute(unprepared: "DROP TRIGGER \(table)_no_delete")
            try await execute(unprepared: "CREATE TABLE kept_\(table) AS SELECT * FROM \(table)")
        }
    }

    /// Puts back what was kept.
    func restoreRows(of tables: [String]) async throws {
        for table in tables {
            try await execute(unprepared: "DELETE FROM \(table)")
            try await execute(unprepared: "INSERT INTO \(table) SELECT * FROM kept_\(table)")
        }
    }
}
