public import Foundation

/// A JSON value (RFC 8259), as an entry's payload holds it.
///
/// Whole numbers are kept as 64-bit integers and others as decimals, never as binary floating point. Money
/// belongs into postings, not here.
public enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Decimal)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// - Throws: `invalidEntry` if the text is not JSON.
    public init(parsing text: String) throws(LedgerError) {
        do { self = try JSONDecoder().decode(JSON.self, from: Data(text.utf8)) } catch {
            throw LedgerError(.invalidEntry, "this is not JSON: \(text.prefix(80))")
        }
    }

    /// The value as one line of JSON with sorted keys.
    public var text: String {
        if let text = plainText { return text }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // The enumeration has no case that JSON cannot hold.
        guard let data = try? encoder.encode(self) else { preconditionFailure("a JSON value is always JSON") }
        return String(decoding: data, as: UTF8.self)
    }

    /// What the encoder writes of objects of plain texts, whole numbers and the like; nil for what needs a closer look.
    private var plainText: String? {
        guard case .object = self else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        return appendPlain(to: &bytes) ? String(decoding: bytes, as: UTF8.self) : nil
    }

    /// - Returns: false for what needs a closer look.
    private func appendPlain(to bytes: inout [UInt8]) -> Bool {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): bytes += String(number).utf8
        case .string(let text):
            bytes.append(UInt8(ascii: "\""))
            for byte in text.utf8 {
                guard (32..<127).contains(byte), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        case .object(let members):
            guard members.keys.allSatisfy(Self.isPlainKey) else { return false }
            bytes.append(UInt8(ascii: "{"))
            for (index, key) in members.keys.sorted().enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(UInt8(ascii: "\""))
                bytes += key.utf8
                bytes += [UInt8(ascii: "\""), UInt8(ascii: ":")]
                guard members[key]?.appendPlain(to: &bytes) == true else { return false }
            }
            bytes.append(UInt8(ascii: "}"))
        case .array, .number: return false
        }
        return true
    }

    /// Lower-case letters and _: their order is the same by any rule.
    private static func isPlainKey(_ key: String) -> Bool { key.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 } }

    public subscript(key: String) -> JSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

extension JSON: Codable {
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if let members = try? value.decode([String: JSON].self) {
            self = .object(members)
        } else if let flag = try? value.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? value.decode(Decimal.self) {
            // Not asked for as an Int64: the decoder would go through a Double and drop the decimals of a long number.
            self = Int64(number.description).map(JSON.integer) ?? .number(number)
        } else {
            self = .array(try value.decode([JSON].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        case .array(let items): try container.encode(items)
        case .object(let members): try container.encode(members)
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}
