import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Results read while they arrive.
@Suite struct StreamTests {
    private static let many: SQL = "SELECT seq, REPEAT('x', seq % 100) FROM seq_1_to_100000"

    @Test func `every row arrives once and in order`() async throws {
        try await withConnection { connection in
            for batch in [1, 7, 256, 200_000] where batch > 1 || true {
                let sql: SQL = batch == 1 ? "SELECT seq, REPEAT('x', seq % 100) FROM seq_1_to_500" : Self.many
                let sum = try await connection.withRows(sql, batchRows: batch) { rows in
                    var expected = 1
                    for try await row in rows {
                        #expect(row[0] == .uint(UInt64(expected)) || row[0] == .int(Int64(expected)))
                        if case .text(let text) = row[1] { #expect(text.utf8.count == expected % 100) }
                        expected += 1
                    }
                    return expected - 1
                }
                #expect(sum == (batch == 1 ? 500 : 100_000))
            }
        }
    }

    @Test func `rows read in place are the same`() async throws {
        try await withConnection { connection in
            let (count, sum, bytes) = try await connection.session { session in
                var (count, sum, bytes) = (0, Int64(0), 0)
                try session.forEachRow(Self.many) { row in
                    count += 1
                    sum += row.int(0) ?? 0
                    bytes += row.withBytes(1) { $0.count } ?? 0
                }
                return (count, sum, bytes)
            }
            #expect(count == 100_000 && sum == 5_000_050_000 && bytes == 4_950_000)
        }
    }

    @Test func `what is not read is dropped, and the connection goes on`() async throws {
        try await withConnection { connection in
            struct Enough: Error {}
            try await connection.withRows(Self.many) { rows in
                for try await row in rows where row[0] == .uint(300) || row[0] == .int(300) { break }
            }
            await #expect(throws: Enough.self) {
                try await connection.withRows(Self.many) { rows in
                    for try await _ in rows { throw Enough() }
                }
            }
            await #expect(throws: Enough.self) {
                try await connection.session { try $0.forEachRow(Self.many) { _ in throw Enough() } }
            }
            let one = try await connection.query("SELECT 1")[0][0]
            #expect(one == .int(1))
        }
    }

    @Test func `nothing else is sent while a result is read`() async throws {
        try await withConnection { connection in
            try await connection.withRows(Self.many) { rows in
                var iterator = rows.makeAsyncIterator()
                _ = try await iterator.next()
                let error = await failure { try await connection.query("SELECT 1") }
                #expect(error?.number == 2014)
                var rest = 1
                while try await iterator.next() != nil { rest += 1 }
                #expect(rest == 100_000)
            }
        }
    }

    @Test func `the server killed, or stalled, in the middle of a result ends the reading with an error`() async throws {
        try await TestServer.withOwn { server in
            for stalls in [false, true] {
                let running = try await LocalMariaDBAgain.start(server.folder)
                var configuration = configuration(running)
                configuration.responseTimeoutSeconds = 2
                let pool = MariaDBPool(configuration, connectionsMax: 1)
                let error = await failure {
                    try await pool.withConnection { connection in
                        try await connection.withRows("SELECT seq, REPEAT('x', 2000) FROM seq_1_to_1000000") { rows in
                            var count = 0
                            for try await _ in rows {
                                count += 1
                                if count == 1000 { kill(running.pid, stalls ? SIGSTOP : SIGKILL) }
                            }
                        }
                    }
                }
                #expect(error?.isConnectionLost == true, "\(String(describing: error))")
                if stalls { kill(running.pid, SIGCONT) }
                _ = try await LocalMariaDBAgain.start(server.folder)
                // The pool has thrown the broken connection away.
                let one = try await pool.withConnection { try await $0.query("SELECT 1")[0][0] }
                #expect(one == .int(1))
                await pool.close()
            }
        }
    }
}
