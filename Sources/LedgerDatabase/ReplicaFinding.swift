internal import MariaDBDriver

extension Doctor {
    static let replica = "replica"

    /// Whether the server is a replica that goes on; nil if it is none.
    static func replica(_ connection: MariaDBConnection) async throws -> Finding? {
        let row = Row(
            row: try await connection.query(
                """
                SELECT CAST(@@GLOBAL.read_only AS CHAR), CAST(@@GLOBAL.gtid_slave_pos AS CHAR),
                (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_RUNNING')
                """)[0])
        let (isReadOnly, repeated) = (try row.text(0) != "0", try row.text(1))
        let isRunning = try row.optionalText(2) == "ON"
        guard isRunning || isReadOnly && !repeated.isEmpty else { return nil }
        let found = [
            isReadOnly ? "read_only" : "not read_only", isRunning ? "replication runs" : "replication is stopped",
            "through \(repeated.isEmpty ? "no GTID" : repeated)",
        ].joined(separator: ", ")
        return Finding(
            name: replica, holds: isReadOnly && isRunning, found: found, expected: "read_only, and replication runs",
            risk: isRunning ? "whoever writes here makes another book of it" : "what is read here is as old as the moment at which it stopped")
    }
}

extension Doctor.Finding {
    static func notApplying(_ name: String, _ found: String, _ expected: String) -> Self {
        Self(name: name, holds: nil, found: found, expected: expected, risk: "none here", applies: false)
    }
}
