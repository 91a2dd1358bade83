import Foundation
import LedgerModel
import Testing

@Suite struct JSONTests {
    @Test func `a value is one line with sorted keys`() throws {
        let rows = [
            (#" { "b" : 1 , "a" : [ true , null, "x" ] } "#, #"{"a":[true,null,"x"],"b":1}"#),
            (#"{"z":{"y":{},"x":[]}}"#, #"{"z":{"x":[],"y":{}}}"#),
            (#""a/b\n\"é😀\u00e9""#, #""a/b\n\"é😀é""#),
            ("0", "0"), ("-1", "-1"), ("true", "true"), ("false", "false"), ("null", "null"), ("[]", "[]"), ("\"\"", "\"\""),
        ]
        for (text, expected) in rows { #expect(try JSON(parsing: text).text == expected) }
    }

    @Test func `one and zero are no truth values, and truth values no numbers`() throws {
        #expect(try JSON(parsing: "[1,0,true,false]") == [1, 0, true, false])
        #expect(try JSON(parsing: "1") != JSON(parsing: "true"))
        #expect(try JSON(parsing: "\"1\"") != JSON(parsing: "1"))
    }

    @Test func `integers beyond 53 bits are kept`() throws {
        for text in ["9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808"] {
            #expect(try JSON(parsing: text) == .integer(Int64(text)!))
            #expect(try JSON(parsing: "[\(text)]").text == "[\(text)]")
        }
    }

    @Test func `other numbers are decimals, never floating point`() throws {
        for text in [
            "0.1", "-0.1", "1.005", "0.30000000000000004", "123456789012345678.123456789012345678", "9223372036854775808",
            "18446744073709551616", "3137360813881635.75", "9007199254740992.5", "4503599627370496.1",
        ] {
            #expect(try JSON(parsing: text) == .number(Decimal(string: text, locale: Locale(identifier: "en_US_POSIX"))!))
            #expect(try JSON(parsing: text).text == text)
        }
    }

    @Test func `a whole number is an integer however it is written`() throws {
        for text in ["1000", "1000.0", "1e3", "10.00e2"] { #expect(try JSON(parsing: text) == 1000, "\(text)") }
    }

    @Test func `what is not JSON is refused`() {
        for text in [
            "", " ", "{", "}", "{]", "[1", "{\"a\":}", "{\"a\" 1}", "{a:1}", "'a'", "01", "+1", ".5", "1.", "1e", "nul", "NaN",
            "Infinity", "\"a", "\"\\x\"", "1 2", "{} {}", "\"\n\"",
        ] {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try JSON(parsing: text) }
            #expect(error?.code == .invalidEntry)
        }
    }

    @Test func `random values come back`() throws {
        var random = Seeded(1)
        for _ in 0..<1000 {
            let value = Self.value(&random, depth: 4)
            #expect(try JSON(parsing: value.text) == value, "\(value)")
            #expect(!value.text.contains("\n"))
            #expect(try JSON(parsing: value.text).text == value.text)
        }
    }

    @Test func `parts are reached by name`() throws {
        let value = try JSON(parsing: #"{"a":"x","b":1}"#)
        #expect(value["a"]?.string == "x")
        #expect(value["b"]?.string == nil)
        #expect(value["c"] == nil)
        #expect(JSON.array([])["a"] == nil)
    }

    private static func value(_ random: inout Seeded, depth: Int) -> JSON {
        switch Int.random(in: 0...(depth == 0 ? 4 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(random.integer() * (Bool.random(using: &random) ? 1 : -1))
        case 3:
            // A whole number would come back as an integer.
            let units = random.integer() / 10 * 10 + 5
            return .number(Decimal(sign: .plus, exponent: -Int.random(in: 1...9, using: &random), significand: Decimal(units)))
        case 4: return .string(string(&random))
        case 5: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(&random, depth: depth - 1) })
        default:
            let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                (string(&random), value(&random, depth: depth - 1))
            }
            return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
        }
    }

    private static func string(_ random: inout Seeded) -> String {
        let characters = ["a", "Z", "0", " ", "\"", "\\", "/", "\n", "\r", "\t", "\u{1}", "\u{7F}", "é", "客", "😀", "\u{2028}", "'", "<"]
        return (0..<Int.random(in: 0...6, using: &random)).map { _ in characters.randomElement(using: &random)! }.joined()
    }
}
