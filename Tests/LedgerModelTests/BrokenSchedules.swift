import Foundation
import LedgerModel

/// A schedule with everything in it, and what can be wrong with one: each row is a change of it.
enum BrokenSchedules {
    static let sound = """
        {"schedule": "cards", "version": 2, "effective_from": "2026-01-01", "income": "fees:platform", "description": "all of it", "rules": [
          {"name": "plain", "kinds": ["card.charged", "shop.*"], "accounts": ["merchants:*", "partners:**"], "side": "credit",
           "fields": {"card.region": ["eu", 1, true]}, "volume": "none",
           "prices": {"EUR": {"basis_points": 140, "fixed": "0.25", "minimum": "0.30", "maximum": "50.00", "rounding": "half-up"},
                      "*": {"basis_points": "287.5", "rounding": "floor"}},
           "waivers": [{"reason": "launch", "accounts": ["merchants:new:**"], "fields": {"first": [true]}, "from": "2026-01-01",
                        "until": "2026-02-01T00:00:00+01:00", "basis_points": 5000}]},
          {"name": "tiers", "kinds": ["card.charged"], "accounts": ["merchants:*"], "side": "credit",
           "prices": {"EUR": {"tiers": {"by": "volume", "mode": "graduated", "steps": [
             {"from": "0.00", "basis_points": 290, "fixed": "0.30"}, {"from": "10000.00", "basis_points": 12.3456}]}}}},
          {"name": "returns", "kinds": ["card.refunded"], "accounts": ["merchants:*"], "side": "debit", "volume": "subtract",
           "prices": {"JPY": {"basis_points": -140, "fixed": "-5"}}}]}
        """

    /// Read once: a null would be refused by every test that needs a sound one.
    static let soundDocument = (try? JSON(parsing: sound)) ?? .null

    struct Row: Sendable {
        /// What becomes of `sound`: `place = value`, or `place` alone, which is removed; several separated by `&`.
        let change: String
        /// Where the error is to be seen.
        let place: String
        /// A part of what is said.
        let said: String
        /// Whether a JSON Schema can say so too.
        let isSeenBySchema: Bool

        var document: JSON { get throws { try BrokenSchedules.changed(change) } }
    }

    static func changed(_ change: String) throws -> JSON {
        var document = soundDocument
        for part in change.split(separator: " & ") {
            let sides = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let value = sides.count == 2 ? try JSON(parsing: sides[1]) : nil
            document = document.setting(JSON.steps(sides[0])[...], to: value) ?? .null
        }
        return document
    }

    /// Rows of a table: `schema` or `-`, the change, the place, what is said.
    static func rows(_ table: String) -> [Row] {
        table.split(separator: "\n").filter { $0.contains(" | ") }.map { line in
            let cells = line.split(separator: " | ").map { $0.trimmingCharacters(in: .whitespaces) }
            precondition(cells.count == 4 && ["schema", "-"].contains(cells[0]), "\(line)")
            return Row(change: cells[1], place: cells[2], said: cells[3], isSeenBySchema: cells[0] == "schema")
        }
    }

    static let all = rows(document) + rows(rule) + rows(price) + rows(tiers) + rows(waiver)
}

extension JSON {
    enum Step {
        case member(String)
        case item(Int)
    }

    /// `rules[0].prices.EUR` as steps. A name in quotes may have a point in it.
    static func steps(_ path: String) -> [Step] {
        path.matches(of: /'([^']*)'|\[(\d+)\]|([^.\[\]']+)/).map { match in
            if let index = match.2 { return .item(Int(index)!) }
            return .member(String(match.1 ?? match.3!))
        }
    }

    /// The same value with another one at a place, or with none. An item behind the last one is added.
    func setting(_ steps: ArraySlice<Step>, to value: JSON?) -> JSON? {
        guard let step = steps.first else { return value }
        switch (step, self) {
        case (.member(let name), .object(var members)):
            members[name] = steps.count == 1 ? value : members[name]?.setting(steps.dropFirst(), to: value)
            return .object(members)
        case (.item(let index), .array(var items)):
            let changed = index < items.count ? items[index].setting(steps.dropFirst(), to: value) : value
            items.replaceSubrange(index..<Swift.min(index + 1, items.count), with: changed.map { [$0] } ?? [])
            return .array(items)
        default: preconditionFailure("there is no such place")
        }
    }
}
