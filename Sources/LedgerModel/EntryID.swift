import Crypto
import Foundation

/// The identity of an entry, 16 bytes: a request is done once.
///
/// Make it from your own key (an order number, a message id) and posting the same thing twice is harmless; or let
/// the library mint one.
public struct EntryID: Sendable, CustomStringConvertible {
    public let bytes: [UInt8]
    /// Made by ``minted()``: nobody can have posted it before, so nobody needs to look.
    public let isMinted: Bool

    /// - Throws: `invalidEntry` unless there are 16 bytes.
    public init(bytes: [UInt8]) throws(LedgerError) {
        guard bytes.count == 16 else {
            throw LedgerError(.invalidEntry, "an entry's id has 16 bytes; this has \(bytes.count)")
        }
        self.bytes = bytes
        isMinted = false
    }

    private init(minted bytes: [UInt8]) {
        self.bytes = bytes
        isMinted = true
    }

    /// The id of a text key: the first 16 bytes of its SHA-256.
    public init(key: String) {
        bytes = Array(SHA256.hash(data: Data(key.utf8)).prefix(16))
        isMinted = false
    }

    /// An id that follows from what it ends: the opening of an account, the reversal of an entry. Each can happen once.
    public static func derived(_ purpose: StaticString, _ parts: String...) -> EntryID {
        // Lengths keep ("a", "bc") and ("ab", "c") apart.
        EntryID(key: "indelible/\(purpose)" + parts.map { "/\($0.utf8.count):\($0)" }.joined())
    }

    /// A new id: UUID version 7 (RFC 9562), so that ids minted one after the other lie side by side in the index.
    public static func minted() -> EntryID {
        let milliseconds = UInt64(Date().timeIntervalSince1970 * 1000)
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) }
        var random = SystemRandomNumberGenerator()
        bytes += (0..<10).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        return EntryID(minted: bytes)
    }

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
        self.bytes = bytes
        isMinted = false
    }

    /// 32 hexadecimal digits.
    public var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

extension EntryID: Hashable {
    public static func == (left: EntryID, right: EntryID) -> Bool { left.bytes == right.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
}
