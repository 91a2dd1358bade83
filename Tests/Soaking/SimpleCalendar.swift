import Foundation

/// Days and months where clocks show the time of one zone. Instants are microseconds since 1970 in UTC.
struct SimpleCalendar: Sendable {
    let zone: TimeZone

    init(_ name: String) throws {
        guard let zone = TimeZone(identifier: name) else { throw SimpleJSON.Malformed(description: "no time zone: \(name)") }
        self.zone = zone
    }

    /// Days since 1970-01-01 of a day (Fliegel and Van Flandern).
    static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let a = (month - 14) / 12
        return 1461 * (year + 4800 + a) / 4 + 367 * (month - 2 - 12 * a) / 12 - 3 * ((year + 4900 + a) / 100) / 4 + day - 32_075 - 2_440_588
    }

    /// The day that is so many days after 1970-01-01 (the same, backwards).
    static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        var l = days + 2_440_588 + 68_569
        let n = 4 * l / 146_097
        l -= (146_097 * n + 3) / 4
        let i = 4000 * (l + 1) / 1_461_001
        l = l - 1461 * i / 4 + 31
        let j = 80 * l / 2447
        return (100 * (n - 49) + i + j / 11, j + 2 - 12 * (j / 11), l - 2447 * j / 80)
    }

    static func floor(_ number: Int64, _ divisor: Int64) -> Int64 { number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor) }

    /// The number of the day, since 1970, that the clocks show.
    private func localDay(_ instant: Int64) -> Int {
        let seconds = Self.floor(instant, 1_000_000)
        let offset = Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds))))
        return Int(Self.floor(seconds + offset, 86_400))
    }

    /// The month: 12 times the year, and January is 0.
    func month(_ instant: Int64) -> Int {
        let date = Self.date(localDay(instant))
        return date.year * 12 + date.month - 1
    }

    /// The first day of a month, as the database writes it.
    static func text(month: Int) -> String { "\(digits(month / 12, 4))-\(digits(month % 12 + 1, 2))-01" }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// `2026-01-31` (the first instant of it here), `2026-01-31T23:59:59.5Z`, or the same with `+01:00`.
    func instant(_ text: String) throws -> Int64 {
        if text.utf8.count > 10 { return try Self.utc(text) }
        let parts = text.split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { throw SimpleJSON.Malformed(description: "no day: \(text)") }
        let day = Self.days(parts[0], parts[1], parts[2])
        // Clocks are ahead of UTC by 14 hours at the most; minute by minute until they show the day.
        for minute in -16 * 60...16 * 60 {
            let instant = (Int64(day) * 86_400 + Int64(minute) * 60) * 1_000_000
            if localDay(instant) >= day { return instant }
        }
        throw SimpleJSON.Malformed(description: "it does not begin: \(text)")
    }

    /// `2026-01-31 23:59:59.5`, with a `T` or a space, and `Z`, an offset or nothing for UTC.
    static func utc(_ text: String) throws -> Int64 {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1) - 48 } }
        guard bytes.count >= 19 else { throw SimpleJSON.Malformed(description: "no instant: \(text)") }
        var seconds = Int64(days(Int(number(0..<4)), Int(number(5..<7)), Int(number(8..<10)))) * 86_400
        seconds += number(11..<13) * 3600 + number(14..<16) * 60 + number(17..<19)
        var place = 19
        var (fraction, unit): (Int64, Int64) = (0, 100_000)
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place += 1
            while place < bytes.count, (48...57).contains(bytes[place]) {
                fraction += unit * (Int64(bytes[place]) - 48)
                unit /= 10
                place += 1
            }
        }
        if place + 6 == bytes.count {
            let offset = number(place + 1..<place + 3) * 3600 + number(place + 4..<place + 6) * 60
            seconds -= bytes[place] == UInt8(ascii: "-") ? -offset : offset
        }
        return seconds * 1_000_000 + fraction
    }
}
