import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// `init` runs each migration once, and refuses a book whose record does not fit the program.
@Suite struct MigrationTests {
    private static let migrations = ["m0001_accounts", "m0002_journal", "m0003_jobs", "m0004_controls", "m0005_job_control", "m0006_fees", "m0007_streams"]

    struct Spoiled: Sendable, CustomTestStringConvertible {
        let what: String
        /// Inserted into the record of a book that is complete; the record refuses UPDATE.
        let row: String
        let message: String
        var testDescription: String { what }
    }

    static let spoiled: [Spoiled] = [
        .init(
            what: "an edited migration", row: "SELECT 2, 2, name, REPEAT('x', 32), 1 FROM migration_started WHERE number = 2",
            message: "migration 2 was run on the book NAME as m0002_journal with checksum 78787878…, and this program has "
                + "m0002_journal with "),
        .init(
            what: "a reordered migration", row: "SELECT 2, 2, name, checksum, 1 FROM migration_started WHERE number = 3",
            message: "migration 2 was run on the book NAME as m0003_jobs with checksum "),
        .init(
            what: "a book newer than the program", row: "SELECT 8, 1, 'm0008_later', checksum, 1 FROM migration_started LIMIT 1",
            message: "the book NAME has migration 8 (m0008_later), which this program does not know"),
    ]

    @Test(arguments: spoiled) func `a record that does not fit is refused`(_ spoiled: Spoiled) async throws {
        let book = try await StandingBook.make()
        try await sql(
            book.server,
            "USE \(book.name); INSERT INTO migration_started (number, attempt, name, checksum, connection) \(spoiled.row)")
        let place = ["--folder", book.folder, "--book", book.name]
        let message = spoiled.message.replacing("NAME", with: book.name)
        expectFailure(try await indelible(["init"] + place), 69, message, spoiled.what)
        expectFailure(try await indelible(["init", "--resume"] + place), 69, message, "\(spoiled.what), --resume")
        expectFailure(try await indelible(["init", "--dry-run"] + place), 69, message, "\(spoiled.what), --dry-run")
        let doctor = try await indelible(["doctor"] + place)
        #expect(doctor.status == 1)
        #expect(doctor.output.contains(message))
    }

    @Test func `a migration that stopped in the middle is named, and resumed on demand`() async throws {
        let good = try await standing.value
        let name = bookName()
        // A book that stopped in its second migration, with a table of it already made.
        try await sql(
            good.server,
            """
            CREATE DATABASE \(name) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin; USE \(name);
            CREATE TABLE migration_started LIKE \(good.name).migration_started;
            CREATE TABLE migration_finished LIKE \(good.name).migration_finished;
            CREATE TABLE currency LIKE \(good.name).currency; CREATE TABLE account LIKE \(good.name).account;
            CREATE TABLE entry LIKE \(good.name).entry;
            INSERT INTO migration_started (number, attempt, name, checksum, connection)
            SELECT number, 1, name, checksum, 4000000000 FROM \(good.name).migration_started WHERE number <= 2;
            INSERT INTO migration_finished (number, attempt) VALUES (1, 1)
            """)
        let place = ["--folder", good.folder, "--book", name]
        expectFailure(
            try await indelible(["init"] + place), 69, "migration m0002_journal of the book \(name) was started at ", "dirty")
        expectFailure(
            try await indelible(["init"] + place), 69, "stopped in the middle. Its statements can be run again", "dirty, again")
        #expect(try await record(good.server, name) == ["1 1 1", "2 1 NULL"])

        let resumed = try await indelible(["init", "--resume"] + place)
        #expect(resumed.status == 0, "\(resumed.all)")
        #expect(try await record(good.server, name) == ["1 1 1", "2 1 2", "2 2 2", "3 1 1", "4 1 1", "5 1 1", "6 1 1", "7 1 1"])
        let again = try await indelible(["init"] + place)
        #expect(again.status == 0, "\(again.all)")
        let opened = try await indelible(["account", "open", "cash", "EUR", "--type", "asset"] + place)
        #expect(opened.status == 0, "\(opened.all)")
    }

    @Test func `several inits at once on a new server all succeed, and each migration runs once`() async throws {
        try await withOwnFolder { folder in
            let all = try await withThrowingTaskGroup(of: Finished.self) { group in
                for _ in 0..<4 { group.addTask { try await indelible(["init"], folder: folder) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for one in all {
                #expect(one.status == 0, "\(one.all)")
                #expect(one.output == "The book book is ready (7 migrations).\n")
            }
            let server = try #require(LocalMariaDB.attach(folder: folder + "/.indelible"))
            #expect(try await record(server, "book") == ["1 1 1", "2 1 1", "3 1 1", "4 1 1", "5 1 1", "6 1 1", "7 1 1"])
            // All of them made the login; the password in the folder is the one that it has.
            let opened = try await indelible(["account", "open", "cash", "EUR", "--type", "asset"], folder: folder)
            #expect(opened.status == 0, "\(opened.all)")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/.indelible")
            #expect(files.filter { $0.hasPrefix("password") } == ["password"])
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/.indelible/password")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `a dry run says what is pending and changes nothing`() async throws {
        let server = try await TestServer.shared()
        let name = bookName()
        let place = ["--folder", server.folder, "--book", name]
        func databases() async throws -> [String] { try await sql(server, "SHOW DATABASES LIKE '\(name)'") }

        let before = try await indelible(["init", "--dry-run"] + place)
        #expect(before.status == 0, "\(before.all)")
        #expect(before.output == Self.migrations.map { "pending  \($0)\n" }.joined())
        #expect(try await databases() == [])
        #expect(try await sql(server, "SELECT User FROM mysql.user WHERE User LIKE '\(name)%'") == [])

        #expect(try await indelible(["init"] + place).status == 0)
        #expect(try await databases() == [name])
        let after = try await indelible(["init", "--dry-run"] + place)
        #expect(after.output == Self.migrations.map { "done     \($0)\n" }.joined())
    }

    /// The record: number, attempt, and the attempt that finished.
    private func record(_ server: LocalMariaDB, _ book: String) async throws -> [String] {
        try await sql(
            server,
            """
            SELECT CONCAT_WS(' ', s.number, s.attempt, IFNULL(f.attempt, 'NULL')) FROM \(book).migration_started s
            LEFT JOIN \(book).migration_finished f USING (number) ORDER BY s.number, s.attempt
            """)
    }
}
