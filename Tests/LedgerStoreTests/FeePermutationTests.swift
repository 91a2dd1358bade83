import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// Late, twice, or in another order: the fees are the same.
@Suite struct FeePermutationTests {
    @Test(.timeLimit(.minutes(5))) func `in each of the 720 orders of six events, some of them twice, the fees are the same`() async throws {
        var random = Seeded("fee permutations")
        let seed = random.seed
        try await withBook(inZone: "Europe/Berlin") { book in
            var permutations = FeePermutations(book)
            try await permutations.begin()
            #expect(Set(FeePermutations.orders.map { $0.map(\.rawValue) }).count == 720)
            var again: [Int: [(FeePermutations.Event, Int)]] = [:]
            var (repeats, asked) = (0, 0)
            for step in 0...6 {
                var events = again[step] ?? []
                asked += events.count { $0.0 != .schedule }
                if step < 6 {
                    for (number, order) in FeePermutations.orders.enumerated() {
                        events.append((order[step], number))
                        again[Int.random(in: step + 1...6, using: &random), default: []].append((order[step], number))
                    }
                }
                events.shuffle(using: &random)
                repeats += try await permutations.happen(events)
                if step == 6 || Bool.random(using: &random) {
                    let positions = UInt64(Int.random(in: 100...2000, using: &random))
                    try await book.withProjector(positionsMax: positions) { _ = try await $0.catchUp(["fee"]) }
                }
            }
            #expect(repeats == asked && asked == 5 * 720)
            try await Self.prove(permutations, seed)
        }
    }

    /// On paper, from docs/fees.md.
    private static let expected = [
        "backDated 2026-02-01": "v1 r1 14999 [1:10000 2:4999] 415(-22495000) + 50 + 0 - w0 0(0) = 465",  // 290 + 125.22495
        "late 2026-03-01": "v1 r1 4555 [1:4555] 132(-9500000) + 30 + 0 - w0 0(0) = 162",  // 132.095; before it 0
        "charge 2026-03-01": "v1 r1 8000 [1:5445 2:2555] 222(9225000) + 50 + 0 - w0 0(0) = 272",  // 157.905 + 64.00275; before it 45.55
        "refund 2026-03-01": "v1 r2 3001 [] -42(1400000) + 0 + 0 - w0 0(0) = -42",  // -42.014; before it 125.55
        "capture 2026-03-01": "v2 r1 3777 [1:3777] 114(69000000) + 25 + 0 - w0 0(0) = 139",  // 113.31, up; before it 95.54
        "last 2026-03-01": "v2 r1 5000 [2:5000] 75(0) + 10 + 0 - w1 22(75000000) = 63",  // before it 133.31; 85 × 25 % = 21.25, up
    ]

    private static func prove(_ permutations: FeePermutations, _ seed: UInt64) async throws {
        let book = permutations.book
        let result = try await FeeProof.with(book) { try await $0.compare() }
        print("fee permutations: \(result)")
        #expect(result.differences == 0, "INDELIBLE_SEED=\(seed): \(result)")
        #expect(result.charged == 6 * 720 && result.months == 2 * 720 && result.adjusted > 200 && result.withdrawn == 0, "INDELIBLE_SEED=\(seed): \(result)")
        let captures = permutations.captures
        var counts: [String: Int] = [:]
        try await book.withOwner { connection in
            let proof = try #require(SQLIdentifier("fee_g1"))
            for row in try await connection.query(
                """
                SELECT f.id, f.schedule, f.version, f.rule, f.amount, f.slices, f.percentage, f.rounding, f.fixed, f.bounded, f.waiver, f.waived, f.waived_rounding, f.fee
                FROM \(identifier: proof) f WHERE NOT EXISTS (SELECT 1 FROM fee_g1 n WHERE n.account = f.account AND n.schedule = f.schedule AND
                n.effective_at = f.effective_at AND n.id = f.id AND n.through > f.through)
                """)
            {
                let id = try #require(FeeProof.id(row[0]))
                let event = try #require(FeePermutations.event(id, captures: captures))
                let t = (0..<row.count).map { FeeProof.text(row[$0]) ?? FeeProof.number(row[$0]).map { "\($0)" } ?? "" }
                let text = "v\(t[2]) r\(t[3]) \(t[4]) [\(t[5])] \(t[6])(\(t[7])) + \(t[8]) + \(t[9]) - w\(t[10]) \(t[11])(\(t[12])) = \(t[13])"
                counts["\(event) \(event == .backDated ? "2026-02-01" : "2026-03-01")\n\(text)", default: 0] += 1
            }
        }
        #expect(counts == Dictionary(uniqueKeysWithValues: expected.map { ("\($0.key)\n\($0.value)", 720) }), "INDELIBLE_SEED=\(seed)")
        try await rebuild(book, seed)
    }

    private static func rebuild(_ book: TestBook, _ seed: UInt64) async throws {
        let job = try #require(Projector.builtIn.first { $0.definition.name == "fee" })
        #expect(try await BookOwner(book.owner).createGeneration(of: job) == 2)
        try await book.withProjector { projector in
            try await projector.catchUp(["fee"])
            let comparison = try await projector.compare("fee", generation: 2)
            #expect(comparison.isEqual, "INDELIBLE_SEED=\(seed): \(comparison)")
        }
        let result = try await FeeProof.with(book, generation: 2) { try await $0.compare() }
        #expect(result.differences == 0, "INDELIBLE_SEED=\(seed), rebuilt: \(result)")
    }
}
