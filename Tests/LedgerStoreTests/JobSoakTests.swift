import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import Soaking

/// The short form of `scripts/soak jobs`, and that what it looks for would be found.
@Suite struct JobSoakTests {
    @Test(.timeLimit(.minutes(6))) func `with workers that are killed every row of every generation is what the postings sum to`() async throws {
        let random = Seeded("soak jobs")
        try await withBook { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var options = JobSoak.Options(seed: random.seed)
            (options.duration, options.workers, options.writers, options.killEvery) = (.seconds(9), 3, 4, 150...600)
            // Few entries, so that all checkpoints can be proven.
            (options.operateEvery, options.checkpointsMax, options.restMilliseconds) = (100...500, nil, 60)
            let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("Soak").path
            let outcome = try await JobSoak(book, indelible: Tool.path, program: program, folder: folder.path, options) { print("soak: \($0)") }.run()
            for line in outcome.lines { print("soak: \(line)") }
            for finding in outcome.findings { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            // Otherwise it shows little.
            #expect(outcome.posted > 100 && outcome.rolledBack > 5 && outcome.reads > 50 && outcome.readsProven > 20, "\(outcome)")
            #expect(outcome.kills.reduce(0, +) >= 10 && outcome.steps.count { $0 > 0 } >= 2, "\(outcome)")
            // Those that were made may have been retired by now.
            let rebuilt = outcome.operations.filter { $0.key.hasPrefix("rebuilt") }.values.reduce(0, +)
            #expect(outcome.generations >= 2 && rebuilt > 0, "\(outcome)")
            #expect(outcome.standDowns.reduce(0, +) > 0 && outcome.checkpoints > 50 && outcome.checkpointsProven == outcome.checkpoints, "\(outcome)")
            if outcome.findings.isEmpty { try FileManager.default.removeItem(at: folder) }
        }
    }

    // MARK: - What would be found

    /// B is a row of the balances of account 2 that is not the newest; L its second line.
    private static let forgeries = [
        "UPDATE balance_g1 SET debits_posted = debits_posted + 1 WHERE B", "UPDATE balance_g1 SET credits_posted = credits_posted - 1 WHERE B",
        "UPDATE balance_g1 SET debits_pending = debits_pending + 1 WHERE B", "UPDATE balance_g1 SET credits_pending = 7 WHERE B",
        "DELETE FROM balance_g1 WHERE B", "DELETE FROM balance_g1 WHERE account = 2", "UPDATE balance_g1 SET through = through - 1 WHERE B",
        "UPDATE balance_g1 SET touched = '' WHERE B", "UPDATE account_line_g1 SET amount = amount + 1 WHERE L",
        "UPDATE account_line_g1 SET balance = balance + 1 WHERE L", "DELETE FROM account_line_g1 WHERE L",
        "UPDATE account_line_g1 SET counterpart = 4 WHERE L", "UPDATE account_line_g1 SET effective_at = '2001-01-01' WHERE L",
        "DELETE FROM checkpoint WHERE job = 'balance' ORDER BY from_position LIMIT 1",
        "DELETE FROM checkpoint WHERE job = 'balance' ORDER BY from_position DESC LIMIT 1",
        "UPDATE checkpoint SET entries = entries + 1 WHERE job = 'account_line' ORDER BY from_position LIMIT 1",
        "UPDATE checkpoint SET postings = postings - 1 WHERE job = 'balance' ORDER BY from_position DESC LIMIT 1",
        "UPDATE posting SET amount = amount + 1 WHERE debit = 2 ORDER BY position LIMIT 1",
        "UPDATE posting SET status = 1 WHERE debit = 2 ORDER BY position LIMIT 1",
    ]

    @Test(.timeLimit(.minutes(3))) func `whatever differs from the postings is found`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            let accounts = try await book.openAccounts(4)
            for number in 0..<3 {
                for target in [1, 1, 2, 1] { try await book.ledger.post(transfer(accounts[0], accounts[target], Int64(10 + number))) }
                try await book.project()
            }
            #expect(try await Self.findings(book).isEmpty)
            let through = try await book.number("SELECT MIN(through) FROM balance_g1 WHERE account = 2")
            let position = try await book.number("SELECT position FROM account_line_g1 WHERE account = 2 ORDER BY position LIMIT 1 OFFSET 1")
            try await book.withOwner { connection in
                for table in ["balance_g1", "account_line_g1", "checkpoint", "posting"] {
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
                }
                for table in ["balance_g1", "account_line_g1", "checkpoint", "posting"] {
                    try await connection.execute(unprepared: "CREATE TABLE good_\(table) AS SELECT * FROM \(table)")
                }
            }
            for forgery in Self.forgeries {
                let sql = forgery.replacing("WHERE B", with: "WHERE account = 2 AND through = \(through)")
                    .replacing("WHERE L", with: "WHERE account = 2 AND position = \(position)")
                try await book.withOwner { try await $0.execute(unprepared: sql) }
                #expect(try await !Self.findings(book).isEmpty, "\(forgery)")
                try await book.withOwner { connection in
                    for table in ["balance_g1", "account_line_g1", "checkpoint", "posting"] {
                        try await connection.execute(unprepared: "DELETE FROM \(table)")
                        try await connection.execute(unprepared: "INSERT INTO \(table) SELECT * FROM good_\(table)")
                    }
                }
                #expect(try await Self.findings(book).isEmpty)
            }
            await book.ledger.close()
        }
    }

    private static func findings(_ book: TestBook) async throws -> [String] {
        let end = try await book.number("SELECT MAX(position) FROM entry")
        return try await JobProof.with(book) { proof in
            var findings: [String] = []
            for one in try await proof.generations() {
                findings += try await proof.chain(one, end: UInt64(end))
                findings += try await proof.rows(one)
                for through in try await proof.checkpoints(of: one) { findings += try await proof.check(one, at: through) }
            }
            return findings
        }
    }
}
