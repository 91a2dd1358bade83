public import Foundation

/// A day of the calendar, without a time zone: `2026-01-31`.
public struct AccountingDay: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let year: Int
    public let month: Int
    public let day: Int

    /// Reads `2026-01-31`.
    /// - Throws: `invalidTime` for anything else, and for days that do not exist.
    public init(_ text: String) throws(LedgerError) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        guard text.utf8.count == 10, parts.map(\.count) == [4, 2, 2], numbers.count == 3, (try? Timestamp(text)) != nil else {
            throw LedgerError(.invalidTime, "“\(text)” is no day: write 2026-01-31")
        }
        (year, month, day) = (numbers[0], numbers[1], numbers[2])
    }

    /// The day of an instant, where clocks show the time of `zone`.
    public init(of instant: Timestamp, in zone: TimeZone) {
        // By whole seconds: a Date of some centuries to come has no microseconds. The calendar is the Gregorian one at all times, as the
        // database's is; Foundation's is the Julian one before 1582.
        let seconds = Int64(instant.wholeSeconds)
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
        (year, month, day) = Timestamp.civilDay(ofSecond: seconds + Int64(offset))
    }

    public static func < (left: AccountingDay, right: AccountingDay) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }

    public var description: String {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: Swift.max(0, width - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    }

    /// The first instant of the day, where clocks show the time of `zone`.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public func beginning(in zone: TimeZone) throws(LedgerError) -> Timestamp {
        if let early = early(in: zone) { return early }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        guard let noon = calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 12)) else {
            throw LedgerError(.invalidTime, "\(self) does not begin in \(zone.identifier)")
        }
        return Timestamp(calendar.startOfDay(for: noon))
    }

    /// Before clocks were changed twice a year a day begins at midnight.
    private func early(in zone: TimeZone) -> Timestamp? {
        guard year < 1900, let midnight = Timestamp.midnight(year: year, month: month, day: day) else { return nil }
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(midnight / 1_000_000)))
        return Timestamp(microseconds: midnight - Int64(offset) * 1_000_000)
    }

    /// The first instant after the day, where clocks show the time of `zone`.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public func end(in zone: TimeZone) throws(LedgerError) -> Timestamp {
        if year < 1899, let midnight = Timestamp.midnight(year: year, month: month, day: day) {
            return try AccountingDay(of: Timestamp(microseconds: midnight + 86_400_000_000), in: .gmt).beginning(in: zone)
        }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        // Noon exists on every day; midnight does not, where clocks change at it.
        guard let noon = calendar.date(from: DateComponents(year: year, month: month, day: day, hour: 12)),
            let next = calendar.date(byAdding: .day, value: 1, to: noon)
        else { throw LedgerError(.invalidTime, "\(self) does not end in \(zone.identifier)") }
        return Timestamp(calendar.startOfDay(for: next))
    }

    /// The last instant of the day (to the microsecond), where clocks show the time of `zone`.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public func lastInstant(in zone: TimeZone) throws(LedgerError) -> Timestamp {
        Timestamp(microseconds: try end(in: zone).microseconds - 1)
    }
}
