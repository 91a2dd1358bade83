public import Foundation

/// When something was sent, as its sender said it: the instant, and the text with the sender's offset.
public struct SentTime: Sendable, Hashable, CustomStringConvertible {
    /// RFC 3339, as it was given: `2026-11-21T10:00:00.000+01:00`.
    public let text: String
    public let timestamp: Timestamp

    /// Keeps a text as it is.
    /// - Throws: `invalidTime` unless it is a time of RFC 3339 with an offset.
    public init(_ text: String) throws(LedgerError) {
        let timestamp = try Timestamp(text)
        guard text.utf8.count > 10 else { throw LedgerError(.invalidTime, "“\(text)” is a day: write when it was sent, as 2026-01-31T23:59:59+01:00") }
        (self.text, self.timestamp) = (text, timestamp)
    }

    /// An instant, cut to whole milliseconds, with the offset that a zone has then (in whole minutes).
    public init(_ timestamp: Timestamp, in zone: TimeZone = .gmt) {
        let rest = timestamp.microseconds % 1000
        let cut = Timestamp(microseconds: timestamp.microseconds - (rest < 0 ? rest + 1000 : rest))
        let minutes = zone.secondsFromGMT(for: cut.date) / 60
        let local = Timestamp(microseconds: cut.microseconds + Int64(minutes) * 60_000_000).sqlText
        text = local.prefix(23).replacing(" ", with: "T") + Self.offset(minutes)
        self.timestamp = cut
    }

    /// This computer's clock, and its zone.
    public static func now(in zone: TimeZone = .current) -> SentTime { SentTime(Timestamp(Date()), in: zone) }

    private static func offset(_ minutes: Int) -> String {
        guard minutes != 0 else { return "Z" }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return (minutes < 0 ? "-" : "+") + two(abs(minutes) / 60) + ":" + two(abs(minutes) % 60)
    }

    public var description: String { text }
}
