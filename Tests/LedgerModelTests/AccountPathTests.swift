import LedgerModel
import Testing

@Suite struct AccountPathTests {
    @Test func `segments of letters of any script make a path`() throws {
        for text in [
            "cash", "customers:alice", "a:b:c:d:e", "Assets:Bank 1:EUR", "café", "客户:李", "клиенты:анна", "x-y_z.1/2", "1", "a#b",
            "o'brien", "100 %", "(tax)", "a,b", "😀", "a:\u{915}\u{93E}",
        ] {
            let path = try AccountPath(text)
            #expect(path.text == text)
            #expect(path.description == text)
        }
    }

    @Test func `the composed and the decomposed spelling are one path`() throws {
        let composed = AccountPath("caf\u{E9}:\u{C5}")
        for text in ["cafe\u{301}:\u{C5}", "caf\u{E9}:A\u{30A}", "caf\u{E9}:\u{212B}"] {
            let path = try AccountPath(text)
            #expect(path == composed)
            #expect(path.hashValue == composed.hashValue)
            #expect(Array(path.text.utf8) == Array("caf\u{E9}:\u{C5}".utf8))
        }
        #expect(AccountPath("cafe") != composed)
        #expect(AccountPath("Cafe") != AccountPath("cafe"))
    }

    @Test func `what is no path is refused with the reason`() throws {
        let empty = "a segment between two : is empty"
        let space = "a segment begins or ends with a space"
        let unseen = "it has a character that cannot be seen"
        let rows: [(String, String)] = [
            ("", "it is empty"),
            (":", empty), (":a", empty), ("a:", empty), ("a::b", empty),
            (" a", space), ("a ", space), ("a: b", space), ("a :b", space), (" ", space),
            ("a  b", "it has two spaces in a row"), ("a:b  c", "it has two spaces in a row"),
            ("a\tb", unseen), ("a\nb", unseen), ("a\0", unseen), ("a\u{200B}b", unseen), ("a\u{202E}b", unseen),
            ("\u{FEFF}a", unseen), ("a\u{2028}b", unseen), ("a\u{E000}", unseen), ("a\u{378}", unseen),
            ("a\u{A0}b", "it has a space that is not a plain one"), ("a\u{3000}b", "it has a space that is not a plain one"),
            ("a*b", "it has a *"), ("a;b", "it has a ;"), ("a\"b", "it has a \""), ("a|b", "it has a |"),
            // The Greek question mark is a semicolon in composed form.
            ("a\u{37E}b", "it has a ;"),
            (String(repeating: "é", count: 256), "it has more than 255 characters"),
        ]
        for (text, reason) in rows {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try AccountPath(text) }
            #expect(error?.code == .invalidAccount)
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
    }

    @Test func `a combining mark hides neither a colon nor a space`() throws {
        for text in [":\u{301}a", "a::\u{301}b", " \u{301}a", "a: \u{301}b", "a \u{20} \u{301}b", "a*\u{301}"] {
            #expect(throws: LedgerError.self, "\(text.debugDescription)") { try AccountPath(text) }
        }
    }

    @Test func `a path has at most 255 code points, in composed form`() throws {
        #expect(try AccountPath(String(repeating: "a", count: 255)).text.count == 255)
        #expect(try AccountPath(String(repeating: "e\u{301}", count: 255)).text.unicodeScalars.count == 255)
        #expect(throws: LedgerError.self) { try AccountPath(String(repeating: "a", count: 256)) }
    }

    @Test func `paths sort by their bytes, as the database does`() throws {
        let sorted = try ["A", "Z", "a", "a b", "a:b", "ab", "z", "é", "я", "客", "😀"].map { text in try AccountPath(text) }
        var random = Seeded(1)
        #expect(sorted.shuffled(using: &random).sorted() == sorted)
        // By UTF-16 the last two would stand the other way round.
        #expect(AccountPath("\u{FF21}") < AccountPath("\u{1F600}"))
    }

    @Test func `debit accounts grow by debits and credit accounts by credits`() {
        let sides = Dictionary(uniqueKeysWithValues: AccountType.allCases.map { ($0.rawValue, $0.normalSide) })
        #expect(
            sides == ["asset": .debit, "expense": .debit, "liability": .credit, "equity": .credit, "income": .credit])
    }
}
