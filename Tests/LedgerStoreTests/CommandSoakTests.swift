import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
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

    @Test func `whatever breaks the rules of commands is found`() async throws {
        try await CommandSupport.withBook { book in
            func command(_ number: Int, _ slot: String, _ urgency: Int) -> SoakCommand {
                SoakCommand(number: number, sort: .claim, about: 1, slot: slot, urgency: urgency, isRefused: false, links: 0)
            }
            var sent: [String: CommandProof.Sent] = [:]
            for (number, slot) in ["a", "b", "a", "c"].enumerated() {
                let receipt = try await book.ledger.enqueue(command(number, slot, number), id: EntryID(key: "\(number)"))
                sent[receipt.id.description] = .init(number: number, isRefused: false)
            }
            // One after the other, whatever their priority.
            try await book.decide([SoakCommand.handler], positionsMax: 1)
            func findings(_ sent: [String: CommandProof.Sent], steps: [Range<UInt64>] = []) async throws -> String {
                var proof = try await CommandProof(book.ledger)
                proof.check(sent, steps: steps)
                return proof.findings.joined(separator: "\n")
            }
            #expect(try await findings(sent) == "")
            #expect(try await findings(sent, steps: [0..<1000]).contains("was decided before the one at"))
            var other = sent
            other[EntryID(key: "nobody").description] = .init(number: 9, isRefused: false)
            #expect(try await findings(other).contains("the command 9 is not there"))
            other = sent
            other[EntryID(key: "0").description] = nil
            #expect(try await findings(other).contains("nobody sent the command"))
            let late = try await book.ledger.enqueue(command(4, "a", 0), id: EntryID(key: "4"))
            sent[late.id.description] = .init(number: 4, isRefused: false)
            #expect(try await findings(sent).contains("has no outcome"))
            try await book.withOwner { connection in
                func forge(_ kind: String, _ payload: String) async throws {
                    _ = try await connection.query("INSERT INTO entry (id, kind, `lines`, payload) VALUES (\(EntryID.minted().bytes), \(kind), 0, \(payload))")
                }
                try await forge("ledger.command-done", "{\"command\":\"\(late.id)\"}")
                try await forge("soak.entry", "{\"ledger\":{\"causation\":\"\(late.id)\"}}")
                try await forge("ledger.command-refused", "{\"command\":\"\(EntryID(key: "1"))\"}")
                try await forge("ledger.command-done", "{\"command\":\"\(EntryID(key: "nobody"))\"}")
            }
            let found = try await findings(sent)
            for what in ["has two winners", "has two outcomes", "is of no command", "names nobody"] { #expect(found.contains(what), "\(what) in \(found)") }
        }
    }
}
