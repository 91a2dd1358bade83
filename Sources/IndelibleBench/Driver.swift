import BareClient
import Foundation
import Indelible
import LocalMariaDB
import MariaDBDriver
import Synchronization

extension Bench {
    private static let insertSQL: StaticString = "INSERT INTO numbers_bare (a, b, c, d, e) VALUES (?, ?, ?, ?, ?)"
    private static let readSQL: StaticString = "SELECT a, b, c, d, e FROM numbers"
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

        let bareInsert = try await unsafe bare("driver_bench") { server, error in
            unsafe bare_insert(server, Self.insertSQL.description, Int64(rows), Int32(Self.chunk), error)
        }
        let insert = try await Self.seconds { try await insertRows(rows, connection) }
        report(
            Figure(
                "driver: insert \(rows) rows", Double(rows) / insert, "rows/s", bound: Double(rows) / bareInsert,
                is: "the bare C client, array binding, \(Self.chunk) rows an execution, one transaction", atLeast: 1 / 1.3,
                settings: conditions))

        let before = Self.residentBytes()
        let sum = try await connection.withRows("SELECT a, b, c, d, e FROM numbers") { stream in
            var sum: Int64 = 0
            for try await row in stream { if case .int(let value) = row[0] { sum &+= value } }
            return sum
        }
        let growth = Double(max(0, Self.residentBytes() - before)) / 1_048_576
        guard sum != 0 else { throw BareFailure(description: "nothing was streamed") }
        report(
            Figure(
                "driver: memory while \(rows) rows are streamed", growth, "MiB", bound: 32, is: "32 MiB", atMost: 1,
                settings: conditions))

        let counted = Mutex<(rows: Int64, sum: Int64)>((0, 0))
        let bareRead = try await unsafe bare("driver_bench") { server, error in
            var (count, sum): (Int64, Int64) = (0, 0)
            let seconds = unsafe bare_read(server, Self.readSQL.description, &count, &sum, error)
            counted.withLock { $0 = (count, sum) }
            return seconds
        }
        let expected = counted.withLock { $0 }
        let read = try await Self.seconds {
            let found = try await connection.session { session in
                var (count, sum): (Int64, Int64) = (0, 0)
                try session.forEachRow("SELECT a, b, c, d, e FROM numbers") { row in
                    count += 1
                    for column in 0..<5 { sum += row.int(column) ?? 0 }
                }
                return [count, sum]
            }
            guard found == [expected.rows, expected.sum] else {
                throw BareFailure(description: "the driver read \(found), the bare client \(expected)")
            }
        }
        report(
            Figure(
                "driver: read \(rows) rows", Double(rows) / read, "rows/s", bound: Double(rows) / bareRead,
                is: "the bare C client, row by row", atLeast: 1 / 1.3, settings: conditions))
        await connection.close()
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

    /// What the process holds in memory now.
    private static func residentBytes() -> Int {
        #if os(Linux)
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "0") ?? 0) * Int(getpagesize())
        #else
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }
}
