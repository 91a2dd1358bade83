/// Random fee schedules, as documents: everything that docs/fees.md knows is in some of them.
struct FeeDocuments: Sendable {
    struct Coin: Sendable {
        let code: String
        let exponent: Int
        /// What is charged is mostly less than this, in minor units, and edges are around it.
        let size: Int64
    }

    static let coins = [
        Coin(code: "EUR", exponent: 2, size: 20_000), Coin(code: "JPY", exponent: 0, size: 20_000), Coin(code: "KWD", exponent: 3, size: 90_000),
        Coin(code: "COIN", exponent: 8, size: 5_000_000_000),
    ]
    /// Who may be charged.
    static let paths = ["merchants:a", "merchants:b", "merchants:new:c", "merchants:new:deep:d", "shops:e", "bank"]
    static let kinds = ["card.charged", "card.refunded", "card.disputed", "transfer.sent"]
    static let regions = ["eu", "uk", "us", "ü\"x"]

    static let roundings = ["half-even", "half-up", "down", "up", "floor", "ceiling"]
    static let patterns = ["merchants:*", "merchants:**", "merchants:new:**", "*:new:*", "merchants:a", "shops:*", "**", "*:*", "merchants:*:*:*"]
    private static let kindPatterns = ["card.charged", "card.*", "card.refunded", "transfer.sent", "transfer.*", "card.disputed"]

    /// Of accounts, in rules and waivers.
    var accountPatterns = patterns
    /// What an account moves in a month, in sizes of charges: edges are up to there.
    var reach: Int64 = 15

    /// Days of the history, from 2026-01-01.
    static let days = 110
    private static let begin = SimpleCalendar.days(2026, 1, 1)

    /// `2026-01-31`
    static func day(_ number: Int) -> String {
        let date = SimpleCalendar.date(begin + number)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }

    /// An instant that others share: of a few hours around the ends of days.
    static func instant(_ random: inout some RandomNumberGenerator) -> Int64 {
        let hour = [0, 1, 12, 22, 23].randomElement(using: &random) ?? 0
        let seconds = Int64(begin + Int.random(in: 0..<days, using: &random)) * 86_400 + Int64(hour) * 3600
        return seconds * 1_000_000 - (Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0)
    }

    static func when(_ random: inout some RandomNumberGenerator, _ range: Range<Int> = 0..<days) -> String {
        let day = day(Int.random(in: range, using: &random))
        return switch Int.random(in: 0..<4, using: &random) {
        case 0: day + "T22:59:59.999999Z"
        case 1: day + "T12:00:00+01:00"
        default: day
        }
    }

    // MARK: - Parts

    static func some<T>(_ all: [T], _ count: ClosedRange<Int>, _ random: inout some RandomNumberGenerator) -> [T] {
        Array(all.shuffled(using: &random).prefix(Int.random(in: count, using: &random)))
    }

    private static func list(_ texts: [String]) -> String { "[" + texts.map { "\"\($0)\"" }.joined(separator: ",") + "]" }

    /// Minor units as a text, sometimes without zeros at its end.
    static func amount(_ units: Int64, _ exponent: Int, _ random: inout some RandomNumberGenerator) -> String {
        var digits = String(units.magnitude)
        digits = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        var fraction = String(digits.suffix(exponent))
        if Bool.random(using: &random) { while fraction.hasSuffix("0") { fraction.removeLast() } }
        return "\"" + (units < 0 ? "-" : "") + digits.dropLast(exponent) + (fraction.isEmpty ? "" : "." + fraction) + "\""
    }

    /// As a number or as a text, with up to four decimals.
    static func points(_ range: ClosedRange<Int64>, _ random: inout some RandomNumberGenerator) -> String {
        let unit: Int64 = [1, 100, 10_000, 10_000].randomElement(using: &random) ?? 1
        let parts = Int64.random(in: range, using: &random) / unit * unit
        let text = amount(parts == 0 ? 10_000 : parts, 4, &random)
        return Bool.random(using: &random) ? text : String(text.dropFirst().dropLast())
    }

    private static func fields(_ random: inout some RandomNumberGenerator) -> String {
        let all = [
            "\"card.region\":" + list(some(regions, 1...3, &random).map { $0.replacing("\"", with: "\\\"") }), "\"level\":[1,3,-2]", "\"level\":[\"1\",2]", "\"vip\":[true]", "\"vip\":[false,\"no\"]",
            "\"reference\":[\"r1\",\"r2\"]", "\"card.deep.er\":[9007199254740993]", "\"missing\":[true]",
        ]
        // A member is there once.
        var members: [Substring: String] = [:]
        for field in some(all, 1...2, &random) { members[field.prefix { $0 != ":" }] = field }
        return "{" + members.values.sorted().joined(separator: ",") + "}"
    }

    // MARK: - A document

    func document(_ name: String, version: Int, from: String, _ random: inout some RandomNumberGenerator) -> String {
        let count = Int.random(in: 1...4, using: &random)
        let rules = (0..<count).map { rule($0, &random) }
        return """
            {"schedule":"\(name)","version":\(version),"effective_from":"\(from)","income":"fees:platform","rules":[\(rules.joined(separator: ","))]}
            """
    }

    private func rule(_ number: Int, _ random: inout some RandomNumberGenerator) -> String {
        var members = [
            "\"name\":\"rule \(number)\"", "\"kinds\":" + Self.list(Self.some(Self.kindPatterns, 1...3, &random)),
            "\"accounts\":" + Self.list(Self.some(accountPatterns, 1...2, &random)), "\"side\":\"\(Bool.random(using: &random) ? "debit" : "credit")\"",
        ]
        if Int.random(in: 0..<4, using: &random) == 0 { members.append("\"fields\":" + Self.fields(&random)) }
        if let volume = ["add", "subtract", "none", nil, nil].randomElement(using: &random) ?? nil { members.append("\"volume\":\"\(volume)\"") }
        var prices = Self.some(Self.coins, 1...4, &random).map { "\"\($0.code)\":" + price($0, &random) }
        if Int.random(in: 0..<3, using: &random) == 0 { prices.append("\"*\":{\"basis_points\":\(Self.points(-300_000...9_000_000, &random))}") }
        members.append("\"prices\":{\(prices.joined(separator: ","))}")
        let waivers = (0..<Int.random(in: 0...2, using: &random)).map { waiver($0, &random) }
        if !waivers.isEmpty { members.append("\"waivers\":[\(waivers.joined(separator: ","))]") }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func waiver(_ number: Int, _ random: inout some RandomNumberGenerator) -> String {
        let isWhole = Int.random(in: 0..<3, using: &random) == 0
        var members = ["\"reason\":\"waiver \(number)\"", "\"basis_points\":\(isWhole ? "10000" : Self.points(10_000...99_990_000, &random))"]
        if Bool.random(using: &random) { members.append("\"accounts\":" + Self.list(Self.some(accountPatterns, 1...2, &random))) }
        if Int.random(in: 0..<4, using: &random) == 0 { members.append("\"fields\":" + Self.fields(&random)) }
        if Bool.random(using: &random) { members.append("\"from\":\"\(Self.when(&random, 0..<Self.days / 2))\"") }
        if Bool.random(using: &random) { members.append("\"until\":\"\(Self.when(&random, Self.days / 2 + 1..<Self.days))\"") }
        return "{" + members.joined(separator: ",") + "}"
    }

    private func price(_ coin: Coin, _ random: inout some RandomNumberGenerator) -> String {
        let mayBeNegative = Int.random(in: 0..<3, using: &random) == 0
        var members: [String]
        if Int.random(in: 0..<5, using: &random) < 2 {
            members = Self.share(coin, mayBeNegative, &random)
        } else {
            let by = Int.random(in: 0..<3, using: &random) == 0 ? "amount" : "volume"
            let mode = Bool.random(using: &random) ? "graduated" : "whole"
            let reach = by == "amount" ? coin.size : coin.size * self.reach
            let edges = Set((0..<Int.random(in: 0...4, using: &random)).map { _ in Int64.random(in: 1...reach, using: &random) }).union([0]).sorted()
            let steps = edges.map { edge in
                "{" + (["\"from\":" + Self.amount(edge, coin.exponent, &random)] + Self.share(coin, mayBeNegative, &random)).joined(separator: ",") + "}"
            }
            members = ["\"tiers\":{\"by\":\"\(by)\",\"mode\":\"\(mode)\",\"steps\":[\(steps.joined(separator: ","))]}"]
        }
        if !mayBeNegative {
            let minimum = Int64.random(in: 0...coin.size / 50, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 { members.append("\"minimum\":" + Self.amount(minimum, coin.exponent, &random)) }
            let maximum = minimum + Int64.random(in: 0...coin.size / 20, using: &random)
            if Int.random(in: 0..<3, using: &random) == 0 { members.append("\"maximum\":" + Self.amount(maximum, coin.exponent, &random)) }
        }
        if Int.random(in: 0..<4, using: &random) > 0 { members.append("\"rounding\":\"\(Self.roundings.randomElement(using: &random) ?? "")\"") }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// Basis points and what is fixed, or one of them.
    private static func share(_ coin: Coin, _ mayBeNegative: Bool, _ random: inout some RandomNumberGenerator) -> [String] {
        let points = "\"basis_points\":" + Self.points(mayBeNegative ? -10_000_000...10_000_000 : 0...8_000_000, &random)
        let fixed = "\"fixed\":" + Self.amount(Int64.random(in: mayBeNegative ? -coin.size / 100...coin.size / 100 : 0...coin.size / 100, using: &random), coin.exponent, &random)
        return [[points], [fixed], [points, fixed], [points, fixed]].randomElement(using: &random) ?? []
    }
}
