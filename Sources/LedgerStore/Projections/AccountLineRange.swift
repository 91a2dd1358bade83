import Crypto
public import Foundation
public import LedgerModel

/// Which lines of an account are asked for, and in which order.
public struct AccountLineRange: Sendable, Hashable {
    /// What the lines are ordered by.
    public enum Order: String, Sendable, Hashable, CaseIterable {
        /// The journal's order: as it became known.
        case position
        /// When the entries count; those of one instant in the journal's order.
        case effective
    }

    public let order: Order
    /// The pages go from the newest line to the oldest.
    public let isNewestFirst: Bool
    /// Positions or microseconds, as the order has it: the first that belongs to the range …
    let lower: Int64?
    /// … and the first that does not.
    let upper: Int64?

    init(order: Order, isNewestFirst: Bool, lower: Int64?, upper: Int64?) {
        self.order = order
        self.isNewestFirst = isNewestFirst
        self.lower = lower
        self.upper = upper
    }

    /// Lines in the order of the journal, by default all, from the oldest on.
    /// - Parameters:
    ///   - from: the first position.
    ///   - through: the last position.
    public static func positions(
        from: Position? = nil, through: Position? = nil, newestFirst: Bool = false
    ) -> AccountLineRange {
        AccountLineRange(
            order: .position, isNewestFirst: newestFirst, lower: from.map { Int64(clamping: $0.number) },
            upper: through.map { Int64(clamping: $0.number &+ ($0.number == .max ? 0 : 1)) })
    }

    /// Lines in the order in which their entries count, by default all, from the oldest on.
    /// - Parameters:
    ///   - from: entries that count from here …
    ///   - before: … and before this.
    public static func effective(
        from: Timestamp? = nil, before: Timestamp? = nil, newestFirst: Bool = false
    ) -> AccountLineRange {
        // Entries have times of the years 1000 to 9999, and the database knows no other.
        let lower = from.map { min(max($0.microseconds, storable.lowerBound), storable.upperBound - 1) }
        let upper = before.flatMap { $0.microseconds < storable.upperBound ? max($0.microseconds, storable.lowerBound) : nil }
        return AccountLineRange(order: .effective, isNewestFirst: newestFirst, lower: lower, upper: upper)
    }

    private static let storable: Range<Int64> = -30_610_224_000_000_000..<253_402_300_800_000_000

    /// The same for whole days where clocks show the time of `zone` (``Ledger/timeZone()`` is the book's).
    /// - Parameters:
    ///   - from: the first day.
    ///   - through: the last day.
    /// - Throws: `invalidTime` if the zone's calendar does not have such a day.
    public static func days(
        from: AccountingDay? = nil, through: AccountingDay? = nil, in zone: TimeZone, newestFirst: Bool = false
    ) throws(LedgerError) -> AccountLineRange {
        .effective(
            from: try from.map { day throws(LedgerError) in try beginning(of: day, zone) },
            before: try through.map { day throws(LedgerError) in try day.end(in: zone) }, newestFirst: newestFirst)
    }

    /// The first instant of a day where clocks show the time of `zone`.
    /// - Throws: `invalidTime` if the zone's calendar does not have it.
    public static func beginning(of day: AccountingDay, _ zone: TimeZone) throws(LedgerError) -> Timestamp {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        guard let noon = calendar.date(from: DateComponents(year: day.year, month: day.month, day: day.day, hour: 12)) else {
            throw LedgerError(.invalidTime, "\(day) does not begin in \(zone.identifier)")
        }
        return Timestamp(calendar.startOfDay(for: noon))
    }
}

/// Where the next page goes on: opaque text.
///
/// It holds the account, the range, the last line that was shown and the balance there, and through which position the first page
/// was true: later pages show nothing above that, so that no line comes twice or is left out while the book grows. A code over all
/// of it is made with the proof of the checkpoint at that position, which only the book has; so a cursor of another book, or one
/// that was altered, is refused and not believed.
public struct AccountLineCursor: Sendable, Hashable, CustomStringConvertible {
    struct Place: Sendable, Hashable {
        var range: AccountLineRange
        var account: UInt32
        var generation: UInt32
        var through: UInt64
        /// The last line of the page, in the order of the range.
        var last: LineKey
        /// In the order by time: the last of the lines shown that were not late.
        var inTime = LinePlace.first
        /// What the next page continues from, posted debits less posted credits: after that line, or before it if the newest come first.
        var balance: Int128
    }

    let place: Place
    private let code: [UInt8]

    private static let version: UInt8 = 2
    private static let codeLength = 16

    /// - Throws: `invalidCursor` if the text cannot be a cursor. Whether it is one of a book is found when it is used.
    public init(_ text: String) throws(LedgerError) {
        let refused = LedgerError(
            .invalidCursor, "“\(text.prefix(24))\(text.count > 24 ? "…" : "")” is no cursor of account lines: give the one that came with the "
                + "page before, whole, or begin with the first page")
        let padded = text.replacing("-", with: "+").replacing("_", with: "/") + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded), data.count > Self.codeLength else { throw refused }
        let bytes = [UInt8](data)
        guard let place = Self.place(bytes.dropLast(Self.codeLength)) else { throw refused }
        self.place = place
        code = Array(bytes.suffix(Self.codeLength))
        // One cursor has one text.
        guard self.text == text else { throw refused }
    }

    init(_ place: Place, proof: [UInt8]) {
        self.place = place
        code = Self.code(place, proof)
    }

    /// As it is given out and taken back.
    public var text: String {
        Data(Self.bytes(place) + code).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    public var description: String { text }

    /// True if a book made it whose checkpoint there has this proof.
    func isMade(with proof: [UInt8]) -> Bool { zip(Self.code(place, proof), code).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0 }

    private static func code(_ place: Place, _ proof: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(bytes(place)), using: SymmetricKey(data: proof))).prefix(codeLength) + []
    }

    private static func bytes(_ place: Place) -> [UInt8] {
        let range = place.range
        let flags: UInt8 = (range.order == .effective ? 1 : 0) | (range.isNewestFirst ? 2 : 0) | (range.lower != nil ? 4 : 0) | (range.upper != nil ? 8 : 0)
        var bytes = [version, flags]
        func append(_ value: some FixedWidthInteger) {
            for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
        append(place.account)
        append(place.generation)
        append(place.through)
        append(range.lower ?? 0)
        append(range.upper ?? 0)
        append(place.last.effective.microseconds)
        append(place.last.position)
        append(place.last.line)
        append(place.inTime.position)
        append(place.inTime.line)
        append(place.balance)
        return bytes
    }

    private static func place(_ bytes: ArraySlice<UInt8>) -> Place? {
        var rest = bytes
        func take<T: FixedWidthInteger>(_ type: T.Type = T.self) -> T {
            defer { rest = rest.dropFirst(T.bitWidth / 8) }
            return rest.prefix(T.bitWidth / 8).reduce(0) { T(truncatingIfNeeded: $0 << 8) | T(truncatingIfNeeded: $1) }
        }
        guard bytes.count == 2 + 4 + 4 + 8 + 8 + 8 + 8 + 8 + 4 + 8 + 4 + 16, take(UInt8.self) == version else { return nil }
        let flags = take(UInt8.self)
        guard flags < 16 else { return nil }
        let (account, generation, through) = (take(UInt32.self), take(UInt32.self), take(UInt64.self))
        let (lower, upper) = (take(Int64.self), take(Int64.self))
        let effective = Timestamp(microseconds: take())
        let key = LineKey(effective: effective, position: take(), line: take())
        let range = AccountLineRange(
            order: flags & 1 == 0 ? .position : .effective, isNewestFirst: flags & 2 != 0, lower: flags & 4 == 0 ? nil : lower,
            upper: flags & 8 == 0 ? nil : upper)
        let inTime = LinePlace(position: take(), line: take())
        return Place(range: range, account: account, generation: generation, through: through, last: key, inTime: inTime, balance: take())
    }
}

/// The place of a line in both orders; compared it is in the one by time.
struct LineKey: Sendable, Hashable, Comparable {
    let effective: Timestamp
    let position: UInt64
    let line: UInt32

    var place: LinePlace { LinePlace(position: position, line: line) }

    static func < (left: LineKey, right: LineKey) -> Bool {
        (left.effective, left.position, left.line) < (right.effective, right.position, right.line)
    }
}

/// The place of a line in the journal's order.
struct LinePlace: Sendable, Hashable {
    let position: UInt64
    let line: UInt32

    /// Before all lines, and behind them.
    static let first = LinePlace(position: 0, line: 0)
    static let end = LinePlace(position: .max, line: 0)
}
