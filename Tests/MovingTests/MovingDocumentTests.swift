import Foundation
import Testing

/// What docs/moving.md shows is what runs here.
@Suite struct MovingDocumentTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The lines of a text that have something in them, without what they are indented by.
    private static func lines(_ text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    private static func text(_ path: String) throws -> String { try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8) }

    private static func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path).filter { $0.hasSuffix(".swift") }
    }

    @Test func `every block of the document stands in one of these files, line by line`() throws {
        let sources = try Self.files(in: "Tests/MovingTests").filter { $0 != "MovingDocumentTests.swift" }.map {
            Self.lines(try Self.text("Tests/MovingTests/" + $0))
        }
        let blocks = try Self.text("docs/moving.md").split(separator: "```swift\n").dropFirst().map { block in
            Self.lines(block[..<(block.firstRange(of: "```")?.lowerBound ?? block.endIndex)])
        }
        #expect(blocks.count > 15)
        for block in blocks {
            #expect(!block.isEmpty)
            #expect(sources.contains { Self.stands(block, in: $0) }, "\(block.joined(separator: "\n"))")
        }
        #expect(!sources.contains { Self.stands(["let last = try await old.session { session in", "return last"], in: $0) })
    }

    private static func stands(_ block: [String], in source: [String]) -> Bool {
        source.indices.contains { source[$0...].starts(with: block) }
    }

    @Test func `every suite that the document names is there`() throws {
        let suites = Set(try Self.text("docs/moving.md").matches(of: /`(\w+Tests)`/).map { String($0.1) })
        let files = Set(try (Self.files(in: "Tests/MovingTests") + Self.files(in: "Tests/LedgerStoreTests")).map { $0.dropLast(6) })
        #expect(suites.count > 8)
        for suite in suites { #expect(files.contains(suite[...]), "\(suite)") }
    }

    @Test func `the new domain imports no database`() throws {
        let imports = try Self.text("Tests/MovingTests/Domain.swift").matches(of: /import (\w+)/).map { String($0.1) }
        #expect(imports == ["LedgerModel"])
    }
}
