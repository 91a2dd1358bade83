import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Testing

/// A book on a given server (one after the other: each test has its own): who may not enter or do something is told so, and no password is ever printed.
@Suite(.serialized) struct AccessTests {
    private static let password = "geheim-4711"
    private static let post = [
        "post", "--key", "k", "--debit", "cash", "--credit", "alice", "--amount", "1", "--currency", "EUR", "--database",
    ]

    @Test func `logins without the password, the roles or a right are refused by name`() async throws {
        try await withGivenBook { book in
            try await sql(
                book.server,
                """
                CREATE USER nobody@'127.0.0.1' IDENTIFIED BY '\(Self.password)';
                CREATE ROLE weak_writer; GRANT SELECT ON weak.* TO weak_writer
                """)
            let good = ["INDELIBLE_PASSWORD": Self.password]
            let refusal = "the database refuses this user"
            let rows: [(what: String, arguments: [String], environment: [String: String], status: Int32, message: String)] = [
                ("the right password", ["balance", "--database", book.url("program")], good, 0, ""),
                ("no password", ["balance", "--database", book.url("program")], [:], 69, refusal),
                (
                    "a wrong password", ["balance", "--database", book.url("program")],
                    ["INDELIBLE_PASSWORD": Self.password + "x"], 69, "Access denied for user 'program'@'127.0.0.1'"
                ),
                ("an unknown user", ["balance", "--database", book.url("stranger")], good, 69, refusal),
                ("no role to read", ["balance", "--database", book.url("nobody")], good, 69, "book_auditor"),
                ("no role to write", Self.post + [book.url("nobody")], good, 69, "book_writer"),
                ("no role to project", ["project", "once", "--database", book.url("nobody")], good, 69, "book_projector"),
                ("no right to create", ["init", "--database", book.url("nobody", book: "mine")], good, 69, refusal),
                ("no such book", ["balance", "--database", book.url("program", book: "other")], good, 69, "other_auditor"),
                ("doctor of a stranger", ["doctor", "--database", book.url("nobody")], good, 69, refusal),
            ]
            for row in rows {
                let finished = try await indelible(row.arguments, environment: row.environment)
                #expect(finished.status == row.status, "\(row.what): \(finished.all)")
                #expect(row.message.isEmpty || finished.error.contains(row.message), "\(row.what): \(finished.error)")
                #expect(!finished.all.contains(Self.password), "\(row.what): \(finished.all)")
            }
            #expect(try await sql(book.server, "SHOW DATABASES LIKE 'mine'") == [])
        }
    }

    @Test func `a right that was revoked is named, and nothing half is written`() async throws {
        try await withGivenBook { book in
            let good = ["INDELIBLE_PASSWORD": Self.password]
            let command = Self.post + [book.url("program")]
            let entries = try await sql(book.server, "SELECT COUNT(*) FROM book.entry")
            try await sql(book.server, "REVOKE INSERT ON book.posting FROM book_writer")
            let refused = try await indelible(command, environment: good)
            expectFailure(refused, 69, "INSERT command denied to user", secret: Self.password, "posting")
            expectFailure(refused, 69, "`posting`", "posting")
            #expect(try await sql(book.server, "SELECT COUNT(*) FROM book.entry") == entries)

            let doctor = try await indelible(["doctor", "--format", "csv", "--database", book.url("program")], environment: good)
            #expect(doctor.status == 1)
            #expect(doctor.output.contains("grants writer,FAILS,missing: INSERT on book.posting"), "\(doctor.output)")

            // The entry's columns are granted one by one: a revoked one is an error of a column.
            try await sql(book.server, "GRANT INSERT ON book.posting TO book_writer; REVOKE INSERT (kind) ON book.entry FROM book_writer")
            expectFailure(
                try await indelible(command, environment: good), 69, "INSERT command denied to user", secret: Self.password, "kind")

            // What the message advises heals it.
            #expect(try await indelible(["init"], environment: book.ownerEnvironment).status == 0)
            let posted = try await indelible(command, environment: good)
            #expect(posted.status == 0, "\(posted.all)")
        }
    }

    @Test func `the password is read from a file, and settings go from option to environment to file`() async throws {
        try await withGivenBook { book in
            let folder = try Folder()
            defer { folder.remove() }
            try folder.write("right", Self.password + "\n")
            try folder.write("wrong", "wrong\n")
            let address = ["balance", "--database", book.url("program")]
            let rows: [(arguments: [String], environment: [String: String], file: String, status: Int32)] = [
                (["--password-file", "right"], [:], "{}", 0),
                (["--password-file", "wrong"], [:], "{}", 69),
                ([], ["INDELIBLE_PASSWORD_FILE": "right"], "{}", 0),
                ([], ["INDELIBLE_PASSWORD_FILE": "wrong"], "{}", 69),
                ([], [:], #"{"password_file":"right"}"#, 0),
                ([], [:], #"{"password_file":"wrong"}"#, 69),
                (["--password-file", "right"], ["INDELIBLE_PASSWORD_FILE": "wrong"], #"{"password_file":"wrong"}"#, 0),
                (["--password-file", "wrong"], ["INDELIBLE_PASSWORD_FILE": "right"], #"{"password_file":"right"}"#, 69),
                ([], ["INDELIBLE_PASSWORD_FILE": "right"], #"{"password_file":"wrong"}"#, 0),
                ([], ["INDELIBLE_PASSWORD": Self.password, "INDELIBLE_PASSWORD_FILE": "wrong"], "{}", 69),
            ]
            for row in rows {
                try folder.write("indelible.json", row.file)
                let finished = try await indelible(
                    address + row.arguments, environment: row.environment, folder: folder.path)
                #expect(finished.status == row.status, "\(row): \(finished.all)")
                #expect(!finished.all.contains(Self.password), "\(row)")
            }
        }
    }

    // MARK: - A server that listens

    struct GivenBook: Sendable {
        let server: LocalMariaDB
        let port: Int
        func url(_ user: String, book: String = "book") -> String { "mariadb://\(user)@127.0.0.1:\(port)/\(book)" }
        var ownerEnvironment: [String: String] {
            ["INDELIBLE_DATABASE": url("boss"), "INDELIBLE_PASSWORD": AccessTests.password]
        }
    }

    /// The book `book` on a server of its own with TCP: `boss` owns it, `program` has its roles.
    private func withGivenBook(_ body: (GivenBook) async throws -> Void) async throws {
        try await Self.withGivenBook(password: Self.password, body)
    }

    static func withGivenBook(password: String, _ body: (GivenBook) async throws -> Void) async throws {
        let port = Int.random(in: 20_000..<32_000)
        try await TestServer.withOwn(tcpPort: port) { server in
            let book = GivenBook(server: server, port: port)
            try await sql(
                server,
                """
                CREATE USER boss@'127.0.0.1' IDENTIFIED BY '\(password)'; GRANT ALL ON *.* TO boss@'127.0.0.1' WITH GRANT OPTION;
                CREATE USER program@'127.0.0.1' IDENTIFIED BY '\(password)'
                """)
            let environment = ["INDELIBLE_DATABASE": book.url("boss"), "INDELIBLE_PASSWORD": password]
            for arguments in [
                ["init"], ["account", "open", "cash", "EUR", "--type", "asset"],
                ["account", "open", "alice", "EUR", "--type", "liability"],
            ] {
                let finished = try await indelible(arguments, environment: environment)
                guard finished.status == 0 else { throw TestFailure("\(arguments): \(finished.all)") }
            }
            // Only who made the roles may grant them.
            var owner = try BookLocation(url: book.url("boss"), defaultUser: "boss", password: Secret(password))
            owner.encryption = .skipSSL
            try await BookOwner(owner).grantRoles(to: "program", host: "127.0.0.1")
            try await body(book)
        }
    }
}
