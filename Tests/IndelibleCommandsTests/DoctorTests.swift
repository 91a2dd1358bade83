import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// `doctor` says of everything that protects a book whether it holds, and what may happen where it does not.
@Suite(.serialized) struct DoctorTests {
    @Test func `a book of init is clean`() async throws {
        let book = try await standing.value
        let finished = try await doctor(["--folder", book.folder, "--book", book.name])
        #expect(finished.status == 0, "\(finished.all)")
        let results = finished.output.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] }
        #expect(results.count == 18)
        #expect(Set(results) == ["holds"])
    }

    struct Damage: Sendable {
        let what: String
        let damage: String
        let repair: String
        /// Name, result and found.
        let finding: String
        let risk: String
    }

    /// Each on the book `book` of a server of its own, undone afterwards.
    static let damages: [Damage] = [
        .init(
            what: "a binary log that is not flushed", damage: "SET GLOBAL sync_binlog = 0", repair: "SET GLOBAL sync_binlog = 1",
            finding: "setting sync_binlog,FAILS,0,1,", risk: "every replica, may lack entries"),
        .init(
            what: "a log that is not flushed", damage: "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
            repair: "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
            finding: "setting innodb_flush_log_at_trx_commit,FAILS,2,1,", risk: "a crash of the machine loses acknowledged entries"),
        .init(
            what: "statements in the binary log", damage: "SET GLOBAL binlog_format = MIXED", repair: "SET GLOBAL binlog_format = ROW",
            finding: "setting binlog_format,FAILS,MIXED,ROW,", risk: "replicas repeat statements"),
        .init(
            what: "transactions without an end", damage: "SET GLOBAL idle_write_transaction_timeout = 0",
            repair: "SET GLOBAL idle_write_transaction_timeout = 60",
            finding: "setting idle_write_transaction_timeout,FAILS,0,1 to 3600 s,", risk: "a forgotten transaction"),
        .init(
            what: "CHECKs that are off", damage: "SET GLOBAL check_constraint_checks = 0",
            repair: "SET GLOBAL check_constraint_checks = 1",
            finding: "setting check_constraint_checks,FAILS,OFF,ON,", risk: "the CHECKs of the schema are off"),
        .init(
            what: "a trigger dropped", damage: "DROP TRIGGER book.entry_no_update",
            repair: "CREATE TRIGGER book.entry_no_update BEFORE UPDATE ON book.entry FOR EACH ROW SIGNAL SQLSTATE '45000'",
            finding: "triggers,FAILS,missing: entry UPDATE,", risk: "can change rows without being stopped"),
        .init(
            what: "a table without transactions", damage: "CREATE TABLE book.notes (n INT) ENGINE = Aria",
            repair: "DROP TABLE book.notes", finding: "engines,FAILS,notes (Aria),", risk: "takes half of what was rolled back"),
        .init(
            what: "a right revoked", damage: "REVOKE INSERT ON book.posting FROM book_writer",
            repair: "GRANT INSERT ON book.posting TO book_writer",
            finding: "grants writer,FAILS,missing: INSERT on book.posting,", risk: "the writer fails; `indelible init`"),
        .init(
            what: "a role taken away", damage: "REVOKE book_projector FROM indelible@localhost",
            repair: "GRANT book_projector TO indelible@localhost", finding: "role projector,FAILS,", risk: "whatever needs the role fails"),
        .init(
            what: "UPDATE for the login", damage: "GRANT UPDATE ON book.entry TO indelible@localhost",
            repair: "REVOKE UPDATE ON book.entry FROM indelible@localhost",
            finding: "limits auditor,FAILS,too much: UPDATE on book.entry,", risk: "this login can rewrite history"),
        .init(
            what: "UPDATE of one column for a role", damage: "GRANT UPDATE (amount) ON book.posting TO book_writer",
            repair: "REVOKE UPDATE (amount) ON book.posting FROM book_writer",
            finding: "limits writer,FAILS,too much: UPDATE (amount) on book.posting,", risk: "this login can rewrite history"),
        .init(
            what: "DELETE on everything", damage: "GRANT DELETE ON *.* TO indelible@localhost",
            repair: "REVOKE DELETE ON *.* FROM indelible@localhost",
            finding: "limits projector,FAILS,too much: DELETE on *.*,", risk: "this login can rewrite history"),
        .init(
            what: "a time that can be forged", damage: "GRANT INSERT (recorded_at) ON book.entry TO book_writer",
            repair: "REVOKE INSERT (recorded_at) ON book.entry FROM book_writer",
            finding: "limits writer,FAILS,\"too much: INSERT (", risk: "forge a position or a time"),
    ]

    @Test func `each damage is found, named and told with its risk`() async throws {
        try await withOwnFolder { folder in
            #expect(try await indelible(["init"], folder: folder).status == 0)
            let server = try #require(LocalMariaDB.attach(folder: folder + "/.indelible"))
            for damage in Self.damages {
                try await sql(server, damage.damage)
                let finished = try await doctor([], folder: folder)
                #expect(finished.status == 1, "\(damage.what): \(finished.all)")
                #expect(finished.output.contains("\n" + damage.finding), "\(damage.what): \(finished.output)")
                #expect(finished.output.contains(damage.risk), "\(damage.what): \(finished.output)")
                let people = try await indelible(["doctor"], folder: folder)
                #expect(people.output.contains("\n  risk: ") && people.output.contains(damage.risk), "\(damage.what): \(people.output)")
                try await sql(server, damage.repair)
            }
            let healed = try await doctor([], folder: folder)
            #expect(healed.status == 0, "after the repairs: \(healed.output)")
        }
    }

    @Test func `who may not see triggers proves nothing about them`() async throws {
        let password = "geheim-0815"
        try await AccessTests.withGivenBook(password: password) { book in
            let environment = ["INDELIBLE_PASSWORD": password]
            let login = try await doctor(["--database", book.url("program")], environment: environment)
            #expect(login.status == 3, "\(login.all)")
            #expect(login.output.contains("\ntriggers,not proven,this user may not see triggers; ask as the owner,"))
            #expect(login.output.contains("\nmigrations,holds,7 finished,"))
            // Somebody else's wrong setting does not hide behind it.
            try await sql(book.server, "SET GLOBAL sync_binlog = 0")
            #expect(try await doctor(["--database", book.url("program")], environment: environment).status == 1)
        }
    }

    private func doctor(
        _ arguments: [String], environment: [String: String] = [:], folder: String? = nil
    ) async throws -> Finished {
        try await indelible(["doctor", "--format", "csv"] + arguments, environment: environment, folder: folder)
    }
}
