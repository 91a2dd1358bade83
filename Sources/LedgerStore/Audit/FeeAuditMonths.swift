import Foundation
import LedgerDatabase
import LedgerModel

/// The months in which entries count, each with its beginning and end where clocks show the time of a zone.
struct FeeAuditMonths: Sendable {
    /// `[[202601,"2026-01-01","2025-12-31 23:00:00.000000","2026-01-31 23:00:00.000000"]]`, for the server; null is never.
    private let table: String
    private let calendar: Calendar

    init(of zone: TimeZone, through: UInt64, _ transaction: borrowing LedgerTransaction) throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        self.calendar = calendar
        var rows: [String] = []
        for row in try transaction.run(
            .select("DISTINCT EXTRACT(YEAR_MONTH FROM effective_at) FROM entry WHERE position <= \(through) AND id IS NOT NULL"))
        {
            let number = try row.uint(0)
            guard let (begins, ends) = Self.bounds(Int(number / 100), Int(number % 100), calendar) else { continue }
            let month = String(number)
            // Nothing counts before the year 1000 or after 9999, whatever the zone.
            let (from, until) = (number == 1000_01 ? "null" : "\"\(begins.sqlText)\"", number == 9999_12 ? "null" : "\"\(ends.sqlText)\"")
            rows.append("[\(number),\"\(month.prefix(4))-\(month.suffix(2))-01\",\(from),\(until)]")
        }
        table = "[\(rows.joined(separator: ","))]"
    }

    /// The first instant of a month, and the first after it.
    private static func bounds(_ year: Int, _ month: Int, _ calendar: Calendar) -> (Timestamp, Timestamp)? {
        if year < 1900 {
            // Foundation's calendar is the Julian one long ago, and the server's is not.
            let texts = [(year, month), (year + month / 12, month % 12 + 1)].map { "\($0)-\($1 < 10 ? "0" : "")\($1)-01 00:00:00.000000" }
            let bounds = texts.compactMap(Timestamp.init(sqlText:)).map { midnight in
                let offset = calendar.timeZone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(midnight.microseconds / 1_000_000)))
                return Timestamp(microseconds: midnight.microseconds - Int64(offset) * 1_000_000)
            }
            return bounds.count == 2 ? (bounds[0], bounds[1]) : nil
        }
        return calendar.date(from: DateComponents(year: year, month: month, day: 15, hour: 12))
            .flatMap { calendar.dateInterval(of: .month, for: $0) }.map { (Timestamp($0.start), Timestamp($0.end)) }
    }

    /// Whether a month (`2026-01-01`) is over at an instant.
    func isOver(_ month: String, at now: Timestamp) -> Bool {
        let parts = month.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, let (_, end) = Self.bounds(parts[0], parts[1], calendar) else { return false }
        return end <= now
    }

    /// The month's row, `b`, of the instant as clocks in UTC show it. The month in the zone is this one or one beside it.
    func join(_ instant: SelectText) -> SelectText {
        """
        (SELECT DISTINCT number, first, begins, ends FROM JSON_TABLE(\(table), '$[*]' COLUMNS (number INT PATH '$[0]', first DATE PATH '$[1]',
         begins DATETIME(6) PATH '$[2]', ends DATETIME(6) PATH '$[3]')) months) b ON b.number = EXTRACT(YEAR_MONTH FROM \(instant))
        """
    }

    func month(_ instant: SelectText) -> SelectText {
        """
        CASE WHEN \(instant) < b.begins THEN b.first - INTERVAL 1 MONTH WHEN \(instant) >= b.ends THEN b.first + INTERVAL 1 MONTH
        ELSE b.first END
        """
    }
}
