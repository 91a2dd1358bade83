import Foundation
import Testing

/// docs/testing.md has the code of these tests.
@Suite struct DocumentTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func lines(_ path: String) throws -> [String] {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }

    @Test func `every line of Swift in the document is one of these tests`() throws {
        let files = ["ScenarioTests", "FakeClockTests", "WatchTests"]
        let code = Set(try files.flatMap { try lines("Tests/IndelibleTestingTests/\($0).swift") })
        var (isCode, examined) = (false, 0)
        for line in try lines("docs/testing.md") {
            if line.hasPrefix("```") {
                isCode = line == "```swift"
            } else if isCode {
                #expect(code.contains(line), "\(line)")
                examined += 1
            }
        }
        #expect(examined > 15)
    }

    @Test func `the issue in the document is one that a scenario records`() throws {
        let told = try lines("docs/testing.md").filter { $0.hasPrefix("expected: ") || $0.hasPrefix("actual: ") || $0.hasPrefix("given: ") }
        let tests = try lines("Tests/IndelibleTestingTests/ScenarioTests.swift").joined()
        #expect(told.count == 3)
        for line in told { #expect(tests.contains("#\"\(line)\"#"), "\(line)") }
    }
}
