import Foundation
import Testing

/// A file with one bad line is refused as a whole, with the place and the reason.
@Suite struct BadFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let file: String
        let bytes: [UInt8]
        let message: String
        init(_ file: String, _ text: String, _ message: String) { self.init(file, Array(text.utf8), message) }
        init(_ file: String, _ bytes: [UInt8], _ message: String) {
            (self.file, self.bytes, self.message) = (file, bytes, message)
        }
        var testDescription: String { message }
    }

    private static let head = "key,debit,credit,amount,currency\n"
    private static let good = "good,cash,alice,1.00,EUR\n"
    private static let goodLine = #"{"key":"good","postings":[{"debit":"cash","credit":"alice","amount":"1","currency":"EUR"}]}"# + "\n"

    private static func line(_ debit: String, _ credit: String, _ amount: String, _ currency: String) -> String {
        #"{"key":"a","postings":[{"debit":"\#(debit)","credit":"\#(credit)","amount":"\#(amount)","currency":"\#(currency)"}]}"#
    }

    static let rows: [Row] = [
        .init("f.csv", "", "f.csv:1:1: the file is empty"),
        .init("f.csv", "key,debit,credit,amount\n", "f.csv:1:1: the header has no column “currency”"),
        .init("f.csv", "key,debit,credit,amount,currency,colour\n", "f.csv:1:34: the column “colour” is not known"),
        .init("f.csv", "key,key,debit,credit,amount,currency\n", "f.csv:1:5: the column “key” is there twice"),
        .init("f.csv", head + good + "a,cash,alice,1\n", "f.csv:3:14: 4 fields, and the header has 5"),
        .init("f.csv", head + good + "a,cash,\"alice,1,EUR\n", "f.csv:3:8: a quoted field is not closed"),
        .init("f.csv", head + good + "a,cash,\"ali\"ce,1,EUR\n", "f.csv:3:13: text stands behind a closing quote"),
        .init("f.csv", head + good + "a,cash,ali\"ce,1,EUR\n", "f.csv:3:11: a quote stands in a field"),
        .init(
            "f.csv", Array((head + good + "a,cash,al").utf8) + [0xFF] + Array("ice,1,EUR\n".utf8), "f.csv:3:10: this is not UTF-8"),
        .init("f.csv", head + good + ",cash,alice,1,EUR\n", "f.csv:3:1: the key is empty"),
        .init("f.csv", head + good + "a,cash,nobody,1,EUR\n", "f.csv:3:8: there is no account nobody in EUR"),
        .init("f.csv", head + good + "a,cash,bob,1,EUR\n", "f.csv:3:8: the account bob is in USD, not in EUR"),
        .init("f.csv", head + good + "a,cash,cash,1,EUR\n", "f.csv:3:8: debit and credit are the same account"),
        .init("f.csv", head + good + "a,cash,alice,0.00,EUR\n", "f.csv:3:14: the amount is 0.00; it must be more than 0"),
        .init("f.csv", head + good + "a,cash,alice,-1,EUR\n", "f.csv:3:14: the amount is -1; it must be more than 0"),
        .init("f.csv", head + good + "a,cash,alice,1.005,EUR\n", "f.csv:3:14: “1.005” is no amount of EUR: 3 decimals"),
        .init(
            "f.csv", head + good + "a,cash,alice,92233720368547758.08,EUR\n", "f.csv:3:14: “92233720368547758.08” is no amount"),
        .init("f.csv", head + good + "a,cash,alice,1,XXX\n", "f.csv:3:16: the book has no currency XXX"),
        .init("f.csv", head + good + "a,cash,a::b,1,EUR\n", "f.csv:3:8: “a::b” is no account path"),
        .init("f.csv", head + good + "standing,cash,alice,2,EUR\n", "f.csv:3:1: the key “standing”: the id"),
        .init("f.csv", head + good + "a,cash,alice,1,EUR\n" + good, "f.csv:4:1: the key “good” is used already, in f.csv:2"),
        .init(
            "f.csv", "account,currency,type\ncash,EUR,income\n", "f.csv:2:1: the account cash in EUR is open already, as asset"),
        .init("f.csv", "account,currency,type\nx,EUR,debt\n", "f.csv:2:7: “debt” is no type of account"),
        .init("f.csv", "currency,exponent\nEUR,3\n", "f.csv:2:1: EUR has the exponent 2 in this book"),
        .init(
            "f.csv", "key,effective_at,debit,credit,amount,currency\na,soon,cash,alice,1,EUR\n", "f.csv:2:3: “soon” is no time"),
        .init("f.jsonl", goodLine + "{\"key\":\n", "f.jsonl:2:"),
        .init("f.jsonl", goodLine + "[]\n", "f.jsonl:2:1: a line is one JSON object"),
        .init(
            "f.jsonl", Array((goodLine + "{\"key\":\"").utf8) + [0xC3, 0x28, 0x22, 0x7D, 0x0A], "f.jsonl:2:9: this is not UTF-8"),
        .init("f.jsonl", goodLine + "{\"key\":\"a\",\"memo\":\"\"}\n", "f.jsonl:2:12: “memo” is not known"),
        .init("f.jsonl", goodLine + line("cash", "nobody", "1", "EUR"), "there is no account nobody in EUR"),
        .init("f.jsonl", goodLine + line("cash", "alice", "0", "EUR"), "it must be more than 0"),
        .init("f.jsonl", goodLine + line("cash", "alice", "1.234", "EUR"), "3 decimals, and EUR has 2"),
        .init("f.jsonl", goodLine + line("cash", "cash", "1", "EUR"), "debit and credit are the same account"),
        .init("f.jsonl", goodLine + goodLine, "f.jsonl:2:1: the key “good” is used already, in f.jsonl:1"),
    ]

    @Test(arguments: rows) func `a bad line refuses the file`(_ row: Row) async throws {
        let book = try await standing.value
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write(row.file, row.bytes)
        let finished = try await indelible(
            ["import", row.file, "--folder", book.folder, "--book", book.name], folder: folder.path)
        expectFailure(finished, 65, row.message, row.message)
        #expect(finished.error.contains("problems, nothing was imported"), "\(finished.error)")
        #expect(try await book.entries() == book.entriesAtStart)
    }

    @Test func `every bad line is named, and with --keep-going the good ones are imported`() async throws {
        let own = try await StandingBook.make()
        let folder = try Folder()
        defer { folder.remove() }
        try folder.write("f.csv", Self.head + "a,cash,alice,0,EUR\n" + Self.good + "b,cash,nobody,1,EUR\n")
        let command = ["import", "f.csv", "--folder", own.folder, "--book", own.name]
        let refused = try await indelible(command, folder: folder.path)
        expectFailure(refused, 65, "f.csv:2:14: the amount is 0", "first line")
        expectFailure(refused, 65, "f.csv:4:8: there is no account nobody", "last line")
        #expect(try await own.entries() == own.entriesAtStart)
        let kept = try await indelible(command + ["--keep-going", "--format", "json"], folder: folder.path)
        #expect(kept.status == 65)
        #expect(kept.output == "{\"accounts\":0,\"posted\":1,\"rejected\":2,\"repeated\":0}\n")
        let rejects = try String(contentsOfFile: folder.path + "/rejected.jsonl", encoding: .utf8)
        #expect(rejects.split(separator: "\n").count == 2)
        #expect(rejects.contains("\"text\":\"b,cash,nobody,1,EUR\""))
    }
}
