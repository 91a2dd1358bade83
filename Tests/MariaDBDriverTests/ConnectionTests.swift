import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

func withConnection<T: Sendable>(_ body: (MariaDBConnection) async throws -> T) async throws -> T {
    try await MariaDBConnection.with(configuration(try await TestServer.shared()), body)
}

func configuration(_ server: LocalMariaDB) -> ConnectionConfiguration {
    ConnectionConfiguration(address: .socket(server.socketPath), user: server.adminUser, database: "mysql")
}

@Suite struct ConnectionTests {
    @Test func `values arrive as they were sent`() async throws {
        try await withConnection { connection in
            let long = String(repeating: "ł東", count: 5000)
            let rows = try await connection.query(
                """
                SELECT \(Int64.min), \(UInt64.max), \(long), \([0, 255, 39] as [UInt8]), \(nil as String?), \(""),
                CAST('12345678901234567890123456789012345678' AS DECIMAL(38,0)), TIMESTAMP '2026-01-31 23:59:59.000001',
                CAST(1.5 AS DOUBLE), DATE '1000-01-01', \([] as [UInt8])
                """)
            #expect(rows.count == 1)
            let row = rows[0]
            #expect((0..<row.count).map { row[$0] } == [
                .int(.min), .uint(.max), .text(long), .bytes([0, 255, 39]), .null, .text(""),
                .text("12345678901234567890123456789012345678"), .text("2026-01-31 23:59:59.000001"), .text("1.5"),
                .text("1000-01-01"), .bytes([]),
            ])
        }
    }

    @Test func `a value longer than the buffer is read whole, and the rows after it too`() async throws {
        try await withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT REPEAT('a', 10) UNION ALL SELECT REPEAT('b', 300) UNION ALL SELECT REPEAT('c', 100000)
                UNION ALL SELECT 'd' UNION ALL SELECT REPEAT('e', 100001)
                """)
            #expect(rows.map { $0[0] } == [
                .text(String(repeating: "a", count: 10)), .text(String(repeating: "b", count: 300)),
                .text(String(repeating: "c", count: 100_000)), .text("d"), .text(String(repeating: "e", count: 100_001)),
            ])
        }
    }

    @Test func `an empty result has columns and no rows`() async throws {
        try await withConnection { connection in
            let rows = try await connection.query("SELECT 1 AS one, 'x' AS x FROM DUAL WHERE FALSE")
            #expect(rows.isEmpty)
            #expect(rows.columns == ["one", "x"])
        }
    }

    @Test func `a list that is empty contains nothing`() async throws {
        try await withConnection { connection in
            let none = try await connection.query("SELECT 1 FROM DUAL WHERE 1 IN \(list: [])")
            let one = try await connection.query("SELECT 1 FROM DUAL WHERE 2 IN \(list: [.int(1), .int(2)])")
            #expect(none.isEmpty)
            #expect(one.count == 1)
        }
    }

    @Test func `the statement cache is bounded and closes what it drops`() async throws {
        var configuration = configuration(try await TestServer.shared())
        configuration.preparedStatementsMax = 4
        let connection = try await MariaDBConnection.connect(configuration)
        for width in 1...40 {
            _ = try await connection.query("SELECT 1 FROM DUAL WHERE 1 IN \(list: .init(repeating: .int(1), count: width))")
        }
        let open = try await connection.query("SHOW SESSION STATUS LIKE 'Com_stmt_close'")
        #expect(["36", "37", "38"].map(SQLValue.text).contains(open[0][1]))
        await connection.close()
    }

    @Test func `several statements in one text are refused`() async throws {
        try await withConnection { connection in
            await #expect(throws: MariaDBError.self) { try await connection.execute(unprepared: "SELECT 1; SELECT 2") }
            let after = try await connection.query("SELECT 1")
            #expect(after.count == 1)
        }
    }

    @Test func `the session is in UTC and strict`() async throws {
        try await withConnection { connection in
            let row = try await connection.query("SELECT @@time_zone, @@sql_mode LIKE '%STRICT_ALL_TABLES%', @@character_set_client")[0]
            #expect(row[0] == .text("+00:00"))
            #expect(row[1] == .int(1) || row[1] == .uint(1))
            #expect(row[2] == .text("utf8mb4"))
        }
    }
}
