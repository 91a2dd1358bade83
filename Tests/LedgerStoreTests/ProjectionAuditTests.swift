import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reconcile finds what was forged in the projections: account lines, and the history of balances. Each forgery is made as the
/// owner, with the triggers away, on a server of its own.
@Suite struct ProjectionAuditTests {
    private struct Forgery {
        let name: String
        /// L is the second line of account 2, as conditions; P its position; B the first of the account's rows of balances.
        let statements: [String]
        let check: String
        var finding = ""
    }

    private static let lines = [
        Forgery(name: "an amount", statements: ["UPDATE account_line_g1 SET amount = amount + 1 WHERE L"], check: "account-lines", finding: "has a line of the same content"),
        Forgery(name: "a balance", statements: ["UPDATE account_line_g1 SET balance = balance + 1 WHERE L"], check: "account-lines", finding: "the balance before it"),
        Forgery(
            name: "all balances from a line on", statements: ["UPDATE account_line_g1 SET balance = balance + 1 WHERE account = 2 AND position >= P"],
            check: "account-lines", finding: "the balance before it"),
        Forgery(name: "a line removed", statements: ["DELETE FROM account_line_g1 WHERE L"], check: "account-lines", finding: "the lines are"),
        Forgery(
            name: "a line doubled",
            statements: ["INSERT INTO account_line_g1 SELECT account, position, 9, side, counterpart, amount, status, effective_at, balance, late FROM account_line_g1 WHERE L"],
            check: "account-lines", finding: "the lines are"),
        Forgery(
            name: "accounts swapped, the sums unchanged",
            statements: [
                "UPDATE account_line_g1 SET position = position + 100 WHERE account = 2 AND position = P",
                "UPDATE account_line_g1 SET position = P WHERE account = 2 AND position = P + 1",
                "UPDATE account_line_g1 SET position = P + 1 WHERE account = 2 AND position = P + 100",
            ], check: "account-lines", finding: "has a line of the same content"),
        Forgery(name: "a counterpart", statements: ["UPDATE account_line_g1 SET counterpart = 4 WHERE L"], check: "account-lines", finding: "not its debit side"),
        Forgery(name: "a side", statements: ["UPDATE account_line_g1 SET side = 1 WHERE L"], check: "account-lines"),
        Forgery(name: "a status", statements: ["UPDATE account_line_g1 SET status = 1 WHERE L"], check: "account-lines"),
        Forgery(name: "a time", statements: ["UPDATE account_line_g1 SET effective_at = '2001-01-01' WHERE L"], check: "account-lines"),
        Forgery(
            name: "a line above the checkpoint", statements: ["INSERT INTO account_line_g1 VALUES (2, 999, 1, 0, 3, 5, 0, '2026-01-01', 5, 1)"],
            check: "account-lines", finding: "it lies above the checkpoint"),
        Forgery(
            name: "the lines' proof", statements: ["UPDATE checkpoint SET hash = REVERSE(hash) WHERE job = 'account_line'"], check: "proof",
            finding: "account_line: the checkpoint"),
    ]

    private static let late = [
        Forgery(
            name: "a late line that is not marked", statements: ["UPDATE account_line_g1 SET late = 0 WHERE account = 2 AND late = 1 LIMIT 1"],
            check: "account-lines", finding: "and it is not marked as late"),
        Forgery(
            name: "a late line that is neither marked nor in the table",
            statements: ["UPDATE account_line_g1 SET late = 0 WHERE account = 2", "DELETE FROM account_line_late_g1 WHERE account = 2"],
            check: "account-lines", finding: "and it is not marked as late"),
        Forgery(
            name: "a line marked as late", statements: ["UPDATE account_line_g1 SET late = 1 WHERE L"], check: "account-lines",
            finding: "and it is marked as late"),
        Forgery(
            name: "a line marked as late and in the table",
            statements: [
                "UPDATE account_line_g1 SET late = 1 WHERE L",
                "INSERT INTO account_line_late_g1 SELECT account, effective_at, position, line FROM account_line_g1 WHERE L",
            ], check: "account-lines", finding: "and it is marked as late"),
        Forgery(
            name: "a late row removed", statements: ["DELETE FROM account_line_late_g1 WHERE account = 2 LIMIT 1"], check: "account-lines",
            finding: "it is late, and not among the late lines"),
        Forgery(
            name: "a row too many",
            statements: ["INSERT INTO account_line_late_g1 SELECT account, effective_at, position, line FROM account_line_g1 WHERE L"],
            check: "account-lines", finding: "it is among the late lines"),
        Forgery(
            name: "a late row's time", statements: ["UPDATE account_line_late_g1 SET effective_at = '2001-01-03' WHERE account = 2"],
            check: "account-lines", finding: "it is among the late lines"),
        Forgery(
            name: "a late row's position", statements: ["UPDATE account_line_late_g1 SET position = P WHERE account = 2 LIMIT 1"],
            check: "account-lines", finding: "it is among the late lines"),
        Forgery(
            name: "a late row above the checkpoint", statements: ["INSERT INTO account_line_late_g1 VALUES (2, '2001-01-02', 999, 1)"],
            check: "account-lines", finding: "it is among the late lines"),
    ]

    private static let history = [
        Forgery(
            name: "a position that a row names", statements: ["UPDATE balance_g1 SET touched = CONCAT(UNHEX('00000001'), SUBSTR(touched, 5)) WHERE B"],
            check: "balance-history", finding: "its rows name"),
        Forgery(name: "no positions", statements: ["UPDATE balance_g1 SET touched = '' WHERE B"], check: "balance-history", finding: "its rows name"),
        Forgery(
            name: "one position more", statements: ["UPDATE balance_g1 SET touched = CONCAT(touched, UNHEX('00000001')) WHERE B"],
            check: "balance-history", finding: "its rows name"),
        Forgery(name: "an older row removed", statements: ["DELETE FROM balance_g1 WHERE B"], check: "balance-history", finding: "its rows name"),
        Forgery(
            name: "a row too many", statements: ["INSERT INTO balance_g1 SELECT account, through - 1, 0, 0, 0, 0, '' FROM balance_g1 WHERE B"],
            check: "balance-history", finding: "its rows name"),
    ]

    @Test(.timeLimit(.minutes(5))) func `every forgery of a projection is found and named`() async throws {
        try await TestServer.withOwn { server in
            for forgery in Self.lines + Self.late + Self.history {
                let book = try await TestBook.make(on: server)
                // Accounts 1, 2, 3, 4; each transfer is one of a0 to a1 or a2, all of the same amount.
                let accounts = try await book.openAccounts(4)
                // Two steps, so that there is an older row.
                for _ in 0..<2 {
                    try await book.ledger.post(transfer(accounts[0], accounts[2], 10))
                    for target in [1, 1, 2, 1] { try await book.ledger.post(transfer(accounts[0], accounts[target], 10)) }
                    var late = transfer(accounts[0], accounts[1], 10)
                    late.effectiveAt = try Timestamp("2001-01-02")
                    try await book.ledger.post(late)
                    try await book.ledger.post(transfer(accounts[2], accounts[0], 10))
                    try await book.project()
                }
                #expect(try await book.reconcile().verdict == .clean)
                try await Self.forge(forgery.statements, book)
                let result = try await book.reconcile()
                #expect(result.verdict == .failed, "\(forgery.name)")
                let failed = result.checks.filter { !$0.holds }
                #expect(failed.map(\.name).contains(forgery.check), "\(forgery.name): \(failed)")
                let findings = failed.filter { $0.name == forgery.check }.flatMap(\.findings)
                #expect(forgery.finding.isEmpty || findings.contains { $0.contains(forgery.finding) }, "\(forgery.name): \(findings)")
                await book.ledger.close()
            }
        }
    }

    private static func forge(_ statements: [String], _ book: TestBook) async throws {
        let position = try await book.number("SELECT position FROM account_line_g1 WHERE account = 2 ORDER BY position LIMIT 1 OFFSET 1")
        let through = try await book.number("SELECT MIN(through) FROM balance_g1 WHERE account = 2")
        try await book.withOwner { connection in
            for table in ["account_line_g1", "account_line_late_g1", "balance_g1", "checkpoint"] {
                try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
            }
            for statement in statements {
                try await connection.execute(
                    unprepared: statement.replacing("WHERE L", with: "WHERE account = 2 AND position = P")
                        .replacing("WHERE B", with: "WHERE account = 2 AND through = \(through)").replacing(/\bP\b/, with: "\(position)"))
            }
        }
    }

    @Test func `lines that lag behind are not covered, and no contradiction`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 10))
            let projector = Projector(book.location)
            for job in ["balance", "fee"] { while case .advanced = try await projector.step(of: job) {} }
            let result = try await book.reconcile()
            #expect(result.verdict == .incomplete && result.notCovered.count == 1)
            #expect(result.notCovered.first?.hasPrefix("the account lines do not cover 4 positions after 0") == true, "\(result.notCovered)")
            let auditor = Auditor(book.location)
            #expect(try await auditor.reconcile(lagMax: 4).verdict == .clean)
            await auditor.close()
            while case .advanced = try await projector.step(of: "account_line") {}
            #expect(try await book.reconcile().verdict == .clean)
            await projector.close()
        }
    }

    @Test(.timeLimit(.minutes(3))) func `a random history with holds, large entries and many steps is clean`() async throws {
        try await withBook { book in
            var random = Seeded("history audit")
            let history = try await AccountLineHistory(book, &random)
            for round in 1...4 {
                try await history.post(60, &random)
                let projector = Projector(book.location, positionsMax: UInt64(7 * round))
                try await projector.catchUp()
                await projector.close()
            }
            var large = Entry(kind: "test.large")
            large.postings = (0..<2000).map { _ in history.posting(&random) }
            try await book.ledger.post(large)
            try await book.project()
            let result = try await book.reconcile()
            #expect(result.verdict == .clean, "\(result.checks.filter { !$0.holds })")
        }
    }

    @Test(.timeLimit(.minutes(3))) func `the balances' history is audited in pages of any size, also where the lines lag behind`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            var random = Seeded("history pages")
            let history = try await AccountLineHistory(book, &random)
            for _ in 1...4 {
                try await history.post(30, &random)
                try await book.withProjector(positionsMax: 7) { _ = try await $0.catchUp() }
            }
            let both = try await Self.pages(book)
            #expect(Set(both.map(\.examined)).count == 1 && both.allSatisfy(\.holds), "\(both)")
            #expect(try await Int(both[0].examined) == book.number("SELECT SUM(1 + LENGTH(touched) DIV 4) FROM balance_g1"))
            // The balances go on alone, in one step: rows that begin where the lines are and end where they are not.
            try await history.post(30, &random)
            try await book.withProjector { _ = try await $0.catchUp(["balance"]) }
            let ahead = try await Self.pages(book)
            #expect(ahead.allSatisfy(\.holds) && ahead[0].examined > both[0].examined, "\(ahead)")

            try await book.withOwner { try await $0.execute(unprepared: "DROP TRIGGER balance_g1_no_update") }
            let lines = try await book.number("SELECT MAX(through_position) FROM checkpoint WHERE job = 'account_line'")
            let rows = try await book.withOwner { connection in
                try await connection.query("SELECT account, through FROM balance_g1 WHERE through <= \(lines)")
                    .map { (Row(row: $0)) }.map { (try $0.uint(0), try $0.uint(1)) }
            }
            for (account, through) in rows.shuffled(using: &random).prefix(6) {
                for change in ["+ 1", "- 1"] {
                    try await book.withOwner {
                        try await $0.execute(
                            unprepared: "UPDATE balance_g1 SET credits_pending = credits_pending \(change) WHERE account = \(account) AND through = \(through)")
                    }
                    for check in try await Self.pages(book) {
                        #expect(check.findingsTotal == (change == "+ 1" ? 1 : 0), "account \(account) at \(through): \(check.findings)")
                    }
                }
            }
            await book.ledger.close()
        }
    }

    private static func pages(_ book: TestBook) async throws -> [Reconciliation.Check] {
        let database = Database(book.location, role: .auditor, connectionsMax: 1)
        let through = UInt64(try await book.number("SELECT MAX(through_position) FROM checkpoint WHERE job = 'balance'"))
        let checks = try await database.read { transaction in
            let lines = try AccountLineAudit(transaction)
            return try [1, 2, 7, 50, 10_000].map {
                try BalanceHistoryAudit(through: through, generation: 1, lines: lines, rowsPerRead: $0).check(transaction)
            }
        }
        await database.close()
        return checks
    }
}
