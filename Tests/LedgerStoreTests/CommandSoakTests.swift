import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import Soaking

/// The short form of `scripts/soak commands`.
@Suite struct CommandSoakTests {
    @Test(.timeLimit(.minutes(6))) func `4000 commands, bulks and pairs have one outcome each while those who decide, expand and route are killed`() async throws {
        let random = Seeded("soak commands")
        try await withBook { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("Soak").path
            var options = CommandSoak.Options(seed: random.seed)
            options.commands = 4000
            let outcome = try await CommandSoak(book, program: program, folder: folder.path, options) { print("soak: \($0)") }.run()
            for line in outcome.lines { print("soak: \(line)") }
            for finding in outcome.findings { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            // Otherwise it shows little.
            #expect(outcome.sent == 4004 && outcome.repeated > 120 && outcome.kills >= 3, "\(outcome)")
            #expect(outcome.done > 1200 && outcome.refused > 800 && outcome.slots > 800 && outcome.ordered > 2500, "\(outcome)")
            #expect(outcome.bulks == 4 && outcome.members > 200 && outcome.pairs == 150 && outcome.lates > 0, "\(outcome)")
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
                var proof = CommandProof(try await SeenEntry.all(book.ledger))
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

    @Test func `whatever breaks a pair or a bulk is found`() async throws {
        try await CommandSupport.withBook { book in
            for job in CommandFollower.jobs(book.ledger) { try await BookOwner(book.owner).createJob(job) }
            for number in 0..<3 { try await book.ledger.openAccount(SoakBulk.account(number), in: .eur, type: .liability) }
            let bulk = try await book.ledger.enqueue(SoakBulk(number: 7), id: EntryID(key: "bulk"))
            try await book.ledger.openAccount(SoakBulk.account(3), in: .eur, type: .liability)
            for (pair, side) in [(1, SoakPair.Side.left), (1, .right), (2, .left)] { try await book.ledger.post(SoakPair.entry(side, of: pair, sending: 0)) }
            let projector = Projector(book.location, jobs: Projector.builtIn + CommandFollower.jobs(book.ledger))
            for _ in 0..<4 { try await projector.catchUp() }
            await projector.close()
            func findings() async throws -> [String] {
                let journal = try await SeenEntry.all(book.ledger)
                var proof = CommandProof(journal)
                proof.check([bulk.id.description: .init(number: 7, isRefused: false)], steps: [])
                return proof.findings + ProcessProof(journal, sent: 1..<2).findings
            }
            #expect(try await findings() == [])
            #expect(try await ProcessProof(SeenEntry.all(book.ledger), sent: 1..<3).findings == ["of pair 2 not both halves are there"])
            let header = try await SeenEntry.all(book.ledger).first { $0.membership != nil }?.header?["bulk"]
            let member = try #require(header?.text)
            try await book.withOwner { connection in
                func forge(_ kind: String, _ payload: String) async throws {
                    _ = try await connection.query("INSERT INTO entry (id, kind, `lines`, payload) VALUES (\(EntryID.minted().bytes), \(kind), 0, \(payload))")
                }
                try await forge("soak.command", "{\"sort\":\"chain\",\"links\":0,\"ledger\":{\"command\":{\"subject\":\"about:1\",\"bulk\":\(member)}}}")
                try await forge("soak.whole", "{\"reference\":\"1\"}")
                try await forge("soak.late", "{\"reference\":\"1\"}")
                try await forge("soak.command", "{\"sort\":\"chain\",\"links\":1,\"number\":\(SoakPair.firstNumber + 1)}")
                try await forge("ledger.timer-set", "{\"ledger\":{\"stream\":\"process-soak-pair:1\"}}")
                try await forge("soak.half", "{\"reference\":\"1\",\"side\":\"left\"}")
            }
            let found = try await findings().joined(separator: "\n")
            for what in ["has fired 4 commands for 3 accounts", "made whole 2 times", "sent 2 commands", "it was late 1 times", "of 2 timers 1 have ended", "2 steps for 3 halves"] {
                #expect(found.contains(what), "\(what) in \(found)")
            }
        }
    }
}
