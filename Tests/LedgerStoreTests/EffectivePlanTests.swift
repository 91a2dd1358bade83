import Testing

@testable import LedgerModel
@testable import LedgerStore

/// Which balances and which entries are read for what counts by an instant.
@Suite struct EffectivePlanTests {
    struct Row: Sendable, CustomTestStringConvertible {
        /// Blocks of ten positions: `<` counts wholly, `>` not at all, `?` in part.
        let blocks: String
        let checkpoint: UInt64
        let prefixes: String
        let scans: String
        var testDescription: String { blocks }
    }

    static let rows = [
        Row(blocks: "", checkpoint: 0, prefixes: "", scans: "+0…"),
        Row(blocks: "", checkpoint: 7, prefixes: "", scans: "+0…"),
        Row(blocks: "<<<", checkpoint: 30, prefixes: "+30", scans: "+30…"),
        Row(blocks: "<<<", checkpoint: 34, prefixes: "+34", scans: "-30…34 +34…"),
        Row(blocks: ">>>", checkpoint: 34, prefixes: "", scans: "+30…"),
        Row(blocks: "<<?>>", checkpoint: 50, prefixes: "+30", scans: "-20…30 +50…"),
        Row(blocks: "?<<>?", checkpoint: 50, prefixes: "-10 +30", scans: "+0…10 +40…"),
        Row(blocks: "<?<?<>", checkpoint: 60, prefixes: "+50", scans: "-10…20 -30…40 +60…"),
        Row(blocks: "><><", checkpoint: 45, prefixes: "-10 +20 -30 +45", scans: "-40…45 +45…"),
        Row(blocks: ">?>", checkpoint: 30, prefixes: "", scans: "+10…20 +30…"),
    ]

    @Test(arguments: rows) func `whole blocks are taken as balances, the others entry by entry`(_ row: Row) {
        let plan = Self.plan(row.blocks, row.checkpoint)
        #expect(plan.prefixes.map { ($0.isAdded ? "+" : "-") + "\($0.position)" }.joined(separator: " ") == row.prefixes)
        let scans = plan.scans.map { ($0.isAdded ? "+" : "-") + "\($0.after)…" + ($0.through.map(\.description) ?? "") }
        #expect(scans.joined(separator: " ") == row.scans)
    }

    @Test func `whatever the blocks are, every entry that counts is counted once`() {
        var random = Seeded("plans")
        for _ in 0..<2000 {
            let blocks = String((0..<Int.random(in: 0...8, using: &random)).map { _ in "<?>".randomElement(using: &random)! })
            let checkpoint = UInt64(blocks.count * 10 + Int.random(in: 0...9, using: &random))
            let head = checkpoint + UInt64.random(in: 0...5, using: &random)
            let counts = (0..<head).map { index in
                let block = Int(index) / 10
                let kind = block < blocks.count ? Array(blocks)[block] : "?"
                return kind == "<" || kind == "?" && Bool.random(using: &random)
            }
            let plan = Self.plan(blocks, checkpoint)
            var times = [Int](repeating: 0, count: Int(head))
            for prefix in plan.prefixes { for index in 0..<Int(prefix.position.number) { times[index] += prefix.isAdded ? 1 : -1 } }
            for scan in plan.scans {
                for index in Int(scan.after.number)..<Int(scan.through?.number ?? head) where counts[index] == scan.isAdded {
                    times[index] += scan.isAdded ? 1 : -1
                }
            }
            #expect(times == counts.map { $0 ? 1 : 0 }, "\(blocks), \(checkpoint)")
        }
    }

    private static func plan(_ blocks: String, _ checkpoint: UInt64) -> EffectivePlan {
        let places: [Character: EffectivePlan.Place] = ["<": .before, "?": .across, ">": .behind]
        return EffectivePlan(
            blocks.enumerated().map { .init(through: Position(UInt64($0 + 1) * 10), place: places[$1]!) }, checkpoint: Position(checkpoint))
    }
}
