import Foundation
import LedgerModel
import Testing

/// What a schedule cannot be, and that whatever is wrong with one is said, where, and what to do.
@Suite struct FeeScheduleTests {
    static func read(_ document: JSON, zone: TimeZone = .gmt) throws(LedgerError) -> FeeSchedule {
        try FeeSchedule(document, currencies: Currency.iso, zone: zone)
    }

    static func refusal(_ document: JSON) -> LedgerError? {
        do throws(LedgerError) {
            _ = try read(document)
            return nil
        } catch { return error }
    }

    @Test func `the schedule that the others are made of is sound`() throws {
        let schedule = try Self.read(BrokenSchedules.soundDocument)
        #expect(schedule.rules.map(\.name) == ["plain", "tiers", "returns"])
        #expect(schedule.rules[0].waivers.count == 1)
        #expect(BrokenSchedules.all.count >= 150)
        #expect(Set(BrokenSchedules.all.map(\.change)).count == BrokenSchedules.all.count, "a row stands twice")
    }

    @Test func `every rule has a document that breaks it, and is told where`() throws {
        for row in BrokenSchedules.all {
            guard let error = Self.refusal(try row.document) else {
                Issue.record("\(row.change): it is taken")
                continue
            }
            let isPlaced = row.place.contains("“") ? error.message.contains(row.place) : error.message.hasPrefix("fee schedule, \(row.place):")
            #expect(isPlaced, "\(row.change): \(error.message)")
            #expect(error.message.contains(row.said), "\(row.change): \(error.message)")
            #expect(error.retry == .never)
            #expect([.invalidEntry, .invalidTime, .invalidAccount, .invalidCurrency, .unknownCurrency, .invalidAmount].contains(error.code), "\(row.change)")
        }
    }

    @Test func `what is no object is told as that`() {
        for document: JSON in [5, [], .null, "cards", true] {
            let error = Self.refusal(document)
            #expect(error?.code == .invalidEntry && error?.message == "fee schedule: this has to be an object")
        }
    }

    @Test func `a currency that the book does not have, and a day that does not exist, have codes of their own`() throws {
        #expect(Self.refusal(try BrokenSchedules.changed("rules[0].prices.XXX = {}"))?.code == .unknownCurrency)
        #expect(Self.refusal(try BrokenSchedules.changed(#"effective_from = "2026-02-30""#))?.code == .invalidTime)
    }

    @Test(arguments: [
        ("rules[1].prices.EUR.tiers.steps", 50, #"{"from": "0"}"#), ("rules", 1000, ""), ("rules[0].kinds", 100, #""k""#), ("rules[0].accounts", 100, #""a""#),
        ("rules[0].waivers", 100, #"{"reason": "x", "basis_points": 1}"#), ("rules[0].fields.first", 1000, "1"),
    ])
    func `lists have a length that is too much`(path: String, most: Int, item: String) throws {
        let sound = BrokenSchedules.soundDocument
        for count in [most, most + 1] {
            let items: [JSON] = try (0..<count).map { number in
                switch path {
                case "rules": sound["rules"]!.items[1]
                case "rules[1].prices.EUR.tiers.steps": ["from": .string(String(number))]
                default: try JSON(parsing: item)
                }
            }
            let document = try #require(sound.setting(JSON.steps(path)[...], to: .array(items)))
            let error = Self.refusal(document)
            #expect((error == nil) == (count == most), "\(path), \(count): \(error?.message ?? "taken")")
            if let error { #expect(error.message == "fee schedule, \(path): this has to be a list of 1 to \(most)") }
        }
    }

    @Test func `a day is its beginning where the book is, and the document is kept with instants`() throws {
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        let schedule = try Self.read(BrokenSchedules.soundDocument, zone: zone)
        #expect(schedule.effectiveFrom == (try Timestamp("2025-12-31T23:00:00Z")))
        #expect(schedule.document["effective_from"] == "2025-12-31T23:00:00Z")
        let waiver = schedule.rules[0].waivers[0]
        #expect(waiver.from == schedule.effectiveFrom)
        #expect(waiver.until == (try Timestamp("2026-01-31T23:00:00Z")))
        let kept = schedule.document["rules"]!.items[0]["waivers"]!.items[0]
        #expect(kept["from"] == "2025-12-31T23:00:00Z" && kept["until"] == "2026-01-31T23:00:00Z")
        // Read again, wherever that is, it is the same schedule.
        for other in ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"] {
            let again = try Self.read(schedule.document, zone: try #require(TimeZone(identifier: other)))
            #expect(again == schedule, "\(other)")
        }
    }

    @Test func `the version in force is the latest effective one, of equal ones the greatest number`() throws {
        var document = BrokenSchedules.soundDocument
        var versions: [FeeSchedule] = []
        for (version, from) in [(1, "2026-01-01"), (2, "2026-03-01"), (3, "2026-02-01"), (5, "2026-02-01"), (4, "2026-02-01")] {
            document = document.setting(JSON.steps("version")[...], to: .integer(Int64(version)))!
            document = document.setting(JSON.steps("effective_from")[...], to: .string(from))!
            versions.append(try Self.read(document))
        }
        let rows: [(String, UInt32?)] = [
            ("2025-12-31T23:59:59.999999Z", nil), ("2026-01-01", 1), ("2026-01-31T23:59:59.999999Z", 1), ("2026-02-01", 5), ("2026-02-28T23:59:59.999999Z", 5),
            ("2026-03-01", 2), ("2030-01-01", 2),
        ]
        for (time, version) in rows {
            let at = try Timestamp(time)
            for versions in [versions, versions.reversed()] { #expect(FeeSchedule.inForce(versions, at: at)?.version == version, "\(time)") }
        }
    }
}

extension JSON {
    var items: [JSON] { if case .array(let items) = self { items } else { [] } }
}
