import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reconcile finds what it is there to find. Each forgery is made as the owner, with the triggers away, on a server of its
/// own (they are UPDATEs and DELETEs).
@Suite struct ReconcileTests {
    private struct Forgery {
        let name: String
        let statements: [String]
        /// The check that must fail.
        let check: String
    }

    private static let forgeries = [
        Forgery(name: "an amount", statements: ["UPDATE posting SET amount = amount + 1 WHERE position = 5"], check: "balances"),
        Forgery(
            name: "an account swapped, the sums unchanged",
            statements: ["UPDATE posting SET debit = 3 WHERE position = 5", "UPDATE posting SET debit = 2 WHERE position = 6"],
            check: "proof"),
        Forgery(name: "a description", statements: ["UPDATE entry SET payload = '{\"description\":\"forged\"}' WHERE position = 5"], check: "proof"),
        Forgery(name: "a time", statements: ["UPDATE entry SET recorded_at = '2001-01-01' WHERE position = 5"], check: "proof"),
        Forgery(name: "an entry removed", statements: ["DELETE FROM posting WHERE position = 6", "DELETE FROM entry WHERE position = 6"], check: "positions"),
        Forgery(name: "a posting removed", statements: ["DELETE FROM posting WHERE position = 6"], check: "lines"),
        Forgery(name: "a posting added", statements: ["INSERT INTO posting VALUES (5, 2, 1, 2, 7, 0)"], check: "lines"),
        Forgery(name: "a posting without an entry", statements: ["INSERT INTO posting VALUES (0, 1, 1, 2, 7, 0)"], check: "lines"),
        Forgery(name: "an account that does not exist", statements: ["UPDATE posting SET credit = 99 WHERE position = 5"], check: "accounts"),
        Forgery(name: "accounts of two currencies", statements: ["UPDATE posting SET credit = 4 WHERE position = 5"], check: "accounts"),
        Forgery(
            name: "an amount of zero",
            statements: ["SET check_constraint_checks = 0", "UPDATE posting SET amount = 0 WHERE position = 5"], check: "accounts"),
        Forgery(name: "a balance", statements: ["UPDATE balance_g1 SET debits_posted = debits_posted + 1 WHERE account = 2"], check: "balances"),
        Forgery(name: "a balance removed", statements: ["DELETE FROM balance_g1 WHERE account = 2"], check: "balances"),
        Forgery(name: "a count in a checkpoint", statements: ["UPDATE checkpoint SET entries = entries + 1"], check: "proof"),
        Forgery(name: "a hash in a checkpoint", statements: ["UPDATE checkpoint SET hash = REVERSE(hash)"], check: "proof"),
        Forgery(name: "an account slipped in", statements: ["INSERT INTO account (path, currency, type) VALUES ('ghost', 'EUR', 'asset')"], check: "accounts"),
    ]

    @Test func `every forgery is found and named`() async throws {
        try await TestServer.withOwn { server in
            for forgery in Self.forgeries {
                let book = try await TestBook.make(on: server)
                let accounts = try await book.openAccounts(3)
                try await book.ledger.openAccount("dollars", in: .usd, type: .asset)
                // Positions 1 … 6: EUR, a0, a1, a2, USD, dollars. The amounts of the two transfers are the same.
                try await book.ledger.post(transfer(accounts[0], accounts[1], 10))
                try await book.ledger.post(transfer(accounts[0], accounts[2], 10))
                try await book.project()
                try await book.project()
                #expect(try await book.reconcile().verdict == .clean)

                let first = try await book.number("SELECT MIN(position) FROM posting")
                try await book.withOwner { connection in
                    for table in ["posting", "entry", "checkpoint", "balance_g1"] {
                        try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                        try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
                    }
                    for statement in forgery.statements {
                        try await connection.execute(
                            unprepared: statement.replacing("position = 5", with: "position = \(first)")
                                .replacing("position = 6", with: "position = \(first + 1)")
                                .replacing("VALUES (5,", with: "VALUES (\(first),"))
                    }
                }
                let result = try await book.reconcile()
                #expect(result.verdict == .failed, "\(forgery.name)")
                let failed = result.checks.filter { !$0.holds }.map(\.name)
                #expect(failed.contains(forgery.check), "\(forgery.name): \(failed)")
                await book.ledger.close()
            }
        }
    }

    @Test func `a job stops at an entry that contradicts itself, and names it`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let receipt = try await book.ledger.post(transfer(accounts[0], accounts[1], 10))
            try await book.withConnection(role: .writer) { connection in
                // Whoever may insert postings can add one to an old entry; `lines` tells.
                _ = try await connection.query("INSERT INTO posting VALUES (\(receipt.position.number), 2, 1, 2, 5, 0)")
            }
            let error = await #expect(throws: LedgerError.self) { try await book.project() }
            #expect(error?.code == .integrity)
            #expect(error?.message.contains("position \(receipt.position)") == true)
        }
    }

    @Test func `what is not projected yet is not proven`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            #expect(try await book.reconcile().verdict == .incomplete)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            try await book.ledger.post(transfer(accounts[0], accounts[1], 10))
            #expect(try await book.reconcile().verdict == .incomplete)
            let auditor = Auditor(book.location)
            #expect(try await auditor.reconcile(lagMax: 1).verdict == .clean)
            await auditor.close()
        }
    }

    @Test func `another definition under the same generation refuses to run`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            try await book.withOwner { connection in
                try await connection.execute(unprepared: "DROP TRIGGER generation_no_update")
                try await connection.execute(unprepared: "UPDATE generation SET fingerprint = REVERSE(fingerprint)")
            }
            let error = await #expect(throws: LedgerError.self) { try await book.project() }
            #expect(error?.code == .schema)
            await book.ledger.close()
        }
    }
}
