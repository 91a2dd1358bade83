import Indelible
import IndelibleTesting
import Testing

@Suite struct ImportFuzzTests {
    /// A good file with five entries, the third with three postings.
    static func good(_ number: Int, _ form: String) -> [UInt8] {
        var rows: [String] = []
        for entry in 1...5 {
            let key = "\(number)-\(entry)"
            let amounts = entry == 3 ? ["3.01", "3.02", "3.03"] : ["\(entry).5"]
            if form == "csv" {
                for amount in amounts {
                    rows.append(
                        #"\#(key),sale,2025-01-0\#(entry)T10:00:00Z,"Café, ""\#(entry)""",cash,alice,\#(amount),EUR"#)
                }
            } else {
                let postings = amounts.map { #"{"debit":"cash","credit":"alice","amount":"\#($0)","currency":"EUR"}"# }
                rows.append(
                    #"{"key":"\#(key)","kind":"sale","effective_at":"2025-01-0\#(entry)","description":"Café \"\#(entry)\"","#
                        + #""payload":{"n":[1,2.5,null,true]},"postings":[\#(postings.joined(separator: ","))]}"#)
            }
        }
        let header = form == "csv" ? "key,kind,effective_at,description,debit,credit,amount,currency\n" : ""
        return Array((header + rows.joined(separator: "\n") + "\n").utf8)
    }

    static func mutate(_ bytes: inout [UInt8], _ random: inout Seeded) {
        let hot = Array("\",\n\r{}[]:\\.0-e ".utf8) + [0, 0xFF, 0xC3, 0xEF, 0xBB, 0xBF]
        for _ in 0..<Int.random(in: 1...2, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &random)
            switch Int.random(in: 0...5, using: &random) {
            case 0: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 1: bytes[index] = hot.randomElement(using: &random)!
            case 2: bytes.insert(hot.randomElement(using: &random)!, at: index)
            case 3: bytes.remove(at: index)
            case 4: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
            default: bytes.removeLast(bytes.count - index)
            }
        }
    }

    @Test(arguments: ["csv", "jsonl"])
    func `a spoilt file is imported whole or refused whole, and never stops the program`(form: String) async throws {
        let seed: UInt64 = form == "csv" ? 20_250_101 : 20_250_102
        var random = Seeded(seed: seed)
        var (imported, refused) = (0, 0)
        try await withBook { book in
            try await book.openAccounts()
            var last = Position.zero
            for number in 0..<250 {
                var bytes = Self.good(number, form)
                Self.mutate(&bytes, &random)
                let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
                let said = Comment(rawValue: "seed \(seed), round \(number): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
                let summary = try await book.run([file(bytes, "f.\(form)")])
                let entries = try await book.entries(after: last)
                if summary.problems.isEmpty {
                    imported += 1
                    #expect(entries.count == summary.entriesPosted, said)
                } else {
                    refused += 1
                    #expect(entries.isEmpty, said)
                    #expect(summary.entriesPosted == 0, said)
                }
                for problem in summary.problems {
                    #expect((1...lines).contains(problem.line) && problem.column >= 1 && !problem.reason.isEmpty, said)
                }
                let kept = try await book.run([file(bytes, "f.\(form)")], keepGoing: true)
                #expect(kept.problems == summary.problems, said)
                last = try await book.entries(after: last).last?.position ?? last
            }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
        // The test would be worth little if one of them never happened.
        #expect(imported > 5 && refused > 100, "\(imported) imported, \(refused) refused")
    }

    @Test func `whatever breaks the form of a row, no entry is posted without a part of it`() async throws {
        let seed: UInt64 = 20_250_103
        var random = Seeded(seed: seed)
        var posted = 0
        try await withBook { book in
            try await book.openAccounts()
            var last = Position.zero
            for number in 0..<250 {
                var lines = ["key,description,debit,credit,amount,currency"]
                for entry in 1...4 {
                    let description = Bool.random(using: &random) ? #""a, \#(entry)""# : "a\(entry)"
                    for row in 1...3 { lines.append("\(number)-\(entry),\(description),cash,alice,\(row),EUR") }
                }
                let index = Int.random(in: 1...12, using: &random)
                let afterKey = lines[index].firstIndex(of: ",")!
                var bytes = Array(lines[index].utf8)
                let first = lines[index].utf8.distance(from: lines[index].startIndex, to: afterKey) + 1
                let place = Int.random(in: first..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes.insert(UInt8(ascii: "\""), at: place)
                case 1: bytes.insert(UInt8(ascii: ","), at: place)
                default: bytes.insert(0xFF, at: place)
                }
                let all = lines[..<index].map { Array($0.utf8) } + [bytes] + lines[(index + 1)...].map { Array($0.utf8) }
                let text = Array(all.joined(separator: [UInt8(ascii: "\n")]))
                let said = Comment(rawValue: "seed \(seed), round \(number): \(String(decoding: text, as: UTF8.self))")
                let summary = try await book.run([file(text)], keepGoing: true)
                let entries = try await book.entries(after: last)
                for entry in entries { #expect(entry.postings.map(\.amount) == [100, 200, 300], said) }
                #expect(entries.count < 4 || summary.problems.isEmpty, said)
                posted += entries.count
                last = entries.last?.position ?? last
            }
        }
        #expect(posted > 300, "\(posted)")
    }
}
