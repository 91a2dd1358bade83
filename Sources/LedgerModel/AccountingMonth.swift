public import Foundation

/// A month of the calendar, without a time zone: `2026-01`.
public struct AccountingMonth: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Months since the year 0.
    public let number: Int

    public var year: Int { number / 12 }
    /// 1 to 12.
    public var month: Int { number % 12 + 1 }

    package init(number: Int) { self.number = number }

    /// - Parameter month: 1 to 12.
    public init(year: Int, month: Int) { number = year * 12 + month - 1 }

    /// Reads `2026-01`.
    /// - Throws: `invalidTime` for anything else.
    public init(_ text: String) throws(LedgerError) {
        guard let first = try? AccountingDay(text + "-01") else {
            throw LedgerError(.invalidTime, "“\(text)” is no month: write 2026-01")
        }
        self.init(year: first.year, month: first.month)
    }

    /// The month of an instant, where clocks show the time of `zone`.
    public init(of instant: Timestamp, in zone: TimeZone) {
        let day = AccountingDay(of: instant, in: zone)
        let month = AccountingMonth(year: day.year, month: day.month)
        self.init(number: min(max(month.number, Self.first.number), Self.last.number))
    }

    public static func < (left: AccountingMonth, right: AccountingMonth) -> Bool { left.number < right.number }
    public var description: String { String(firstDayText.dropLast(3)) }
    public var next: AccountingMonth { AccountingMonth(year: (number + 1) / 12, month: (number + 1) % 12 + 1) }

    /// `2026-01-01`.
    public var firstDayText: String {
        func digits(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(digits(year, 4))-\(digits(month, 2))-01"
    }

    /// The first instant of the month, where clocks show the time of `zone`.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public func beginning(in zone: TimeZone) throws(LedgerError) -> Timestamp { try AccountingDay(firstDayText).beginning(in: zone) }

    /// The first instant after the month; after the last one that a book keeps, the year 10000 in UTC.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public func end(in zone: TimeZone) throws(LedgerError) -> Timestamp {
        self == Self.last ? Timestamp(microseconds: try Timestamp("9999-12-31").microseconds + 86_400_000_000) : try next.beginning(in: zone)
    }

    /// The first and the last month that entries count in; what counts earlier or later in some time zone counts there too.
    public static let (first, last) = (AccountingMonth(year: 1000, month: 1), AccountingMonth(year: 9999, month: 12))
}
