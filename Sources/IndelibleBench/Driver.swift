import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver
import Synchronization

extension Bench {
    private static let insertSQL: StaticString = "INSERT INTO numbers_bare (a, b, c, d, e) VALUES (?, ?, ?, ?, ?)"
    private static let readSQL: StaticString = "SELECT a, b, c, d, e FROM numbers LIMIT 1000000"
    /// Rows of one array-bound execution.
    private static let chunk = 10_000

    func driver() async throws {
        let rows = size == .full ? 1_000_000 : 50_000
        let connection = try await connect(nil)
        try await connection.execute(unprepared: "CREATE DATABASE driver_bench")
        try await connection.execute(unprepared: "USE driver_bench")
        for table in ["numbers", "numbers_bare"] {
            try await connection.execute(
                unprepared: "CREATE TABLE \(table) (id INT AUTO_INCREMENT PRIMARY KEY, a BIGINT, b BIGINT, c BIGINT, d BIGINT, e BIGINT)")
        }
        let conditions = settings(["rows": String(rows), "row": "5 BIGINT columns", "concurrency": "1 connection"])

        // In turns, since the machine is not the same from one second to the next; the medians are compared.
        var (bareInserts, inserts): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            bareInserts.append(
                try await unsafe bare("driver_bench") { server, error in
                    unsafe bare_insert(server, Self.insertSQL.description, Int64(rows), Int32(Self.chunk), error)
                })
            inserts.append(try await Self.seconds { try await insertRows(rows, connection) })
        }
        let (bareInsert, insert) = (Self.median(bareInserts), Self.median(inserts))
        report(
            Figure(
                "driver: insert \(rows) rows", Double(rows) / insert, "rows/s", bound: Double(rows) / bareInsert,
                is: "the bare C client, array binding, \(Self.chunk) rows an execution, one transaction", atLeast: 1 / 1.3,
                settings: conditions))

        let before = Self.residentBytes()
        let (streamed, most) = try await connection.withRows("SELECT a, b, c, d, e FROM numbers LIMIT 1000000") { stream in
            var (streamed, most) = (0, before)
            for try await _ in stream {
                streamed += 1
                if streamed % 10_000 == 0 { most = max(most, Self.residentBytes()) }
            }
            return (streamed, most)
        }
        let growth = Double(most - before) / 1_048_576
        guard streamed == rows else { throw BareFailure(description: "\(streamed) of \(rows) rows were streamed") }
        report(
            Figure(
                "driver: memory while \(rows) rows are streamed", growth, "MiB", bound: 32, is: "32 MiB", atMost: 1,
                settings: conditions))

        var (bareReads, reads): ([Double], [Double]) = ([], [])
        for _ in 0..<repetitions {
            let counted = Mutex<(rows: Int64, sum: Int64)>((0, 0))
            bareReads.append(
                try await unsafe bare("driver_bench") { server, error in
                    var (count, sum): (Int64, Int64) = (0, 0)
                    let seconds = unsafe bare_read(server, Self.readSQL.description, &count, &sum, error)
                    counted.withLock { $0 = (count, sum) }
                    return seconds
                })
            let expected = counted.withLock { $0 }
            reads.append(try await Self.seconds { try await readRows(connection, expected) })
        }
        let (bareRead, read) = (Self.median(bareReads), Self.median(reads))
        report(
            Figure(
                "driver: read \(rows) rows", Double(rows) / read, "rows/s", bound: Double(rows) / bareRead,
                is: "the bare C client, row by row", atLeast: 1 / 1.3, settings: conditions))
        await connection.close()
    }

    private func readRows(_ connection: MariaDBConnection, _ expected: (rows: Int64, sum: Int64)) async throws {
        let found = try await connection.session { session in
            var (count, sum): (Int64, Int64) = (0, 0)
            try session.forEachRow("SELECT a, b, c, d, e FROM numbers LIMIT 1000000") { row in
                count += 1
                for column in 0..<5 { sum += row.int(column) ?? 0 }
            }
            return [count, sum]
        }
        guard found == [expected.rows, expected.sum] else {
            throw BareFailure(description: "the driver read \(found), the bare client \(expected)")
        }
    }

    private func insertRows(_ rows: Int, _ connection: MariaDBConnection) async throws {
        try await connection.transaction { transaction in
            for done in stride(from: 0, to: rows, by: Self.chunk) {
                let numbers = Int64(done)..<Int64(min(done + Self.chunk, rows))
                let columns = (0..<5).map { column in SQLColumnValues.int(numbers.map { $0 + Int64(column) }) }
                try transaction.bulk("INSERT INTO numbers (a, b, c, d, e) VALUES (?, ?, ?, ?, ?)", columns)
            }
        }
    }
}
