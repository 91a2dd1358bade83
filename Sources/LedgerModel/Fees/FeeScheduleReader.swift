public import Foundation

extension FeeSchedule {
    /// Reads a document as `docs/fees.md` describes it.
    /// - Parameters:
    ///   - currencies: those of the book; amounts in a document have their decimals.
    ///   - zone: where days begin.
    /// - Throws: `invalidEntry`, `invalidTime` or `unknownCurrency`, with the place in the document, like `rules[0].prices.EUR.fixed`.
    public init(
        _ document: JSON, currencies: @escaping (CurrencyCode) -> Currency?, zone: TimeZone
    ) throws(LedgerError) {
        self = try FeeScheduleReader(currencies: currencies, zone: zone).schedule(Place(document, ""))
    }

    /// The members that each object of a document can have.
    public static let members: [String: Set<String>] = [
        "schedule": ["schedule", "version", "effective_from", "income", "description", "rules"],
        "rule": ["name", "kinds", "accounts", "side", "fields", "volume", "prices", "waivers"],
        "price": ["basis_points", "fixed", "minimum", "maximum", "rounding", "tiers"],
        "tiers": ["by", "mode", "steps"],
        "step": ["from", "basis_points", "fixed"],
        "waiver": ["reason", "accounts", "fields", "from", "until", "basis_points"],
    ]
}

/// A value in a document, and where it is.
private struct Place {
    let value: JSON
    let path: String

    init(_ value: JSON, _ path: String) { (self.value, self.path) = (value, path) }

    func refusal(_ what: String, _ code: LedgerError.Code = .invalidEntry) -> LedgerError {
        LedgerError(code, "fee schedule\(path.isEmpty ? "" : ", \(path)"): \(what)")
    }

    /// Its members, if it has no others than these.
    func object(_ kind: String) throws(LedgerError) -> [String: JSON] {
        guard case .object(let members) = value else { throw refusal("this has to be an object") }
        let known = FeeSchedule.members[kind] ?? []
        for key in members.keys.sorted() where !known.contains(key) {
            throw refusal("“\(key)” is no member here: \(known.sorted().joined(separator: ", "))")
        }
        return members
    }

    func optional(_ key: String) -> Place? {
        value[key].map { Place($0, path.isEmpty ? key : "\(path).\(key)") }
    }

    func member(_ key: String) throws(LedgerError) -> Place {
        guard let place = optional(key) else { throw refusal("“\(key)” is missing") }
        return place
    }

    func items(max: Int) throws(LedgerError) -> [Place] {
        guard case .array(let items) = value, (1...max).contains(items.count) else { throw refusal("this has to be a list of 1 to \(max)") }
        return items.enumerated().map { Place($1, "\(path)[\($0)]") }
    }

    /// Not empty.
    func text() throws(LedgerError) -> String {
        guard case .string(let text) = value, !text.isEmpty else { throw refusal("this has to be text, and not empty") }
        return text
    }

    func word<Word: RawRepresentable<String>>(_: Word.Type, _ all: [String]) throws(LedgerError) -> Word {
        guard case .string(let text) = value, let word = Word(rawValue: text) else {
            throw refusal("this has to be one of \(all.joined(separator: ", "))")
        }
        return word
    }
}

private struct FeeScheduleReader {
    let currencies: (CurrencyCode) -> Currency?
    let zone: TimeZone

    func schedule(_ place: Place) throws(LedgerError) -> FeeSchedule {
        _ = try place.object("schedule")
        let name = try place.member("schedule")
        let text = try name.text()
        let isWellFormed = text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
        guard (1...32).contains(text.utf8.count), isWellFormed, (97...122).contains(text.utf8.first!) else {
            throw name.refusal("“\(text)” is no name of a schedule: 1 to 32 of a-z 0-9 _ -, a letter first")
        }
        let number = try place.member("version")
        guard case .integer(let version) = number.value, version >= 1, let version = UInt32(exactly: version) else {
            throw number.refusal("a version is a whole number from 1 to \(UInt32.max)")
        }
        _ = try place.optional("description")?.text()
        let rules = try place.member("rules").items(max: FeeSchedule.rulesMax)
        var read: [FeeRule] = []
        for place in rules { read.append(try rule(place)) }
        return FeeSchedule(
            name: text, version: version, effectiveFrom: try time(try place.member("effective_from")), income: try path(try place.member("income")),
            rules: read, document: try resolved(place))
    }

    private func rule(_ place: Place) throws(LedgerError) -> FeeRule {
        _ = try place.object("rule")
        var kinds: [KindPattern] = []
        for place in try place.member("kinds").items(max: 100) {
            let text = try place.text()
            guard let kind = KindPattern(text) else {
                throw place.refusal("“\(text)” is no kind of entries: like card.charged, or card.* for all that begin so; none of the ledger's own")
            }
            kinds.append(kind)
        }
        var prices: [CurrencyCode: FeePrice] = [:]
        var other: FeePrice?
        let list = try place.member("prices")
        guard case .object(let members) = list.value, !members.isEmpty else { throw list.refusal("this has to be an object with a price for a currency, or for *") }
        for code in members.keys.sorted() {
            guard let place = list.optional(code) else { continue }
            if code == "*" {
                other = try price(place, nil)
            } else {
                let currency: Currency?
                do { currency = currencies(try CurrencyCode(code)) } catch { throw place.refusal(error.message, error.code) }
                guard let currency else { throw place.refusal("the book has no currency \(code): `indelible currency define` defines one", .unknownCurrency) }
                prices[currency.code] = try price(place, currency)
            }
        }
        var waivers: [FeeWaiver] = []
        if let list = place.optional("waivers") { for place in try list.items(max: 100) { waivers.append(try waiver(place)) } }
        return FeeRule(
            name: try place.member("name").text(), kinds: kinds, accounts: try accounts(try place.member("accounts")),
            side: try side(try place.member("side")), fields: try fields(place.optional("fields")),
            volume: try place.optional("volume")?.word(FeeRule.Volume.self, ["add", "subtract", "none"]) ?? .add,
            prices: prices, otherPrice: other, waivers: waivers)
    }

    private func side(_ place: Place) throws(LedgerError) -> Side {
        switch place.value {
        case "debit": .debit
        case "credit": .credit
        default: throw place.refusal("this has to be one of debit, credit")
        }
    }

    private func accounts(_ place: Place) throws(LedgerError) -> [AccountPattern] {
        var patterns: [AccountPattern] = []
        for place in try place.items(max: 100) {
            let text = try place.text()
            guard let pattern = AccountPattern(text) else {
                throw place.refusal("“\(text)” is no pattern of accounts: like customers:*, or customers:** for any depth")
            }
            patterns.append(pattern)
        }
        return patterns
    }

    private func fields(_ place: Place?) throws(LedgerError) -> [FieldCondition] {
        guard let place else { return [] }
        guard case .object(let members) = place.value, !members.isEmpty else { throw place.refusal("this has to be an object with a list of values for a field") }
        var conditions: [FieldCondition] = []
        for field in members.keys.sorted() {
            guard let list = place.optional(field) else { continue }
            let isWellFormed = field.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { member in
                !member.isEmpty && member.utf8.allSatisfy { UInt8(ascii: "0") <= $0 && $0 <= 57 || (65...90).contains($0) || (97...122).contains($0) || $0 == 95 || $0 == 45 }
            }
            guard isWellFormed else { throw list.refusal("“\(field)” is no field: members' names of A-Z a-z 0-9 _ -, with a . between an object and its member") }
            let values = try list.items(max: 1000)
            for place in values {
                switch place.value {
                case .string, .integer, .bool: break
                default: throw place.refusal("a value is text, a whole number, true or false")
                }
            }
            conditions.append(FieldCondition(field: field, values: values.map(\.value)))
        }
        return conditions
    }

    private func waiver(_ place: Place) throws(LedgerError) -> FeeWaiver {
        _ = try place.object("waiver")
        let share = try place.member("basis_points")
        let waived = try basisPoints(share)
        guard waived.tenThousandths > 0 else { throw share.refusal("what is waived is more than 0; 10000 is all of the fee") }
        let (from, until) = (try place.optional("from").map(time), try place.optional("until").map(time))
        if let from, let until, from >= until { throw place.refusal("it ends (until) before it begins (from)") }
        return FeeWaiver(
            reason: try place.member("reason").text(), accounts: try place.optional("accounts").map { place throws(LedgerError) in try accounts(place) },
            fields: try fields(place.optional("fields")), from: from, until: until, basisPoints: waived)
    }

    // MARK: - Prices

    /// - Parameter currency: nil: any, so there are no amounts.
    private func price(_ place: Place, _ currency: Currency?) throws(LedgerError) -> FeePrice {
        let members = try place.object("price")
        if currency == nil, let amount = ["fixed", "minimum", "maximum", "tiers"].first(where: { members[$0] != nil }) {
            throw place.refusal("a price for every currency has no amounts, so no “\(amount)”: name the currency")
        }
        var tiers: FeePrice.Tiers?
        var steps: [FeePrice.Step] = []
        if let place = place.optional("tiers") {
            if let beside = ["basis_points", "fixed"].first(where: { members[$0] != nil }) {
                throw place.refusal("beside tiers there is no “\(beside)”: it stands in their steps")
            }
            (tiers, steps) = try self.tiers(place, currency)
        } else {
            steps = [try step(place, currency, from: 0)]
        }
        let minimum = try place.optional("minimum").map { place throws(LedgerError) -> Int64 in try amount(place, currency, atLeast: 0) }
        let maximum = try place.optional("maximum").map { place throws(LedgerError) -> Int64 in try amount(place, currency, atLeast: 0) }
        if let minimum, let maximum, minimum > maximum { throw place.refusal("the minimum is more than the maximum") }
        if minimum != nil || maximum != nil, steps.contains(where: { $0.basisPoints.tenThousandths < 0 || $0.fixed < 0 }) {
            throw place.refusal("a price that is negative somewhere has neither minimum nor maximum")
        }
        return FeePrice(
            tiers: tiers, steps: steps, minimum: minimum, maximum: maximum,
            rounding: try place.optional("rounding")?.word(Rounding.self, Rounding.allCases.map(\.rawValue)) ?? .halfEven)
    }

    private func tiers(_ place: Place, _ currency: Currency?) throws(LedgerError) -> (FeePrice.Tiers, [FeePrice.Step]) {
        _ = try place.object("tiers")
        let tiers = FeePrice.Tiers(
            by: try place.member("by").word(FeePrice.Axis.self, ["amount", "volume"]),
            mode: try place.member("mode").word(FeePrice.Mode.self, ["graduated", "whole"]))
        var steps: [FeePrice.Step] = []
        for place in try place.member("steps").items(max: 50) {
            _ = try place.object("step")
            let from = try place.member("from")
            let units = try amount(from, currency, atLeast: 0)
            if let last = steps.last, units <= last.from { throw from.refusal("it has to be more than the one before") }
            if steps.isEmpty, units != 0 { throw from.refusal("the first step begins at 0") }
            steps.append(try step(place, currency, from: units))
        }
        return (tiers, steps)
    }

    private func step(_ place: Place, _ currency: Currency?, from: Int64) throws(LedgerError) -> FeePrice.Step {
        FeePrice.Step(
            from: from, basisPoints: try place.optional("basis_points").map(basisPoints) ?? BasisPoints(tenThousandths: 0),
            fixed: try place.optional("fixed").map { place throws(LedgerError) in try amount(place, currency, atLeast: nil) } ?? 0)
    }

    private func amount(_ place: Place, _ currency: Currency?, atLeast least: Int64?) throws(LedgerError) -> Int64 {
        guard case .string(let text) = place.value, let currency else { throw place.refusal("an amount is text, like \"0.25\"") }
        let units: Int64
        do throws(LedgerError) { units = try currency.amount(text).minorUnits } catch { throw place.refusal(error.message) }
        if let least, units < least { throw place.refusal("it cannot be negative") }
        return units
    }

    private func basisPoints(_ place: Place) throws(LedgerError) -> BasisPoints {
        let text: String? =
            switch place.value {
            case .string(let text): text
            case .integer(let number): String(number)
            case .number(let number): number.description
            default: nil
            }
        guard let points = text.flatMap(BasisPoints.init) else {
            throw place.refusal("basis points are -10000 to 10000, with up to four decimals, like 140 or \"287.5\"")
        }
        return points
    }

    // MARK: - Times

    private func time(_ place: Place) throws(LedgerError) -> Timestamp {
        let text = try place.text()
        do throws(LedgerError) {
            if text.utf8.count == 10 { return try AccountingDay(text).beginning(in: zone) }
            return try Timestamp(text)
        } catch { throw place.refusal(error.message, .invalidTime) }
    }

    private func path(_ place: Place) throws(LedgerError) -> AccountPath {
        let text = try place.text()
        do throws(LedgerError) { return try AccountPath(text) } catch { throw place.refusal(error.message, .invalidAccount) }
    }

    /// The document with instants where it has days.
    private func resolved(_ place: Place) throws(LedgerError) -> JSON {
        guard case .object(var document) = place.value else { return place.value }
        document["effective_from"] = .string(try time(try place.member("effective_from")).description)
        var rules: [JSON] = []
        for place in try place.member("rules").items(max: FeeSchedule.rulesMax) {
            guard case .object(var rule) = place.value else { continue }
            if let list = place.optional("waivers") {
                var waivers: [JSON] = []
                for place in try list.items(max: 100) {
                    guard case .object(var waiver) = place.value else { continue }
                    for key in ["from", "until"] {
                        if let place = place.optional(key) { waiver[key] = .string(try time(place).description) }
                    }
                    waivers.append(.object(waiver))
                }
                rule["waivers"] = .array(waivers)
            }
            rules.append(.object(rule))
        }
        document["rules"] = .array(rules)
        return .object(document)
    }
}
