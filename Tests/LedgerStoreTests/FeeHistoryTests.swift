import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore
@testable import Soaking

/// Random histories: whatever is charged, published, captured and reversed, in whatever order, the rows are those of the model.
@Suite struct FeeHistoryTests {
    /// More of them with INDELIBLE_FEES=100000.
    static let count = ProcessInfo.processInfo.environment["INDELIBLE_FEES"].flatMap(Int.init) ?? 4000
    private static let phases = 12

    @Test(.timeLimit(.minutes(10))) func `of random schedules and entries every row is what the model says, after every step`() async throws {
        let random = Seeded("fee history")
        try await withBook(inZone: "Europe/Berlin") { book in
            var history = try await RandomFees(book, random, schedules: 5, versions: 1...4)
            try await history.publish()
            for phase in 1...Self.phases {
                let positions = UInt64(Int.random(in: 1...max(2, Self.count / 40), using: &history.random))
                if phase % 4 == 0 {
                    // Three at once, which have been there before the accounts and schedules that come now.
                    try await book.whileProjecting(positionsMax: positions, workers: 3) { try await Self.happen(phase, &history) }
                } else {
                    try await Self.happen(phase, &history)
                }
                try await Self.project(book, phase, positions, &history.random)
                let result = try await FeeProof.with(book) { try await $0.compare() }
                #expect(result.differences == 0, "INDELIBLE_SEED=\(random.seed), phase \(phase): \(result)")
                if result.differences > 0 { return }
            }
            try await Self.provePast(book, seed: random.seed, &history.random)
            try await Self.rebuild(book, seed: random.seed)
        }
    }

    /// Entries, schedules, entries.
    private static func happen(_ phase: Int, _ history: inout RandomFees) async throws {
        try await history.post(count / phases / 2)
        while history.documents.count > 20 * (phases - phase) / phases { try await history.publish() }
        try await history.post(count / phases / 2)
    }

    /// One worker with steps of some size, or a few steps and then one without a limit.
    private static func project(_ book: TestBook, _ phase: Int, _ positions: UInt64, _ random: inout Seeded) async throws {
        if phase % 4 == 1 {
            let steps = Int.random(in: 1...5, using: &random)
            try await book.withProjector(positionsMax: positions) { projector in
                for _ in 0..<steps { _ = try await projector.step(of: "fee") }
            }
        }
        if phase % 4 == 2 { try await book.withProjector(positionsMax: positions) { _ = try await $0.catchUp(["fee"]) } }
        try await book.withProjector { _ = try await $0.catchUp(["fee"]) }
    }

    /// The rows through a checkpoint are what they would be if the journal ended there.
    private static func provePast(_ book: TestBook, seed: UInt64, _ random: inout Seeded) async throws {
        let steps = try await book.withOwner { connection in
            try await connection.query("SELECT through_position FROM checkpoint WHERE job = 'fee' AND generation = 1 ORDER BY 1").compactMap { FeeProof.number($0[0]) }
        }
        #expect(steps.count > phases)
        for through in steps.shuffled(using: &random).prefix(4) {
            let result = try await FeeProof.with(book) { try await $0.compare(through: UInt64(through)) }
            #expect(result.differences == 0, "INDELIBLE_SEED=\(seed), as of \(through): \(result)")
        }
        let all = try await FeeProof.with(book) { try await $0.compare() }
        print("fee history: \(all)")
        // Otherwise it shows little.
        #expect(all.charged > count / 10 && all.adjusted > 10 && all.withdrawn > 5 && all.months > 20, "INDELIBLE_SEED=\(seed): \(all)")
    }

    private static func rebuild(_ book: TestBook, seed: UInt64) async throws {
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
