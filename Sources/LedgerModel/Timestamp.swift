public import Foundation

/// An instant: microseconds since 1970-01-01T00:00:00Z, the resolution of the database's `DATETIME(6)`.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The instant of a `Date`, cut to whole microseconds.
    public init(_ date: Date) {
        microseconds = Int64((date.timeIntervalSince1970 * 1_000_000).rounded(.down))
    }

    /// To the microsecond, as near as a `Date` comes.
    var date: Date {
        let (seconds, rest) = (secondsFloor, microsecondOfSecond)
        return Date(timeIntervalSince1970: TimeInterval(seconds)) + TimeInterval(rest) / 1_000_000
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// RFC 3339 in UTC, without trailing zeros of the fraction: `2026-01-31T23:59:59Z`.
    public var description: String {
        var fraction = Self.digits(microsecondOfSecond, 6)
        while fraction.last == "0" { fraction.removeLast() }
        return text(separator: "T") + (fraction.isEmpty ? "" : "." + fraction) + "Z"
    }

    /// As the database writes a `DATETIME(6)`: `2026-01-31 23:59:59.000000`.
    public var sqlText: String {
        text(separator: " ") + "." + Self.digits(microsecondOfSecond, 6)
    }

    /// Reads RFC 3339 (`2026-01-31T23:59:59.5+01:00`), or a day (`2026-01-31`), which is its midnight in UTC.
    /// - Throws: `invalidTime` for anything else, for days that do not exist, and for years outside 1000…9999.
    public init(_ text: String) throws(LedgerError) {
        guard let value = Self.parse(text.utf8, separators: "Tt ", zoneRequired: true) else {
            throw LedgerError(
                .invalidTime, "“\(text)” is no time: write 2026-01-31 or 2026-01-31T23:59:59Z (RFC 3339)")
        }
        self = value
    }

    /// Reads what the database writes; nil if it is something else.
    public init?(sqlText: String) {
        guard let value = Self.parse(sqlText.utf8, separators: " ", zoneRequired: false) else { return nil }
        self = value
    }

    // MARK: - The calendar

    private var secondsFloor: Int64 {
        microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
    }

    private var microsecondOfSecond: Int64 {
        let rest = microseconds % 1_000_000
        return rest < 0 ? rest + 1_000_000 : rest
    }

    /// Since 1970, rounded down.
    var wholeSeconds: Int64 { secondsFloor }

    /// The day that a second since 1970 lies in.
    static func civilDay(ofSecond seconds: Int64) -> (year: Int, month: Int, day: Int) {
        let (year, month, day) = civil(days: (seconds >= 0 ? seconds : seconds - 86_399) / 86_400)
        return (Int(year), Int(month), Int(day))
    }

    private static let storableSeconds =
        days(year: 1000, month: 1, day: 1) * 86_400..<days(year: 10_000, month: 1, day: 1) * 86_400

    /// True for the years 1000 to 9999, which a `DATETIME` holds.
    var isStorable: Bool { Self.storableSeconds.contains(secondsFloor) }

    private func text(separator: String) -> String {
        let seconds = secondsFloor
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let second = seconds - days * 86_400
        let (year, month, day) = Self.civil(days: days)
        let date = "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2))"
        let time =
            "\(Self.digits(second / 3600, 2)):\(Self.digits(second / 60 % 60, 2)):\(Self.digits(second % 60, 2))"
        return date + separator + time
    }

    private static func digits(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }

    /// Days since 1970-01-01 of a day of the proleptic Gregorian calendar, counted in eras of 400 years that begin
    /// on 1 March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let m = (5 * dayOfYear + 2) / 153
        let month = m < 10 ? m + 3 : m - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
    }

    private static func parse(
        _ text: String.UTF8View, separators: String, zoneRequired: Bool
    ) -> Timestamp? {
        var rest = text[...]
        func number(_ width: Int) -> Int64? {
            let digits = rest.prefix(width)
            guard digits.count == width, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
            rest = rest.dropFirst(width)
            return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        func skip(_ characters: String) -> Bool {
            guard let first = rest.first, characters.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), year >= 1000, skip("-"), let month = number(2), (1...12).contains(month), skip("-"),
            let day = number(2), day >= 1, civil(days: days(year: year, month: month, day: day)) == (year, month, day)
        else { return nil }
        let midnight = days(year: year, month: month, day: day) * 86_400
        if rest.isEmpty { return Timestamp(microseconds: midnight * 1_000_000) }
        guard skip(separators), let hour = number(2), hour < 24, skip(":"), let minute = number(2), minute < 60,
            skip(":"), let second = number(2), second < 60
        else { return nil }
        var fraction: Int64 = 0
        if skip(".") {
            let digits = rest.prefix { (48...57).contains($0) }
            guard (1...6).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            fraction = digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
            for _ in digits.count..<6 { fraction *= 10 }
        }
        var offset: Int64 = 0
        if zoneRequired, !skip("Zz") {
            let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
            guard skip("+-"), let hours = number(2), hours < 24, skip(":"), let minutes = number(2), minutes < 60
            else { return nil }
            offset = sign * (hours * 3600 + minutes * 60)
        }
        guard rest.isEmpty else { return nil }
        let seconds = midnight + hour * 3600 + minute * 60 + second - offset
        guard storableSeconds.contains(seconds) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000 + fraction)
    }
}

extension Timestamp {
    /// Microseconds since 1970 of a midnight in UTC; nil for a day that does not exist.
    package static func midnight(year: Int, month: Int, day: Int) -> Int64? {
        guard (1000...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let days = days(year: Int64(year), month: Int64(month), day: Int64(day))
        guard civil(days: days) == (Int64(year), Int64(month), Int64(day)) else { return nil }
        return days * 86_400_000_000
    }
}

/// Writes the times of many rows as the database does: those of one group are the same, and those of one day share its date.
package struct TimestampWriter: Sendable {
    /// `2026-01-31 23:59:59.000000` of ``last``.
    package private(set) var text: [UInt8] = []
    private var last: Int64?
    private var midnight: Int64 = 0

    package init() {}

    package mutating func write(_ microseconds: Int64) {
        if last == microseconds { return }
        last = microseconds
        let sinceMidnight = microseconds - midnight
        guard text.count == 26, (0..<86_400_000_000).contains(sinceMidnight) else {
            text = Array(Timestamp(microseconds: microseconds).sqlText.utf8)
            midnight = microseconds - (microseconds % 86_400_000_000 + 86_400_000_000) % 86_400_000_000
            return
        }
        var rest = UInt64(sinceMidnight)
        put(&rest, 6, before: 26)
        put(&rest, 2, before: 19, of: 60)
        put(&rest, 2, before: 16, of: 60)
        put(&rest, 2, before: 13)
    }

    /// The lowest digits of a number, or what is left of it divided by something else than a power of ten.
    private mutating func put(_ rest: inout UInt64, _ width: Int, before end: Int, of unit: UInt64? = nil) {
        var number = rest
        if let unit {
            number = rest % unit
            rest /= unit
        }
        for place in 1...width {
            text[end - place] = UInt8(truncatingIfNeeded: 48 + number % 10)
            number /= 10
        }
        if unit == nil { rest = number }
    }
}
