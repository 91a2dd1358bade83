import Foundation
import IndelibleTesting

@testable import LedgerModel
@testable import LedgerStore

/// A random history for fees: several schedules whose versions come in any order, entries that come late, captures, reversals and their
/// reversals, months that are assessed.
struct FeeAuditHistory {
    let book: TestBook
    /// What may be reversed.
    private var standing: [EntryID] = []

    static let merchants: [AccountPath] = [
        "merchants:anna", "merchants:bob", "merchants:new:carl", "merchants:new:dora:west", "Merchants:anna", "merchants", "merchants:o.k (1)^[2]",
        "merchants:o-k (1)^[2]", "merchants:café",
    ]

    init(_ book: TestBook) async throws {
        self.book = book
        for currency in [CurrencyCode.eur, .jpy] {
            try await book.ledger.openAccount("cash", in: currency, type: .asset)
            try await book.ledger.openAccount("fees:platform", in: currency, type: .income)
            for path in Self.merchants { try await book.ledger.openAccount(path, in: currency, type: .liability) }
        }
    }

    // MARK: - Schedules

    /// `published` names the versions in the order in which they are published.
    static let published = [cards(1, "2026-01-01", 140), wires, cards(4, "2026-02-10", 290), cards(2, "2026-01-15", 95), cards(3, "2026-02-10", 111), tips]

    private static func cards(_ version: Int, _ from: String, _ points: Int) -> String {
        """
        {"schedule": "cards", "version": \(version), "effective_from": "\(from)", "income": "fees:platform", "description": "“cards”", "rules": [
          {"name": "Europe", "kinds": ["card.charged", "wire.sent"], "accounts": ["merchants:*", "merchants:new:**"], "side": "credit",
           "fields": {"card.region": ["eu", "u\\"k", 5], "card.present": [true]},
           "prices": {"EUR": {"basis_points": \(points), "fixed": "0.25", "minimum": "0.30", "maximum": "\(version).00", "rounding": "half-up"},
                      "*": {"basis_points": "287.5001", "rounding": "ceiling"}},
           "waivers": [{"reason": "launch", "accounts": ["merchants:new:**"], "from": "2026-01-01", "until": "2026-02-01", "basis_points": 10000},
                       {"reason": "a friend", "fields": {"friend": [true, "yes"]}, "basis_points": "3333.3333"}]},
          {"name": "volume", "kinds": ["card.*"], "accounts": ["merchants:*"], "side": "credit", "prices": {"EUR": {"tiers": {"by": "volume",
           "mode": "\(version == 2 ? "whole" : "graduated")", "steps": [{"from": "0.00", "basis_points": 290, "fixed": "0.30"},
           {"from": "100.00", "basis_points": 250.1234, "fixed": "0.1"}, {"from": "250.5", "basis_points": 99.9}]}, "maximum": "2.10"}}},
          {"name": "refunds", "kinds": ["card.refunded"], "accounts": ["merchants:**"], "side": "debit", "volume": "subtract",
           "prices": {"EUR": {"basis_points": -\(points), "rounding": "floor"}},
           "waivers": [{"reason": "spring", "from": "2026-03-01T00:00:00.5+01:00", "basis_points": 5000}]}]}
        """
    }

    private static let wires = """
        {"schedule": "wires", "version": 7, "effective_from": "2026-01-20T12:00:00.25+01:00", "income": "fees:platform", "rules": [
          {"name": "by amount", "kinds": ["wire.sent", "card.charged"], "accounts": ["merchants:anna", "merchants:new:*", "merchants", "merchants:o.k (1)^[2]", "merchants:cafe\u{301}"], "side": "debit",
           "volume": "none", "prices": {"EUR": {"rounding": "up", "tiers": {"by": "amount", "mode": "graduated", "steps": [{"from": "0"},
            {"from": "20.00", "basis_points": 100, "fixed": "1.00"}, {"from": "60.00", "basis_points": "-50.5"}]}}}},
          {"name": "whole", "kinds": ["wire.*"], "accounts": ["merchants:**"], "side": "credit", "prices": {
            "JPY": {"rounding": "down", "tiers": {"by": "amount", "mode": "whole", "steps": [{"from": "0", "fixed": "-3"}, {"from": "40", "basis_points": 1234}]}},
            "EUR": {"tiers": {"by": "volume", "mode": "graduated", "steps": [{"from": "0", "basis_points": 50}, {"from": "30.00", "basis_points": 25}]}}}}]}
        """

    /// Half of what is charged rounds at the very middle.
    private static let tips = """
        {"schedule": "tips", "version": 1, "effective_from": "1000-01-01T00:00:00Z", "income": "fees:platform", "rules": [
          {"name": "all", "kinds": ["tip"], "accounts": ["merchants:anna"], "side": "credit", "prices": {"*": {"basis_points": 5000}}},
          {"name": "back", "kinds": ["tip"], "accounts": ["merchants:anna"], "side": "debit", "prices": {"EUR": {"basis_points": -5000}}}]}
        """

    // MARK: - Entries

    /// Some are at a border of a month, of a version or of a waiver, or at the same instant.
    private static func instant(_ random: inout Seeded) -> Timestamp {
        let borders = [
            "2026-01-31T22:59:59.999999Z", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z", "2026-02-09T23:00:00Z", "2026-02-10T00:00:00Z",
            "2026-01-20T11:00:00.25Z", "2026-03-31T22:00:00Z", "2026-02-28T23:00:00.5Z", "2026-01-10T00:00:00Z", "2026-01-14T22:59:59.999999Z", "1000-01-01T03:00:00Z", "1000-01-31T23:30:00Z", "1400-01-05T00:00:00Z", "9999-12-31T20:00:00Z",
        ]
        if Bool.random(using: &random) { return try! Timestamp(borders.randomElement(using: &random) ?? "") }
        let begin = try! Timestamp("2025-12-30").microseconds
        return Timestamp(microseconds: begin + Int64.random(in: 0..<95 * 24, using: &random) * 3_600_000_000)
    }

    private static func payload(_ random: inout Seeded) -> [String: JSON] {
        var payload: [String: JSON] = [:]
        let region: JSON? = ["eu", "u\"k", 5, "5", "us", true, nil, ["eu"]].randomElement(using: &random) ?? nil
        var card: [String: JSON] = ["present": .bool(Int.random(in: 0..<4, using: &random) > 0)]
        card["region"] = region
        if Int.random(in: 0..<8, using: &random) > 0 { payload["card"] = .object(card) } else { payload["card.region"] = "eu" }
        payload["friend"] = [true, false, "yes", "no", "true", nil].randomElement(using: &random) ?? nil
        return payload
    }

    private static func posting(_ currency: CurrencyCode, _ random: inout Seeded) -> Posting {
        let merchant = merchants.randomElement(using: &random) ?? "merchants"
        let amount = Amount(minorUnits: Int64.random(in: 1...9000, using: &random) / (Bool.random(using: &random) ? 1 : 100) + 1, currency)
        return Int.random(in: 0..<3, using: &random) > 0
            ? Posting(debit: "cash", credit: merchant, amount: amount) : Posting(debit: merchant, credit: "cash", amount: amount)
    }

    mutating func post(_ count: Int, _ random: inout Seeded) async throws {
        let kinds: [EntryKind] = ["card.charged", "card.charged", "tip", "tip", "card.refunded", "card.other", "wire.sent", "wire.back", "tip", "payout"]
        for _ in 0..<count {
            if Int.random(in: 0..<6, using: &random) == 0, let id = standing.randomElement(using: &random) {
                standing.removeAll { $0 == id }
                // It can be reversed again.
                standing.append(try await book.ledger.reverse(id).id)
                continue
            }
            var entry = Entry(kind: kinds.randomElement(using: &random) ?? "tip", payload: Self.payload(&random))
            let currency = Int.random(in: 0..<4, using: &random) == 0 ? CurrencyCode.jpy : .eur
            entry.postings = (0..<Int.random(in: 1...3, using: &random)).map { _ in Self.posting(currency, &random) }
            if Int.random(in: 0..<5, using: &random) == 0 {
                entry.hold = Hold()
                try await book.ledger.post(entry)
                if Bool.random(using: &random) { standing.append(try await book.ledger.capture(entry.id).id) }
            } else {
                entry.effectiveAt = Self.instant(&random)
                try await book.ledger.post(entry)
                standing.append(entry.id)
            }
        }
    }

    /// Posts what is due, and reverses one of these entries.
    mutating func assess(_ month: String, _ random: inout Seeded) async throws {
        try await book.project()
        let posted = try await book.ledger.assessFees(for: try AccountingMonth(month)).posted
        if let one = posted.randomElement(using: &random) { standing.append(try await book.ledger.reverse(one.receipt.id).id) }
    }
}
