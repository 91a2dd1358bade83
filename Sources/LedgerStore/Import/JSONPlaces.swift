import Foundation

/// Where the members of a JSON object stand in its text, and which name is there twice.
///
/// The JSON decoder at hand tells neither; a refused line has to say where, and of two amounts with one name nobody can
/// know which is meant. The text has been decoded before, so it is JSON.
struct JSONPlaces {
    /// From 0, in bytes, by path: `kind`, `postings/0/debit`.
    private(set) var offsets: [String: Int] = [:]
    /// The first name that an object has twice.
    private(set) var twice: (name: String, offset: Int)?

    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
        value("")
    }

    private mutating func value(_ path: String) {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): object(path)
        case UInt8(ascii: "["): array(path)
        case UInt8(ascii: "\""): _ = string()
        default: while let byte = next, !",]} \t\r\n".utf8.contains(byte) { index += 1 }
        }
    }

    private mutating func object(_ path: String) {
        index += 1
        var names: Set<String> = []
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { break }
            let offset = index - bytes.startIndex
            let name = string()
            if !names.insert(name).inserted, twice == nil { twice = (name, offset) }
            let member = path.isEmpty ? name : "\(path)/\(name)"
            if offsets[member] == nil { offsets[member] = offset }
            skipSpace()
            index += 1  // the colon
            value(member)
            skipSpace()
            guard next == UInt8(ascii: ",") else { break }
            index += 1
        }
        index += 1
    }

    private mutating func array(_ path: String) {
        index += 1
        var number = 0
        skipSpace()
        while let byte = next, byte != UInt8(ascii: "]") {
            offsets["\(path)/\(number)"] = index - bytes.startIndex
            value("\(path)/\(number)")
            number += 1
            skipSpace()
            if next == UInt8(ascii: ",") { index += 1 }
            skipSpace()
        }
        index += 1
    }

    private mutating func string() -> String {
        let start = index
        index += 1
        while let byte = next, byte != UInt8(ascii: "\"") { index += byte == UInt8(ascii: "\\") ? 2 : 1 }
        index += 1
        let quoted = bytes[start..<min(index, bytes.endIndex)]
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        return (try? JSONDecoder().decode(String.self, from: Data(quoted))) ?? String(decoding: quoted, as: UTF8.self)
    }

    private var next: UInt8? { index < bytes.endIndex ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, " \t\r\n".utf8.contains(byte) { index += 1 }
    }
}
