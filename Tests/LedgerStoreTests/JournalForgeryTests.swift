import Foundation
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// The journal altered after it was read, and projections that left something out: the proof finds it, and so does reconcile. Each
/// forgery is made as the owner, with the triggers away, in a book of its own.
@Suite struct JournalForgeryTests {
    /// T is a tombstone's position, P that of a transfer from a0 to a1, Q that of one from a0 to a2, of the same amount. B is a row
    /// of the balances of a1 that is not the newest, N the newest.
    private struct Forgery {
        let name: String
        let statements: [String]
        let checks: [String]
        /// Checks that see nothing of it.
        var blind: [String] = []
        /// The command line says so too.
        var isToldByCommand = false
    }

    private static let entry = "(position, id, kind, `lines`) VALUES"

    private static let journal = [
        Forgery(
            name: "an entry at a tombstone's position, which was read as one",
            statements: [
                "UPDATE entry SET id = UNHEX(MD5('late')), kind = 'transfer', `lines` = 1 WHERE position = T",
                "INSERT INTO posting (position, line, debit, credit, amount, status) VALUES (T, 1, 2, 1, 10, 0)",
            ], checks: ["proof", "balances", "account-lines"], isToldByCommand: true),
        Forgery(
            name: "another entry at a removed one's position",
            statements: [
                "DELETE FROM entry WHERE position = P", "INSERT INTO entry \(entry) (P, UNHEX(MD5('other')), 'transfer', 1)",
            ], checks: ["proof"], blind: ["positions", "lines", "balances"]),
        Forgery(
            name: "a posting doubled", statements: ["INSERT INTO posting SELECT position, 2, debit, credit, amount, status FROM posting WHERE position = P"],
            checks: ["lines", "proof", "balances", "account-lines"]),
        Forgery(
            name: "a posting doubled, and its entry says so",
            statements: [
                "INSERT INTO posting SELECT position, 2, debit, credit, amount, status FROM posting WHERE position = P",
                "UPDATE entry SET `lines` = 2 WHERE position = P",
            ], checks: ["proof", "balances", "account-lines"], blind: ["lines"], isToldByCommand: true),
        Forgery(
            name: "an entry removed", statements: ["DELETE FROM posting WHERE position = P", "DELETE FROM entry WHERE position = P"],
            checks: ["positions"], isToldByCommand: true),
        Forgery(
            name: "an entry made a tombstone",
            statements: [
                "DELETE FROM posting WHERE position = P",
                "UPDATE entry SET id = NULL, kind = 'ledger.tombstone', `lines` = 0, payload = NULL WHERE position = P",
            ], checks: ["proof", "balances", "account-lines"], blind: ["positions", "lines"]),
        Forgery(name: "an amount", statements: ["UPDATE posting SET amount = amount + 1 WHERE position = P"], checks: ["proof", "balances", "account-lines"]),
        Forgery(
            name: "accounts of two postings swapped, all sums the same",
            statements: ["UPDATE posting SET debit = 3 WHERE position = P", "UPDATE posting SET debit = 2 WHERE position = Q"],
            checks: ["proof", "account-lines"], blind: ["balances", "trial-balance"], isToldByCommand: true),
        Forgery(name: "a status", statements: ["UPDATE posting SET status = 1 WHERE position = P"], checks: ["proof", "balances", "account-lines"]),
        Forgery(
            name: "when it counts", statements: ["UPDATE entry SET effective_at = '2001-02-03' WHERE position = P"], checks: ["proof", "account-lines"],
            blind: ["balances"]),
        Forgery(
            name: "when it was known", statements: ["UPDATE entry SET recorded_at = recorded_at + INTERVAL 1 MICROSECOND WHERE position = P"],
            checks: ["proof"], blind: ["balances", "account-lines"]),
        Forgery(name: "a kind", statements: ["UPDATE entry SET kind = 'transfer.2' WHERE position = P"], checks: ["proof"], blind: ["account-lines"]),
        Forgery(name: "a payload", statements: ["UPDATE entry SET payload = '{\"a\": 1}' WHERE position = P"], checks: ["proof"], blind: ["account-lines"]),
        Forgery(name: "an id", statements: ["UPDATE entry SET id = UNHEX(MD5('else')) WHERE position = P"], checks: ["proof"], blind: ["account-lines"]),
        Forgery(
            name: "two entries in another order",
            statements: ["UPDATE entry SET position = 9999 WHERE position = P", "UPDATE entry SET position = P WHERE position = Q", "UPDATE entry SET position = Q WHERE position = 9999"],
            checks: ["proof"], blind: ["positions", "lines", "balances"]),
    ]

    private static let projections = [
        Forgery(
            name: "a step whose rows were never written",
            statements: [
                "DELETE FROM balance_g1 WHERE through > (SELECT from_position FROM checkpoint WHERE job = 'balance' ORDER BY from_position DESC LIMIT 1)"
            ], checks: ["balances", "balance-history"], blind: ["proof"], isToldByCommand: true),
        Forgery(
            name: "the first checkpoint removed", statements: ["DELETE FROM checkpoint WHERE job = 'balance' ORDER BY from_position LIMIT 1"],
            checks: ["proof"], blind: ["balances"], isToldByCommand: true),
        Forgery(
            name: "the last checkpoint removed", statements: ["DELETE FROM checkpoint WHERE job = 'balance' ORDER BY from_position DESC LIMIT 1"],
            checks: ["balance-history"]),
        Forgery(
            name: "the last checkpoint of the lines removed",
            statements: ["DELETE FROM checkpoint WHERE job = 'account_line' ORDER BY from_position DESC LIMIT 1"], checks: ["account-lines"]),
        Forgery(
            name: "a checkpoint's end", statements: ["UPDATE checkpoint SET through_position = through_position - 1 WHERE job = 'balance' ORDER BY from_position LIMIT 1"],
            checks: ["proof"]),
        Forgery(
            name: "a checkpoint's beginning",
            statements: ["UPDATE checkpoint SET from_position = from_position + 1 WHERE job = 'account_line' ORDER BY from_position DESC LIMIT 1"], checks: ["proof"]),
        Forgery(name: "a checkpoint's entries", statements: ["UPDATE checkpoint SET entries = entries + 1 WHERE job = 'balance' ORDER BY from_position LIMIT 1"], checks: ["proof"]),
        Forgery(name: "a checkpoint's postings", statements: ["UPDATE checkpoint SET postings = postings + 1 WHERE job = 'balance' ORDER BY from_position LIMIT 1"], checks: ["proof"]),
        Forgery(name: "a checkpoint's hash", statements: ["UPDATE checkpoint SET hash = REVERSE(hash) WHERE job = 'balance' ORDER BY from_position LIMIT 1"], checks: ["proof"]),
        Forgery(name: "a balance", statements: ["UPDATE balance_g1 SET debits_posted = debits_posted + 1 WHERE N"], checks: ["balances", "balance-history"], blind: ["proof"]),
        Forgery(name: "a balance removed", statements: ["DELETE FROM balance_g1 WHERE N"], checks: ["balances", "balance-history"]),
        Forgery(name: "all balances of an account removed", statements: ["DELETE FROM balance_g1 WHERE account = 2"], checks: ["balances", "balance-history"]),
        Forgery(
            name: "what an older row says was debited", statements: ["UPDATE balance_g1 SET debits_posted = debits_posted + 1 WHERE B"],
            checks: ["balance-history"], blind: ["balances", "proof"], isToldByCommand: true),
        Forgery(
            name: "what an older row says is pending", statements: ["UPDATE balance_g1 SET credits_pending = 3 WHERE B"],
            checks: ["balance-history"], blind: ["balances"]),
        Forgery(
            name: "debits and credits of an older row, the balance unchanged",
            statements: ["UPDATE balance_g1 SET debits_posted = debits_posted + 1, credits_posted = credits_posted + 1 WHERE B"],
            checks: ["balance-history"], blind: ["balances"]),
        Forgery(name: "an older row removed", statements: ["DELETE FROM balance_g1 WHERE B"], checks: ["balance-history"], blind: ["balances"]),
        Forgery(
            name: "a block of times that is none",
            statements: ["INSERT INTO balance_span_g1 (through, effective_min, effective_max, recorded_max) VALUES (4, '2001-01-01', '2001-01-02', '2001-01-03')"],
            checks: ["balance-spans"], blind: ["balances", "proof"]),
    ]

    @Test(.timeLimit(.minutes(5))) func `whatever is altered in the journal after it was read is found by the proof and by reconcile`() async throws {
        try await Self.expectFound(Self.journal)
    }

    @Test(.timeLimit(.minutes(5))) func `whatever a projection left out, or somebody altered in it, is found by reconcile`() async throws {
        try await Self.expectFound(Self.projections)
    }

    private static func expectFound(_ forgeries: [Forgery]) async throws {
        try await TestServer.withOwn { server in
            for forgery in forgeries {
                let book = try await TestBook.make(on: server)
                let accounts = try await book.openAccounts(4)
                for round in 0..<2 {
                    for target in [1, 2, 1, 3] { try await book.ledger.post(transfer(accounts[0], accounts[target], 10)) }
                    if round == 0 { try await BalanceTimeTests.rollBackOne(book) }
                    var hold = transfer(accounts[1], accounts[2], 5)
                    hold.hold = Hold()
                    try await book.ledger.post(hold)
                    if round == 0 { try await book.ledger.capture(hold.id) }
                    try await book.project()
                }
                #expect(try await book.reconcile().verdict == .clean)
                try await forge(forgery.statements, book)
                let result = try await book.reconcile()
                let failed = result.checks.filter { !$0.holds }.map(\.name)
                #expect(result.verdict == .failed, "\(forgery.name): \(result.notCovered)")
                #expect(Set(failed).isSuperset(of: forgery.checks), "\(forgery.name): \(failed)")
                #expect(Set(failed).isDisjoint(with: forgery.blind), "\(forgery.name): \(failed)")
                if forgery.isToldByCommand {
                    let place = ["--folder", server.folder, "--book", book.name]
                    #expect(try await Tool.run(["init"] + place) == 0)
                    #expect(try await Tool.run(["reconcile", "--quiet"] + place) == 4, "\(forgery.name)")
                }
                await book.ledger.close()
            }
        }
    }

    private static func forge(_ statements: [String], _ book: TestBook) async throws {
        let tombstone = try await book.number("SELECT MIN(position) FROM entry WHERE id IS NULL")
        let first = try await book.number("SELECT MIN(position) FROM posting WHERE debit = 2 AND status = 0")
        let second = try await book.number("SELECT MIN(position) FROM posting WHERE debit = 3 AND status = 0")
        let newest = try await book.number("SELECT MAX(through) FROM balance_g1 WHERE account = 2")
        let older = try await book.number("SELECT MIN(through) FROM balance_g1 WHERE account = 2")
        try #require(tombstone > 0 && first > 0 && second > 0 && older < newest)
        try await book.withOwner { connection in
            for table in ["entry", "posting", "balance_g1", "checkpoint"] {
                try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
            }
            for statement in statements {
                try await connection.execute(
                    unprepared: statement.replacing("WHERE B", with: "WHERE account = 2 AND through = \(older)")
                        .replacing("WHERE N", with: "WHERE account = 2 AND through = \(newest)").replacing(/\bT\b/, with: "\(tombstone)")
                        .replacing(/\bP\b/, with: "\(first)").replacing(/\bQ\b/, with: "\(second)"))
            }
        }
    }
}
