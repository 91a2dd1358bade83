import Foundation
import Testing

@testable import Soaking

/// The model that fees are held against, against numbers that were worked out on paper from docs/fees.md.
@Suite struct SimpleFeesTests {
    /// A journal on paper: account 1 is the bank, 2 is merchants:a and 3 merchants:new:b in EUR, 4 merchants:a in JPY, 5 in USD.
    private struct Paper {
        var entries: [(kind: String, time: String, payload: String?, lines: [(debit: UInt32, credit: UInt32, amount: UInt64, isPosted: Bool)])] = []
        var zone = "UTC"

        /// Entries are 1, 2, 3 …, and so are their ids.
        mutating func add(_ kind: String, _ time: String, _ payload: String? = nil, _ lines: (UInt32, UInt32, UInt64)...) {
            entries.append((kind, time, payload, lines.map { ($0.0, $0.1, $0.2, true) }))
        }

        mutating func charge(_ time: String, _ payload: String? = nil, _ lines: (UInt32, UInt32, UInt64)...) {
            entries.append(("card.charged", time, payload, lines.map { ($0.0, $0.1, $0.2, true) }))
        }

        func fees() throws -> SimpleFees {
            var journal = SimpleJournal(
                try SimpleCalendar(zone),
                accounts: [
                    1: .init(path: "bank", currency: "EUR"), 2: .init(path: "merchants:a", currency: "EUR"), 3: .init(path: "merchants:new:b", currency: "EUR"),
                    4: .init(path: "merchants:a", currency: "JPY"), 5: .init(path: "merchants:a", currency: "USD"),
                ], exponents: ["EUR": 2, "JPY": 0, "USD": 2])
            for (index, entry) in entries.enumerated() {
                try journal.add(
                    UInt64(index + 1), .init(0, UInt64(index + 1)), kind: entry.kind, effective: try SimpleCalendar.utc(entry.time), payload: entry.payload)
            }
            for (index, entry) in entries.enumerated() {
                for line in entry.lines {
                    try journal.add(.init(debit: line.debit, credit: line.credit, amount: line.amount, isPosted: line.isPosted), at: UInt64(index + 1))
                }
            }
            return try SimpleFees(journal)
        }

        /// `id: what its row says`, for each row of an account.
        func rows(_ account: UInt32 = 2) throws -> [String] {
            try fees().fees(of: account).rows.map { row in
                "\(row.id.low): v\(row.version) r\(row.rule) \(row.amount) [\(row.slices)] \(row.percentage)(\(row.rounding)) + \(row.fixed) + \(row.bounded)"
                    + " - w\(row.waiver) \(row.waived)(\(row.waivedRounding)) = \(row.fee)"
            }
        }

        func months(_ account: UInt32 = 2) throws -> [String] {
            try fees().fees(of: account).months.map { "\($0.schedule) \($0.month): \($0.charged) \($0.volume) \($0.fees) \($0.waived)" }
        }
    }

    private static let published = "ledger.fee-schedule-published"

    /// The schedule of docs/fees.md, with the second rule's prices for the `from` that is given.
    private static func document(_ rules: String, version: Int = 1, from: String = "2026-01-01", name: String = "cards") -> String {
        """
        {"schedule":"\(name)","version":\(version),"effective_from":"\(from)","income":"fees:platform","rules":[\(rules)]}
        """
    }

    private static func rule(_ prices: String, kinds: String = #""card.charged""#, accounts: String = "merchants:*", more: String = "", side: String = "credit") -> String {
        #"{"name":"r","kinds":[\#(kinds)],"accounts":["\#(accounts)"],"side":"\#(side)","prices":\#(prices)\#(more)}"#
    }

    @Test func `percentage, fixed, minimum and maximum, and the price of all other currencies`() throws {
        var paper = Paper()
        let prices = #"{"EUR":{"basis_points":140,"fixed":"0.25","minimum":"0.30","maximum":"50.00"},"*":{"basis_points":"287.5"}}"#
        paper.add(Self.published, "2026-03-01 00:00:00", Self.document(Self.rule(prices)))
        paper.charge("2026-01-31 23:59:59.999999", nil, (1, 2, 100))  // 1.40 + 25 = 26, at least 30
        paper.charge("2026-01-31 23:59:59.999999", nil, (1, 2, 1250))  // 17.50 → 18 (even), + 25
        paper.charge("2026-02-01 00:00:00", nil, (1, 2, 3750))  // 52.50 → 52 (even), + 25
        paper.charge("2026-02-01 00:00:01", nil, (1, 2, 1_000_000))  // 14000 + 25, at most 5000
        paper.charge("2025-12-31 23:59:59", nil, (1, 2, 1000))  // before it is effective
        #expect(try paper.rows() == [
            "2: v1 r1 100 [] 1(-40000000) + 25 + 4 - w0 0(0) = 30", "3: v1 r1 1250 [] 18(50000000) + 25 + 0 - w0 0(0) = 43",
            "4: v1 r1 3750 [] 52(-50000000) + 25 + 0 - w0 0(0) = 77", "5: v1 r1 1000000 [] 14000(0) + 25 + -9025 - w0 0(0) = 5000",
        ])
        #expect(try paper.months() == ["cards 2026-01-01: 2 1350 73 0", "cards 2026-02-01: 2 1003750 5077 0"])
        paper.charge("2026-02-01 00:00:02", nil, (1, 4, 1000), (1, 5, 3), (1, 5, 4))  // 28.75 JPY; 0.20 cents
        #expect(try paper.rows(4) == ["7: v1 r1 1000 [] 29(25000000) + 0 + 0 - w0 0(0) = 29"])
        #expect(try paper.rows(5) == ["7: v1 r1 7 [] 0(-20125000) + 0 + 0 - w0 0(0) = 0"])
    }

    @Test func `tiers of the month's volume, and what comes before by time and by id`() throws {
        var paper = Paper()
        let tiers = #"{"EUR":{"tiers":{"by":"volume","mode":"MODE","steps":[{"from":"0.00","basis_points":290,"fixed":"0.30"},{"from":"10000.00","basis_points":250,"fixed":"0.20"}]}}}"#
        func schedule(_ mode: String) -> String {
            Self.document(Self.rule(tiers.replacing("MODE", with: mode)) + "," + Self.rule(#"{"EUR":{"basis_points":-140}}"#, kinds: #""card.refunded""#, more: #","volume":"subtract""#, side: "debit"))
        }
        paper.add(Self.published, "2026-03-01 00:00:00", schedule("graduated"))
        paper.charge("2026-01-10 12:00:00", nil, (1, 2, 200))
        paper.charge("2026-01-10 11:00:00", nil, (1, 2, 999_900))
        paper.charge("2026-01-10 12:00:00", nil, (1, 2, 100))
        paper.add("card.refunded", "2026-01-10 13:00:00", nil, (2, 1, 250))
        paper.charge("2026-01-10 14:00:00", nil, (1, 2, 100))
        paper.charge("2026-02-10 14:00:00", nil, (1, 2, 100))
        #expect(try paper.rows() == [
            "3: v1 r1 999900 [1:999900] 28997(-10000000) + 30 + 0 - w0 0(0) = 29027",  // 28997.10
            "2: v1 r1 200 [1:100 2:100] 5(-40000000) + 50 + 0 - w0 0(0) = 55",  // 2.90 + 2.50
            "4: v1 r1 100 [2:100] 2(-50000000) + 20 + 0 - w0 0(0) = 22",
            "5: v1 r2 250 [] -4(-50000000) + 0 + 0 - w0 0(0) = -4",  // -3.50 → -4 (even)
            "6: v1 r1 100 [1:50 2:50] 3(30000000) + 50 + 0 - w0 0(0) = 53",  // from 9999.50; 1.45 + 1.25 = 2.70
            "7: v1 r1 100 [1:100] 3(10000000) + 30 + 0 - w0 0(0) = 33",
        ])
        #expect(try paper.months() == ["cards 2026-01-01: 5 1000050 29153 0", "cards 2026-02-01: 1 100 33 0"])
        paper.entries[0].payload = schedule("whole")
        #expect(try paper.rows() == [
            "3: v1 r1 999900 [1:999900] 28997(-10000000) + 30 + 0 - w0 0(0) = 29027", "2: v1 r1 200 [1:200] 6(20000000) + 30 + 0 - w0 0(0) = 36",
            "4: v1 r1 100 [2:100] 2(-50000000) + 20 + 0 - w0 0(0) = 22", "5: v1 r2 250 [] -4(-50000000) + 0 + 0 - w0 0(0) = -4",
            "6: v1 r1 100 [1:100] 3(10000000) + 30 + 0 - w0 0(0) = 33", "7: v1 r1 100 [1:100] 3(10000000) + 30 + 0 - w0 0(0) = 33",
        ])
    }

    @Test func `captures count as their hold, reversals end a fee, and their reversals bring it back`() throws {
        var paper = Paper()
        paper.add(Self.published, "2026-03-01 00:00:00", Self.document(Self.rule(#"{"EUR":{"basis_points":100}}"#, more: #","fields":{"card.region":["eu",7]}"#)))
        func id(_ number: Int) -> String { SimpleJournal.ID(0, UInt64(number)).hex }
        paper.entries.append(("card.charged", "2026-01-01 00:00:00", #"{"card":{"region":"eu"}}"#, [(1, 2, 900, false)]))  // 2: held
        paper.entries.append(("ledger.hold-captured", "2026-01-02 00:00:00", #"{"hold":"\#(id(2))"}"#, [(1, 2, 900, false), (1, 2, 300, true)]))  // 3
        paper.charge("2026-01-03 00:00:00", #"{"card":{"region":7}}"#, (1, 2, 100))  // 4
        paper.charge("2026-01-03 00:00:00", #"{"card":{"region":"us"}}"#, (1, 2, 100))
        paper.charge("2026-01-03 00:00:00", #"{"card.region":"eu"}"#, (1, 2, 100))
        paper.charge("2026-01-03 00:00:00", nil, (1, 2, 100))
        paper.add("ledger.reversed", "2026-01-04 00:00:00", #"{"reverses":"\#(id(3))"}"#, (2, 1, 300))  // 8
        #expect(try paper.rows() == ["4: v1 r1 100 [] 1(0) + 0 + 0 - w0 0(0) = 1"])
        paper.add("ledger.reversed", "2026-01-05 00:00:00", #"{"reverses":"\#(id(8))"}"#, (1, 2, 300))  // 9
        #expect(try paper.rows() == ["3: v1 r1 300 [] 3(0) + 0 + 0 - w0 0(0) = 3", "4: v1 r1 100 [] 1(0) + 0 + 0 - w0 0(0) = 1"])
        paper.add("ledger.reversed", "2026-01-05 00:00:00", #"{"reverses":"\#(id(9))"}"#, (2, 1, 300))
        #expect(try paper.rows().count == 1)
    }

    @Test func `versions by time and number, waivers, patterns, and days where the book is`() throws {
        var paper = Paper()
        paper.zone = "Europe/Berlin"
        let waived = #","waivers":[{"reason":"x","accounts":["merchants:new:**"],"from":"2026-01-05","until":"2026-01-06","basis_points":2500},{"reason":"y","from":"2026-01-05T12:00:00Z","basis_points":"33.3333"}]"#
        paper.add(Self.published, "2026-03-01 00:00:00", Self.document(Self.rule(#"{"EUR":{"fixed":"0.10"}}"#, kinds: #""card.*""#, accounts: "merchants:**", more: waived), from: "2026-01-01"))
        paper.add(Self.published, "2026-03-01 00:00:00", Self.document(Self.rule(#"{"EUR":{"fixed":"0.20"}}"#), version: 3, from: "2026-02-01"))
        paper.add(Self.published, "2026-03-01 00:00:00", Self.document(Self.rule(#"{"EUR":{"fixed":"0.30"}}"#), version: 2, from: "2026-02-01"))
        paper.charge("2025-12-31 22:59:59", nil, (1, 3, 5))  // The year ends at 23:00 UTC.
        paper.add("card.x", "2025-12-31 23:00:00", nil, (1, 3, 5))  // 5
        paper.charge("2026-01-04 23:00:00", nil, (1, 3, 5))  // 6
        paper.charge("2026-01-05 22:59:59.999999", nil, (1, 3, 5))  // 7
        paper.charge("2026-01-05 23:00:00", nil, (1, 3, 5))  // 8
        paper.charge("2026-01-31 22:59:59", nil, (1, 3, 5), (1, 2, 5))  // 9
        paper.charge("2026-01-31 23:00:00", nil, (1, 3, 5), (1, 2, 5))  // 10: nothing for merchants:new:b any more
        #expect(try paper.rows(3) == [
            "5: v1 r1 5 [] 0(0) + 10 + 0 - w0 0(0) = 10", "6: v1 r1 5 [] 0(0) + 10 + 0 - w1 2(-50000000) = 8",
            "7: v1 r1 5 [] 0(0) + 10 + 0 - w1 2(-50000000) = 8", "8: v1 r1 5 [] 0(0) + 10 + 0 - w2 0(-3333330) = 10",
            "9: v1 r1 5 [] 0(0) + 10 + 0 - w2 0(-3333330) = 10",
        ])
        #expect(try paper.months(3) == ["cards 2026-01-01: 5 25 46 4"])
        #expect(try paper.rows() == ["9: v1 r1 5 [] 0(0) + 10 + 0 - w2 0(-3333330) = 10", "10: v3 r1 5 [] 0(0) + 20 + 0 - w0 0(0) = 20"])
    }

    @Test(arguments: [
        ("half-even", "2 2 3 -2 -2 -3 4"), ("half-up", "2 3 3 -2 -3 -3 4"), ("down", "1 2 2 -1 -2 -2 3"), ("up", "2 3 3 -2 -3 -3 4"),
        ("floor", "1 2 2 -2 -3 -3 3"), ("ceiling", "2 3 3 -1 -2 -2 4"),
    ]) func `rounding as docs/money.md has it`(_ mode: String, _ expected: String) {
        let parts: [Int128] = [150_000_000, 250_000_000, 260_000_000, -150_000_000, -250_000_000, -260_000_000, 350_000_001]
        #expect(parts.map { "\(SimpleFees.rounded($0, mode))" }.joined(separator: " ") == expected)
    }

    @Test func `tiers of the amount, and volumes below nothing`() throws {
        let price = SimpleSchedule.Price(
            steps: [.init(from: 0, share: 0, fixed: 0), .init(from: 100, share: 0, fixed: 0), .init(from: 200, share: 0, fixed: 0)], hasTiers: true)
        func slices(_ amount: Int128, _ before: Int128 = 0, volume: Bool = false, whole: Bool = false) -> String {
            var price = price
            (price.isByVolume, price.isWhole) = (volume, whole)
            return SimpleFees.slices(price, amount, before).map { "\($0.step + 1):\($0.amount)" }.joined(separator: " ")
        }
        #expect(slices(100) == "1:100" && slices(101) == "1:100 2:1" && slices(250, 1000) == "1:100 2:100 3:50")
        #expect(slices(99, whole: true) == "1:99" && slices(100, whole: true) == "2:100" && slices(250, whole: true) == "3:250")
        #expect(slices(400, -50, volume: true) == "1:150 2:100 3:150" && slices(40, -50, volume: true) == "1:40" && slices(7, 200, volume: true) == "3:7")
        #expect(slices(400, -50, volume: true, whole: true) == "1:400" && slices(400, 99, volume: true, whole: true) == "1:400" && slices(4, 100, volume: true, whole: true) == "2:4")
    }

    @Test func `documents are read as they are written`() throws {
        #expect(try SimpleJSON(#" { "a" : [ 1, -2.50, "x\"\\\u00e9\ud83d\ude00", true,false ,null, {} , [] ] } "#)["a"]?.items
            == [.number("1"), .number("-2.50"), .text("x\"\\é😀"), .bool(true), .bool(false), .null, .object([:]), .list([])])
        for wrong in ["", "{", "[1,]x", "{\"a\" 1}", "1 2", "\"a"] { #expect(throws: SimpleJSON.Malformed.self, "\(wrong)") { try SimpleJSON(wrong) } }
        #expect(try SimpleSchedule.decimal(.number("-287.5"), decimals: 4) == -2_875_000)
        #expect(try SimpleSchedule.decimal(.text("0.00000001"), decimals: 8) == 1)
        #expect(throws: SimpleJSON.Malformed.self) { try SimpleSchedule.decimal(.text("0.001"), decimals: 2) }
        let calendar = try SimpleCalendar("America/Sao_Paulo")
        // Clocks went from 23:59:59 to 01:00 there.
        #expect(try calendar.instant("2018-11-04") == SimpleCalendar.utc("2018-11-04 03:00:00"))
        #expect(try calendar.instant("2026-01-31T10:00:00.25+01:00") == SimpleCalendar.utc("2026-01-31 09:00:00.250000"))
        for days in stride(from: -200_000, to: 200_000, by: 173) {
            let date = SimpleCalendar.date(days)
            #expect(SimpleCalendar.days(date.year, date.month, date.day) == days)
        }
        let month = try SimpleCalendar("Asia/Tokyo").month(SimpleCalendar.utc("2026-01-31 15:00:00"))
        #expect(SimpleCalendar.days(2000, 3, 1) == 11_017 && SimpleCalendar.text(month: month) == "2026-02-01")
    }
}
