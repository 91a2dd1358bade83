import Crypto
import Foundation
import Synchronization

/// The identity of an entry, 16 bytes: a request is done once.
///
/// Make it from your own key (an order number, a message id) and posting the same thing twice is harmless; or let
/// the library mint one.
public struct EntryID: Sendable, CustomStringConvertible {
    // Two words and no array: an id is copied, compared and hashed all the time.
    private let high: UInt64
    private let low: UInt64
    /// Made by ``minted()``: nobody can have posted it before, so nobody needs to look.
    public let isMinted: Bool

    private init(high: UInt64, low: UInt64, isMinted: Bool) {
        self.high = high
        self.low = low
        self.isMinted = isMinted
    }

    private init(_ bytes: some Collection<UInt8>) {
        func word(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes.prefix(8)), low: word(bytes.dropFirst(8)))
    }

    /// - Throws: `invalidEntry` unless there are 16 bytes.
    public init(bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count == 16 else {
            throw LedgerError(.invalidEntry, "an entry's id has 16 bytes; this has \(bytes.count)")
        }
        self.init(bytes)
    }

    /// The first and the last eight bytes, the most significant first.
    package init(high: UInt64, low: UInt64) { self.init(high: high, low: low, isMinted: false) }
    package var words: (high: UInt64, low: UInt64) { (high, low) }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * shift))) }
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * shift))) }
        return bytes
    }

    /// The id of a text key: the first 16 bytes of its SHA-256.
    public init(key: String) {
        var hash = SHA256()
        var key = key
        key.withUTF8 { unsafe hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        self = unsafe hash.finalize().withUnsafeBytes { bytes in
            func word(_ start: Int) -> UInt64 { unsafe bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
            return EntryID(high: word(0), low: word(8), isMinted: false)
        }
    }

    /// An id that follows from what it ends: the opening of an account, the reversal of an entry. Each can happen once.
    public static func derived(_ purpose: StaticString, _ parts: String...) -> EntryID {
        // Lengths keep ("a", "bc") and ("ab", "c") apart.
        var key = "indelible/\(purpose)"
        key.reserveCapacity(160)
        for part in parts {
            key += "/"
            key += String(part.utf8.count)
            key += ":"
            key += part
        }
        return EntryID(key: key)
    }

    /// A new id: UUID version 7 (RFC 9562, 6.2 method 1), with a counter behind the millisecond, so that ids minted one
    /// after the other are in order and lie side by side in the index.
    public static func minted() -> EntryID {
        let now = UInt64(Date().timeIntervalSince1970 * 1000)
        let (milliseconds, counter, random) = mint.next(now)
        let high = milliseconds << 16 | 0x7000 | counter >> 14
        let low = 0x8000_0000_0000_0000 | (counter & 0x3FFF) << 48 | random >> 16
        return EntryID(high: high, low: low, isMinted: true)
    }

    private static let mint = Mint()

    /// The same id, of an entry that in all likelihood nobody has posted: nobody looks before it is inserted. If it stands after all, it is
    /// found then.
    package var likelyNew: EntryID { EntryID(high: high, low: low, isMinted: true) }

    /// Reads what ``description`` prints: 32 hexadecimal digits, with or without the dashes of a UUID; nil if it
    /// is something else.
    public init?(hex: String) {
        let digits = hex.replacing("-", with: "")
        guard digits.utf8.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16), rest.first != "+" else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        self.init(bytes)
    }

    /// 32 hexadecimal digits.
    public var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

extension EntryID: Hashable {
    public static func == (left: EntryID, right: EntryID) -> Bool { left.high == right.high && left.low == right.low }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
    }
}

/// The clock and counter of minted ids: 26 bits that begin anew, somewhere in their lower half, with each millisecond.
private final class Mint: Sendable {
    private struct Last {
        var milliseconds: UInt64 = 0
        var counter: UInt64 = 0
        var random = UInt64.random(in: 0...UInt64.max)
    }

    private let last = Mutex(Last())

    func next(_ now: UInt64) -> (milliseconds: UInt64, counter: UInt64, random: UInt64) {
        last.withLock { last in
            // SplitMix64 from a seed of the system's: an id has to be unlike others, not secret, and the system takes a
            // microsecond for each number.
            last.random &+= 0x9E37_79B9_7F4A_7C15
            var random = last.random
            random = (random ^ (random >> 30)) &* 0xBF58_476D_1CE4_E5B9
            random = (random ^ (random >> 27)) &* 0x94D0_49BB_1331_11EB
            random ^= random >> 31
            // A clock that was set back, or a counter that is used up, borrows from the milliseconds to come.
            if now > last.milliseconds {
                (last.milliseconds, last.counter) = (now, random & 0x1FF_FFFF)
            } else if last.counter == 0x3FF_FFFF {
                (last.milliseconds, last.counter) = (last.milliseconds + 1, 0)
            } else {
                last.counter += 1
            }
            return (last.milliseconds, last.counter, random)
        }
    }
}

extension EntryID {
    /// The id of whatever settles a hold: capture, void or expiry, the first one.
    public static func settlement(of hold: EntryID) -> EntryID { derived("settlement", hold.description) }

    /// The id of the reversal of an entry.
    public static func reversal(of entry: EntryID) -> EntryID { derived("reversal", entry.description) }
}
