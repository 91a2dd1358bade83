import Foundation
import HTTPTypes
import Indelible
import IndelibleTesting
import Testing

@testable import LedgerAPI

/// The requests of the README: sent as they stand there, with the answers that stand there.
@Suite struct ReadmeTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ name: String) throws -> String { try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) }

    /// A command and what it is said to answer.
    private struct Example {
        let command: String
        var answer: [String] = []
    }

    private static func examples() throws -> [Example] {
        var (examples, isConsole): ([Example], Bool) = ([], false)
        for line in try text("README.md").split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                isConsole = line == "```console"
            } else if isConsole, line.hasPrefix("$ curl ") {
                examples.append(Example(command: String(line.dropFirst(2))))
            } else if isConsole, !examples.isEmpty {
                examples[examples.count - 1].answer.append(line)
            }
        }
        return examples
    }

    @Test func `each request is answered as the page says`() async throws {
        let examples = try Self.examples()
        #expect(examples.count >= 20)
        try await withService({ $0.jobs = .elsewhere }) { client, book in
            for example in examples {
                try await book.project()
                let body =
                    example.command.contains(" -N")
                    ? try await Self.streamed(example, client) : try await Self.send(example.command, client).body
                #expect(Self.masked(body, book) == Self.masked(example.answer.joined(separator: "\n"), book), "\(example.command)")
            }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `what start says stands on the page`() throws {
        let commands = Set(try Self.examples().map(\.command))
        let said = try Self.text("start").split(separator: "\n").filter { $0.hasPrefix("curl ") }
        #expect(said.count >= 4)
        for command in said { #expect(commands.contains(String(command)), "\(command)") }
    }

    @Test func `the codes of the page have the status of the page`() throws {
        var compared = 0
        for row in try Self.text("README.md").matches(of: /(?m)^\| (\d{3}) \|.*$/) {
            for name in row.0.matches(of: /`(\w+)`/) {
                guard let code = LedgerError.Code(rawValue: String(name.1)) else { continue }
                #expect(String(code.status.code) == row.1, "\(code)")
                compared += 1
            }
        }
        #expect(compared > 15)
    }

    @Test func `every setting stands on the page`() throws {
        let page = try Self.text("README.md")
        let source = try Self.text("Sources/LedgerAPI/Settings.swift")
        let keys = Set(source.matches(of: /(?:text|choice|number)\("([a-z.]+)"/).map { String($0.1) })
        #expect(keys.count >= 11)
        for key in keys { #expect(page.contains("`LEDGER_\(key.uppercased().replacing(".", with: "_"))`"), "\(key)") }
    }

    /// Times differ from run to run, and so do cursors, the book's name, and ids that nobody gave.
    private static func masked(_ text: String, _ book: TestBook) -> String {
        text.replacing(/\d{4}-\d\d-\d\dT[\d:.]+Z/, with: "TIME").replacing("/books/\(book.name)", with: "/books/book")
            .replacing(/"correlationid":"[0-9a-f-]+"/, with: "CORRELATION")
            .replacing(/"next":"[^"]+"/, with: "CURSOR")
    }

    /// As many lines as the page shows of a stream.
    private static func streamed(_ example: Example, _ client: Client) async throws -> String {
        let url = words(example.command).last ?? ""
        let query = try #require(url.firstRange(of: "/events")).upperBound
        let count = example.answer.count { $0.hasPrefix("id: ") }
        try #require(count > 0, "the page shows no event")
        let followed = try await client.follow(String(url[query...])) { $0.events.count == count }
        return followed.events.map { "id: \($0.position)\ndata: \($0.event.json)" }.joined(separator: "\n\n")
    }

    /// What `curl` would send.
    private static func send(_ command: String, _ client: Client) async throws -> Answer {
        let words = Self.words(command)
        var (method, url, body, headers): (String?, String, String?, [String: String]) = (nil, "", nil, [:])
        var index = 1
        while index < words.count {
            switch words[index] {
            case "-s", "-N": break
            case "-X", "-d", "-H":
                let value = words[index + 1]
                if words[index] == "-X" { method = value }
                if words[index] == "-d" { body = value }
                if words[index] == "-H", let colon = value.firstRange(of: ": ") { headers[String(value[..<colon.lowerBound])] = String(value[colon.upperBound...]) }
                index += 1
            default: url = words[index]
            }
            index += 1
        }
        try #require(url.hasPrefix("localhost:8080/"), "\(command)")
        return try await client.send(method ?? (body == nil ? "GET" : "POST"), String(url.dropFirst("localhost:8080".count)), body, headers: headers)
    }

    /// Words as a shell has them, with '…' as the only quotes.
    private static func words(_ command: String) -> [String] {
        var (words, word, isQuoted): ([String], String, Bool) = ([], "", false)
        for character in command {
            switch character {
            case "'": isQuoted.toggle()
            case " " where !isQuoted:
                if !word.isEmpty { words.append(word) }
                word = ""
            default: word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
