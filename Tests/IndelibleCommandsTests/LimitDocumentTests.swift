import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// What the documents show is what happens.
@Suite struct LimitDocumentTests {
    struct Document: Sendable, CustomTestStringConvertible {
        let name: String
        let stepsMin: Int
        var testDescription: String { name }
    }

    static let documents = [Document(name: "limits-and-holds.md", stepsMin: 40), Document(name: "balances.md", stepsMin: 20), Document(name: "fees.md", stepsMin: 28)]

    struct Step {
        let command: String
        /// Empty if the document does not show what it prints.
        var output: [String] = []
    }

    static func steps(_ name: String) throws -> [Step] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
        var steps: [Step] = []
        for block in text.split(separator: "```console\n").dropFirst() {
            for line in block[..<(block.firstRange(of: "```")?.lowerBound ?? block.endIndex)].split(separator: "\n") {
                if line.hasPrefix("$ ") { steps.append(Step(command: String(line.dropFirst(2)))) } else {
                    steps[steps.count - 1].output.append(normal(String(line)))
                }
            }
        }
        return steps
    }

    /// Ids, times and cursors as `…`, and columns as wide as you like.
    static func normal(_ line: String) -> String {
        line.replacing(/[\w-]{100,}/, with: "…").replacing(/[0-9a-f]{32}/, with: "…").replacing(/\d{4}-\d\d-\d\dT[\d:.]+Z/, with: "…").replacing(/\ +/, with: " ")
            .trimmingCharacters(in: .whitespaces)
    }

    @Test(arguments: documents) func `every command prints what stands behind it`(_ document: Document) async throws {
        let steps = try Self.steps(document.name)
        #expect(steps.count > document.stepsMin)
        let environment = ["INDELIBLE_FOLDER": try await TestServer.shared().folder, "INDELIBLE_BOOK": bookName()]
        let folder = try Folder()
        defer { folder.remove() }
        let made = try await indelible(["init", "--time-zone", "Europe/Berlin"], environment: environment)
        #expect(made.status == 0, "\(made.all)")
        for step in steps {
            let ran = try await shell("indelible() { \"$I\" \"$@\"; }; \(step.command)", environment: environment, folder: folder.path)
            let isRefused = step.output.first?.hasPrefix("indelible: ") == true
            #expect((isRefused ? [2, 65] : [0]).contains(ran.status), "\(step.command): \(ran.all)")
            guard !step.output.isEmpty else { continue }
            let lines = ran.all.split(separator: "\n").map { Self.normal(String($0)) }
            #expect(lines == step.output, "\(step.command)")
        }
    }
}
