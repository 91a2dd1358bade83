import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reconcile finds what is wrong with holds, limits and what is in force. As in ``ReconcileTests`` the forgeries are made as the
/// owner, with the triggers away, on a server of its own; here in one book, which is put back after each.
@Suite struct LimitReconcileTests {
    private static let tables = [
        "account", "entry", "posting", "account_claim", "control", "hold_expiry", "hold_sweep", "checkpoint", "balance_g1",
    ]

    /// In each `@name` stands for the position of the entry with that key, `@name!` for that of its settlement.
    private static let forgeries: [(name: String, check: String, statements: [String])] = [
        ("a released amount", "settlements", ["UPDATE posting SET amount = amount + 1 WHERE position = @twice! AND line = 1"]),
        ("a held amount", "settlements", ["UPDATE posting SET amount = amount + 1 WHERE position = @twice AND line = 2"]),
        ("a release removed", "settlements", ["DELETE FROM posting WHERE position = @twice! AND line = 2"]),
        ("more captured than held", "settlements", ["UPDATE posting SET amount = 911 WHERE position = @twice! AND status = 0"]),
        ("captured on another account", "settlements", ["UPDATE posting SET credit = 3 WHERE position = @twice! AND status = 0"]),
        ("a void that moves", "settlements", ["UPDATE entry SET kind = 'ledger.hold-voided' WHERE position = @twice!"]),
        ("another id", "settlements", ["UPDATE entry SET id = REVERSE(id) WHERE position = @twice!"]),
        ("another hold", "settlements", ["UPDATE entry SET payload = REPLACE(payload, '\"hold\":\"', '\"hold\":\"00') WHERE position = @void!"]),
        ("a late capture", "settlements", ["UPDATE entry SET effective_at = '2999-01-01' WHERE position = @until!"]),
        ("a late void", "settlements", ["UPDATE entry SET kind = 'ledger.hold-voided' WHERE position = @short!"]),
        ("an early expiry", "settlements", ["UPDATE entry SET effective_at = '2020-01-01' WHERE position = @short!"]),
        ("an expiry of what never expires", "settlements", ["UPDATE entry SET kind = 'ledger.hold-expired' WHERE position = @void!"]),
        (
            "settled twice", "settlements",
            [
                "INSERT INTO entry (id, kind, `lines`, payload) SELECT REVERSE(id), kind, 1, payload FROM entry WHERE position = @void!",
                "INSERT INTO posting SELECT (SELECT MAX(position) FROM entry), line, debit, credit, amount, status FROM posting WHERE position = @void!",
            ]
        ),
        ("half a hold", "settlements", ["UPDATE posting SET status = 0 WHERE position = @twice AND line = 1"]),
        ("a release of nothing", "settlements", ["UPDATE posting SET status = 2 WHERE position = @draw"]),
        ("a hold that is not found", "hold-expiries", ["DELETE FROM hold_expiry WHERE account = 2"]),
        ("a hold found with less", "hold-expiries", ["UPDATE hold_expiry SET debits = debits - 1 WHERE account = 2"]),
        ("a hold found later", "hold-expiries", ["UPDATE hold_expiry SET expires_at = '2998-01-01'"]),
        ("a hold of nobody", "hold-expiries", ["INSERT INTO hold_expiry VALUES (2, '2998-01-01', REPEAT('a', 16), REPEAT('b', 16), 5, 0)"]),
        ("a hold swept over", "hold-expiries", ["INSERT INTO hold_sweep VALUES ('2999-02-01')"]),
        ("a reversed amount", "reversals", ["UPDATE posting SET amount = amount - 1 WHERE position IN (SELECT position FROM entry WHERE kind = 'ledger.reversed')"]),
        ("a reversal turned", "reversals", ["UPDATE posting p JOIN entry e ON e.position = p.position AND e.kind = 'ledger.reversed' SET p.debit = 2, p.credit = 1"]),
        ("a reversal of another", "reversals", ["UPDATE entry SET payload = REPLACE(payload, '\"reverses\":\"', '\"reverses\":\"00') WHERE kind = 'ledger.reversed'"]),
        ("a limit in force", "controls", ["UPDATE control SET floor = -101 WHERE sequence = 1"]),
        ("a limit told otherwise", "controls", ["UPDATE entry SET payload = REPLACE(payload, '-100', '-200') WHERE position = @limit"]),
        ("a status in force", "controls", ["UPDATE control SET status = 'frozen' WHERE status = 'closed'"]),
        ("a limit lost on the way", "controls", ["UPDATE control SET floor = NULL WHERE sequence = 3"]),
        ("a period", "controls", ["UPDATE control SET closed_before = '2026-01-01' WHERE account IS NULL"]),
        ("a control removed", "controls", ["DELETE FROM control WHERE sequence = 2"]),
        ("the last control removed", "controls", ["DELETE FROM control ORDER BY sequence DESC LIMIT 1"]),
        ("a control of nobody", "controls", ["INSERT INTO control SELECT sequence + 1, account, status, floor, ceiling, closed_before, REVERSE(entry_id) FROM control ORDER BY sequence DESC LIMIT 1"]),
        ("controls exchanged", "controls", ["UPDATE control SET sequence = 99 WHERE sequence = 2", "UPDATE control SET sequence = 2 WHERE sequence = 3", "UPDATE control SET sequence = 3 WHERE sequence = 99"]),
        ("a limit of the opening", "controls", ["UPDATE account SET floor = -1 WHERE path = 'alice'"]),
        ("a claim removed", "controls", ["DELETE FROM account_claim WHERE account = 2 AND revision = 1"]),
        ("a claim without limits", "controls", ["INSERT INTO account_claim VALUES (1, 1)"]),
        ("a draw below the floor", "limits", ["UPDATE posting SET amount = 9101 WHERE position = @draw"]),
        ("a floor set where it is broken", "limits", ["UPDATE control SET floor = 9991 WHERE sequence = 1"]),
        ("a payment above the ceiling", "limits", ["UPDATE posting SET amount = 100001 WHERE position = @late"]),
        ("a hold below the floor", "limits", ["UPDATE posting SET amount = 551 WHERE position = @open"]),
        ("a payment into a closed account", "closings", [
            "INSERT INTO entry (id, kind, `lines`) VALUES (REPEAT('x', 16), 'paid', 1)",
            "INSERT INTO posting SELECT MAX(position), 1, 4, 1, 5, 0 FROM entry",
        ]),
        ("a payment long after the closing", "closings", [
            "INSERT INTO entry (id, kind, `lines`, recorded_at) VALUES (REPEAT('x', 16), 'paid', 1, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)",
            "INSERT INTO posting SELECT MAX(position), 1, 5, 1, 5, 0 FROM entry",
        ]),
        ("dated back long after the closing", "closings", [
            "INSERT INTO entry (id, kind, effective_at, recorded_at) VALUES (REPEAT('x', 16), 'x', '2026-01-31', UTC_TIMESTAMP(6) + INTERVAL 1 HOUR)",
        ]),
    ]

    /// What is known and is no break.
    private static let permitted: [(name: String, note: String, statements: [String])] = [
        ("a draw to the floor itself", "", ["UPDATE posting SET amount = 9100 WHERE position = @draw"]),
        ("a payment just after the closing", "lands on box EUR, closed by entry", [
            "INSERT INTO entry (id, kind, `lines`, recorded_at) SELECT REPEAT('x', 16), 'paid', 1, MAX(recorded_at) + INTERVAL 9 SECOND FROM entry WHERE kind = 'ledger.status-set'",
            "INSERT INTO posting SELECT MAX(position), 1, 5, 1, 5, 0 FROM entry",
        ]),
        ("dated back just after the closing", "counts from 2026-01-31 00:00:00.000000, and entry", [
            "INSERT INTO entry (id, kind, effective_at, recorded_at) SELECT REPEAT('x', 16), 'x', '2026-01-31', recorded_at + INTERVAL 9 SECOND FROM entry WHERE kind = 'ledger.period-closed'",
        ]),
    ]

    @Test func `every forgery of holds and limits is found, and what is allowed is only told`() async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            try await Self.fill(book)
            #expect(try await book.reconcile().checks.filter { !$0.holds || $0.notesTotal > 0 }.map(\.name) == [])
            try await book.withOwner { connection in
                try await connection.execute(unprepared: "SET foreign_key_checks = 0")
                for table in Self.tables {
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_update")
                    try await connection.execute(unprepared: "DROP TRIGGER \(table)_no_delete")
                    try await connection.execute(unprepared: "CREATE TABLE kept_\(table) AS SELECT * FROM \(table)")
                }
                for (name, check, statements) in Self.forgeries {
                    let result = try await Self.forged(statements, book, connection)
                    let failed = result.checks.filter { !$0.holds }.map(\.name)
                    #expect(failed.contains(check), "\(name): \(failed)")
                }
                for (name, note, statements) in Self.permitted {
                    let result = try await Self.forged(statements, book, connection)
                    let found = result.checks.filter { ["settlements", "controls", "closings", "limits"].contains($0.name) }
                    #expect(found.flatMap(\.findings) == [], "\(name)")
                    let notes = found.flatMap(\.notes).joined(separator: "\n")
                    #expect(note.isEmpty ? notes == "" : notes.contains(note), "\(name): \(notes)")
                }
            }
            #expect(try await book.reconcile().verdict == .clean)
            await book.ledger.close()
        }
    }

    /// Accounts 1 … 5: cash, alice, bob, till, box.
    private static func fill(_ book: TestBook) async throws {
        try await HistoryTests.fill(book.ledger)
        try await book.ledger.openAccount("box", in: .eur, type: .asset)
        try await book.ledger.setStatus(.closed, of: "box", in: .eur)
        try await book.project()
        // The balances' checkpoint ends there.
        try await book.project()
    }

    private static func forged(
        _ statements: [String], _ book: TestBook, _ connection: MariaDBConnection
    ) async throws -> Reconciliation {
        for statement in statements {
            var text = statement
            for match in statement.matches(of: /@(\w+)(!?)/).reversed() {
                let key = EntryID(key: String(match.1))
                let id = match.2.isEmpty ? key : .settlement(of: key)
                text.replaceSubrange(match.range, with: String(try await book.ledger.entry(id)!.position.number))
            }
            do { try await connection.execute(unprepared: text) } catch { throw TestFailure("\(text): \(error)") }
        }
        let result = try await book.reconcile()
        for table in tables {
            try await connection.execute(unprepared: "DELETE FROM \(table)")
            try await connection.execute(unprepared: "INSERT INTO \(table) SELECT * FROM kept_\(table)")
        }
        // The next forgery takes the next position.
        try await connection.execute(unprepared: "ALTER TABLE entry AUTO_INCREMENT = 1")
        return result
    }

    private struct TestFailure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
