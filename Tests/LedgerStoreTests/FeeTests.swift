import Foundation
import Indelible
import IndelibleTesting
import Testing

/// Fees, from schedules and entries to what is posted.
@Suite struct FeeTests {
    static func schedule(_ version: Int = 1, from: String = "2026-01-01", prices: String, more: String = "") -> String {
        """
        {"schedule": "cards", "version": \(version), "effective_from": "\(from)", "income": "fees", "rules": [
          {"name": "charges", "kinds": ["card.*"], "accounts": ["shops:*"], "side": "credit", "prices": {"EUR": \(prices)}\(more)},
          {"name": "refunds", "kinds": ["refund"], "accounts": ["shops:*"], "side": "debit", "volume": "subtract", "prices": {"EUR": {"basis_points": -100}}}]}
        """
    }

    static func open(_ book: TestBook) async throws {
        try await book.ledger.openAccount("clearing", in: .eur, type: .asset)
        try await book.ledger.openAccount("fees", in: .eur, type: .income)
        try await book.ledger.openAccount("shops:a", in: .eur, type: .liability)
        try await book.ledger.openAccount("shops:b", in: .eur, type: .liability)
    }

    static func charge(_ key: String, _ shop: AccountPath, _ cents: Int64, _ day: String, kind: EntryKind = "card.charged") throws -> Entry {
        Entry(
            id: EntryID(key: key), kind: kind, effectiveAt: try Timestamp(day),
            postings: [
                kind == "refund"
                    ? Posting(debit: shop, credit: "clearing", amount: Amount(minorUnits: cents, .eur))
                    : Posting(debit: "clearing", credit: shop, amount: Amount(minorUnits: cents, .eur))
            ])
    }

    static func fee(_ key: String, _ book: TestBook) async throws -> Int128? {
        try await book.ledger.fees(of: EntryID(key: key)).fees.last?.fee
    }

    @Test func `a fee follows from what is posted, whatever comes later`() async throws {
        try await withBook { book in
            try await Self.open(book)
            try await book.ledger.publishFeeSchedule(Self.schedule(prices: #"{"basis_points": 150, "fixed": "0.10"}"#))
            try await book.ledger.post(try Self.charge("one", "shops:a", 10_00, "2026-01-10"))
            try await book.project()
            #expect(try await Self.fee("one", book) == 25)
            try await book.ledger.post(try Self.charge("back", "shops:a", 4_00, "2026-01-10T10:00:00Z", kind: "refund"))
            try await book.project()
            #expect(try await Self.fee("back", book) == -4)
            // A schedule that is published late, for what is past.
            try await book.ledger.publishFeeSchedule(Self.schedule(2, from: "2026-01-05", prices: #"{"basis_points": 200}"#))
            try await book.project()
            #expect(try await Self.fee("one", book) == 20)
            #expect(try await book.ledger.fees(of: EntryID(key: "one")).fees.map(\.fee) == [25, 20])
            let months = try await book.ledger.feeMonths().months
            #expect(months.count == 1 && months[0].charged == 2 && months[0].fees == 16 && months[0].volume == 600)
        }
    }

    @Test func `volume is ranked by effective time: an entry that comes late moves those behind it`() async throws {
        try await withBook { book in
            try await Self.open(book)
            let prices = #"{"tiers": {"by": "volume", "mode": "graduated", "steps": [{"from": "0", "basis_points": 1000}, {"from": "10.00", "basis_points": 100}]}}"#
            try await book.ledger.publishFeeSchedule(Self.schedule(prices: prices))
            try await book.ledger.post(try Self.charge("one", "shops:a", 8_00, "2026-01-10"))
            try await book.ledger.post(try Self.charge("two", "shops:a", 8_00, "2026-01-20"))
            try await book.ledger.post(try Self.charge("next month", "shops:a", 8_00, "2026-02-01"))
            try await book.project()
            #expect(try await Self.fee("one", book) == 80)
            #expect(try await Self.fee("two", book) == 26)
            #expect(try await Self.fee("next month", book) == 80)
            try await book.ledger.post(try Self.charge("late", "shops:a", 5_00, "2026-01-01"))
            try await book.project()
            #expect(try await Self.fee("late", book) == 50)
            #expect(try await Self.fee("one", book) == 53)
            #expect(try await Self.fee("two", book) == 8)
            // The late one is reversed: as before. Its reversal is, too: as after.
            try await book.ledger.reverse(EntryID(key: "late"))
            try await book.project()
            #expect(try await Self.fee("two", book) == 26)
            #expect(try await book.ledger.fees(of: EntryID(key: "late")).fees.last?.rule == nil)
            try await book.ledger.reverse(.reversal(of: EntryID(key: "late")))
            try await book.project()
            #expect(try await Self.fee("two", book) == 8)
            #expect(try await Self.fee("late", book) == 50)
            let generation = try await BookOwner(book.owner).createGeneration(of: Projector.builtIn[2])
            let projector = Projector(book.location, positionsMax: 3)
            try await projector.catchUp(["fee"])
            let comparison = try await projector.compare("fee", generation: generation)
            #expect(comparison.isEqual, "\(comparison.differences)")
            #expect(comparison.examined > 0)
            await projector.close()
        }
    }

    @Test func `a capture is charged as its hold`() async throws {
        try await withBook { book in
            try await Self.open(book)
            try await book.ledger.publishFeeSchedule(Self.schedule(prices: #"{"basis_points": 1000}"#, more: #", "fields": {"card.region": ["eu"]}"#))
            for region in ["eu", "us"] {
                var hold = try Self.charge("hold \(region)", "shops:a", 10_00, "2026-01-10")
                hold.hold = Hold()
                hold.payload = ["card": ["region": .string(region)]]
                try await book.ledger.post(hold)
                try await book.ledger.capture(hold.id, amounts: [Amount(minorUnits: 4_00, .eur)])
            }
            try await book.project()
            #expect(try await book.ledger.fees(of: EntryID(key: "hold eu")).fees.isEmpty)
            #expect(try await book.ledger.fees(of: .settlement(of: EntryID(key: "hold eu"))).fees.map(\.fee) == [40])
            #expect(try await book.ledger.fees(of: .settlement(of: EntryID(key: "hold us"))).fees.isEmpty)
        }
    }

    @Test func `what is due is posted once, and what changes afterwards too`() async throws {
        try await withBook { book in
            try await Self.open(book)
            try await book.ledger.publishFeeSchedule(Self.schedule(prices: #"{"basis_points": 1000}"#))
            try await book.ledger.post([try Self.charge("one", "shops:a", 10_00, "2026-01-10"), try Self.charge("two", "shops:b", 20_00, "2026-01-10")])
            try await book.project()
            let month = AccountingMonth(year: 2026, month: 1)
            let first = try await book.ledger.assessFees(for: month)
            #expect(first.posted.map(\.item.amount) == [100, 200])
            // Before the projector has seen it, and after.
            try await book.project()
            #expect(try await book.ledger.assessFees(for: month).posted.isEmpty)
            #expect(try await book.ledger.balance(of: "fees", in: .eur).minorUnits == 300)
            try await book.ledger.post(try Self.charge("back", "shops:b", 5_00, "2026-01-20", kind: "refund"))
            try await book.project()
            #expect(try await book.ledger.assessFees(for: month).posted.map(\.item.amount) == [-5])
            #expect(try await book.ledger.balance(of: "fees", in: .eur).minorUnits == 295)
            // What somebody reverses is due again.
            try await book.ledger.reverse(first.posted[0].receipt.id)
            try await book.project()
            #expect(try await book.ledger.assessFees(for: month).posted.map(\.item.amount) == [100])
            try await book.project()
            let rows = try await book.ledger.feeMonths().months
            #expect(rows.map(\.due) == [0, 0])
            #expect(rows.map(\.assessments) == [2, 2])
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
