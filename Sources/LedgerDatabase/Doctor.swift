internal import LedgerSchema
internal import MariaDBDriver

/// Looks whether a book is protected as it should be: settings of the server, grants of each role, triggers of each
/// table, migrations. It changes nothing.
public struct Doctor: Sendable {
    /// One thing that was looked at.
    public struct Finding: Sendable, Hashable {
        public let name: String
        /// nil: this user may not see it, or it does not apply here.
        public let holds: Bool?
        public let found: String
        public let expected: String
        /// What may happen where it does not hold.
        public let risk: String
        /// False for what is asked of a server that is written to and not of a replica, or not of a process that only reads.
        public var applies = true
    }

    private let login: BookLocation
    private let owner: BookLocation
    private let roles: [BookRole]

    /// - Parameters:
    ///   - login: who takes the roles of writer, projector and auditor.
    ///   - owner: who sees triggers; may be the same.
    ///   - roles: those that the login needs.
    public init(login: BookLocation, owner: BookLocation, roles: [BookRole] = BookRole.allCases) {
        self.login = login
        self.owner = owner
        self.roles = roles
    }

    /// - Throws: ``DatabaseError`` if the server or the book cannot be reached at all.
    public func examine() async throws -> [Finding] {
        var findings: [Finding] = []
        do { findings += try await with(owner, role: nil, book) } catch let error as DatabaseError where error.kind == .denied {
            // No owner, but a login that has what it may by its roles only.
            findings += try await with(owner, role: .auditor, book)
        }
        let isReplica = findings.contains { $0.name == Self.replica }
        for role in BookRole.allCases {
            guard role == .auditor || roles.contains(role) && !isReplica else {
                findings.append(
                    .notApplying(
                        "role \(role.rawValue)", isReplica ? "a replica is only read" : "this process is read-only", "where the book is written to"))
                continue
            }
            do {
                findings += try await with(login, role: role) { try await grants(of: role, $0) }
            } catch let error as DatabaseError where error.kind == .denied {
                findings.append(
                    Finding(
                        name: "role \(role.rawValue)", holds: false, found: error.message,
                        expected: "\(login.user) may take the role \(role.name(book: login.book))",
                        risk: "whatever needs the role fails; `GRANT '\(role.name(book: login.book))' TO` the user"))
            }
        }
        return findings
    }

    /// What does not depend on a role.
    private func book(_ connection: MariaDBConnection) async throws -> [Finding] {
        let replica = try await Self.replica(connection)
        let settings = try await Self.settings(connection, isReplica: replica != nil)
        let triggers = try await triggers(connection)
        let migrations = try await migrations(connection)
        return (replica.map { [$0] } ?? []) + settings + triggers + migrations
    }

    // MARK: - Settings

    private struct Setting {
        let name: StaticString
        let expression: SQL
        let expected: String
        let isGood: @Sendable (String) -> Bool
        let risk: String
        /// Also of a server that only repeats what another one wrote.
        var isOfReplica = false
    }

    private static let isOn: @Sendable (String) -> Bool = { ["1", "ON"].contains($0) }

    private static let settings: [Setting] = [
        Setting(
            name: "innodb_flush_log_at_trx_commit", expression: "@@GLOBAL.innodb_flush_log_at_trx_commit", expected: "1",
            isGood: { $0 == "1" }, risk: "a crash of the machine loses acknowledged entries"),
        Setting(
            name: "sync_binlog", expression: "@@GLOBAL.sync_binlog", expected: "1", isGood: { $0 == "1" },
            risk: "after a crash the binary log, and with it every replica, may lack entries"),
        Setting(
            name: "log_bin", expression: "@@GLOBAL.log_bin", expected: "ON", isGood: isOn,
            risk: "without a binary log there is no evidence of what was written, and no recovery to a point in time"),
        Setting(
            name: "binlog_format", expression: "@@GLOBAL.binlog_format", expected: "ROW", isGood: { $0 == "ROW" },
            risk: "replicas repeat statements, whose positions and times may come out differently there"),
        Setting(
            name: "innodb_autoinc_lock_mode", expression: "@@GLOBAL.innodb_autoinc_lock_mode", expected: "2",
            isGood: { $0 == "2" }, risk: "writers wait for each other's positions"),
        Setting(
            name: "innodb_doublewrite", expression: "@@GLOBAL.innodb_doublewrite", expected: "ON", isGood: isOn,
            risk: "a page that is half written at a power failure cannot be repaired", isOfReplica: true),
        Setting(
            name: "secure_timestamp", expression: "@@GLOBAL.secure_timestamp", expected: "YES",
            isGood: { ["YES", "REPLICATION"].contains($0) }, risk: "a session can set its own clock and forge recorded_at"),
        Setting(
            name: "idle_write_transaction_timeout", expression: "@@GLOBAL.idle_write_transaction_timeout",
            expected: "1 to 3600 s", isGood: { (1...3600).contains(Int($0) ?? 0) },
            risk: "a forgotten transaction holds its position for ever, and every job waits for it"),
        Setting(
            name: "check_constraint_checks", expression: "@@GLOBAL.check_constraint_checks", expected: "ON",
            isGood: isOn, risk: "the CHECKs of the schema are off"),
    ]

    private static func settings(_ connection: MariaDBConnection, isReplica: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        for setting in settings {
            guard setting.isOfReplica || !isReplica else {
                findings.append(.notApplying("setting \(setting.name)", "a replica repeats what the primary wrote", "\(setting.expected) on the primary"))
                continue
            }
            let row = try await connection.query("SELECT CAST(\(setting.expression) AS CHAR)")[0]
            let found = try Row(row: row).optionalText(0) ?? "NULL"
            findings.append(
                Finding(
                    name: "setting \(setting.name)", holds: setting.isGood(found), found: found, expected: setting.expected,
                    risk: setting.risk))
        }
        return findings
    }

    // MARK: - Triggers and migrations

    private func triggers(_ connection: MariaDBConnection) async throws -> [Finding] {
        let tables = try await connection.query(
            """
            SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = \(owner.book) AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME
            """
        ).map { try (Row(row: $0).text(0), Row(row: $0).optionalText(1) ?? "none") }
        let rows = try await connection.query(
            """
            SELECT EVENT_OBJECT_TABLE, EVENT_MANIPULATION FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = \(owner.book)
            AND ACTION_TIMING = 'BEFORE' AND ACTION_STATEMENT LIKE 'SIGNAL SQLSTATE ''45000''%'
            """)
        let present = Set(try rows.map { try "\(Row(row: $0).text(0)) \(Row(row: $0).text(1))" })
        let grants = try await GrantList(connection)
        let maySee = grants.covers("TRIGGER", book: owner.book)
        let missing = tables.flatMap { table in
            ["UPDATE", "DELETE"].map { "\(table.0) \($0)" }.filter { !present.contains($0) }
        }
        let engines = tables.filter { $0.1 != "InnoDB" }.map { "\($0.0) (\($0.1))" }
        return [
            Finding(
                name: "triggers", holds: maySee ? missing.isEmpty : nil,
                found: !maySee
                    ? "this user may not see triggers; ask as the owner"
                    : missing.isEmpty ? "\(2 * tables.count) on \(tables.count) tables" : "missing: \(missing.joined(separator: ", "))",
                expected: "one against UPDATE and one against DELETE on every table",
                risk: "whoever has more rights than the roles can change rows without being stopped"),
            Finding(
                name: "engines", holds: engines.isEmpty,
                found: engines.isEmpty ? "InnoDB" : engines.joined(separator: ", "), expected: "InnoDB",
                risk: "a table without transactions takes half of what was rolled back"),
        ]
    }

    private func migrations(_ connection: MariaDBConnection) async throws -> [Finding] {
        let migrator = Migrator(
            connection: connection, book: owner.book, files: LedgerSchema.migrations, resume: false)
        let (holds, found): (Bool, String)
        do {
            let plan = try await migrator.plan()
            holds = plan.pending.isEmpty
            found = holds ? "\(plan.finished.count) finished" : "pending: \(plan.pending.joined(separator: ", "))"
        } catch let error as DatabaseError where error.kind == .schema {
            (holds, found) = (false, error.message)
        }
        return [
            Finding(
                name: "migrations", holds: holds, found: found, expected: "all of this program's, unchanged",
                risk: "the tables are not the ones this program was built for; `indelible init` migrates")
        ]
    }

    // MARK: - Grants

    private func grants(of role: BookRole, _ connection: MariaDBConnection) async throws -> [Finding] {
        let granted = try await GrantList(connection)
        let required = GrantList(
            SQLScript.statements(BookOwner.rolesText(book: login.book))
                .filter { $0.hasSuffix("TO '\(role.name(book: login.book))'") })
        let missing = required.grants.subtracting(granted.grants).filter { grant in
            // A whole-table or whole-database right covers the same on columns.
            !granted.grants.contains { $0.covers(grant) }
        }
        let excess = granted.grants.subtracting(required.grants).filter { $0.isDangerous(for: role, book: login.book) }
        func text(_ grants: some Collection<Grant>) -> String { grants.map(\.description).sorted().joined(separator: "; ") }
        return [
            Finding(
                name: "grants \(role.rawValue)", holds: missing.isEmpty, found: missing.isEmpty ? "complete" : "missing: \(text(missing))",
                expected: "what sql/roles.sql grants", risk: "the \(role.rawValue) fails; `indelible init` grants them again"),
            Finding(
                name: "limits \(role.rawValue)", holds: excess.isEmpty,
                found: excess.isEmpty ? "nothing beyond its role" : "too much: \(text(excess))",
                expected: "no right to change, remove or forge rows",
                risk: "this login can rewrite history, or forge a position or a time; revoke it"),
        ]
    }

    private func with<T: Sendable>(
        _ location: BookLocation, role: BookRole?, _ body: @Sendable (MariaDBConnection) async throws -> T
    ) async throws -> T {
        do { return try await MariaDBConnection.with(location.configuration(role: role), body) } catch let error as MariaDBError {
            throw DatabaseError(error)
        }
    }
}
