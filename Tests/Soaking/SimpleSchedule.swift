/// One version of a fee schedule, read from its document as docs/fees.md describes it. What is wrong with a document is for others to
/// say: this reads those that stand in the journal.
struct SimpleSchedule: Sendable {
    let name: String
    let version: Int
    let effectiveFrom: Int64
    let rules: [Rule]

    struct Rule: Sendable {
        let kinds: [String]
        let accounts: [Pattern]
        let isDebit: Bool
        let fields: [Field]
        /// What is counted for each unit: 1, -1 or 0.
        let volume: Int128
        let prices: [String: Price]
        let waivers: [Waiver]
    }

    /// Segments of a path; `*` is any one of them, `**` at the end one or more.
    struct Pattern: Sendable {
        let segments: [String]

        init(_ text: String) { segments = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }

        func fits(_ path: [String]) -> Bool {
            var rest = segments
            if rest.last == "**" {
                rest.removeLast()
                if path.count <= rest.count { return false }
            } else if path.count != rest.count {
                return false
            }
            for place in 0..<rest.count where rest[place] != "*" && rest[place] != path[place] { return false }
            return true
        }
    }

    struct Field: Sendable {
        let path: [String]
        let values: [SimpleJSON]

        func fits(_ payload: SimpleJSON) -> Bool {
            guard let there = payload.at(path) else { return false }
            return values.contains(there)
        }
    }

    struct Price: Sendable {
        /// Without tiers one step, from 0.
        var steps: [Step] = []
        var hasTiers = false
        var isByVolume = false
        var isWhole = false
        var minimum: Int128?
        var maximum: Int128?
        var rounding = "half-even"
    }

    struct Step: Sendable {
        /// Minor units.
        let from: Int128
        /// 1/100,000,000 of the amount.
        let share: Int128
        /// Minor units.
        let fixed: Int128
    }

    struct Waiver: Sendable {
        let share: Int128
        let accounts: [Pattern]?
        let fields: [Field]
        let from: Int64?
        let until: Int64?
    }

    /// - Parameter exponents: the currencies that the book has.
    init(_ document: SimpleJSON, _ calendar: SimpleCalendar, exponents: [String: Int]) throws {
        name = try Self.text(document, "schedule")
        version = Int(try Self.decimal(document["version"], decimals: 0))
        effectiveFrom = try calendar.instant(try Self.text(document, "effective_from"))
        rules = try (document["rules"]?.items ?? []).map { rule in
            var prices: [String: Price] = [:]
            for (code, price) in rule["prices"]?.members ?? [:] {
                // There is no account in a currency that the book does not have. What is for all others has no amounts.
                guard let exponent = code == "*" ? 0 : exponents[code] else { continue }
                prices[code] = try Self.price(price, exponent)
            }
            return Rule(
                kinds: (rule["kinds"]?.items ?? []).compactMap(\.string), accounts: Self.patterns(rule["accounts"]),
                isDebit: try Self.text(rule, "side") == "debit", fields: Self.fields(rule["fields"]),
                volume: ["subtract": -1, "none": 0][rule["volume"]?.string ?? "add"] ?? 1, prices: prices,
                waivers: try (rule["waivers"]?.items ?? []).map { try Self.waiver($0, calendar) })
        }
    }

    /// A rule names the account.
    func mayCharge(_ path: [String]) -> Bool {
        for rule in rules {
            for pattern in rule.accounts where pattern.fits(path) { return true }
        }
        return false
    }

    private static func text(_ object: SimpleJSON, _ name: String) throws -> String {
        guard let text = object[name]?.string else { throw SimpleJSON.Malformed(description: "no text in \(name)") }
        return text
    }

    private static func patterns(_ list: SimpleJSON?) -> [Pattern] { (list?.items ?? []).compactMap(\.string).map(Pattern.init) }

    private static func fields(_ object: SimpleJSON?) -> [Field] {
        (object?.members ?? [:]).map { name, values in
            Field(path: name.split(separator: ".", omittingEmptySubsequences: false).map(String.init), values: values.items)
        }
    }

    private static func waiver(_ waiver: SimpleJSON, _ calendar: SimpleCalendar) throws -> Waiver {
        Waiver(
            share: try decimal(waiver["basis_points"], decimals: 4), accounts: waiver["accounts"].map { patterns($0) },
            fields: fields(waiver["fields"]), from: try waiver["from"]?.string.map { try calendar.instant($0) },
            until: try waiver["until"]?.string.map { try calendar.instant($0) })
    }

    private static func price(_ price: SimpleJSON, _ exponent: Int) throws -> Price {
        func step(_ json: SimpleJSON) throws -> Step {
            Step(
                from: try decimal(json["from"], decimals: exponent), share: try decimal(json["basis_points"], decimals: 4),
                fixed: try decimal(json["fixed"], decimals: exponent))
        }
        var result = Price()
        if let tiers = price["tiers"] {
            result.hasTiers = true
            result.isByVolume = try text(tiers, "by") == "volume"
            result.isWhole = try text(tiers, "mode") == "whole"
            result.steps = try (tiers["steps"]?.items ?? []).map(step)
        } else {
            result.steps = [try step(price)]
        }
        if let minimum = price["minimum"] { result.minimum = try decimal(minimum, decimals: exponent) }
        if let maximum = price["maximum"] { result.maximum = try decimal(maximum, decimals: exponent) }
        result.rounding = price["rounding"]?.string ?? result.rounding
        return result
    }

    /// `-12.5` with two decimals is -1250; what is left out is 0.
    static func decimal(_ json: SimpleJSON?, decimals: Int) throws -> Int128 {
        guard let json else { return 0 }
        let numeral = json.numeral ?? ""
        let parts = numeral.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        guard (1...2).contains(parts.count), fraction.count <= decimals,
            let number = Int128(String(parts[0]) + fraction + String(repeating: "0", count: decimals - fraction.count))
        else { throw SimpleJSON.Malformed(description: "no number with \(decimals) decimals: \(json)") }
        return numeral.hasPrefix("-") ? -number : number
    }
}
