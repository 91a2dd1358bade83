/// A JSON document with its numbers as they are written: nothing goes through a Double.
enum SimpleJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case text(String)
    case list([SimpleJSON])
    case object([String: SimpleJSON])

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    init(_ text: String) throws {
        var reader = SimpleJSONReader(text)
        self = try reader.value()
        try reader.end()
    }

    subscript(name: String) -> SimpleJSON? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// The member of a member of …
    func at(_ path: [String]) -> SimpleJSON? {
        var here: SimpleJSON? = self
        for name in path { here = here?[name] }
        return here
    }

    var string: String? {
        if case .text(let text) = self { text } else { nil }
    }

    var items: [SimpleJSON] {
        if case .list(let items) = self { items } else { [] }
    }

    var members: [String: SimpleJSON] {
        if case .object(let members) = self { members } else { [:] }
    }

    /// What is written of a number, or of a number in a text.
    var numeral: String? {
        switch self {
        case .number(let text), .text(let text): text
        default: nil
        }
    }
}

/// Reads one document from its first byte to its last.
struct SimpleJSONReader {
    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpaces() {
        while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { place += 1 }
    }

    /// Takes a character if it is the next one.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpaces()
        guard next == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private func malformed(_ what: String) -> SimpleJSON.Malformed { .init(description: "\(what) at byte \(place)") }

    mutating func end() throws {
        skipSpaces()
        if next != nil { throw malformed("more than one value") }
    }

    mutating func value() throws -> SimpleJSON {
        skipSpaces()
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try list()
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func word(_ word: String, _ value: SimpleJSON) throws -> SimpleJSON {
        guard bytes[place...].starts(with: word.utf8) else { throw malformed("no value") }
        place += word.utf8.count
        return value
    }

    private mutating func number() throws -> String {
        let begin = place
        while let byte = next, "+-.eE0123456789".utf8.contains(byte) { place += 1 }
        if begin == place { throw malformed("no value") }
        return String(decoding: bytes[begin..<place], as: UTF8.self)
    }

    private mutating func list() throws -> SimpleJSON {
        _ = take("[")
        var items: [SimpleJSON] = []
        if take("]") { return .list(items) }
        repeat { items.append(try value()) } while take(",")
        guard take("]") else { throw malformed("no end of a list") }
        return .list(items)
    }

    private mutating func object() throws -> SimpleJSON {
        _ = take("{")
        var members: [String: SimpleJSON] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipSpaces()
            let name = try text()
            guard take(":") else { throw malformed("no colon") }
            members[name] = try value()
        } while take(",")
        guard take("}") else { throw malformed("no end of an object") }
        return .object(members)
    }

    private mutating func text() throws -> String {
        guard take("\"") else { throw malformed("no text") }
        var units: [UInt8] = []
        while let byte = next {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
            case UInt8(ascii: "\\"): units += Array(String(try escaped()).utf8)
            default: units.append(byte)
            }
        }
        throw malformed("no end of a text")
    }

    private mutating func escaped() throws -> Unicode.Scalar {
        guard let byte = next else { throw malformed("nothing is escaped") }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), bytes[place...].starts(with: "\\u".utf8) {
                place += 2
                code = 0x10000 + (code - 0xD800) << 10 + (try hexadecimal()) - 0xDC00
            }
            guard let scalar = Unicode.Scalar(code) else { throw malformed("no character") }
            return scalar
        default: return Unicode.Scalar(byte)
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        guard place + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16) else {
            throw malformed("no hexadecimal number")
        }
        place += 4
        return code
    }
}
