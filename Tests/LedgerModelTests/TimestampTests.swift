import Foundation
import LedgerModel
import Testing

@Suite struct TimestampTests {
    @Test func `RFC 3339 and days are read`() throws {
        let table = """
            1970-01-01                        0
            1970-01-01T00:00:00Z              0
            1970-01-01T00:00:00.000001Z       1
            1969-12-31T23:59:59.999999Z       -1
            1970-01-01T00:00:01.5Z            1500000
            1970-01-01T00:00:01.05Z           1050000
            1970-01-01t00:00:01z              1000000
            1970-01-01T01:00:00+01:00         0
            1969-12-31T18:30:00-05:30         0
            1970-01-01T00:00:00-00:00         0
            1970-01-01T23:59:00+23:59         0
            2000-02-29                        951782400000000
            2025-12-31T23:59:59.999999Z       1767225599999999
            2026-01-31T23:59:59.5+01:00       1769900399500000
            """
        for row in table.split(separator: "\n") {
            let cells = row.split(separator: " ", omittingEmptySubsequences: true)
            #expect(try Timestamp(String(cells[0])).microseconds == Int64(cells[1])!, "\(row)")
        }
        #expect(try Timestamp("2025-06-01 12:00:00Z") == Timestamp("2025-06-01T12:00:00Z"))
    }

    @Test func `what is no time is refused`() throws {
        let bad = [
            "", "2025", "2025-01", "2025-1-1", "25-01-01", "02025-01-01", "2025-01-01T", "2025-01-01T10", "2025-01-01T10:00",
            "2025-01-01T10:00Z", "2025-01-01T10:00:00", "2025-01-01 10:00:00", "2025-01-01T10:00:00.Z",
            "2025-01-01T10:00:00.1234567Z", "2025-01-01T10:00:00,5Z", "2025-01-01T24:00:00Z", "2025-01-01T10:60:00Z",
            "2025-01-01T10:00:60Z", "2025-01-01T10:00:00+0100", "2025-01-01T10:00:00+01", "2025-01-01T10:00:00+24:00",
            "2025-01-01T10:00:00+01:60", "2025-01-01T10:00:00ZZ", "2025-01-01T10:00:00Z ", " 2025-01-01", "2025-01-01 ",
            "2025-01-01Z", "2025/01/01", "01.02.2025", "20250101", "2025-00-01", "2025-13-01", "2025-01-00", "2025-01-32",
            "2025-04-31", "2025-02-30", "2025-02-29", "1900-02-29", "2100-02-29", "+2025-01-01", "-2025-01-01",
            "２０２５-01-01", "2025-01-01T10:00:00\u{2212}01:00", "now", "today", "2025-01-01\n",
        ]
        for text in bad {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try Timestamp(text) }
            #expect(error?.code == .invalidTime)
            #expect(error?.message.contains("“\(text)”") == true)
        }
    }

    @Test func `every fourth year has a 29 February, but for most centuries`() throws {
        for year in 1000...9999 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let day = "\(year)-02-29"
            if isLeap {
                #expect(try Timestamp(day).description == day + "T00:00:00Z")
            } else {
                #expect(throws: LedgerError.self, "\(day)") { try Timestamp(day) }
            }
        }
    }

    @Test func `years are 1000 to 9999, in UTC`() throws {
        for text in ["1000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
            #expect(try Timestamp(text).description == text)
        }
        for text in [
            "0999-12-31", "0999-12-31T23:59:59.999999Z", "0000-01-01", "1000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        ] {
            #expect(throws: LedgerError.self, "\(text)") { try Timestamp(text) }
        }
    }

    @Test func `a time is printed in UTC without zeros it does not need`() throws {
        let rows = [
            ("2026-01-31T23:59:59Z", "2026-01-31T23:59:59Z", "2026-01-31 23:59:59.000000"),
            ("2026-01-31T23:59:59.500+01:00", "2026-01-31T22:59:59.5Z", "2026-01-31 22:59:59.500000"),
            ("1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001Z", "1969-12-31 23:59:59.000001"),
            ("2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01 00:00:00.000000"),
        ]
        for (text, description, sqlText) in rows {
            let time = try Timestamp(text)
            #expect(time.description == description)
            #expect(time.sqlText == sqlText)
        }
    }

    @Test func `what the database does not write is no time of it`() {
        for text in ["0000-00-00 00:00:00", "2025-01-01T00:00:00", "2025-01-01 00:00:00Z", "2025-01-01 00:00", "", "NULL"] {
            #expect(Timestamp(sqlText: text) == nil, "\(text)")
        }
        #expect(Timestamp(sqlText: "2025-01-01 00:00:00")?.description == "2025-01-01T00:00:00Z")
    }

    @Test func `what is printed is read back`() throws {
        for time in try Self.instants(seed: 1, count: 3000) {
            #expect(try Timestamp(time.description) == time)
            #expect(Timestamp(sqlText: time.sqlText) == time)
        }
    }

    @Test func `order is that of the text`() throws {
        let times = try Self.instants(seed: 2, count: 500)
        #expect(times.sorted().map(\.sqlText) == times.map(\.sqlText).sorted())
    }

    @Test func `Foundation agrees about the calendar`() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        for time in try Self.instants(seed: 3, count: 2000) {
            // Foundation's calendar is Julian before 1582.
            guard time >= (try Timestamp("1600-01-01")) else { continue }
            let whole = Timestamp(microseconds: time.microseconds - (time.microseconds % 1_000_000 + 1_000_000) % 1_000_000)
            let date = Date(timeIntervalSince1970: Double(whole.microseconds / 1_000_000))
            #expect(formatter.string(from: date) == whole.description)
            #expect(formatter.date(from: whole.description) == date)
            #expect(Timestamp(date) == whole)
        }
    }

    @Test func `an offset is what Foundation says`() throws {
        var random = Seeded(4)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime]
        for _ in 0..<500 {
            let local = Int64.random(in: 0..<4_000_000_000, using: &random)
            let minutes = Int.random(in: -1079...1079, using: &random)
            let clock = formatter.string(from: Date(timeIntervalSince1970: Double(local))).dropLast()
            func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
            let text = clock + (minutes < 0 ? "-" : "+") + two(abs(minutes) / 60) + ":" + two(abs(minutes) % 60)
            #expect(try Timestamp(text).microseconds == (local - Int64(minutes) * 60) * 1_000_000, "\(text)")
            #expect(try Timestamp(#require(formatter.date(from: text))) == Timestamp(text), "\(text)")
        }
    }

    @Test func `a Date is cut to whole microseconds, also before 1970`() {
        #expect(Timestamp(Date(timeIntervalSince1970: 0)).microseconds == 0)
        #expect(Timestamp(Date(timeIntervalSince1970: 1.5)).microseconds == 1_500_000)
        #expect(Timestamp(Date(timeIntervalSince1970: -0.25)).microseconds == -250_000)
        #expect(Timestamp(Date(timeIntervalSince1970: -1)).description == "1969-12-31T23:59:59Z")
    }

    @Test func `times that no book keeps can still be printed`() {
        for microseconds in [Int64.min, .min + 1, .max] {
            #expect(Timestamp(microseconds: microseconds).description.hasSuffix("Z"))
            #expect(!Timestamp(microseconds: microseconds).sqlText.isEmpty)
        }
    }

    static func instants(seed: UInt64, count: Int) throws -> [Timestamp] {
        var random = Seeded(seed)
        let range = try Timestamp("1000-01-01").microseconds...Timestamp("9999-12-31T23:59:59.999999Z").microseconds
        return (0..<count).map { number in
            var microseconds = Int64.random(in: range, using: &random)
            if number % 3 == 0 { microseconds -= microseconds % 1_000_000 }
            if number % 7 == 0 { microseconds -= microseconds % 86_400_000_000 }
            return Timestamp(microseconds: microseconds)
        }
    }
}
