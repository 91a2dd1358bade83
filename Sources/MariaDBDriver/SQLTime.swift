import CMariaDB

/// A DATETIME or TIMESTAMP by its parts, in the session's time zone, which this driver sets to UTC.
public struct SQLTime: Sendable, Hashable {
    public let year: Int
    public let month: Int
    public let day: Int
    public let hour: Int
    public let minute: Int
    public let second: Int
    public let microsecond: Int

    init(_ time: MYSQL_TIME) {
        year = Int(time.year)
        month = Int(time.month)
        day = Int(time.day)
        hour = Int(time.hour)
        minute = Int(time.minute)
        second = Int(time.second)
        microsecond = Int(time.second_part)
    }

    /// As the server writes it: `2026-01-31 23:59:59.000001`.
    func text(decimals: UInt32) -> String {
        var text: [UInt8] = []
        func append(_ number: Int, _ width: Int) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                text.append(UInt8(48 + number / divisor % 10))
                divisor /= 10
            }
        }
        append(year, 4)
        text.append(UInt8(ascii: "-"))
        append(month, 2)
        text.append(UInt8(ascii: "-"))
        append(day, 2)
        text.append(UInt8(ascii: " "))
        append(hour, 2)
        text.append(UInt8(ascii: ":"))
        append(minute, 2)
        text.append(UInt8(ascii: ":"))
        append(second, 2)
        // More than six: as many as it takes.
        let shown = decimals > 6 ? (microsecond == 0 ? 0 : 6) : Int(decimals)
        if shown > 0 {
            text.append(UInt8(ascii: "."))
            append(microsecond, 6)
            text.removeLast(6 - shown)
        }
        return String(decoding: text, as: UTF8.self)
    }
}
