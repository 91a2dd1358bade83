import Foundation
import Testing

@testable import LedgerStore

@Suite struct CSVReaderTests {
    /// Each record as `line: field@line:column | …`, or as its problem.
    static func read(_ bytes: [UInt8]) -> [String] {
        var reader = CSVReader(bytes)
        var found: [String] = []
        while let record = reader.next() {
            if let problem = record.problem {
                found.append("\(problem.line):\(problem.column): \(problem.reason)")
            } else {
                found.append(
                    "\(record.line): " + record.fields.map { "\($0.text)@\($0.line):\($0.column)" }.joined(separator: " | "))
            }
        }
        return found
    }

    static func read(_ text: String) -> [String] { read(Array(text.utf8)) }

    @Test func `fields know their line and column`() {
        #expect(Self.read("a,b\nc,dd,e\n") == ["1: a@1:1 | b@1:3", "2: c@2:1 | dd@2:3 | e@2:6"])
        #expect(Self.read(",,\n,x") == ["1: @1:1 | @1:2 | @1:3", "2: @2:1 | x@2:2"])
        // In bytes.
        #expect(Self.read("é,x") == ["1: é@1:1 | x@1:4"])
    }

    @Test func `line ends are LF or CRLF, and the last one may be missing`() {
        let expected = ["1: a@1:1 | b@1:3", "2: c@2:1 | d@2:3"]
        for text in ["a,b\nc,d\n", "a,b\nc,d", "a,b\r\nc,d\r\n", "a,b\r\nc,d", "a,b\nc,d\r", "a,b\r\nc,d\n"] {
            #expect(Self.read(text) == expected, "\(text.debugDescription)")
        }
        // A carriage return elsewhere is text.
        #expect(Self.read("a\rb,c") == ["1: a\rb@1:1 | c@1:5"])
    }

    @Test func `empty lines are passed over and counted`() {
        #expect(Self.read("\n\r\na\n\n\nb\n\n") == ["3: a@3:1", "6: b@6:1"])
        #expect(Self.read("") == [])
        #expect(Self.read("\n\n") == [])
    }

    @Test func `a byte order mark is no text`() {
        #expect(Self.read("\u{FEFF}a,b\nc") == ["1: a@1:1 | b@1:3", "2: c@2:1"])
        #expect(Self.read("\u{FEFF}") == [])
    }

    @Test func `a quoted field holds commas, quotes and line ends`() {
        #expect(Self.read(#""a,b","c""d",""","#) == ["1:14: a quoted field is not closed"])
        #expect(Self.read(#""a,b","c""d","""#) == [#"1: a,b@1:1 | c"d@1:7 | @1:14"#])
        #expect(Self.read("\"\"\"\",x") == ["1: \"@1:1 | x@1:6"])
        #expect(
            Self.read("a,\"x\ny\r\nz\",b\r\nc") == ["1: a@1:1 | x\ny\r\nz@1:3 | b@3:4", "4: c@4:1"])
    }

    @Test func `what is wrong is named with its place, and reading goes on behind the line`() {
        let rows: [(String, [String])] = [
            ("a\"b,c\nd", ["1:2: a quote stands in a field that does not begin with one", "2: d@2:1"]),
            ("a,\"b\"c,d\ne", ["1:6: text stands behind a closing quote", "2: e@2:1"]),
            ("a, \"b\"\ne", ["1:4: a quote stands in a field that does not begin with one", "2: e@2:1"]),
            ("a\nb,\"c\nd\ne", ["1: a@1:1", "2:3: a quoted field is not closed"]),
            ("a,\"b\nc\"d\ne", ["2:3: text stands behind a closing quote", "3: e@3:1"]),
        ]
        for (text, expected) in rows { #expect(Self.read(text) == expected, "\(text.debugDescription)") }
    }

    @Test func `a problem holds the record and the fields before it`() throws {
        var reader = CSVReader(Array("k1,x,a\"b,c\nk2".utf8))
        let next = reader.next()
        let record = try #require(next)
        #expect(record.fields.map(\.text) == ["k1", "x"])
        #expect(record.problem?.text == "k1,x,a\"b,c")
        #expect(record.line == 1)
    }

    @Test func `bytes that are not UTF-8 are named where they begin`() {
        let rows: [([UInt8], String)] = [
            ([0xFF], "1:1"),
            (Array("a,é".utf8) + [0xC3], "1:5"),
            (Array("a,\"é".utf8) + [0xC3] + Array("x\",b".utf8), "1:6"),
            (Array("a,\"\"\"".utf8) + [0x80] + Array("\"".utf8), "1:6"),
            (Array("a,\"x\ny".utf8) + [0xE2, 0x82] + Array("\",b".utf8), "2:2"),
            (Array("a,\"x\n".utf8) + [0xFE] + Array("\n\"".utf8), "2:1"),
            // Overlong, a surrogate, beyond Unicode.
            (Array("ab".utf8) + [0xC0, 0x80], "1:3"), ([0xED, 0xA0, 0x80], "1:1"), ([0xF4, 0x90, 0x80, 0x80], "1:1"),
        ]
        for (bytes, place) in rows {
            #expect(Self.read(bytes + Array("\nnext".utf8)).first == "\(place): this is not UTF-8", "\(bytes)")
            #expect(Self.read(bytes + Array("\nnext".utf8)).last?.contains("next@") == true, "\(bytes)")
        }
    }

    @Test func `a long field that is not UTF-8 is found at once`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000_000) + [0xFF]
        #expect(Self.read(bytes) == ["1:1000001: this is not UTF-8"])
    }

    @Test func `what was written is read back`() {
        var random = Seeded(seed: 1)
        let characters = ["a", ",", "\"", "\n", "\r\n", "é", " ", "😀", "x"]
        for _ in 0..<500 {
            let rows = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (0..<Int.random(in: 2...5, using: &random)).map { _ in
                    (0..<Int.random(in: 0...5, using: &random)).map { _ in characters.randomElement(using: &random)! }.joined()
                }
            }
            let text = rows.map { row in
                row.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }.joined(separator: ",")
            }.joined(separator: Bool.random(using: &random) ? "\n" : "\r\n")
            var reader = CSVReader(Array(text.utf8))
            var found: [[String]] = []
            let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
            while let record = reader.next() {
                #expect(record.problem == nil)
                found.append(record.fields.map(\.text))
                // The place of a field is that of its opening quote.
                for field in record.fields { #expect(lines[field.line - 1][field.column - 1] == UInt8(ascii: "\"")) }
            }
            #expect(found == rows, "\(text.debugDescription)")
        }
    }
}

@Suite struct JSONPlacesTests {
    @Test func `members are found by their path, not by what looks like them`() {
        let text = #"{ "kind":"key", "payload":{"key":[{"key":"}"}],"a":"\"key\":"}, "k\u0065y" : 1,"postings":[ {"debit":"x"},{"debit":"y"}]}"#
        let places = JSONPlaces(Array(text.utf8)[...])
        func at(_ path: String) -> String? {
            places.offsets[path].map { String(decoding: Array(text.utf8).dropFirst($0).prefix(9), as: UTF8.self) }
        }
        #expect(at("kind") == #""kind":"k"#)
        #expect(at("key") == #""k\u0065y"#)
        #expect(at("payload/key/0/key") == #""key":"}""#)
        #expect(places.offsets["postings/0/debit"] != places.offsets["postings/1/debit"])
        #expect(at("postings/1/debit") == #""debit":""#)
        #expect(places.twice == nil)
    }

    @Test func `a name that is there twice is found at any depth`() {
        let rows: [(String, Int?)] = [
            (#"{"a":1,"a":2}"#, 7), (#"{"a":1,"\u0061":2}"#, 7), (#"{"x":[{"a":1},{"b":1,"b":1}]}"#, 21),
            (#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, nil), (#"{"a":"\"a\":","A":1}"#, nil),
        ]
        for (text, offset) in rows { #expect(JSONPlaces(Array(text.utf8)[...]).twice?.offset == offset, "\(text)") }
    }

    @Test func `what the decoder takes for JSON and what this does are the same, but for a comma too many`() throws {
        let seed = #"{"a":[1,-2.5e+3,"x\u00e9\n",null,true,{}],"b":{"c":""}, "d":0}"#
        var random = Seeded(seed: 1)
        let hot = Array("{}[]:,\"\\ue0123456789-+.tfnl \t".utf8) + [0, 0x1F]
        var (good, bad) = (0, 0)
        for _ in 0..<5000 {
            var bytes = Array(seed.utf8)
            let index = Int.random(in: bytes.indices, using: &random)
            if Bool.random(using: &random) { bytes[index] = hot.randomElement(using: &random)! } else { bytes.remove(at: index) }
            let text = String(decoding: bytes, as: UTF8.self)
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            let places = JSONPlaces(bytes[...])
            let hasCommaTooMany = text.contains(/,\s*[}\]]/)
            if !hasCommaTooMany { #expect((places.wrong == nil) == isJSON, "\(text.debugDescription)") }
            if let wrong = places.wrong { #expect((0...bytes.count).contains(wrong)) }
            if places.wrong == nil { good += 1 } else { bad += 1 }
        }
        #expect(good > 500 && bad > 500)
    }
}
