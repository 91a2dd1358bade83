import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

/// Every type of column, written and read back.
@Suite struct TypeTests {
    private struct Row: CustomTestStringConvertible, Sendable {
        let type: String
        /// What is stored, as a literal of SQL.
        let literal: String
        let value: SQLValue
        var testDescription: String { "\(type) \(literal)" }
        init(_ type: String, _ literal: String, _ value: SQLValue) { (self.type, self.literal, self.value) = (type, literal, value) }
    }

    private static let rows: [Row] = [
        .init("TINYINT", "-128", .int(-128)), .init("TINYINT UNSIGNED", "255", .uint(255)),
        .init("SMALLINT", "-32768", .int(-32768)), .init("SMALLINT UNSIGNED", "65535", .uint(65535)),
        .init("MEDIUMINT", "-8388608", .int(-8_388_608)), .init("MEDIUMINT UNSIGNED", "16777215", .uint(16_777_215)),
        .init("INT", "-2147483648", .int(-2_147_483_648)), .init("INT UNSIGNED", "4294967295", .uint(4_294_967_295)),
        .init("BIGINT", "-9223372036854775808", .int(.min)), .init("BIGINT", "9223372036854775807", .int(.max)),
        .init("BIGINT UNSIGNED", "18446744073709551615", .uint(.max)), .init("BOOLEAN", "TRUE", .int(1)),
        .init("YEAR", "2026", .uint(2026)), .init("BIT(12)", "b'101100000001'", .bytes([0x0B, 0x01])),
        .init("DECIMAL(38,0)", "-99999999999999999999999999999999999999", .text("-99999999999999999999999999999999999999")),
        .init("DECIMAL(20,18)", "1.000000000000000001", .text("1.000000000000000001")),
        .init("FLOAT", "0.5", .text("0.5")), .init("DOUBLE", "0.1", .text("0.1")),
        .init("DOUBLE", "-1.5e300", .text("-1.5e300")),
        .init("DATE", "'9999-12-31'", .text("9999-12-31")), .init("TIME", "'-838:59:59'", .text("-838:59:59")),
        .init("TIME(6)", "'12:34:56.000001'", .text("12:34:56.000001")),
        .init("DATETIME", "'2026-01-31 23:59:59'", .text("2026-01-31 23:59:59")),
        .init("DATETIME(6)", "'1000-01-01 00:00:00.000001'", .text("1000-01-01 00:00:00.000001")),
        .init("TIMESTAMP(3)", "'2026-01-31 23:59:59.120'", .text("2026-01-31 23:59:59.120")),
        .init("CHAR(5)", "'ab'", .text("ab")), .init("VARCHAR(20) CHARACTER SET utf8mb4", "'ł東😀'", .text("ł東😀")),
        .init("VARCHAR(20) CHARACTER SET latin1", "'é'", .text("é")), .init("TEXT", "''", .text("")),
        .init("LONGTEXT", "REPEAT('é', 70000)", .text(String(repeating: "é", count: 70_000))),
        .init("BINARY(4)", "X'00FF'", .bytes([0, 0xFF, 0, 0])), .init("VARBINARY(4)", "X'0027'", .bytes([0, 0x27])),
        .init("BLOB", "''", .bytes([])), .init("LONGBLOB", "REPEAT(X'00', 300)", .bytes([UInt8](repeating: 0, count: 300))),
        .init("ENUM('a','b')", "'b'", .text("b")), .init("SET('a','b','c')", "'a,c'", .text("a,c")),
        .init("JSON", "'{\"a\": 1.10}'", .text("{\"a\": 1.10}")),
        .init("UUID", "'123E4567-e89b-12d3-a456-426614174000'", .text("123e4567-e89b-12d3-a456-426614174000")),
        .init("INET6", "'::1'", .text("::1")),
    ]

    @Test(arguments: rows) private func `a column is read as it was written, and NULL as NULL`(_ row: Row) async throws {
        try await withTable("value \(row.type) NULL") { connection, _ in
            try await connection.execute(unprepared: "INSERT INTO thing VALUES (\(row.literal)), (NULL), (\(row.literal))")
            let found = try await connection.query("SELECT value FROM thing").map { $0[0] }
            #expect(found == [row.value, .null, row.value])
            // And bound back as a value, it is the same again.
            try await connection.execute(unprepared: "TRUNCATE TABLE thing")
            _ = try await connection.query("INSERT INTO thing VALUES (\(row.value)), (\(SQLValue.null))")
            let again = try await connection.query("SELECT value FROM thing").map { $0[0] }
            #expect(again == [row.value, .null])
        }
    }

    @Test func `a multi-row INSERT with RETURNING names its ids`() async throws {
        try await withTable("id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20)") { connection, _ in
            let rows: [[SQLValue]] = [[.text("a")], [.text("b")], [.text("c")]]
            let result = try await connection.query("INSERT INTO thing (name) VALUES \(rows: rows) RETURNING id, name")
            #expect(result.map { $0[0] } == [.uint(1), .uint(2), .uint(3)])
            #expect(result.map { $0[1] } == [.text("a"), .text("b"), .text("c")])
            let plain = try await connection.query("INSERT INTO thing (name) VALUES \(rows: rows)")
            #expect(plain.lastInsertID == 4 && plain.affectedRows == 3)
        }
    }

    @Test func `thousands of rows go in one statement`() async throws {
        try await withTable("a BIGINT, b BIGINT UNSIGNED, c VARCHAR(20), d VARBINARY(16), e INT NULL") { connection, _ in
            let rows: [[SQLValue]] = (0..<8000).map { number in
                [.int(-number), .uint(UInt64(number)), .text("n\(number)"), .bytes([UInt8(number & 255)]), number % 3 == 0 ? .null : .int(number)]
            }
            _ = try await connection.query("INSERT INTO thing VALUES \(rows: rows)")
            let found = try await connection.query("SELECT * FROM thing ORDER BY b")
            #expect(found.count == 8000)
            for (number, row) in found.enumerated() { #expect((0..<5).map { row[$0] } == rows[number]) }
        }
    }

    @Test func `bulk execution binds columns, NULLs and empty values`() async throws {
        try await withTable("a BIGINT, b BIGINT UNSIGNED, c BIGINT NULL, d VARCHAR(20) NULL, e VARBINARY(300) NULL") { connection, _ in
            let count = 5000
            let columns: [SQLColumnValues] = [
                .int((0..<count).map { -Int64($0) }), .uint((0..<count).map { UInt64.max - UInt64($0) }),
                .optionalInt((0..<count).map { $0 % 2 == 0 ? nil : Int64($0) }),
                .text((0..<count).map { $0 % 5 == 0 ? nil : $0 % 5 == 1 ? "" : "ł\($0)" }),
                .bytes((0..<count).map { $0 % 7 == 0 ? nil : [UInt8](repeating: UInt8($0 & 255), count: $0 % 300) }),
            ]
            let inserted = try await connection.session {
                try $0.bulk("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", columns)
            }
            #expect(inserted == UInt64(count))
            let found = try await connection.query("SELECT * FROM thing ORDER BY b DESC")
            #expect(found.count == count)
            for (number, row) in found.enumerated() {
                #expect(row[0] == .int(-Int64(number)) && row[1] == .uint(UInt64.max - UInt64(number)))
                #expect(row[2] == (number % 2 == 0 ? .null : .int(Int64(number))))
                #expect(row[3] == (number % 5 == 0 ? .null : .text(number % 5 == 1 ? "" : "ł\(number)")))
                #expect(row[4] == (number % 7 == 0 ? .null : .bytes([UInt8](repeating: UInt8(number & 255), count: number % 300))))
            }
            // The same text run without an array afterwards takes single values again.
            _ = try await connection.query("INSERT INTO thing VALUES (\(1 as Int), \(2 as UInt), \(SQLValue.null), \("x"), \(SQLValue.null))")
            let wrong = await failure {
                try await connection.session { try $0.bulk("INSERT INTO thing (a, b) VALUES (?, ?)", [.int([1, 2]), .int([1])]) }
            }
            #expect(wrong?.message.contains("same number") == true)
        }
    }

    @Test func `a bulk that fails in the middle leaves nothing in a transaction`() async throws {
        try await withTable("a BIGINT PRIMARY KEY") { connection, _ in
            let error = await failure {
                try await connection.transaction { try $0.bulk("INSERT INTO thing VALUES (?)", [.int([1, 2, 3, 2, 5])]) }
            }
            #expect(error?.isDuplicateKey == true)
            let count = try await connection.query("SELECT COUNT(*) FROM thing")[0][0]
            #expect(count == .int(0))
        }
    }

    @Test func `a value of 16 MiB travels both ways`() async throws {
        try await TestServer.withOwn(extraOptions: ["--max_allowed_packet=64M", "--innodb_log_file_size=256M"]) { server in
            let connection = try await MariaDBConnection.connect(configuration(server))
            try await connection.execute(unprepared: "CREATE DATABASE d")
            try await connection.execute(unprepared: "CREATE TABLE d.thing (value LONGBLOB)")
            let value = (0..<(16 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            _ = try await connection.query("INSERT INTO d.thing VALUES (\(value))")
            let found = try await connection.query("SELECT value FROM d.thing UNION ALL SELECT 'short' UNION ALL SELECT value FROM d.thing")
            #expect(found.map { $0[0] } == [.bytes(value), .bytes(Array("short".utf8)), .bytes(value)])
            await connection.close()
        }
    }

    @Test func `a value that the server does not take is an error, and the connection is replaced`() async throws {
        let pool = MariaDBPool(configuration(try await TestServer.shared()), connectionsMax: 1)
        let error = await failure {
            try await pool.withConnection { connection in
                try await connection.query("SELECT LENGTH(\([UInt8](repeating: 1, count: 17 << 20)))")
            }
        }
        #expect(error != nil)
        let one = try await pool.withConnection { try await $0.query("SELECT 1")[0][0] }
        #expect(one == .int(1))
        await pool.close()
    }
}

/// Runs a test with a database of its own that has one table, `thing`.
func withTable(_ columns: String, _ body: (MariaDBConnection, String) async throws -> Void) async throws {
    try await withConnection { connection in
        let name = "d_" + UUID().uuidString.lowercased().prefix(8)
        try await connection.execute(unprepared: "CREATE DATABASE \(name)")
        try await connection.execute(unprepared: "USE \(name)")
        try await connection.execute(unprepared: "CREATE TABLE thing (\(columns))")
        try await body(connection, name)
        try await connection.execute(unprepared: "DROP DATABASE \(name)")
    }
}
