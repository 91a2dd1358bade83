import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// The layers that keep rows as they are: grants, triggers, and the evidence. These tests send what the ledger never sends, so
/// they run on servers of their own.
@Suite struct ImmutabilityTests {
    /// A book with a row in every table.
    private func withFullBook(_ body: (TestBook) async throws -> Void) async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let accounts = try await book.openAccounts(2)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 1))
            try await book.ledger.openAccount("limited", in: .eur, type: .liability, limits: .noOverdraft)
            try await book.ledger.setStatus(.frozen, of: "limited", in: .eur)
            var held = transfer(accounts[0], accounts[1], 1)
            held.hold = Hold(expiresAt: try Timestamp("2999-12-31"))
            try await book.ledger.post(held)
            try await book.ledger.expireHolds()
            try await book.project()
            try await body(book)
            await book.ledger.close()
        }
    }

    private static let tables = [
        "currency", "account", "entry", "posting", "generation", "live", "checkpoint", "balance_g1", "migration_started",
        "migration_finished", "account_claim", "control", "hold_expiry", "hold_sweep", "book",
        "account_line_g1", "account_line_late_g1", "balance_span_g1", "generation_ready", "job_control", "job_failure", "retirement",
        "fee_schedule", "fee_g1", "fee_month_g1", "stream_entry",
    ]
    /// Full only where something has gone on for long.
    private static let mayBeEmpty: Set = ["account_line_late_g1", "balance_span_g1", "job_control", "job_failure", "retirement", "fee_schedule", "fee_g1", "fee_month_g1", "stream_entry"]

    /// A column of each table that an update could set to itself.
    private static func column(_ table: String) -> String {
        switch table {
        case "currency": "exponent"
        case "account": "type"
        case "entry", "posting", "checkpoint", "balance_g1": table == "entry" ? "kind" : table == "posting" ? "amount" : table == "checkpoint" ? "hash" : "debits_posted"
        case "migration_started", "migration_finished": "attempt"
        case "account_claim": "revision"
        case "control": "sequence"
        case "hold_expiry": "settlement"
        case "hold_sweep": "swept_before"
        case "book": "time_zone"
        case "account_line_g1": "amount"
        case "account_line_late_g1": "line"
        case "balance_span_g1": "recorded_max"
        case "job_control": "action"
        case "job_failure": "message"
        case "fee_schedule", "stream_entry": "entry_id"
        case "fee_g1", "fee_month_g1": table == "fee_g1" ? "fee" : "fees"
        default: "generation"
        }
    }

    /// A row that only a test writes.
    private static func fill(_ table: String, _ book: TestBook) async throws {
        let row =
            switch table {
            case "balance_span_g1": "(through, effective_min, effective_max, recorded_max) VALUES (16384, '2025-01-01', '2025-01-01', '2025-01-01')"
            case "account_line_late_g1": "(account, effective_at, position, line) VALUES (1, '2025-01-01', 1, 1)"
            case "job_control": "(job, sequence, action) VALUES ('balance', 1, 'resume')"
            case "job_failure": "(job, generation, from_position, attempt, code, message) VALUES ('balance', 7, 1, 0, 'integrity', 'x')"
            case "fee_schedule": "(name, version, effective_from, entry_id) VALUES ('cards', 1, '2026-01-01', REPEAT('x', 16))"
            case "stream_entry": "(stream, entry_id, revision) VALUES ('story:1', REPEAT('x', 16), 1)"
            case "fee_g1":
                """
                (account, schedule, effective_at, id, through, position, version, rule, amount, slices, percentage, rounding, fixed, bounded,
                waiver, waived, waived_rounding, fee) VALUES (1, 'cards', '2026-01-01', REPEAT('x', 16), 1, 1, 1, 1, 1, '', 0, 0, 0, 0, 0, 0, 0, 0)
                """
            case "fee_month_g1":
                """
                (month, schedule, account, through, charged, volume, fees, waived, assessments, assessed)
                VALUES ('2026-01-01', 'cards', 1, 1, 1, 1, 0, 0, 0, 0)
                """
            default: "(job, generation) VALUES ('account_line', 1)"
            }
        try await book.withOwner { try await $0.execute(unprepared: "INSERT INTO \(table) \(row)") }
    }

    @Test func `the owner is stopped by triggers on every table`() async throws {
        try await withFullBook { book in
            let tables = try await book.withOwner { try await $0.query("SHOW TABLES").map { $0[0] } }
            #expect(Set(tables) == Set(Self.tables.map(SQLValue.text)))
            for table in Self.tables {
                if Self.mayBeEmpty.contains(table) { try await Self.fill(table, book) }
                let column = Self.column(table)
                for statement in ["UPDATE \(table) SET \(column) = \(column)", "DELETE FROM \(table)"] {
                    let error = await failure(book, role: nil, statement)
                    #expect(error?.number == 1644 && error?.message.hasPrefix("indelible:") == true, "\(statement): \(String(describing: error))")
                }
                #expect(try await book.number("SELECT COUNT(*) FROM \(identifier: SQLIdentifier(table)!)") > 0)
            }
        }
    }

    @Test func `no role may change or remove a row, or forge a position or a time`() async throws {
        try await withFullBook { book in
            for role in BookRole.allCases {
                for table in Self.tables {
                    let column = Self.column(table)
                    for statement in [
                        "UPDATE \(table) SET \(column) = \(column)", "DELETE FROM \(table)", "TRUNCATE TABLE \(table)",
                        "DROP TABLE \(table)", "ALTER TABLE \(table) ADD COLUMN forged INT",
                        "REPLACE INTO \(table) SELECT * FROM \(table)",
                    ] {
                        let error = await failure(book, role: role, statement)
                        #expect([1142, 1143].contains(error?.number ?? 0), "\(role) \(statement): \(String(describing: error))")
                    }
                }
            }
            for (role, statement): (BookRole, String) in [
                (.writer, "INSERT INTO entry (position, id, kind) VALUES (1000, UNHEX(MD5('x')), 'x')"),
                (.writer, "INSERT INTO entry (id, kind, recorded_at) VALUES (UNHEX(MD5('x')), 'x', '2000-01-01')"),
                (.writer, "INSERT INTO account (id, path, currency, type) VALUES (77, 'x', 'EUR', 'asset')"),
                (.writer, "INSERT INTO checkpoint (job, generation, from_position, through_position, entries, postings, hash) VALUES ('balance', 1, 9, 10, 1, 1, '')"),
                (.writer, "INSERT INTO balance_g1 VALUES (1, 99, 1, 1, 1, 1, '')"),
                (.projector, "INSERT INTO entry (position, id, kind) VALUES (1000, UNHEX(MD5('x')), 'x')"),
                (.projector, "INSERT INTO entry (position, kind, recorded_at) VALUES (1000, 'ledger.tombstone', '2000-01-01')"),
                (.projector, "INSERT INTO posting VALUES (1, 9, 1, 2, 5, 0)"),
                (.projector, "INSERT INTO live (job, sequence, generation) VALUES ('balance', 2, 1)"),
                (.auditor, "INSERT INTO entry (id, kind) VALUES (UNHEX(MD5('x')), 'x')"),
                (.auditor, "INSERT INTO posting VALUES (1, 9, 1, 2, 5, 0)"),
            ] {
                let error = await failure(book, role: role, statement)
                #expect([1142, 1143].contains(error?.number ?? 0), "\(role) \(statement): \(String(describing: error))")
            }
            // What the projector may write with a position is a tombstone and nothing else.
            let forged = await failure(book, role: .projector, "INSERT INTO entry (position, kind) VALUES (1000, 'order.paid')")
            #expect(forged?.number == 4025)
            // Nobody sets the clock.
            let clock = await failure(book, role: .writer, "SET timestamp = 1")
            #expect(clock != nil)
            let result = try await book.reconcile()
            #expect(result.verdict == .clean)
        }
    }

    @Test func `one book's login cannot read another book, also where a name reads as a pattern`() async throws {
        try await TestServer.withOwn { server in
            let first = try await TestBook.make(on: server)
            // `_` stands for any letter in a grant on a database, unless it is escaped.
            let lookalike = try BookLocation(
                server: .socket(path: server.socketPath), book: first.name.replacing("t_", with: "tx"), user: server.adminUser)
            try await BookOwner(lookalike).create()
            let second = try await TestBook.make(on: server)
            for other in [lookalike.book, second.name] {
                for role in BookRole.allCases {
                    let error = await failure(first, role: role, "SELECT * FROM \(other).entry")
                    #expect([1142, 1044].contains(error?.number ?? 0), "\(role) reads \(other)")
                }
            }
            #expect(await failure(first, role: .auditor, "SELECT * FROM \(first.name).entry") == nil)
            for role in BookRole.allCases {
                let error = await failure(first, role: nil, "SET ROLE '\(role.name(book: second.name))'", asLogin: true)
                #expect(error?.number == 1959)
            }
            await first.ledger.close()
            await second.ledger.close()
        }
    }

    @Test func `the evidence holds for a used server and fails after one UPDATE`() async throws {
        try await withFullBook { book in
            #expect(try await evidence(book.server.folder) == 0)
            try await book.withOwner { connection in
                try await connection.execute(unprepared: "DROP TRIGGER balance_g1_no_update")
                try await connection.execute(unprepared: "UPDATE balance_g1 SET debits_posted = debits_posted + 1 LIMIT 1")
            }
            #expect(try await evidence(book.server.folder) != 0)
        }
    }

    private func failure(
        _ book: TestBook, role: BookRole?, _ statement: String, asLogin: Bool = false
    ) async -> MariaDBError? {
        do {
            if role == nil, !asLogin {
                try await book.withOwner { try await $0.execute(unprepared: statement) }
            } else if role == nil {
                let connection = try await MariaDBConnection.connect(
                    ConnectionConfiguration(
                        address: .socket(book.server.socketPath), user: book.location.user, password: Password(book.password)))
                try await connection.execute(unprepared: statement)
            } else {
                try await book.withConnection(role: role) { try await $0.execute(unprepared: statement) }
            }
        } catch { return error as? MariaDBError }
        return nil
    }
}
