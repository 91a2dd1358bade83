import Indelible
import IndelibleTesting
import Testing

@Suite struct ImportRefusalTests {
    static let short = "key,debit,credit,amount,currency\n"
    static let long = "key,kind,effective_at,description,reference,actor,debit,credit,amount,currency\n"
    static let good = "k0,cash,alice,1,EUR\n"

    /// Each with a ▸ where the problem is, and what the reason says.
    static let csv: [(text: String, reason: String)] = [
        // The file and its header.
        ("▸", "the file is empty"),
        ("▸\n\n", "the file is empty"),
        ("▸key,debit,credit,amount\nk", "the header has no column “currency”"),
        ("▸debit,credit,amount,currency\nk", "the header has no column “key”"),
        ("▸key;debit;credit;amount;currency\n", "the header has no column “key”"),
        ("▸account,currency\ncash,EUR", "the header has no column “key”"),
        ("key,debit,credit,amount,currency,▸memo\n", "the column “memo” is not known"),
        ("key,debit,credit,amount,currency,▸Kind\n", "the column “Kind” is not known"),
        ("key,debit,credit,amount,currency,▸debit\n", "the column “debit” is there twice"),
        ("key,de▸\"bit,credit,amount,currency\n", "a quote stands in a field that does not begin with one"),
        // The form of a row.
        (short + good + "k1,cash,alice,▸1\n", "4 fields, and the header has 5"),
        (short + good + "k1,cash,alice,1,5,▸EUR\n", "6 fields, and the header has 5"),
        (short + "k1,ca▸\"sh,alice,1,EUR\n" + good, "a quote stands in a field"),
        (short + "k1,\"cash\"▸ ,alice,1,EUR\n" + good, "text stands behind a closing quote"),
        (short + good + "k1,▸\"cash,alice,1,EUR\nk2,cash,alice,1,EUR\n", "a quoted field is not closed"),
        // The fields.
        (short + good + "▸,cash,alice,1,EUR\n", "the key is empty"),
        (short + good + "k1,cash,alice,▸12abc,EUR\n", "“12abc” is no amount of EUR"),
        (short + good + "k1,cash,alice,▸\"1,5\",EUR\n", "“1,5” is no amount of EUR"),
        (short + good + "k1,cash,alice,▸,EUR\n", "“” is no amount of EUR"),
        (short + good + "k1,cash,alice,▸1.234,EUR\n", "3 decimals, and EUR has 2"),
        (short + good + "k1,yen,yen:2,▸1.5,JPY\n", "1 decimals, and JPY has 0"),
        (short + good + "k1,cash,alice,▸0,EUR\n", "it must be more than 0"),
        (short + good + "k1,cash,alice,▸0.00,EUR\n", "it must be more than 0"),
        (short + good + "k1,cash,alice,▸-1,EUR\n", "it must be more than 0"),
        (short + good + "k1,cash,alice,▸92233720368547758.08,EUR\n", "does not fit into 64 bits"),
        (short + good + "k1,cash,alice,1,▸eur\n", "the book has no currency eur"),
        (short + good + "k1,cash,alice,1,▸\n", "“” is no currency code"),
        (short + good + "k1,▸,alice,1,EUR\n", "“” is no account path: it is empty"),
        (short + good + "k1,cash,▸a::b,1,EUR\n", "a segment between two : is empty"),
        (short + good + "k1,cash,▸cash,1,EUR\n", "debit and credit are the same account"),
        (long + "k1,▸Order,,,,,cash,alice,1,EUR\n", "“Order” is no kind of entry"),
        (long + "▸k1,ledger.x,,,,,cash,alice,1,EUR\n", "the kind ledger.x is reserved"),
        (long + "k1,,▸2025-02-30,,,,cash,alice,1,EUR\n", "“2025-02-30” is no time"),
        (long + "k1,,▸2025-01-01T10:00:00,,,,cash,alice,1,EUR\n", "is no time"),
        // The rows of one key.
        (long + "k1,a,,d,,,cash,alice,1,EUR\nk1,▸b,,d,,,cash,bob,1,EUR\n", "“kind” differs from the first row of the same key (line 2)"),
        (long + "k1,a,,d,,,cash,alice,1,EUR\nk1,a,,▸,,,cash,bob,1,EUR\n", "“description” differs from the first row"),
        (short + "k1,cash,alice,1,EUR\nk1,cash,alice,▸x,EUR\nk1,cash,alice,1,EUR\n", "“x” is no amount"),
        // The book.
        (short + good + "k1,▸carol,alice,1,EUR\n", "there is no account carol in EUR"),
        (short + good + "k1,cash,▸carol,1,EUR\n", "there is no account carol in EUR"),
        (short + good + "k1,cash,alice,1,EUR\nk1,cash,▸carol,1,EUR\n", "there is no account carol in EUR"),
        (short + good + "k1,▸cash,alice,1,JPY\n", "the account cash is in EUR, not in JPY"),
        (short + good + "k1,▸both,alice,1,JPY\n", "the account both is in EUR, USD, not in JPY"),
        (short + good + "k1,both,▸alice,1,USD\n", "the account alice is in EUR, not in USD"),
        // Lines behind a field of more than one.
        (long + "k1,,,\"one\r\ntwo \"\"2\"\"\n\nthree\",,,cash,alice,▸x,EUR\n", "“x” is no amount"),
        (long + "k1,,,\"one\ntwo\",,,cash,▸carol,1,EUR\n", "there is no account carol"),
        (long + "k1,,,\"one\ntwo\",,,cash,alice,1,EUR\nk2,,,,,,cash,alice,▸x,EUR\n", "“x” is no amount"),
        (long + "k1,,,\"one\ntwo\",,,cash,alice,▸1\n", "9 fields, and the header has 10"),
        // Accounts and currencies.
        ("account,currency,type\ncarol,EUR,▸debtor\n", "“debtor” is no type of account: asset, liability"),
        ("account,currency,type\ncarol,▸XYZ,asset\n", "the book has no currency XYZ"),
        ("account,currency,type\n▸ carol,EUR,asset\n", "a segment begins or ends with a space"),
        ("account,currency,type\n▸cash,EUR,income\n", "the account cash in EUR is open already, as asset"),
        ("account,currency,type\ncarol,EUR,asset\n▸carol,EUR,income\n", "is open already, as asset"),
        ("account,currency,type\ncarol,▸EUR\n", "2 fields, and the header has 3"),
        ("currency,exponent\nPTS,▸two\n", "“two” is no number of decimals"),
        ("currency,exponent\nPTS,▸19\n", "it can be 0 to 18"),
        ("currency,exponent\nPTS,▸-1\n", "it can be 0 to 18"),
        ("currency,exponent\n▸P S,2\n", "“P S” is no currency code"),
        ("currency,exponent\n▸EUR,3\n", "EUR has the exponent 2 in this book"),
        ("currency,exponent\nPTS,0\n▸PTS,1\n", "PTS has the exponent 0"),
    ]

    static let line0 = #"{"key":"k0","postings":[{"debit":"cash","credit":"alice","amount":"1","currency":"EUR"}]}"# + "\n"

    static func posting(_ text: String) -> String {
        line0 + #"{"key":"k1","payload":{"debit":"x","credit":"x","amount":"x","currency":"x"},"postings":[{"debit":"cash","credit":"bob","amount":"1","currency":"EUR"},"#
            + text + "]}"
    }

    static let jsonLines: [(text: String, reason: String)] = [
        (line0 + "▸not JSON", "this is not JSON"),
        (line0 + "▸[]", "a line is one JSON object"),
        (line0 + "▸7", "a line is one JSON object"),
        (line0 + #"▸{}"#, "“key” is missing"),
        (line0 + #"{▸"key":""}"#, "the key is empty"),
        (line0 + #"{▸"key":7}"#, "“key” is a string, in quotes"),
        (line0 + #"{"key":"k1",▸"memo":"x"}"#, "“memo” is not known"),
        (line0 + #"{"payload":{"kind":1},▸"kind":"Order","key":"k1"}"#, "“Order” is no kind of entry"),
        (line0 + #"{"key":"k1",▸"kind":null}"#, "“kind” is a string, in quotes"),
        (line0 + #"▸{"key":"k1","kind":"ledger.x"}"#, "the kind ledger.x is reserved"),
        (line0 + #"{"key":"k1",▸"effective_at":"2025-02-30"}"#, "“2025-02-30” is no time"),
        (line0 + #"{"key":"k1",▸"effective_at":1735689600}"#, "“effective_at” is a string, in quotes"),
        (line0 + #"{"key":"k1",▸"description":7}"#, "“description” is a string, in quotes"),
        (line0 + #"{"key":"k1",▸"payload":[]}"#, "the payload is an object"),
        (line0 + #"▸{"key":"k1","payload":{"actor":"x"}}"#, "“actor” is a field of the entry"),
        (line0 + #"{"key":"k1",▸"postings":{}}"#, "postings are a list"),
        (line0 + #"{"key":"k1",▸"key":"k2"}"#, "“key” is there twice"),
        (line0 + #"{"key":"k1","payload":{"a":1,▸"a":1}}"#, "“a” is there twice"),
        (posting("▸7"), "a posting is an object"),
        (posting(#"▸{"debit":"cash","credit":"bob","currency":"EUR"}"#), "“amount” is missing"),
        (posting(#"{"debit":"cash","credit":"bob",▸"amount":1,"currency":"EUR"}"#), "“amount” is a string, in quotes"),
        (posting(#"{"debit":"cash","credit":"bob",▸"amount":"1.234","currency":"EUR"}"#), "3 decimals, and EUR has 2"),
        (posting(#"{"debit":"cash","credit":"bob",▸"amount":"0","currency":"EUR"}"#), "it must be more than 0"),
        (posting(#"{"debit":"cash","credit":"bob","amount":"1",▸"amount":"2","currency":"EUR"}"#), "“amount” is there twice"),
        (posting(#"{"debit":"cash","credit":"bob","amount":"1","currency":"EUR",▸"memo":"x"}"#), "“memo” is not known"),
        (posting(#"{"debit":"cash","credit":"bob","amount":"1",▸"currency":"XYZ"}"#), "the book has no currency XYZ"),
        (posting(#"{▸"debit":"a::b","credit":"bob","amount":"1","currency":"EUR"}"#), "a segment between two : is empty"),
        (posting(#"{"debit":"cash",▸"credit":"cash","amount":"1","currency":"EUR"}"#), "debit and credit are the same"),
        (posting(#"{▸"debit":"carol","credit":"bob","amount":"1","currency":"EUR"}"#), "there is no account carol in EUR"),
        (posting(#"{"debit":"cash",▸"credit":"carol","amount":"1","currency":"EUR"}"#), "there is no account carol in EUR"),
        (posting(#"{▸"debit":"cash","credit":"bob","amount":"1","currency":"USD"}"#), "the account cash is in EUR, not in USD"),
        (line0 + #"{"account":"carol","currency":"EUR",▸"type":"debtor"}"#, "no type of account: asset, liability"),
        (line0 + #"▸{"account":"carol","currency":"EUR"}"#, "“type” is missing"),
        (line0 + #"{"account":"carol","currency":"EUR","type":"asset",▸"key":"x"}"#, "“key” is not known"),
        (line0 + #"▸{"account":"cash","currency":"EUR","type":"income"}"#, "is open already, as asset"),
        (line0 + #"{"currency":"PTS",▸"exponent":"2"}"#, "the exponent is a whole number"),
        (line0 + #"{"currency":"PTS",▸"exponent":19}"#, "it can be 0 to 18"),
        (line0 + #"▸{"currency":"EUR","exponent":3}"#, "EUR has the exponent 2 in this book"),
        (line0 + "\n\n" + #"{"key":"k1",▸7}"#, "this is not JSON"),
        (line0 + #"{"key":"k1" ▸x}"#, "this is not JSON"),
        (line0 + #"{"key":"k1",▸x}"#, "this is not JSON"),
        (line0 + #"{"key":▸x}"#, "this is not JSON"),
        (line0 + #"{"key":"k1▸"#, "this is not JSON"),
        (line0 + #"{"key":"▸\x"}"#, "this is not JSON"),
        (line0 + #"{"payload":{"n":0▸1}}"#, "this is not JSON"),
        (line0 + #"▸{"key":"k1","payload":{"n":1e999}}"#, "it has a number or a character that cannot be kept"),
        (line0 + #"{"key":"k1",▸}"#, "this is not JSON"),
        (line0 + #"{"payload":{"a":[1,▸]}}"#, "this is not JSON"),
        (line0 + #"{"payload":{"a":▸tru}}"#, "this is not JSON"),
        (line0 + #"{"payload":"# + String(repeating: "[", count: 100) + "▸" + String(repeating: "[", count: 99_900), "this is not JSON"),
        (line0 + #"{"key":"k1"▸"#, "this is not JSON"),
        (line0 + #"{"key":"k1"} ▸x"#, "this is not JSON"),
    ]

    @Test(arguments: ["csv", "jsonl"])
    func `each bad record is refused at its place and nothing is posted`(form: String) async throws {
        try await withBook { book in
            try await book.openAccounts()
            let before = try await book.journalCount()
            for row in form == "csv" ? Self.csv : Self.jsonLines {
                let (text, place) = marked(row.text)
                let summary = try await book.run([file(text, "bad.\(form)")])
                let problem = summary.problems.first
                #expect(summary.problems.count == 1, "\(row.text)\n\(summary.problems)")
                #expect(problem?.file == "bad.\(form)")
                #expect("\(problem?.line ?? 0):\(problem?.column ?? 0)" == place, "\(row.text)\n\(summary.problems)")
                #expect(problem?.reason.contains(row.reason) == true, "\(row.text)\n\(summary.problems)")
                #expect(summary.entriesPosted == 0 && summary.entriesRepeated == 0 && summary.accountsOpened == 0)
            }
            #expect(try await book.journalCount() == before)
        }
    }

    @Test func `bytes that are not UTF-8 are refused at their place`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let csv = Array((Self.long + "k1,,,Caf").utf8) + [0xE9] + Array(",,,cash,alice,1,EUR\n".utf8)
            let json = Array((Self.line0 + #"{"key":"k1","description":"Caf"#).utf8) + [0xE9] + Array("\"}\n".utf8)
            let rows = [(file(csv), 2, 9), (file(json, "f.jsonl"), 2, 31)]
            for (file, line, column) in rows {
                let problems = try await book.run([file]).problems
                #expect(problems.map(\.reason) == ["this is not UTF-8"])
                #expect(problems.first?.line == line)
                #expect(problems.first?.column == column)
            }
            #expect(try await book.entries().isEmpty)
        }
    }

    @Test func `all problems of all files are told, and one refuses all files`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let files = [
                file(Self.short + Self.good, "good.csv"), file(Self.short + "a,cash,alice,x,EUR\nb,cash,alice,y,EUR\n", "two.csv"),
                file("what,is,this\n", "header.csv"), file("{\n", "one.jsonl"),
            ]
            let summary = try await book.run(files)
            #expect(summary.problems.map(\.file) == ["two.csv", "two.csv", "header.csv", "one.jsonl"])
            #expect(summary.problems.map(\.line) == [2, 3, 1, 1])
            #expect(summary.problems[0].description.hasPrefix("two.csv:2:14: “x” is no amount"))
            #expect(summary.problems[0].text == "a,cash,alice,x,EUR")
            #expect(try await book.entries().isEmpty)
        }
    }

    @Test func `a key that the book has for something else is refused at its line`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let rows = (1...9).map { "k\($0),cash,alice,\($0),EUR" }
            _ = try await book.run([file(Self.short + rows.joined(separator: "\n"))])
            let posted = try await book.entries().count
            var changed = rows
            changed[1] = "k2,cash,alice,2.01,EUR"
            changed[4] = "k5,cash,bob,5,EUR"
            changed[8] = "k9,cash,alice,9,EUR\nk9,cash,alice,9,EUR"
            let summary = try await book.run([file(Self.short + "new,cash,alice,1,EUR\n" + changed.joined(separator: "\n"))])
            #expect(summary.problems.map(\.line) == [4, 7, 11])
            #expect(summary.problems.map(\.column) == [1, 1, 1])
            #expect(summary.problems.first?.reason.hasPrefix("the key “k2”: ") == true)
            for problem in summary.problems { #expect(problem.reason.contains("stands for another entry, at position")) }
            let again = file(#"{"key":"k1","kind":"other","postings":[{"debit":"cash","credit":"alice","amount":"1","currency":"EUR"}]}"#, "f.jsonl")
            #expect(try await book.run([again]).problems.first?.reason.contains("its kind is imported, asked: other") == true)
            #expect(try await book.entries().count == posted)
        }
    }

    @Test func `rows of one key follow each other`() async throws {
        try await withBook { book in
            try await book.openAccounts()
            let text = Self.short + "k1,cash,alice,1,EUR\nk2,cash,alice,1,EUR\nk1,cash,bob,1,EUR\n"
            let problems = try await book.run([file(text)]).problems
            #expect(problems.map(\.line).sorted() == [2, 4])
            #expect(problems.contains { $0.line == 4 && $0.reason.contains("the key “k1” is used already, in f.csv:2") })
            #expect(problems.contains { $0.line == 2 && $0.reason.contains("rows of the same key stand in line 4 too") })

            let twice = file(Self.line0 + Self.line0, "f.jsonl")
            let other = file(Self.short + Self.good, "g.csv")
            let used = try await book.run([twice, other]).problems
            #expect(used.map { "\($0.file):\($0.line)" } == ["f.jsonl:2", "g.csv:2"])
            for problem in used { #expect(problem.reason.contains("is used already, in f.jsonl:1")) }
            #expect(try await book.entries().isEmpty)
        }
    }

    @Test func `a currency keeps the exponent with which its first account was read`() async throws {
        try await withBook { book in
            let files = [
                file("account,currency,type\na,CHF,asset\nb,CHF,asset\n", "a.csv"), file(Self.short + "k1,a,b,12.5,CHF\n", "e.csv"),
                file("currency,exponent\nCHF,5\n", "c.csv"),
            ]
            let summary = try await book.run(files)
            #expect(summary.problems.map(\.description) == ["c.csv:2:1: CHF has the exponent 2 in this book"])
            #expect(try await book.journalCount() == 0)
            // Defined before it is used, it is the book's own.
            #expect(try await book.run([files[2], files[0], files[1]]).problems == [])
            #expect(try await book.entries().first?.postings.first?.amount == 1_250_000)
        }
    }
}
