import Foundation
import Indelible
import IndelibleTesting
import Testing

/// Random histories: whatever came in whatever order, the projected fees are those of a plain fold over what stands.
@Suite struct FeeFoldTests {
    private struct Sale: Sendable {
        let entry: EntryID
        let kind: EntryKind
        let shop: AccountPath
        let amount: Int64
        let region: JSON
        let effective: Timestamp
        /// The last one of the entry, its reversal, the reversal's reversal …
        var last: EntryID
        var isReversed = false
    }

    private struct History: Sendable {
        var sales: [Sale] = []
        var schedules: [FeeSchedule] = []
    }

    private static let shops: [AccountPath] = ["shops:a", "shops:b"]
    /// Some of them more than once, so that ids decide.
    private static let times = ["2026-01-01", "2026-01-01", "2026-01-15T08:00:00Z", "2026-01-15T08:00:00Z", "2026-01-31T23:59:59.999999Z", "2026-02-01", "2026-02-10", "2026-03-05"]

    private static func document(_ version: Int, _ random: inout Seeded) -> String {
        func pick(_ texts: [String]) -> String { texts.randomElement(using: &random)! }
        let tiers = """
            {"tiers": {"by": "\(pick(["volume", "volume", "amount"]))", "mode": "\(pick(["graduated", "whole"]))", "steps": [
             {"from": "0", "basis_points": \(pick(["1000", "333.3333"])), "fixed": "0.10"}, {"from": "20.00", "basis_points": 150}, {"from": "50.00", "basis_points": "-12.5", "fixed": "\(pick(["0", "0.05"]))"}]},
             "rounding": "\(pick(["half-even", "half-up", "floor"]))"}
            """
        let flat = #"{"basis_points": 250, "minimum": "0.30", "maximum": "1.00"}"#
        let volume = #""volume": "\#(pick(["add", "none", "subtract"]))""#
        let waiver = #""waivers": [{"reason": "w", "accounts": ["shops:a"], "from": "2026-01-15T08:00:00Z", "until": "2026-02-10", "basis_points": \#(pick(["5000", "10000"]))}]"#
        var rules = [
            #"{"name": "eu", "kinds": ["card.*"], "accounts": ["shops:*"], "side": "credit", "fields": {"region": ["eu"]}, \#(volume), "prices": {"EUR": \#(tiers)}}"#,
            #"{"name": "rest", "kinds": ["card.charged"], "accounts": ["\#(pick(["**", "shops:a"]))"], "side": "credit", "prices": {"EUR": \#(pick([flat, tiers]))}, \#(waiver)}"#,
            #"{"name": "back", "kinds": ["refund"], "accounts": ["shops:*"], "side": "debit", "volume": "subtract", "prices": {"EUR": \#(pick([#"{"basis_points": -100}"#, tiers]))}}"#,
        ]
        if Bool.random(using: &random) { rules.remove(at: Int.random(in: 0..<3, using: &random)) }
        return """
            {"schedule": "s", "version": \(version), "effective_from": "\(times.randomElement(using: &random)!)", "income": "fees", "rules": [\(rules.joined(separator: ", "))]}
            """
    }

    // MARK: - What happens

    private static func sell(_ book: TestBook, _ history: inout History, _ random: inout Seeded) async throws {
        let (shop, kind) = (shops.randomElement(using: &random)!, (["card.charged", "card.charged", "card.swiped", "refund"] as [EntryKind]).randomElement(using: &random)!)
        let amount = Int64.random(in: 1...4000, using: &random)
        let region: JSON = ["eu", "us", 1].randomElement(using: &random)!
        let (debit, credit): (AccountPath, AccountPath) = kind == "refund" ? (shop, "clearing") : ("clearing", shop)
        var entry = Entry(
            id: EntryID(high: random.next(), low: random.next()), kind: kind, effectiveAt: try Timestamp(times.randomElement(using: &random)!),
            payload: ["region": region], postings: [Posting(debit: debit, credit: credit, amount: Amount(minorUnits: amount, .eur))])
        if Int.random(in: 0..<5, using: &random) > 0 {
            try await book.ledger.post(entry)
            history.sales.append(Sale(entry: entry.id, kind: kind, shop: shop, amount: amount, region: region, effective: entry.effectiveAt!, last: entry.id))
            return
        }
        entry.hold = Hold()
        try await book.ledger.post(entry)
        // What is held is not charged; what is captured is, as of its own time.
        guard Bool.random(using: &random) else { return }
        let part = Int64.random(in: 1...amount, using: &random)
        try await book.ledger.capture(entry.id, amounts: [Amount(minorUnits: part, .eur)])
        let id = EntryID.settlement(of: entry.id)
        let capture = try #require(await book.ledger.entry(id))
        history.sales.append(Sale(entry: id, kind: kind, shop: shop, amount: part, region: region, effective: capture.effectiveAt, last: id))
    }

    private static func reverse(_ book: TestBook, _ history: inout History, _ random: inout Seeded) async throws {
        guard let index = history.sales.indices.randomElement(using: &random) else { return }
        let last = history.sales[index].last
        try await book.ledger.reverse(last)
        history.sales[index].last = .reversal(of: last)
        history.sales[index].isReversed.toggle()
    }

    private static func publish(_ book: TestBook, _ history: inout History, _ random: inout Seeded) async throws {
        let text = document(history.schedules.count + 1, &random)
        try await book.ledger.publishFeeSchedule(text)
        history.schedules.append(try FeeSchedule(try JSON(parsing: text), currencies: Currency.iso, zone: .gmt))
    }

    // MARK: - What follows

    private static func fold(_ history: History) throws -> (fees: [EntryID: FeeComponents], months: [String: Int128]) {
        var volumes: [String: Int128] = [:]
        var fees: [EntryID: FeeComponents] = [:]
        var months: [String: Int128] = [:]
        let ranked = history.sales.filter { !$0.isReversed }.sorted { left, right in
            left.effective != right.effective ? left.effective < right.effective : left.entry.bytes.lexicographicallyPrecedes(right.entry.bytes)
        }
        for sale in ranked {
            let side: Side = sale.kind == "refund" ? .debit : .credit
            let version = history.schedules.filter { $0.effectiveFrom <= sale.effective }.max { ($0.effectiveFrom, $0.version) < ($1.effectiveFrom, $1.version) }
            let rule = version?.rules.first { rule in
                rule.kinds.contains { $0.matches(sale.kind) } && rule.side == side && rule.accounts.contains { $0.matches(sale.shop) }
                    && rule.fields.allSatisfy { $0.values.contains(sale.region) }
            }
            guard let rule, let price = rule.price(.eur) else { continue }
            let month = "\(sale.shop) \(sale.effective.description.prefix(7))"
            let waiver = rule.waivers.first { $0.fits(sale.shop, at: sale.effective) { nil } }
            let fee = price.fee(Int128(sale.amount), volume: volumes[month, default: 0], waived: waiver?.basisPoints)
            volumes[month, default: 0] += rule.volume.counted(Int128(sale.amount))
            fees[sale.entry] = fee
            months[month, default: 0] += fee.fee
        }
        return (fees, months)
    }

    private static func expectFold(_ book: TestBook, _ history: History, _ when: String) async throws {
        let (fees, months) = try fold(history)
        for sale in history.sales {
            let row = try await book.ledger.fees(of: sale.entry).fees.last
            let now = row?.version == nil ? nil : row?.components
            #expect(now == fees[sale.entry], "\(when): \(sale.kind) \(sale.amount) of \(sale.shop) at \(sale.effective), reversed \(sale.isReversed)")
        }
        var projected: [String: Int128] = [:]
        for month in try await book.ledger.feeMonths().months where month.charged > 0 { projected["\(month.account.path) \(month.month)"] = month.fees }
        #expect(projected == months, "\(when)")
    }

    @Test(.timeLimit(.minutes(3)), arguments: 0..<4) func `the fees of a random history are those of a fold over it, at any time`(run: Int) async throws {
        var random = Seeded("fee fold \(run)")
        try await withBook { book in
            for path in ["clearing", "fees", "shops:a", "shops:b"] as [AccountPath] { try await book.ledger.openAccount(path, in: .eur, type: .liability) }
            var history = History()
            for round in 0..<8 {
                // Early enough to apply to what comes, and late enough to apply to what has come.
                if round == 2 { try await Self.publish(book, &history, &random) }
                for _ in 0..<12 {
                    switch Int.random(in: 0..<12, using: &random) {
                    case 0: try await Self.publish(book, &history, &random)
                    case 1, 2: try await Self.reverse(book, &history, &random)
                    case 3: try await book.withProjector(positionsMax: [1, 3, nil].randomElement(using: &random)!) { _ = try await $0.catchUp(["fee"]) }
                    default: try await Self.sell(book, &history, &random)
                    }
                }
                try await book.withProjector(positionsMax: [1, 2, 5, nil].randomElement(using: &random)!) { _ = try await $0.catchUp(["fee"]) }
                try await Self.expectFold(book, history, "seed \(random.seed), round \(round)")
            }
            #expect(!history.schedules.isEmpty && history.sales.count >= 30)
        }
    }
}
