import Foundation

/// Where the members of a JSON object stand in its text, where the text stops being JSON, and which name is there twice.
///
/// The JSON decoder at hand tells none of it and lets commas before a closing bracket pass. A refused line has to say where,
/// and of two amounts with one name nobody can know which is meant.
struct JSONPlaces {
    /// From 0, in bytes, by path: `kind`, `postings/0/debit`.
    private(set) var offsets: [String: Int] = [:]
    /// Where the text is no JSON (RFC 8259).
    private(set) var wrong: Int?
    /// The first name that an object has twice.
    private(set) var twice: (name: String, offset: Int)?

    static let depthMax = 100

    private struct Wrong: Error {}
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
        do throws(Wrong) {
            try value("", depth: 0)
            skipSpace()
            if index < bytes.endIndex { throw Wrong() }
        } catch { wrong = index - bytes.startIndex }
    }

    private mutating func value(_ path: String, depth: Int) throws(Wrong) {
        skipSpace()
        guard depth <= Self.depthMax else { throw Wrong() }
        switch next {
        case UInt8(ascii: "{"): try object(path, depth)
        case UInt8(ascii: "["): try array(path, depth)
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: try number()
        }
    }

    private mutating func object(_ path: String, _ depth: Int) throws(Wrong) {
        index += 1
        skipSpace()
        if skip("}") { return }
        var names: Set<String> = []
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw Wrong() }
            let offset = index - bytes.startIndex
            let name = try string()
            if !names.insert(name).inserted, twice == nil { twice = (name, offset) }
            let member = path.isEmpty ? name : "\(path)/\(name)"
            if offsets[member] == nil { offsets[member] = offset }
            skipSpace()
            guard skip(":") else { throw Wrong() }
            try value(member, depth: depth + 1)
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw Wrong() }
    }

    private mutating func array(_ path: String, _ depth: Int) throws(Wrong) {
        index += 1
        skipSpace()
        if skip("]") { return }
        var number = 0
        repeat {
            skipSpace()
            offsets["\(path)/\(number)"] = index - bytes.startIndex
            try value("\(path)/\(number)", depth: depth + 1)
            number += 1
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw Wrong() }
    }

    private mutating func string() throws(Wrong) -> String {
        let start = index
        index += 1
        var isEscaped = false
        while !skip("\"") {
            guard let byte = next, byte >= 0x20 else { throw Wrong() }
            guard byte == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            isEscaped = true
            let escape = bytes[index...].dropFirst()
            guard let kind = escape.first else { throw Wrong() }
            if kind == UInt8(ascii: "u") {
                let digits = escape.dropFirst().prefix(4)
                guard digits.count == 4, digits.allSatisfy({ Self.isHexadecimal($0) }) else { throw Wrong() }
                index += 6
            } else {
                guard "\"\\/bfnrt".utf8.contains(kind) else { throw Wrong() }
                index += 2
            }
        }
        let quoted = bytes[start..<index]
        if isEscaped, let text = try? JSONDecoder().decode(String.self, from: Data(quoted)) { return text }
        return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
    }

    private mutating func number() throws(Wrong) {
        _ = skip("-")
        if !skip("0") { try digits() }
        if skip(".") { try digits() }
        if skip("e") || skip("E") {
            if !skip("+") { _ = skip("-") }
            try digits()
        }
    }

    private mutating func digits() throws(Wrong) {
        let start = index
        while let byte = next, (48...57).contains(byte) { index += 1 }
        if index == start { throw Wrong() }
    }

    private mutating func word(_ text: StaticString) throws(Wrong) {
        let word = Array(text.description.utf8)
        guard bytes[index...].starts(with: word) else { throw Wrong() }
        index += word.count
    }

    private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, " \t\r\n".utf8.contains(byte) { index += 1 }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
