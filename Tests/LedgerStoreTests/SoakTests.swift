import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import Soaking

/// The short form of `scripts/soak writing`, and that what it looks for would be found.
@Suite struct SoakTests {
    @Test(.timeLimit(.minutes(3))) func `of posts by writers that are killed, over links that lose answers, exactly the acknowledged are there`() async throws {
        let random = Seeded("soak")
        try await withBook { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("soak-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var options = SoakConductor.Options(seed: random.seed)
            (options.posts, options.tasks, options.killEvery, options.losesOneOf) = (20_000, 16, 200...900, 15)
            let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().appendingPathComponent("Soak").path
            let outcome = try await SoakConductor(book, program: program, folder: folder.path, options) { print("soak: \($0)") }.run()
            for finding in outcome.findings { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            #expect(outcome.acknowledged >= options.posts && outcome.matched >= outcome.acknowledged)
            // Otherwise it shows little.
            #expect(outcome.kills >= 8 && outcome.unknown > 0 && outcome.lostAnswers > 10, "\(outcome)")
            #expect(outcome.refused["limitExceeded", default: 0] > 0)
            if outcome.findings.isEmpty { try FileManager.default.removeItem(at: folder) }
        }
    }

    // MARK: - What would be found

    private static let entries = (0..<5).map { SoakEntry(writer: 1, incarnation: 2, number: $0) }

    /// The first three were acknowledged at 10, 11 and 12, the next was refused, the last nobody asked for.
    private static func found(_ journal: [(entry: Int, position: UInt64, move: SoakEntry.Move?)]) -> [String] {
        var comparison = SoakComparison(seed: 7)
        for number in 0..<3 { comparison.acknowledge(entries[number], at: UInt64(10 + number)) }
        comparison.refuse(entries[3])
        for row in journal { comparison.see(.init(position: row.position, id: entries[row.entry].id, move: row.move)) }
        comparison.end()
        return comparison.findings
    }

    @Test func `whatever is lost, doubled, moved or altered is found`() {
        let moves = Self.entries.map { $0.move(7) }
        let good: [(entry: Int, position: UInt64, move: SoakEntry.Move?)] = [(0, 10, moves[0]), (1, 11, moves[1]), (2, 12, moves[2])]
        #expect(Self.found(good).isEmpty)
        let cases: [(change: (inout [(entry: Int, position: UInt64, move: SoakEntry.Move?)]) -> Void, found: String)] = [
            ({ $0.remove(at: 1) }, "was acknowledged at 11, and is lost"),
            ({ $0.append((0, 10, moves[0])) }, "the entry at 10 is there twice"),
            ({ $0.append((0, 13, moves[0])) }, "the entry at 13 is there twice"),
            ({ $0[2].position = 13 }, "was acknowledged at 12, and stands at 13"),
            ({ $0.append((3, 13, moves[3])) }, "was refused, and stands at 13"),
            ({ $0.append((4, 13, moves[4])) }, "the entry at 13 was asked by nobody"),
            ({ $0[0].move = moves[1] }, "holds something else at 10"),
            ({ $0[0].move = nil }, "holds something else at 10"),
        ]
        for (change, found) in cases {
            var journal = good
            change(&journal)
            let findings = Self.found(journal)
            #expect(findings.count == 1 && findings[0].contains(found), "\(found): \(findings)")
        }
    }

    @Test func `a log is followed while it is written, and a line that was cut off was never said`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("soak-log-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        var reader = try SoakLogReader(path)
        let log = try SoakLog(path)
        log.say(0, .begun)
        log.say(2, .begun)
        try reader.follow()
        #expect(reader.words == [.begun, nil, .begun] && reader.acknowledged == 0)
        log.say(2, .acknowledged(77))
        log.say(0, .refused("busy"))
        log.say(1, .begun)
        log.say(1, .unknown)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("b 3".utf8))
        try reader.follow()
        #expect(reader.words == [.refused("busy"), .unknown, .acknowledged(77)] && reader.acknowledged == 1 && reader.findings.isEmpty)
        try file.write(contentsOf: Data("\na 2 78\na 4 1\nx\n".utf8))
        try reader.follow()
        #expect(reader.words.count == 5 && reader.words[3] == .begun && reader.findings.count == 3, "\(reader.findings)")
    }
}
