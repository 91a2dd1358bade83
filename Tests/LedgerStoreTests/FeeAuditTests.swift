import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// Reconcile derives every fee again, and finds what was forged in them. Each forgery is made as the owner, with the triggers away, on a
/// server of its own.
@Suite struct FeeAuditTests {
    @Test(.timeLimit(.minutes(5)), arguments: ["UTC", "Europe/Berlin", "America/Los_Angeles"])
    func `a random history with rich schedules is clean`(zone: String) async throws {
        let book = try await TestBook.make(on: try await TestServer.shared(), timeZone: zone)
        var random = Seeded("fee audit \(zone)")
        var history = try await FeeAuditHistory(book)
        var schedules = FeeAuditHistory.published[...]
        for round in 1...4 {
            for _ in 0..<2 {
                if let schedule = schedules.popFirst() { try await book.ledger.publishFeeSchedule(schedule, actor: "ops") }
                try await history.post(40, &random)
            }
            try await book.withProjector(positionsMax: UInt64(23 * round)) { _ = try await $0.catchUp() }
            let result = try await book.reconcile()
            #expect(result.verdict == .clean, "round \(round): \(result.checks.filter { !$0.holds }.map { ($0.name, $0.findings) })")
            if round >= 2 {
                for month in ["2026-01", "2026-02"] { try await history.assess(month, &random) }
                try await book.project()
            }
        }
        let result = try await book.reconcile()
        #expect(result.verdict == .clean, "\(result.checks.filter { !$0.holds }.map { ($0.name, $0.findings) })")
        for name in ["fees", "fee-totals", "fees-posted", "fee-schedules"] {
            #expect(result.checks.first { $0.name == name }?.examined ?? 0 > 5, "\(name)")
        }
        await book.ledger.close()
    }

    @Test func `what is due of a month that is over is noted, and no contradiction`() async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("fees", in: .eur, type: .income)
            try await book.ledger.openAccount("shop", in: .eur, type: .liability)
            try await book.ledger.publishFeeSchedule(
                """
                {"schedule": "cards", "version": 1, "effective_from": "2026-01-01", "income": "fees", "rules": [{"name": "all", "kinds": ["card.charged"],
                 "accounts": ["shop"], "side": "credit", "prices": {"EUR": {"fixed": "1.20"}}}]}
                """)
            // The second one is of a month that is not over.
            for time in [try Timestamp("2026-01-31T23:59:59.999999Z"), nil] {
                try await book.ledger.post(
                    Entry(kind: "card.charged", effectiveAt: time, postings: [Posting(debit: "cash", credit: "shop", amount: Amount(minorUnits: 500, .eur))]))
            }
            func notes() async throws -> [String] {
                try await book.project()
                let result = try await book.reconcile()
                #expect(result.verdict == .clean)
                return result.checks.flatMap(\.notes)
            }
            #expect(try await notes() == ["due: 1.20 EUR of shop for 2026-01, schedule cards: run `indelible fees assess --month 2026-01`"])
            _ = try await book.ledger.assessFees(for: try AccountingMonth("2026-01"))
            #expect(try await notes() == [])
            let charge = try await book.number("SELECT position FROM entry WHERE effective_at = '2026-01-31 23:59:59.999999' AND kind = 'card.charged'")
            let entry = try await book.ledger.entry(at: Position(UInt64(charge)))
            try await book.ledger.reverse(try #require(entry?.id))
            #expect(try await notes() == ["due: -1.20 EUR of shop for 2026-01, schedule cards: run `indelible fees assess --month 2026-01`"])
        }
    }

    @Test func `fees that lag behind are not covered, and no contradiction`() async throws {
        try await withBook { book in
            _ = try await book.openAccounts(1)
            try await book.withProjector { _ = try await $0.catchUp(["balance", "account_line"]) }
            let result = try await book.reconcile()
            #expect(result.verdict == .incomplete && result.notCovered == ["the fees do not cover 2 positions after 0: run `indelible project once`"])
            try await book.withProjector { _ = try await $0.catchUp(["fee"]) }
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
