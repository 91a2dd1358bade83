import Foundation
import LedgerModel
import Testing

/// What is written and read without a closer look is what a closer look would make of it.
@Suite struct ShortcutTests {
    @Test func `an object of plain texts is written as the encoder writes it`() throws {
        var random = Seeded(20_261_121)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let letters = Array("abcdefz_") + ["é", "Z", "9", "."]
        for _ in 0..<3000 {
            var members: [String: JSON] = [:]
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let wide = Int.random(in: 0..<8, using: &random) == 0
                let key = String((0..<Int.random(in: 0...6, using: &random)).map { _ in letters[Int.random(in: 0..<(wide ? 12 : 8), using: &random)] })
                members[key] = Self.value(&random)
            }
            let json = JSON.object(members)
            #expect(json.text == String(decoding: try encoder.encode(json), as: UTF8.self))
            #expect(try JSON(parsing: json.text) == json)
        }
    }

    private static func value(_ random: inout Seeded) -> JSON {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64.random(in: .min ... .max, using: &random))
        case 3: .integer(0)
        case 4: .array([1, "x"])
        case 5: ["b": 1, "a": .string("\"")]
        case 6: .string(["", "a\"b", "a\\b", "a/b", "\n", "\u{7F}", "é", "\u{1F}", "~ !"].randomElement(using: &random)!)
        default: .string(String((0..<Int.random(in: 0...12, using: &random)).map { _ in Character(UnicodeScalar(UInt8.random(in: 32..<127, using: &random))) }))
        }
    }

    @Test func `plain paths and codes are those that are well formed anyway`() {
        var random = Seeded(20_261_122)
        let pieces = ["a", "Z", "0", "_", "-", ".", ":", "::", "é", " ", "*", ";"]
        for _ in 0..<5000 {
            let text = (0..<Int.random(in: 0...6, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined()
            // A space at the end of a segment is refused and one inside is not: with an é every path gets the closer look.
            let plain = (try? AccountPath(text)) != nil
            #expect(plain == ((try? AccountPath(text.isEmpty ? "" : "é:" + text)) != nil), "“\(text)”")
        }
        #expect((try? AccountPath(String(repeating: "a", count: 255))) != nil)
        #expect((try? AccountPath(String(repeating: "a", count: 256))) == nil)
        for text in ["EUR", "A", "ABCDEFGHIJKLMNOP"] { #expect((try? CurrencyCode(text))?.text == text) }
        for text in ["", "ABCDEFGHIJKLMNOPQ"] { #expect((try? CurrencyCode(text)) == nil) }
    }
}
