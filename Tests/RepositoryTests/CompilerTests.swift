import Foundation
import Testing

/// What a program cannot even say: each piece is refused by the compiler, for the reason it should be.
@Suite struct CompilerTests {
    struct Piece: Sendable, CustomTestStringConvertible {
        let what: String
        let module: String
        let text: String
        /// A part of an error; nil: it compiles.
        let error: String?
        init(_ what: String, _ module: String, _ text: String, _ error: String?) {
            (self.what, self.module, self.text, self.error) = (what, module, text, error)
        }
        var testDescription: String { what }
    }

    /// Positive controls: without them a harness that compiles nothing at all would pass.
    static let good: [Piece] = [
        .init(
            "a select and an insert", "LedgerDatabase",
            #"""
            func f(_ database: Database) async throws {
                let number: UInt64 = 3, path = "cash"
                _ = try await database.run(.select("path FROM \(table: .account) WHERE id = \(number) OR path = \(path)"))
                _ = try await database.write { transaction in
                    try transaction.run(.insert(into: .currency, ["code", "exponent"], rows: [[.text(path), .uint(UInt8(2))]]))
                }
            }
            """#, nil),
        .init(
            "a transaction lent to a function", "LedgerDatabase",
            """
            func g(_ transaction: borrowing LedgerTransaction) throws { _ = try transaction.run(.select("1")) }
            func f(_ database: Database) async throws {
                try await database.write { (transaction: borrowing LedgerTransaction) throws -> Void in try g(transaction) }
            }
            """, nil),
        .init(
            "general SQL in the general driver", "MariaDBDriver",
            #"""
            func f(_ connection: MariaDBConnection, _ path: String) async throws {
                _ = try await connection.query("SELECT id FROM account WHERE path = \(path) AND id > \(5)")
                _ = try await connection.transaction { session in try session.query("UPDATE notes SET n = \(1)") }
            }
            """#, nil),
    ]

    private static func write(_ body: String) -> String {
        "func f(_ database: Database) async throws { _ = try await database.write { transaction in \(body) } }"
    }

    static let bad: [Piece] = [
        // Nothing but InsertOnlySQL, and that only in its few forms.
        .init(
            "a statement of one's own", "LedgerDatabase", write(#"try transaction.run("DELETE FROM entry")"#),
            "cannot convert value of type 'String' to expected argument type 'InsertOnlySQL'"),
        .init(
            "the driver's language", "LedgerDatabase", #"let sql: SQL = "DELETE FROM entry""#, "cannot find type 'SQL' in scope"),
        .init(
            "InsertOnlySQL made by hand", "LedgerDatabase", #"let sql = InsertOnlySQL(sql: "DELETE FROM entry")"#,
            "'InsertOnlySQL' initializer is inaccessible due to 'internal' protection level"),
        .init(
            "InsertOnlySQL made of a text", "LedgerDatabase", #"let sql = InsertOnlySQL("DELETE FROM entry")"#,
            "'InsertOnlySQL' initializer is inaccessible due to 'internal' protection level"),
        .init(
            "a select of a text", "LedgerDatabase", "func f(_ text: String) -> InsertOnlySQL { .select(text) }",
            "cannot convert value of type 'String' to expected argument type 'SelectText'"),
        .init(
            "a select of a converted text", "LedgerDatabase", "func f(_ text: String) -> InsertOnlySQL { .select(SelectText(text)) }",
            "no exact matches in call to initializer"),
        .init(
            "a literal that is none", "LedgerDatabase",
            "func f(_ text: String) -> InsertOnlySQL { .select(SelectText(stringLiteral: text)) }",
            "cannot convert value of type 'String' to expected argument type 'StaticString'"),
        .init(
            "a table by name", "LedgerDatabase", "func f(_ name: String) -> LedgerTable { LedgerTable(name) }",
            "'LedgerTable' initializer is inaccessible due to 'private' protection level"),
        .init(
            "a column by name", "LedgerDatabase", "func f(_ name: String) -> LedgerColumn { LedgerColumn(stringLiteral: name) }",
            "cannot convert value of type 'String' to expected argument type 'StaticString'"),
        .init(
            "a floating-point value", "LedgerDatabase", #"let sql = InsertOnlySQL.select("\(1.5)")"#,
            "no exact matches in call to instance method 'appendInterpolation'"),
        .init(
            "an update", "LedgerDatabase", #"let sql = InsertOnlySQL.update("entry SET kind = 'x'")"#,
            "type 'InsertOnlySQL' has no member 'update'"),
        .init(
            "a delete", "LedgerDatabase", #"let sql = InsertOnlySQL.delete("FROM entry")"#, "type 'InsertOnlySQL' has no member 'delete'"),
        // No way around it to the driver below.
        .init(
            "the pool below", "LedgerDatabase", "func f(_ database: Database) { _ = database.pool }",
            "'pool' is inaccessible due to 'private' protection level"),
        .init(
            "the driver's query", "LedgerDatabase",
            #"func f(_ database: Database) async throws { _ = try await database.query("DELETE FROM entry") }"#,
            "value of type 'Database' has no member 'query'"),
        .init(
            "the session below", "LedgerDatabase", write("_ = transaction.session"),
            "'session' is inaccessible due to 'private' protection level"),
        .init(
            "what a connection is made of", "LedgerDatabase",
            "func f(_ location: BookLocation) { _ = location.configuration(role: nil) }",
            "'configuration' is inaccessible due to 'internal' protection level"),
        .init(
            "the password", "LedgerDatabase", "func f(_ location: BookLocation) -> String { location.password.text }",
            "'text' is inaccessible due to 'internal' protection level"),
        // A transaction is borrowed for the length of a closure that cannot wait.
        .init(
            "keeping a transaction", "LedgerDatabase",
            "final class Box: @unchecked Sendable { var kept: LedgerTransaction? }\n"
                + "func f(_ database: Database, _ box: Box) async throws { try await database.write { box.kept = $0 } }",
            "is consuming"),
        .init(
            "returning a transaction", "LedgerDatabase",
            """
            func f(_ database: Database) async throws {
                let kept: LedgerTransaction = try await database.write { transaction in return transaction }
                _ = try kept.run(.select("1"))
            }
            """, "requires that 'LedgerTransaction' conform to 'Copyable'"),
        .init(
            "copying a transaction", "LedgerDatabase", write("let copy = transaction; return try copy.run(.select(\"1\"))"),
            "'transaction' is borrowed and cannot be consumed"),
        .init(
            "a transaction in a closure that escapes", "LedgerDatabase",
            """
            func g(_ body: @escaping () -> Void) {}
            func f(_ database: Database) async throws {
                try await database.write { (transaction: borrowing LedgerTransaction) throws -> Void in
                    g { _ = try? transaction.run(.select("1")) }
                }
            }
            """, "'transaction' is borrowed and cannot be consumed"),
        .init(
            "waiting in a transaction", "LedgerDatabase",
            write("try await Task.sleep(for: .seconds(1)); return try transaction.run(.select(\"1\"))"),
            "async throws -> Rows' to parameter expecting synchronous function type"),
        .init(
            "a transaction out of nothing", "LedgerDatabase", "let transaction = LedgerTransaction()",
            "'LedgerTransaction' initializer is inaccessible due to 'internal' protection level"),
        // The driver: a statement is a literal, and a value is bound.
        .init(
            "a text as a statement", "MariaDBDriver",
            "func f(_ connection: MariaDBConnection, _ text: String) async throws { _ = try await connection.query(text) }",
            "cannot convert value of type 'String' to expected argument type 'SQL'"),
        .init(
            "a text glued to a literal", "MariaDBDriver", #"func f(_ text: String) -> SQL { "SELECT " + text }"#,
            "cannot convert return expression of type 'String' to return type 'SQL'"),
        .init(
            "a converted text", "MariaDBDriver", "func f(_ text: String) -> SQL { SQL(text) }", "no exact matches in call to initializer"),
        .init(
            "a literal of the driver that is none", "MariaDBDriver", "func f(_ text: String) -> SQL { SQL(stringLiteral: text) }",
            "cannot convert value of type 'String' to expected argument type 'StaticString'"),
        .init(
            "a text put into a statement", "MariaDBDriver", #"func f(_ sql: SQL) { var sql = sql; sql.text = "DELETE FROM entry" }"#,
            "'text' setter is inaccessible"),
        .init(
            "a name that was not checked", "MariaDBDriver", #"func f(_ name: String) -> SQL { "SELECT 1 FROM \(identifier: name)" }"#,
            "cannot convert value of type 'String' to expected argument type 'SQLIdentifier'"),
        .init(
            "a floating-point value of the driver", "MariaDBDriver", #"let sql: SQL = "SELECT \(1.5)""#,
            "no exact matches in call to instance method 'appendInterpolation'"),
        .init(
            "waiting in a transaction of the driver", "MariaDBDriver",
            "func f(_ connection: MariaDBConnection) async throws { _ = try await connection.transaction { _ in "
                + "try await connection.query(\"SELECT 1\") } }",
            "to parameter expecting synchronous function type"),
        .init(
            "the door for the ledger's own wrapper", "MariaDBDriver",
            "func f(_ session: borrowing SQLSession) -> SQLSession { session.rewrapped() }",
            "'rewrapped' is inaccessible due to 'package' protection level"),
    ]

    @Test(arguments: good) func `what should compile does`(_ piece: Piece) async throws {
        let result = try await Self.compile(piece)
        #expect(result.status == 0, "\(result.output)")
    }

    @Test(arguments: bad) func `what must not compile does not`(_ piece: Piece) async throws { try await Self.refuses(piece) }

    static func refuses(_ piece: Piece) async throws {
        let result = try await compile(piece)
        #expect(result.status != 0)
        let errors = result.output.split(separator: "\n").filter { $0.contains("error: ") }
        #expect(errors.contains { $0.contains(piece.error ?? "") }, "\(result.output)")
        // It is refused for its own text, not for a module that is missing.
        #expect(errors.allSatisfy { !$0.contains("no such module") && !$0.contains("could not build") }, "\(result.output)")
    }

    // MARK: - The compiler

    static func compile(_ piece: Piece) async throws -> Finished {
        let flags = try await flags.value
        return try await withFolder { folder in
            let path = folder + "/piece.swift"
            try "import \(piece.module)\n\(piece.text)\n".write(toFile: path, atomically: true, encoding: .utf8)
            // Ownership is checked after types: -typecheck alone would let a copied transaction pass.
            return try await run(["swiftc", "-emit-sil", "-parse-as-library", "-o", "/dev/null"] + flags + [path])
        }
    }

    /// What the package's own targets are compiled with, and where their modules are.
    private static let flags = Task {
        let features = ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility", "NonisolatedNonsendingByDefault"]
        let headers = try await run(["pkg-config", "--cflags", "libmariadb"])
        try #require(headers.status == 0, "\(headers.output)")
        return ["-swift-version", "6", "-I", try above("Modules"), "-I", Repository.root + "/Sources/CMariaDB"]
            + ["-I", try above("checkouts") + "/swift-crypto/Sources/CCryptoBoringSSL/include"]
            + features.flatMap { ["-enable-upcoming-feature", $0] }
            + headers.output.split(whereSeparator: \.isWhitespace).flatMap { ["-Xcc", String($0)] }
    }

    /// A folder beside, or above, the test bundle.
    static func above(_ name: String) throws -> String {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0])
        for _ in 0..<7 {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent(name).path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
        }
        throw TestFailure("\(name) was not found above \(CommandLine.arguments[0])")
    }
}
