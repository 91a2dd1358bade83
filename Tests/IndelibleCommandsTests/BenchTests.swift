import Foundation
import Testing

/// `indelible bench` in its short form: everything runs, and each shape is one object with its bound. The ratios of a debug
/// build say nothing; the memory of a stream does.
@Suite struct BenchTests {
    private struct Figure: Decodable {
        let shape: String
        let value: Double
        let unit: String
        let bound: Double
        let ratio: Double
        let at_least: Double?
        let holds: Bool?
        let settings: [String: String]
    }

    @Test func `every shape is reported beside its bound`() async throws {
        let finished = try await indelible(["bench", "--size", "short", "--format", "json"])
        #expect(finished.status == 0, "\(finished.error)")
        let figures = try finished.output.split(separator: "\n").map {
            try JSONDecoder().decode(Figure.self, from: Data($0.utf8))
        }
        #expect(figures.map(\.shape) == [
            "driver: insert 50000 rows", "driver: memory while 50000 rows are streamed", "driver: read 50000 rows",
            "post, 1 caller", "post, 128 callers", "bulk, 1 caller", "bulk, 2 callers", "bulk, 1 caller",
            "post, 128 callers, one hot account", "bulk, 2 callers, one hot account",
            "bulk, 1 caller, all accounts limited", "bulk, 2 callers, all accounts limited",
            "post, 128 callers, one limited account", "post, 4 processes with 32 callers each",
            "memory of a process that posts 73728 entries", "the same when a fifth is posted, and at the end",
            "disk for an entry with one posting and no payload",
            "rebuild of balances, 20000 entries", "rebuild of balances, 20000 entries", "catch-up of balances",
            "catch-up of balances and account lines", "draining 16384 entries when the journal holds 50000", "lag at 5,000 posts/s, p99",
            "memory of a rebuild, 20000 entries, 10000 accounts", "page of 50 lines of an account with 20000", "balance, current, p50",
            "balance as of mid-journal after a rebuild, p50",
            "catch-up of balances and fees, every entry charged", "catch-up of balances and fees, 1 entry in 4 charged", "fees assess, 10000 customers",
            "fees assess, 10000 customers",
        ])
        for figure in figures {
            #expect(figure.bound > 0 && figure.value >= 0 && !figure.unit.isEmpty)
            #expect(figure.settings["isolation"] == "READ COMMITTED" && figure.settings["server"]?.contains("sync_binlog=1") == true)
        }
        #expect(figures[1].holds == true, "\(figures[1].value) MiB")
    }
}
