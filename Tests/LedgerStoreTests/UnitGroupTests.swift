import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// Units of work that are written together: each is whole.
@Suite struct UnitGroupTests {
    private static func reserve(_ units: Units, _ number: Int) async -> Bool {
        let unit = units.begin()
        do {
            // The first of them has the id of the hold; the others would be left with what is beside it.
            try unit.append(WalletReserved(wallet: "a", units: 5), to: "a", expecting: .any)
            try unit.append(CommentAdded(text: "beside"), to: "\(number)", expecting: .none)
            try await unit.commit()
            return true
        } catch {
            #expect(error.code == .conflict, "\(error)")
            return false
        }
    }

    /// Keeps the lane of those that claim waiting for a revision that somebody else is about to claim, so that whoever comes meanwhile is written together.
    private static func whileWaiting(_ book: TestBook, _ units: Units, _ body: @escaping @Sendable () async -> Int) async throws -> Int {
        try await book.withOwner { owner in
            try await owner.execute(unprepared: "START TRANSACTION")
            try await owner.execute(unprepared: "INSERT INTO stream_entry VALUES ('story:gate', REPEAT('x', 16), 1)")
            let gate = Task { try await units.run { try $0.append(CommentAdded(text: "gate"), to: "gate", expecting: .none) } }
            try await Task.sleep(for: .milliseconds(300))
            let work = Task { await body() }
            try await Task.sleep(for: .milliseconds(500))
            try await owner.execute(unprepared: "ROLLBACK")
            try await gate.value
            return await work.value
        }
    }

    @Test func `of units that record an entry with one id, one is recorded, whole`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let done = try await Self.whileWaiting(book, units) {
                await withTaskGroup(of: Bool.self) { group in
                    for number in 0..<24 { group.addTask { await Self.reserve(units, number) } }
                    return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
            }
            #expect(done == 1)
            // The gate's, and one.
            #expect(try await book.entries("story.comment-added").count == 2)
            #expect(try await book.entries("wallet.reserved").count == 1)
        }
    }
}
