import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reconcile finds what was forged in fees, months and schedules. Each forgery is made as the owner, with the triggers away, on a server of
/// its own, and taken back.
@Suite struct FeeForgeryTests {
    private struct Forgery {
        let name: String
        let check: String
        let finding: String
        /// F is a fee, M the row of a month that is assessed, as conditions; H where the last step ends.
        let statements: [String]

        init(_ name: String, _ check: String, _ finding: String, _ statements: String...) {
            (self.name, self.check, self.finding, self.statements) = (name, check, finding, statements)
        }
    }

    private static let columns = [
        ("version", "version + 1"), ("rule", "rule + 1"), ("amount", "amount + 1"), ("percentage", "percentage - 1"), ("rounding", "rounding + 1"),
        ("fixed", "fixed + 1"), ("bounded", "bounded - 1"), ("waiver", "waiver + 1"), ("waived", "waived + 1"),
        ("waived_rounding", "waived_rounding - 1"), ("fee", "fee + 1"),
    ].map { column, value in Forgery("\(column) of a fee", "fees", ": \(column) is", "UPDATE fee_g1 SET \(column) = \(value) WHERE F") }

    private static let copied = """
        id, H, position, version, rule, amount, slices, percentage, rounding, fixed + 7, bounded, waiver, waived, waived_rounding, fee + 7
        FROM fee_g1 WHERE F
        """

    private static let fees = [
        Forgery("slices", "fees", "slices are “", "UPDATE fee_g1 SET slices = CONCAT(slices, ' 3:1') WHERE F"),
        Forgery("no slices", "fees", "slices are “", "UPDATE fee_g1 SET slices = '' WHERE F"),
        Forgery("position of a fee", "fees", "no entry of this position", "UPDATE fee_g1 SET position = position + 1 WHERE F"),
        Forgery("account of a fee", "fees", "there is no row", "UPDATE fee_g1 SET account = 1 WHERE F"),
        Forgery("schedule of a fee", "fees", "no such schedule is published", "UPDATE fee_g1 SET schedule = 'ghost' WHERE F"),
        Forgery("time of a fee", "fees", "there is no row", "UPDATE fee_g1 SET effective_at = effective_at + INTERVAL 1 SECOND WHERE F"),
        Forgery("id of a fee", "fees", "there is no row", "UPDATE fee_g1 SET id = REVERSE(id) WHERE F"),
        Forgery("step of a fee", "fees", "where no step ends", "UPDATE fee_g1 SET through = through + 1000 WHERE F"),
        Forgery("a fee that is gone", "fees", "there is no row", "DELETE FROM fee_g1 WHERE F"),
        Forgery(
            "a fee lifted", "fees", "version is 0",
            """
            UPDATE fee_g1 SET version = 0, rule = 0, amount = 0, slices = '', percentage = 0, rounding = 0, fixed = 0, bounded = 0, waiver = 0,
            waived = 0, waived_rounding = 0, fee = 0 WHERE F
            """),
        Forgery("a fee half lifted", "fees", "not all of its row is 0", "UPDATE fee_g1 SET version = 0 WHERE F"),
        Forgery("a newer row", "fees", ": fixed is", "INSERT INTO fee_g1 SELECT account, schedule, effective_at, \(copied)"),
        Forgery("another account's fee", "fees", "it would not be charged", "INSERT INTO fee_g1 SELECT 1, schedule, effective_at, \(copied)"),
        Forgery("another schedule's fee", "fees", "it would not be charged", "INSERT INTO fee_g1 SELECT account, 'tips', effective_at, \(copied)"),
        Forgery("an amount in the journal", "fees", ": amount is", "UPDATE posting SET amount = amount + 100 WHERE position IN (SELECT position FROM fee_g1 WHERE F)"),
        Forgery("a price", "fees", ": rounding is", "UPDATE entry SET payload = REPLACE(payload, '290', '291') WHERE kind = 'ledger.fee-schedule-published'"),
        Forgery("the proof", "proof", "fee: the checkpoint", "UPDATE checkpoint SET hash = REVERSE(hash) WHERE job = 'fee'"),
    ]

    private static let totals = [
        ("charged", "fee-totals"), ("volume", "fee-totals"), ("fees", "fee-totals"), ("waived", "fee-totals"), ("assessments", "fees-posted"),
        ("assessed", "fees-posted"),
    ].map { column, check in Forgery("\(column) of a month", check, ": \(column) is", "UPDATE fee_month_g1 SET \(column) = \(column) + 1 WHERE M") }

    private static let months = [
        Forgery("month of a month", "fee-totals", "2031-01: charged is", "UPDATE fee_month_g1 SET month = '2031-01-01' WHERE M"),
        Forgery("schedule of a month", "fee-totals", "schedule ghost", "UPDATE fee_month_g1 SET schedule = 'ghost' WHERE M"),
        Forgery("account of a month", "fee-totals", "cash EUR", "UPDATE fee_month_g1 SET account = 1 WHERE M"),
        Forgery("step of a month", "fee-totals", "where no step ends", "UPDATE fee_month_g1 SET through = through + 1000 WHERE M"),
        Forgery("a month's newest row", "fees-posted", ": assessments is 0", "DELETE FROM fee_month_g1 WHERE M"),
        Forgery("a month that is gone", "fee-totals", ": charged is 0", "DELETE FROM fee_month_g1 WHERE month = '2026-01-01'"),
        Forgery(
            "a month too many", "fee-totals", "2031-01: fees is 5, the fees give 0",
            "INSERT INTO fee_month_g1 SELECT '2031-01-01', schedule, account, through, 0, 0, 5, 0, 0, 0 FROM fee_month_g1 WHERE M"),
        Forgery(
            "number of an entry that posts fees", "fees-posted", "not numbered one after the other",
            "UPDATE entry SET payload = JSON_SET(payload, '$.number', 9) WHERE kind = 'ledger.fees-assessed' LIMIT 1"),
        Forgery(
            "schedule of an entry that posts fees", "fees-posted", ": assessments is",
            "UPDATE entry SET payload = JSON_SET(payload, '$.schedule', 'tips') WHERE kind = 'ledger.fees-assessed' AND payload NOT LIKE '%tips%' LIMIT 1"),
        Forgery(
            "what an entry posts", "fees-posted", ": assessed is",
            "UPDATE posting SET amount = amount + 1 WHERE position = (SELECT MAX(position) FROM entry WHERE kind = 'ledger.fees-assessed')"),
    ]

    private static let schedules = [
        ("name", "'ghost'"), ("version", "9"), ("effective_from", "effective_from + INTERVAL 1 SECOND"), ("entry_id", "REVERSE(entry_id)"),
    ].map { column, value in
        Forgery(
            "\(column) of a schedule", "fee-schedules", "is listed, and no entry publishes it so", "UPDATE fee_schedule SET \(column) = \(value) WHERE version = 7")
    } + [
        Forgery("a schedule that is gone", "fee-schedules", "not listed, or is listed otherwise", "DELETE FROM fee_schedule WHERE version = 7"),
        Forgery(
            "a schedule too many", "fee-schedules", "version 8 of the fee schedule wires is listed",
            "INSERT INTO fee_schedule SELECT name, 8, effective_from, entry_id FROM fee_schedule WHERE version = 7"),
    ]

    @Test(.timeLimit(.minutes(5))) func `every forgery of a fee, a month or a schedule is found and named`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            var random = Seeded(seed: 7)
            var history = try await FeeAuditHistory(book)
            for schedule in FeeAuditHistory.published { try await book.ledger.publishFeeSchedule(schedule) }
            try await history.post(60, &random)
            try await history.assess("2026-01", &random)
            try await book.project()
            try await book.withOwner { try await $0.keepRows(of: Self.tables) }
            #expect(try await book.reconcile().verdict == .clean)
            for forgery in Self.columns + Self.fees + Self.totals + Self.months + Self.schedules {
                try await book.withOwner { try await Self.forge(forgery.statements, $0) }
                let result = try await book.reconcile()
                #expect(result.verdict == .failed, "\(forgery.name)")
                let failed = result.checks.filter { !$0.holds }.map { ($0.name, $0.findings) }
                #expect(failed.contains { $0.0 == forgery.check && $0.1.contains { $0.contains(forgery.finding) } }, "\(forgery.name): \(failed)")
                try await book.withOwner { try await $0.restoreRows(of: Self.tables) }
            }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }

    // MARK: - Forging

    private static let tables = ["fee_g1", "fee_month_g1", "fee_schedule", "entry", "posting", "checkpoint"]

    private static func forge(_ statements: [String], _ connection: MariaDBConnection) async throws {
        func text(_ sql: SQL) async throws -> String { try Row(row: try await connection.query(sql)[0]).text(0) }
        // A newest row with slices, and a step after it.
        let fee = try await text(
            """
            SELECT CONCAT('account = ', account, ' AND schedule = "cards" AND id = 0x', HEX(id), ' AND through = ', through) FROM
            (SELECT f.*, LEAD(through) OVER (PARTITION BY account, schedule, id ORDER BY through) AS later FROM fee_g1 f) f
            WHERE later IS NULL AND schedule = 'cards' AND slices <> '' AND version > 0
            AND through < (SELECT MAX(through_position) FROM checkpoint WHERE job = 'fee') ORDER BY position LIMIT 1
            """)
        let month = try await text(
            """
            SELECT CONCAT('account = ', account, ' AND schedule = "cards" AND month = "', month, '" AND through = ', through) FROM
            (SELECT m.*, LEAD(through) OVER (PARTITION BY account, schedule, month ORDER BY through) AS later FROM fee_month_g1 m) m
            WHERE later IS NULL AND schedule = 'cards' AND assessments > 0 AND charged > 0 ORDER BY account, month LIMIT 1
            """)
        let head = try await text("SELECT CONVERT(MAX(through_position), CHAR) FROM checkpoint WHERE job = 'fee'")
        for statement in statements {
            let text = statement.replacing("WHERE F", with: "WHERE \(fee)").replacing("WHERE M", with: "WHERE \(month)").replacing(" H,", with: " \(head),")
            try await connection.execute(unprepared: text)
        }
    }
}
