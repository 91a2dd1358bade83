import Foundation
import Indelible
import IndelibleTesting
import Testing

/// What a program with a tracer and a log is told while it works in a unit: `LedgerWriter traced`.
@Suite struct TraceTests {
    private struct Told: Decodable {
        let what: String
        let name: String
        var unit: String?
        var correlation: String?
        var statement: String?
    }

    @Test func `unit and correlation are on every log line and span of the task, and on the entries`() async throws {
        try await withBook { book in
            let writer = try Writer.start(book, "traced", seed: 1, number: 1, count: 1, tasks: 1, start: 0)
            #expect(try await writer.end() == 0)
            let text = String(decoding: try Data(contentsOf: writer.output), as: UTF8.self)
            let told = try text.split(separator: "\n").map { try JSONDecoder().decode(Told.self, from: Data($0.utf8)) }
            let unit = try #require(told.first { $0.what == "unit" })
            #expect(unit.unit?.count == 32 && unit.correlation == "request-7")
            // What the task itself did: its own lines, the reads, the commit.
            let own = told.filter { $0.name == "in the unit" || $0.what == "span" && ["ledger.load", "ledger.unit"].contains($0.name) }
            #expect(own.count == 3 && own.allSatisfy { $0.unit == unit.unit && $0.correlation == "request-7" })
            let reads = told.filter { $0.statement?.contains("FROM stream_entry s STRAIGHT_JOIN") == true }
            #expect(Set(reads.map(\.what)) == ["line", "span"] && reads.allSatisfy { $0.unit == unit.unit && $0.correlation == "request-7" })
            let after = try #require(told.first { $0.name == "after the unit" })
            #expect(after.unit == nil && after.correlation == nil)
            // Entries of several units are inserted together, so those statements are nobody's.
            let inserts = told.filter { $0.statement?.hasPrefix("INSERT INTO entry") == true || $0.statement?.hasPrefix("INSERT INTO `entry`") == true }
            #expect(!inserts.isEmpty && inserts.allSatisfy { $0.unit == nil })
            let payload = try JSON(parsing: try #require(try await book.entries("note.made").first?.payload))
            #expect(payload["ledger"]?["unit"]?.string == unit.unit && payload["ledger"]?["correlation"] == "request-7")
        }
    }
}
