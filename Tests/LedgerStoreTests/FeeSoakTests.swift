import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// The short form of `scripts/soak fees`, and that what it looks for would be found.
@Suite struct FeeSoakTests {
    @Test(.timeLimit(.minutes(6))) func `with workers that are killed every fee is the model's`() async throws {
        let random = Seeded("soak fees")
        try await withBook(inZone: "Europe/Berlin") { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var options = FeeSoak.Options(seed: random.seed)
            (options.charges, options.workers, options.shops, options.batch) = (2500, 3, 48, 60)
            (options.killEvery, options.restMilliseconds, options.duration, options.checkpoints) = (150...600, 200, .seconds(6), 2)
            let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("Soak").path
            let outcome = try await FeeSoak(book, indelible: Tool.path, program: program, folder: folder.path, options) { print("soak: \($0)") }.run()
            for line in outcome.lines { print("soak: \(line)") }
            for finding in outcome.findings { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            // Otherwise it shows little.
            #expect(outcome.posted >= options.charges && outcome.captured > 0 && outcome.reversed > 5 && outcome.published > 3, "\(outcome)")
            #expect(outcome.charged > 1000 && outcome.adjusted > 50 && outcome.kills >= 5 && outcome.checkpointsProven == 2, "\(outcome)")
            if outcome.findings.isEmpty { try FileManager.default.removeItem(at: folder) }
        }
    }

    // MARK: - What would be found

    /// R is a row that has no newer one, M the same of a month.
    private static let forgeries = [
        "UPDATE fee_g1 SET version = version + 1 WHERE R", "UPDATE fee_g1 SET rule = rule + 1 WHERE R", "UPDATE fee_g1 SET amount = amount - 1 WHERE R",
        "UPDATE fee_g1 SET slices = '1:2' WHERE R", "UPDATE fee_g1 SET percentage = percentage + 1 WHERE R", "UPDATE fee_g1 SET rounding = rounding + 1 WHERE R",
        "UPDATE fee_g1 SET fixed = fixed + 1 WHERE R", "UPDATE fee_g1 SET bounded = bounded - 1 WHERE R", "UPDATE fee_g1 SET waiver = waiver + 1 WHERE R",
        "UPDATE fee_g1 SET waived = waived + 1 WHERE R", "UPDATE fee_g1 SET waived_rounding = waived_rounding + 1 WHERE R", "UPDATE fee_g1 SET fee = fee + 1 WHERE R",
        "UPDATE fee_g1 SET effective_at = effective_at - INTERVAL 1 MICROSECOND WHERE R", "UPDATE fee_g1 SET account = account + 1 WHERE R",
        "UPDATE fee_g1 SET schedule = 'b' WHERE R", "UPDATE fee_g1 SET position = 1 WHERE R", "UPDATE fee_g1 SET id = UNHEX(MD5('x')) WHERE R", "DELETE FROM fee_g1 WHERE R", "DELETE FROM fee_g1",
        "INSERT INTO fee_g1 SELECT account, schedule, effective_at, id, through + 1, position, version, rule, amount, slices, percentage, rounding, fixed, "
            + "bounded, waiver, waived, waived_rounding, fee FROM fee_g1 WHERE R",
        "INSERT INTO fee_g1 SELECT account, schedule, effective_at, UNHEX(MD5('x')), through, position, version, rule, amount, slices, percentage, rounding, fixed, "
            + "bounded, waiver, waived, waived_rounding, fee FROM fee_g1 WHERE R",
        "UPDATE fee_month_g1 SET charged = charged + 1 WHERE M", "UPDATE fee_month_g1 SET volume = volume - 1 WHERE M", "UPDATE fee_month_g1 SET fees = fees + 1 WHERE M",
        "UPDATE fee_month_g1 SET waived = waived + 1 WHERE M", "UPDATE fee_month_g1 SET month = '2026-05-01' WHERE M", "UPDATE fee_month_g1 SET account = 1 WHERE M",
        "DELETE FROM fee_month_g1 WHERE M", "UPDATE posting SET amount = amount + 1 WHERE position = P", "UPDATE posting SET status = 1 WHERE position = P",
        "UPDATE entry SET kind = 'card.refunded' WHERE position = P", "UPDATE entry SET effective_at = '2025-01-01' WHERE position = P",
        "UPDATE entry SET payload = REPLACE(payload, '290', '291') WHERE kind = 'ledger.fee-schedule-published'",
    ]

    private static let document = """
        {"schedule":"a","version":1,"effective_from":"2026-01-01","income":"fees","rules":[{"name":"r","kinds":["card.charged"],"accounts":["shop:*"],"side":"credit",
        "prices":{"EUR":{"tiers":{"by":"volume","mode":"graduated","steps":[{"from":"0","basis_points":290},{"from":"10.00","basis_points":100}]}}},
        "waivers":[{"reason":"w","basis_points":5000}]}]}
        """

    @Test(.timeLimit(.minutes(3))) func `whatever differs from the model is found`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            for path in ["bank", "fees", "shop:a", "shop:b"] { try await book.ledger.openAccount(try AccountPath(path), in: .eur, type: .liability) }
            try await book.ledger.publishFeeSchedule(Self.document)
            // The newest is the first of the month, so that the others are adjusted.
            for number in 0..<12 {
                let path: AccountPath = number % 3 == 0 ? "shop:b" : "shop:a"
                let posting = Posting(debit: "bank", credit: path, amount: Amount(minorUnits: Int64(150 + number), .eur))
                let time = try Timestamp("2026-03-\(30 - number)T10:00:00Z")
                try await book.ledger.post(Entry(kind: "card.charged", effectiveAt: time, postings: [posting]))
                if number % 4 == 3 { try await book.project() }
            }
            let good = try await FeeProof.with(book) { try await $0.compare() }
            #expect(good.differences == 0 && good.charged == 12 && good.adjusted > 0 && good.months == 2, "\(good)")
            let position = try await book.number("SELECT MAX(position) FROM entry")
            let account = try await book.number("SELECT account FROM fee_g1 WHERE position = \(position)")
            let month = try await book.number("SELECT MAX(through) FROM fee_month_g1 WHERE account = \(account)")
            let tables = ["fee_g1", "fee_month_g1", "posting", "entry"]
            try await book.withOwner { connection in
                for table in tables {
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
                    try await connection.execute(unprepared: "CREATE TABLE good_\(table) AS SELECT * FROM \(table)")
                }
            }
            for forgery in Self.forgeries {
                let sql = forgery.replacing("WHERE R", with: "WHERE position = \(position)").replacing("WHERE M", with: "WHERE account = \(account) AND through = \(month)")
                    .replacing("= P", with: "= \(position)")
                try await book.withOwner { try await $0.execute(unprepared: sql) }
                let found = try await FeeProof.with(book) { try await $0.compare() }
                #expect(found.differences > 0 && !found.findings.isEmpty, "\(sql)")
                try await book.withOwner { connection in
                    for table in tables {
                        try await connection.execute(unprepared: "DELETE FROM \(table)")
                        try await connection.execute(unprepared: "INSERT INTO \(table) SELECT * FROM good_\(table)")
                    }
                }
            }
            #expect(try await FeeProof.with(book) { try await $0.compare() }.differences == 0)
            await book.ledger.close()
        }
    }
}
