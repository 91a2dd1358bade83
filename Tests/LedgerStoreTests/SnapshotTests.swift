import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

@Suite struct SnapshotTests {
    private static let snapshots = Snapshots(of: Story.self, Member.self, every: 10)

    /// A book with the tables of the snapshots, and a ledger that begins with them.
    private static func withSnapshots(_ body: (TestBook, Ledger) async throws -> Void) async throws {
        try await withBook { book in
            let owner = BookOwner(book.owner)
            let generation = try await owner.createGeneration(of: snapshots)
            try await owner.switchLive(snapshots, to: generation)
            let ledger = Ledger(book.location, snapshots: snapshots, streamsRemembered: 0)
            try await body(book, ledger)
            await ledger.close()
        }
    }

    private static func project(_ book: TestBook) async throws {
        let projector = Projector(book.location, jobs: Projector.builtIn + [snapshots])
        try await projector.catchUp()
        await projector.close()
    }

    private static func add(_ count: Int, _ units: Units, from first: Int = 0) async throws {
        for number in first..<first + count {
            try await units.run { unit in _ = try await unit.load(Story.self, "1").apply(CommentAdded(text: "\(number)")) }
        }
    }

    private static func history(_ ledger: Ledger, _ id: String = "1") async throws -> StreamHistory {
        try await ledger.histories([StreamRequest(try Story.stream(id), Story.self)])[0]
    }

    @Test func `loading begins with the newest snapshot and reads what came after`() async throws {
        try await Self.withSnapshots { book, ledger in
            let units = Units(ledger)
            try await Self.add(25, units)
            #expect(try await Self.history(ledger).events.count == 25)
            try await Self.project(book)
            let history = try await Self.history(ledger)
            #expect(history.baselineRevision == 20 && history.events.count == 5 && history.revision == 25)
            let story = try await units.begin().load(Story.self, "1")
            #expect(story.revision == 25 && story.state.comments == (0..<25).map(String.init))
            // Further ones fold on from the one before.
            try await Self.add(7, units, from: 25)
            try await Self.project(book)
            #expect(try await Self.history(ledger).baselineRevision == 30)
            #expect(try await units.begin().load(Story.self, "1").state.comments == (0..<32).map(String.init))
            // What has no snapshot is read as a whole, beside what has one.
            let both = try await units.begin().preload(Story.self, ["2", "1"])
            #expect(both.map(\.revision) == [0, 32])
        }
    }

    @Test func `what claims nothing is missed by no snapshot`() async throws {
        try await Self.withSnapshots { book, ledger in
            let units = Units(ledger)
            for round in 0..<4 {
                try await Self.add(5, units, from: round * 100)
                for number in 0..<3 {
                    let unit = units.begin()
                    try unit.append(CommentAdded(text: "any \(round) \(number)"), to: "1", expecting: .any)
                    try await unit.commit()
                }
                if round % 2 == 1 { try await Self.project(book) }
            }
            let whole = try await Units(book.ledger).begin().load(Story.self, "1")
            let begun = try await units.begin().load(Story.self, "1")
            #expect(try await Self.history(ledger).baselineRevision == 20)
            #expect(begun.state == whole.state && begun.revision == whole.revision && begun.state.comments.count == 32)
        }
    }

    @Test func `a rebuild makes the same snapshots, whatever its steps`() async throws {
        try await Self.withSnapshots { book, ledger in
            let units = Units(ledger)
            try await Self.add(31, units)
            try await Self.project(book)
            let second = try await BookOwner(book.owner).createGeneration(of: Self.snapshots)
            let projector = Projector(book.location, jobs: [Self.snapshots], positionsMax: 3)
            try await projector.catchUp()
            await projector.close()
            let rows = try await book.withOwner { owner in
                try await owner.query("SELECT 1, stream, revision, position, state FROM snapshot_g1 EXCEPT SELECT 1, stream, revision, position, state FROM snapshot_g2")
            }
            #expect(rows.isEmpty)
            #expect(try await book.withOwner { try await $0.query("SELECT COUNT(*) FROM snapshot_g2")[0][0] } == .int(3))
            try await BookOwner(book.owner).switchLive(Self.snapshots, to: second)
            #expect(try await Self.history(ledger).baselineRevision == 30)
        }
    }

    @Test func `snapshots of another definition, or none, leave everything to be folded`() async throws {
        try await Self.withSnapshots { book, ledger in
            try await Self.add(12, Units(ledger))
            try await Self.project(book)
            for other in [Snapshots(of: Story.self, Member.self, version: "2", every: 10), Snapshots(of: Member.self, every: 10)] {
                let another = Ledger(book.location, snapshots: other)
                let history = try await Self.history(another)
                #expect(history.baselineRevision == 0 && history.events.count == 12)
                await another.close()
            }
        }
    }

    // MARK: - In memory

    @Test func `what is remembered is only where reading begins`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let another = Ledger(book.location)
            let other = Units(another)
            try await Self.add(3, units)
            _ = try await units.begin().load(Story.self, "1")
            var history = try await Self.history(book.ledger)
            #expect(history.baselineRevision == 3 && history.events.isEmpty)
            // Another program goes on; its events are read.
            try await Self.add(2, other, from: 3)
            history = try await Self.history(book.ledger)
            #expect(history.baselineRevision == 3 && history.events.count == 2)
            #expect(try await units.begin().load(Story.self, "1").state.comments == ["0", "1", "2", "3", "4"])
            // What claims nothing comes in between, so nothing is begun with.
            let unit = other.begin()
            try unit.append(CommentAdded(text: "any"), to: "1", expecting: .any)
            try await unit.commit()
            #expect(try await Self.history(book.ledger).events.count == 6)
            #expect(try await units.begin().load(Story.self, "1").state.comments.count == 6)
            await another.close()
        }
    }

    @Test func `no more is remembered than was asked`() async throws {
        try await StreamAppendTests.withUnits { book, _ in
            let ledger = Ledger(book.location, streamsRemembered: 4)
            let units = Units(ledger)
            let ids = (0..<20).map(String.init)
            try await units.run { unit in
                for story in try await unit.preload(Story.self, ids) { try story.apply(StoryOpened(title: "x")) }
            }
            for id in ids { _ = try await units.begin().load(Story.self, id) }
            var remembered = 0
            for id in ids where try await Self.history(ledger, id).baselineRevision == 1 { remembered += 1 }
            #expect((1...4).contains(remembered))
            await ledger.close()
        }
    }
}
