import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import Soaking

/// The short form of `scripts/soak commands`.
@Suite struct CommandSoakTests {
    @Test(.timeLimit(.minutes(6))) func `5000 commands, some twice and some refused, have one outcome each while their processors are killed`() async throws {
        let random = Seeded("soak commands")
        try await withBook { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("Soak").path
            let outcome = try await CommandSoak(book, program: program, folder: folder.path, .init(seed: random.seed)) { print("soak: \($0)") }.run()
            for line in outcome.lines { print("soak: \(line)") }
            for finding in outcome.findings { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            // Otherwise it shows little.
            #expect(outcome.sent == 5000 && outcome.repeated > 150 && outcome.kills >= 3, "\(outcome)")
            #expect(outcome.done > 1500 && outcome.refused > 1000 && outcome.slots > 1000 && outcome.ordered > 3000, "\(outcome)")
            if outcome.findings.isEmpty { try FileManager.default.removeItem(at: folder) }
        }
    }
}
