import Charges
import Foundation
import Indelible
import IndelibleTesting
import Testing

/// Charges and payouts on a real book.
@Suite struct BookTests {
    struct Shop: Sendable {
        let book: TestBook
        let units: Units
        let charges: ChargeService
        let payouts: PayoutService

        /// Minor units on the normal side, what is available with it, now.
        func balance(_ path: AccountPath) async throws -> Int128 { try await book.ledger.balance(of: path, in: .eur).minorUnits }
        func available(_ path: AccountPath) async throws -> Int128 { try await book.ledger.balance(of: path, in: .eur).available }

        /// How many entries there are of a kind.
        func count(_ kind: EntryKind) async throws -> Int {
            try await entries(kind).count
        }

        /// The entries of a kind, or all.
        func entries(_ kind: EntryKind? = nil) async throws -> [JournalEntry] {
            var query = EntryQuery()
            (query.kind, query.limit) = (kind, 1000)
            return try await book.ledger.entries(query)
        }

        /// Everything projected, and nothing found wrong with it.
        func isClean() async throws -> Bool {
            try await book.project()
            let result = try await book.reconcile()
            if result.verdict != .clean { for check in result.checks where !check.holds { Issue.record("\(check.name): \(check.findings)") } }
            return result.verdict == .clean
        }
    }

    static func withShop(attemptsMax: Int = 10, _ body: (Shop) async throws -> Void) async throws {
        try await withBook { book in
            for (path, type) in [("acquirer:receivable", AccountType.asset), ("bank", .asset), ("disputes", .liability), ("fees", .income)] {
                try await book.ledger.openAccount(try AccountPath(path), in: .eur, type: type)
            }
            try await book.ledger.openAccount("merchants:bob", in: .eur, type: .liability, limits: .noOverdraft)
            let units = Units(book.ledger)
            try await body(
                Shop(
                    book: book, units: units, charges: ChargeService(units, attemptsMax: attemptsMax),
                    payouts: PayoutService(units, attemptsMax: attemptsMax)))
        }
    }

    @Test func `the life of charges and payouts, with the balances after each step`() async throws {
        try await Self.withShop { shop in
            func expect(bob: Int128, receivable: Int128, disputes: Int128 = 0, bank: Int128 = 0, line: Int = #line) async throws {
                let here = SourceLocation(fileID: #fileID, filePath: #filePath, line: line, column: 1)
                #expect(try await shop.balance("merchants:bob") == bob, sourceLocation: here)
                #expect(try await shop.balance("acquirer:receivable") == receivable, sourceLocation: here)
                #expect(try await shop.balance("disputes") == disputes, sourceLocation: here)
                #expect(try await shop.balance("bank") == bank, sourceLocation: here)
            }
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(100_00))
            try await expect(bob: 0, receivable: 0)
            #expect(try await shop.book.ledger.balance(of: "merchants:bob", in: .eur).totals.creditsPending == 100_00)
            try await shop.charges.capture("c1", eur(80_00))
            try await expect(bob: 80_00, receivable: 80_00)
            #expect(try await shop.book.ledger.balance(of: "merchants:bob", in: .eur).totals.creditsPending == 0)
            try await shop.charges.refund("c1", as: "r1", eur(30_00), reason: "too late")
            try await expect(bob: 50_00, receivable: 50_00)
            try await shop.charges.openDispute("c1", eur(20_00), reason: "not mine")
            try await expect(bob: 30_00, receivable: 50_00, disputes: 20_00)
            let won = try await shop.charges.winDispute("c1")
            try await expect(bob: 50_00, receivable: 50_00)
            #expect(won.rest == 50_00)

            try await shop.charges.authorise("c2", merchant: "bob", amount: eur(40_00))
            try await shop.charges.void("c2")
            try await shop.charges.authorise("c3", merchant: "bob", amount: eur(60_00))
            try await shop.charges.capture("c3")
            try await shop.charges.openDispute("c3")
            try await expect(bob: 50_00, receivable: 110_00, disputes: 60_00)
            try await shop.charges.loseDispute("c3")
            try await expect(bob: 50_00, receivable: 50_00)

            try await shop.payouts.request("p1", merchant: "bob", amount: eur(50_00))
            #expect(try await shop.available("merchants:bob") == 0)
            let tooMuch = await #expect(throws: LedgerError.self) { try await shop.payouts.request("p2", merchant: "bob", amount: eur(1)) }
            #expect(tooMuch?.code == .limitExceeded)
            try await shop.payouts.fail("p1", reason: "no such account")
            #expect(try await shop.available("merchants:bob") == 50_00)
            try await shop.payouts.request("p3", merchant: "bob", amount: eur(45_00))
            let sent = try await shop.payouts.send("p3", reference: "SEPA-7")
            #expect(sent.status == .sent)
            try await expect(bob: 5_00, receivable: 50_00, bank: -45_00)
            #expect(try await shop.payouts.payout("p2").status == .none)
            #expect(try await shop.isClean())
            #expect(try await shop.book.ledger.balance(of: "merchants:bob", in: .eur, at: .projected).minorUnits == 5_00)
        }
    }

    @Test func `the journal has the events as they were told, in their streams`() async throws {
        try await Self.withShop { shop in
            try await Trace.withCorrelation("order-7") {
                try await shop.charges.authorise("c1", merchant: "bob", amount: eur(100_00))
                try await shop.charges.capture("c1")
                try await shop.charges.refund("c1", as: "r1", eur(30_00), reason: "too late")
            }
            let hold = try #require(try await shop.book.ledger.entry(Charge(id: "c1").hold))
            #expect(hold.kind == "charge.authorised")
            let refund = try #require(try await shop.entries("charge.refunded").first)
            let payload = try JSON(parsing: try #require(refund.payload))
            let ours = try #require(payload["ledger"])
            for (key, value) in [("charge", "c1"), ("refund", "r1"), ("description", "too late")] { #expect(payload[key]?.string == value) }
            #expect(payload["posting"]?["amount"]?["minor_units"] == .integer(30_00))
            for (key, value) in [("stream", "charge:c1"), ("correlation", "order-7")] { #expect(ours[key]?.string == value) }
            #expect(ours["revision"] == .integer(3))
        }
    }

    @Test func `a refusal records nothing`() async throws {
        try await Self.withShop { shop in
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(10_00))
            let before = try await shop.entries().count
            await #expect(throws: ChargeError.self) { try await shop.charges.capture("c1", eur(10_01)) }
            await #expect(throws: ChargeError.self) { try await shop.charges.refund("c1", as: "r1", key: "k") }
            // The account does not exist in this currency.
            await #expect(throws: LedgerError.self) {
                try await shop.charges.authorise("c2", merchant: "bob", amount: Amount(minorUnits: 1, .usd))
            }
            await #expect(throws: LedgerError.self) { try await shop.charges.authorise("c3", merchant: "nobody", amount: eur(1)) }
            #expect(try await shop.entries().count == before)
            #expect(try await shop.charges.charge("c2") == Charge(id: "c2"))
            // The key of a refused request is free.
            try await shop.charges.capture("c1")
            #expect(try await shop.charges.refund("c1", as: "r1", key: "k").refunds.total == 10_00)
        }
    }

    @Test func `two things in one unit stand or fall together`() async throws {
        try await Self.withShop { shop in
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(10_00))
            let capture = { (payout: Int64) in
                try await shop.units.run { _ in
                    try await shop.charges.capture("c1")
                    try await shop.payouts.request("p1", merchant: "bob", amount: eur(payout))
                }
            }
            let error = await #expect(throws: LedgerError.self) { try await capture(10_01) }
            #expect(error?.code == .limitExceeded)
            #expect(try await shop.charges.charge("c1").authorisation == .held(10_00))
            // What is captured in the unit is there for the payout of the same unit.
            try await capture(10_00)
            #expect(try await shop.charges.charge("c1").authorisation == .captured(10_00, of: 10_00))
            #expect(try await shop.available("merchants:bob") == 0)
            #expect(try await shop.isClean())
        }
    }

    @Test func `no transaction is open while a command decides, and a command has one commit`() async throws {
        try await Self.withShop { shop in
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(10_00))
            try await shop.units.run { unit in
                let charge = try await unit.charge("c1")
                #expect(try await shop.book.openTransactions() == 0)
                try charge.apply(try charge.state.capture())
                #expect(try await shop.book.openTransactions() == 0)
            }
            let count = try await shop.book.countingStatements { try await shop.charges.refund("c1", as: "r1", eur(1)) }
            // What is read, and what is written.
            #expect(count.commits == 2, "\(count)")
        }
    }
}
