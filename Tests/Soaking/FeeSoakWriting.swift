import Indelible
import Synchronization

/// Posts what ``FeeSoak`` wants to be charged.
final class FeeSoakWriting: Sendable {
    private static let begin = Int64(SimpleCalendar.days(2026, 1, 1)) * 86_400
    /// Never the bank: it is in every entry.
    private static let documents = FeeDocuments(accountPatterns: FeeDocuments.patterns.filter { $0 != "**" }, reach: 300)

    private static let codes = FeeDocuments.coins.map { coin in (try? CurrencyCode(coin.code)) ?? .eur }

    private let ledger: Ledger
    private let options: FeeSoak.Options
    private let begun = ContinuousClock.now
    private let noted = Mutex(FeeSoak.Outcome())

    init(_ ledger: Ledger, _ options: FeeSoak.Options) { (self.ledger, self.options) = (ledger, options) }

    var outcome: FeeSoak.Outcome { noted.withLock { $0 } }

    private func note(_ change: (inout FeeSoak.Outcome) -> Void) { noted.withLock { change(&$0) } }

    private static func path(_ shop: Int) -> AccountPath {
        AccountPath(stringLiteral: ["merchants:\(shop)", "merchants:new:\(shop)", "shops:\(shop)", "merchants:new:deep:\(shop)"][shop / 4 % 4])
    }

    private static func coin(_ shop: Int) -> FeeDocuments.Coin { FeeDocuments.coins[shop % 4] }

    /// Accounts, and the first version of a schedule.
    func open() async throws {
        for coin in FeeDocuments.coins {
            let code = try CurrencyCode(coin.code)
            if Currency.iso(code) == nil { try await ledger.defineCurrency(try Currency(code, exponent: coin.exponent)) }
            for path in ["bank", "fees:platform"] { try await ledger.openAccount(try AccountPath(path), in: code, type: .liability) }
        }
        for shop in 0..<options.shops {
            try await ledger.openAccount(Self.path(shop), in: try CurrencyCode(Self.coin(shop).code), type: .liability)
        }
        try await ledger.publishFeeSchedule(Self.cards(1, "2026-01-01"))
        note { $0.published += 1 }
    }

    /// Tiers by volume for every currency, and refunds that are taken off it.
    private static func cards(_ version: Int, _ from: String) -> String {
        let prices = FeeDocuments.coins.map { coin in
            func text(_ units: Int64) -> String {
                let digits = String(units)
                let padded = String(repeating: "0", count: max(0, coin.exponent + 1 - digits.count)) + digits
                return "\"" + padded.dropLast(coin.exponent) + (coin.exponent == 0 ? "" : "." + padded.suffix(coin.exponent)) + "\""
            }
            let edges = [0, coin.size * 40, coin.size * 150 + Int64(version), coin.size * 400]
            let steps = edges.enumerated().map { "{\"from\":\(text($1)),\"basis_points\":\(290 - 30 * $0 - version),\"fixed\":\(text(coin.size / 1000))}" }
            let mode = version % 2 == 0 ? "whole" : "graduated"
            return "\"\(coin.code)\":{\"tiers\":{\"by\":\"volume\",\"mode\":\"\(mode)\",\"steps\":[\(steps.joined(separator: ","))]}}"
        }
        return """
            {"schedule":"cards","version":\(version),"effective_from":"\(from)","income":"fees:platform","rules":[
            {"name":"refunds","kinds":["card.refunded"],"accounts":["merchants:**"],"side":"debit","volume":"subtract","prices":{"*":{"basis_points":-140}}},
            {"name":"cards","kinds":["card.*"],"accounts":["merchants:**","shops:*"],"side":"credit","prices":{\(prices.joined(separator: ","))}}]}
            """
    }

    // MARK: - Writing

    /// How far the history is, from 0 to 1000.
    private var progress: Int { min(1000, outcome.posted * 1000 / max(1, options.charges)) }

    private var isOver: Bool { outcome.posted >= options.charges && begun.duration(to: .now) >= options.duration }

    /// - Parameter publishes: from time to time a schedule.
    func write(_ random: SoakRandom, publishes: Bool) async throws {
        var random = random
        var due = publishes ? Self.publications(&random) : []
        while !isOver {
            let now = progress
            let entries = (0..<Int.random(in: 1...options.batch, using: &random)).map { _ in entry(now, &random) }
            try await ledger.post(entries)
            note { $0.posted += entries.count }
            for entry in entries.shuffled(using: &random).prefix(3) {
                if entry.hold != nil {
                    let amounts = entry.postings.map { Amount(minorUnits: Int64.random(in: 1...$0.amount.minorUnits, using: &random), $0.amount.currency) }
                    try await ledger.capture(entry.id, amounts: amounts)
                    note { $0.captured += 1 }
                } else if Int.random(in: 0..<2, using: &random) == 0 {
                    try await ledger.reverse(entry.id)
                    note { $0.reversed += 1 }
                    if Int.random(in: 0..<3, using: &random) > 0 { continue }
                    try await ledger.reverse(.reversal(of: entry.id))
                    note { $0.reversed += 1 }
                }
            }
            while let next = due.last, next.progress <= now {
                due.removeLast()
                try await ledger.publishFeeSchedule(next.document)
                note { $0.published += 1 }
            }
            if options.restMilliseconds > 0 { try await Task.sleep(for: .milliseconds(Int.random(in: 0...options.restMilliseconds, using: &random))) }
        }
    }

    /// What is published when, the last one first.
    private static func publications(_ random: inout SoakRandom) -> [(progress: Int, document: String)] {
        var all: [(progress: Int, document: String)] = []
        for version in 2...4 {
            let at = version * 220 + Int.random(in: 0..<100, using: &random)
            all.append((at, cards(version, FeeDocuments.when(&random, 20..<FeeDocuments.days))))
        }
        for schedule in 0..<3 {
            for version in [2, 1] {
                let from = FeeDocuments.when(&random, 0..<FeeDocuments.days)
                all.append((Int.random(in: 0..<950, using: &random), documents.document("extra\(schedule)", version: version, from: from, &random)))
            }
        }
        return all.sorted { $0.progress > $1.progress }
    }

    /// It counts about now, or late, or at some time.
    private func time(_ progress: Int, _ random: inout SoakRandom) -> Timestamp {
        let span = Int64(FeeDocuments.days) * 86_400
        let now = span * Int64(progress) / 1000 + Int64.random(in: 0..<span / 500, using: &random)
        let seconds =
            switch Int.random(in: 0..<100, using: &random) {
            case 0: Int64.random(in: 0..<span, using: &random)
            case ..<12: max(0, now - Int64.random(in: 0..<20 * 86_400, using: &random))
            default: now
            }
        // Some share their second.
        return Timestamp(microseconds: (Self.begin + seconds / 60 * 60) * 1_000_000)
    }

    private func entry(_ progress: Int, _ random: inout SoakRandom) -> Entry {
        let kind: EntryKind =
            switch Int.random(in: 0..<100, using: &random) {
            case ..<82: "card.charged"
            case ..<94: "card.refunded"
            case ..<97: "card.disputed"
            default: "transfer.sent"
            }
        var entry = Entry(kind: kind, effectiveAt: time(progress, &random))
        entry.postings = (0..<(Int.random(in: 0..<15, using: &random) == 0 ? 3 : 1)).map { _ in posting(kind, &random) }
        if Int.random(in: 0..<3, using: &random) == 0 {
            entry.payload = ["card": ["region": .string(FeeDocuments.regions.randomElement(using: &random) ?? "")]]
        }
        if Int.random(in: 0..<60, using: &random) == 0 { entry.hold = Hold() }
        return entry
    }

    private func posting(_ kind: EntryKind, _ random: inout SoakRandom) -> Posting {
        // Some have much more than others.
        let most = Bool.random(using: &random) ? options.shops : max(1, options.shops / 10)
        let shop = Int.random(in: 0..<most, using: &random)
        let amount = Amount(minorUnits: Int64.random(in: 1...Self.coin(shop).size, using: &random), Self.codes[shop % 4])
        let path = Self.path(shop)
        return kind == "card.refunded" ? Posting(debit: path, credit: "bank", amount: amount) : Posting(debit: "bank", credit: path, amount: amount)
    }
}
