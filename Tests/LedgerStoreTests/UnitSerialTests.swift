import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import Soaking

/// The short form of `scripts/soak units`, and that what it looks for would be found.
@Suite struct UnitSerialTests {
    @Test(.timeLimit(.minutes(3))) func `units of several programs, some killed, leave what one unit after the other leaves`() async throws {
        var random = Seeded("units")
        try await withBook { book in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("units-\(book.name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            var options = UnitSoak.Options(seed: random.seed)
            (options.units, options.killEvery, options.losesOneOf) = (600, 400...1500, 40)
            let outcome = try await UnitSoak(book, program: Tool.path(of: "UnitRunner"), folder: folder.path, options) { print("units: \($0)") }.run()
            print("units: \(outcome.acknowledged) done, \(outcome.repeated) repeated, refused \(outcome.refused)")
            for finding in outcome.findings.prefix(20) { Issue.record("INDELIBLE_SEED=\(random.seed): \(finding)") }
            // Otherwise it shows little.
            #expect(outcome.acknowledged >= options.units && outcome.kills > 4 && outcome.repeated > 0 && outcome.unknown > 0 && outcome.lostAnswers > 0)
            for code in ["rolledBack", "limitExceeded", "claimTaken"] { #expect(outcome.refused[code, default: 0] > 0, "\(code)") }
            let kinds = Set(outcome.history.rows.map(\.kind))
            #expect(kinds.isSuperset(of: Self.kinds), "\(kinds)")
            try #require(outcome.findings.isEmpty)
            Self.tamper(outcome.history, &random)
            try FileManager.default.removeItem(at: folder)
        }
    }

    private static let kinds: Set = [
        "counter.changed", "note.made", "unit.looked", "unit.paid", "ledger.stream-checked", "ledger.claimed", "ledger.claim-released", "ledger.unit-done",
    ]

    /// The model refuses what really happened with one entry left out, or two units in the other order.
    private static func tamper(_ history: UnitHistory, _ random: inout Seeded) {
        for kind in kinds {
            let places = history.rows.indices.filter { history.rows[$0].kind == kind }
            for place in places.shuffled(using: &random).prefix(3) {
                var less = history
                less.rows.remove(at: place)
                #expect(!UnitModel.findings(less).isEmpty, "without the \(kind) at \(history.rows[place].position)")
            }
        }
        let pairs = neighbours(history)
        #expect(pairs.count > 100)
        for (first, second) in pairs.shuffled(using: &random).prefix(12) {
            let swapped = UnitCanary.swapping(first, second, history)
            #expect(!UnitModel.findings(swapped).isEmpty, "\(first) and \(second) swapped")
            // Also where the revisions are made to fit.
            #expect(!UnitModel.findings(UnitCanary.renumbered(swapped)).isEmpty, "\(first) and \(second) swapped and renumbered")
        }
        #expect(UnitModel.findings(UnitCanary.renumbered(history)).isEmpty)
    }

    /// Units with the same counter, one right after the other.
    private static func neighbours(_ history: UnitHistory) -> [(String, String)] {
        var last: [String: String] = [:]
        var pairs: [(String, String)] = []
        for row in history.rows {
            guard let stream = row.streams.first?.stream, stream.hasPrefix("counter:"), let unit = row.unit else { continue }
            if let other = last[stream], other != unit { pairs.append((other, unit)) }
            last[stream] = unit
        }
        return pairs
    }

    // MARK: - What would be found

    @Test func `whatever no sequential run leaves is found`() throws {
        let good = try UnitCanary.history()
        #expect(UnitModel.findings(good) == [])
        let cases: [(change: (inout UnitHistory) -> Void, found: String)] = [
            ({ $0.rows.remove(at: 1) }, "and has [\"1\"]"),
            ({ $0.rows.remove(at: 2) }, "checks []"),
            ({ $0.rows.remove(at: 3) }, "has not the entry of its key"),
            ({ $0.rows.remove(at: 5) }, "said 1 claims and has 0"),
            ({ $0.rows.removeFirst(4) }, "was acknowledged as u1"),
            ({ $0.said["a"] = .refused("busy") }, "was refused (busy), and is in the journal"),
            ({ $0.said["c"] = nil }, "nobody began it"),
            ({ $0.said["d"] = .repeated(key: "k", position: 9) }, "was told that k stands at 9"),
            ({ $0.rows[3].payload = UnitCanary.json(#"{"key":"other","ledger":{"unit":"u1"}}"#) }, "has not the entry of its key"),
            ({ $0.rows[0].streams = [] }, "says another place"),
            ({ $0.rows[0].streams.append(.init(stream: "counter:9", revision: 1)) }, "is in 2 streams"),
            ({ $0.rows[1].moves = [] }, "moves []"),
            ({ $0.rows[4].moves[0] = .init(debit: "purse:0", credit: "pool", amount: 6) }, "overdraws purse:0"),
            ({ $0.orphans = ["counter:0 7"] }, "has no entry"),
            ({ $0.rows[4].payload = UnitCanary.second(value: 1) }, "does not follow"),
            ({ $0.rows[4].payload = UnitCanary.second(saw: 0) }, "saw counter 0"),
            ({ $0.rows[7].payload = UnitCanary.json(#"{"holder":"y","ledger":{"unit":"u3","stream":"ledger-claim:seat:1","revision":2}}"#) }, "which x holds"),
            ({ $0.rows.append(UnitCanary.again(4, $0)) }, "b was done twice"),
            ({ $0.rows.append(UnitCanary.again(3, $0)) }, "has lost all entries"),
            ({ $0.rows.swapAt(0, 1) }, "comes after"),
        ]
        for (index, (change, found)) in cases.enumerated() {
            var history = good
            change(&history)
            let findings = UnitModel.findings(history)
            #expect(findings.contains { $0.contains(found) }, "case \(index): \(found): \(findings)")
        }
    }
}
