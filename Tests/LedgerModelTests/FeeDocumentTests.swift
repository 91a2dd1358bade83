import Foundation
import LedgerModel
import Testing

/// What the worked examples of docs/fees.md say is what comes out.
@Suite struct FeeDocumentTests {
    /// A table, and the rule that stands above it.
    struct Worked: Sendable, CustomTestStringConvertible {
        let line: Int
        let rule: String
        let columns: [String]
        var rows: [[String]] = []
        var testDescription: String { "line \(line), \(rule.replacing("\n", with: " "))" }
    }

    /// A file of docs.
    static func document(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/" + name), encoding: .utf8)
    }

    /// A book that has defined a currency of its own.
    static func currency(_ code: CurrencyCode) -> Currency? { code.text == "BTC" ? try? Currency(code, exponent: 8) : Currency.iso(code) }

    /// The blocks of JSON, each with the table that follows it, if one does before the next block.
    static let blocks: [(json: String, table: Worked?)] = {
        var blocks: [(json: String, table: Worked?)] = []
        var isJSON = false
        let text = try? document("fees.md")
        for (number, line) in (text ?? "").split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line == "```json" {
                isJSON = true
                blocks.append(("", nil))
            } else if line == "```" {
                isJSON = false
            } else if isJSON {
                blocks[blocks.count - 1].json += line + "\n"
            } else if line.hasPrefix("| "), !blocks.isEmpty, blocks[0].json.contains("\"schedule\"") {
                let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                let last = blocks.count - 1
                if blocks[last].table == nil {
                    blocks[last].table = Worked(line: number + 1, rule: blocks[last].json, columns: cells)
                } else {
                    blocks[last].table?.rows.append(cells)
                }
            }
        }
        return blocks
    }()

    /// Those of the worked examples; the example of a schedule has other tables below it.
    static let tables = blocks.dropFirst().compactMap(\.table)

    static func schedule(_ rule: String) throws -> FeeSchedule {
        guard case .object(let members) = try JSON(parsing: rule) else { throw LedgerError(.invalidEntry, "these are no members of a rule") }
        let usual: [String: JSON] = ["name": "worked", "kinds": ["worked"], "accounts": ["**"], "side": "credit"]
        let document: JSON = [
            "schedule": "worked", "version": 1, "effective_from": "2026-01-01", "income": "fees",
            "rules": [.object(usual.merging(members) { _, new in new })],
        ]
        return try FeeSchedule(document, currencies: currency, zone: .gmt)
    }

    @Test func `the tables are there`() {
        #expect(Self.blocks.first?.json.contains("\"schedule\": \"cards\"") == true)
        #expect(Self.tables.count == Self.blocks.count - 1, "a block of JSON has no table")
        #expect(Self.tables.count >= 36)
        #expect(Self.tables.reduce(0) { $0 + $1.rows.count } >= 250)
        // Each rounding has its middles in four currencies, taken and given back.
        #expect(Self.tables.filter { $0.columns.contains("half-even") }.count >= 10)
    }

    @Test(arguments: tables) func `every cell is what comes out`(_ table: Worked) throws {
        let rule = try Self.schedule(table.rule).rules[0]
        let (code, price) = try #require(rule.prices.first)
        let currency = try #require(Self.currency(code))
        let worked = WorkedRow(currency: currency, price: price, waived: rule.waivers.first?.basisPoints)
        #expect(rule.prices.count == 1 && !table.rows.isEmpty)
        for cells in table.rows {
            try #require(cells.count == table.columns.count, "\(table.testDescription): \(cells)")
            let row = Dictionary(zip(table.columns, cells)) { _, last in last }
            let wrong = try worked.differences(row)
            #expect(wrong.isEmpty, "line \(table.line), \(cells.joined(separator: " | ")): \(wrong.joined(separator: "; "))")
        }
    }

    @Test func `a cell that is wrong is found`() throws {
        let rule = try Self.schedule(#"{"prices": {"EUR": {"basis_points": 140, "fixed": "0.25", "minimum": "0.31"}}, "waivers": [{"reason": "x", "basis_points": 5000}]}"#).rules[0]
        let worked = WorkedRow(currency: try #require(.iso(.eur)), price: try #require(rule.price(.eur)), waived: rule.waivers[0].basisPoints)
        let right = [
            "amount": "0.01", "exact percentage": "0.00014", "rounded": "0.00", "rounding": "-1400000", "fixed": "0.25", "bounded": "0.06",
            "exact waived": "0.155", "waived": "0.16", "waived rounding": "50000000", "fee": "0.15",
        ]
        #expect(try worked.differences(right) == [])
        for column in right.keys where column != "amount" {
            var row = right
            row[column] = "0.07"
            #expect(try worked.differences(row).count == 1, "\(column)")
        }
        #expect(try worked.differences(["amount": "0.01"]).count == 3, "fixed, bounded and waived are not 0")
        #expect(throws: LedgerError.self) { try worked.differences(["amount": "0.01", "fees": "1.00"]) }
    }

    @Test func `the schedule that the document shows is one`() throws {
        let document = try JSON(parsing: #require(Self.blocks.first).json)
        let schedule = try FeeSchedule(document, currencies: Self.currency, zone: .gmt)
        #expect(schedule.name == "cards" && schedule.version == 1 && schedule.income == "fees:platform")
        #expect(schedule.effectiveFrom == (try Timestamp("2026-01-01T00:00:00Z")))
        #expect(schedule.rules.map(\.name) == ["European cards", "volume", "refunds give the percentage back"])
        #expect(schedule.rules.map(\.side) == [.credit, .credit, .debit])
        #expect(schedule.rules.map(\.volume) == [.add, .add, .subtract])
        let first = schedule.rules[0]
        #expect(first.fields == [FieldCondition(field: "card.region", values: ["eu", "uk"])])
        #expect(
            first.price(.eur) == FeePrice(
                steps: [FeePrice.Step(from: 0, basisPoints: BasisPoints(tenThousandths: 1_400_000), fixed: 25)], minimum: 30, maximum: 5000))
        #expect(first.price(.jpy)?.steps.map(\.basisPoints.tenThousandths) == [2_875_000])
        #expect(first.waivers.map(\.basisPoints) == [.max])
        #expect(schedule.rules[1].price(.eur)?.steps.map(\.from) == [0, 1_000_000])
        #expect(schedule.rules[1].price(.usd) == nil)
    }

    @Test func `the schedule of the example data is one, and prices in all four of its currencies`() throws {
        let schedule = try FeeSchedule(try JSON(parsing: try Self.document("examples/fees.json")), currencies: Currency.iso, zone: .gmt)
        #expect(schedule.name == "marketplace" && schedule.version == 1)
        #expect(schedule.effectiveFrom == (try Timestamp("2025-01-01")))
        let orders = schedule.rules[1]
        for (code, amount, fee) in try [(.eur, "56.70", "4.54"), (.usd, "15.60", "1.25"), (.jpy, "2590", "207"), (CurrencyCode("KWD"), "5.525", "0.471")] {
            let currency = try #require(Currency.iso(code))
            let components = try #require(orders.price(code)).fee(Int128(currency.amount(amount).minorUnits), volume: 0)
            #expect(currency.format(components.fee) == fee, "\(code)")
        }
    }
}
