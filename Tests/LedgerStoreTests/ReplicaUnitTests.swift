import Indelible
import IndelibleTesting
import Replication
import Testing

/// A query finds something on a replica that is behind; a unit begins from what it found and decides on what the primary has now.
@Suite(.serialized) struct ReplicaUnitTests {
    /// The newest title that a query finds, and the story's id.
    private static func found(_ ledger: Ledger) async throws -> (id: String, title: String?) {
        var query = EntryQuery()
        query.kind = StoryOpened.name
        let entry = try #require(try await ledger.entries(query).last)
        let payload = try JSON(parsing: try #require(entry.payload))
        let stream = try #require(payload["ledger"]?["stream"]?.string)
        return (String(stream.dropFirst("story:".count)), payload["title"]?.string)
    }

    @Test func `a unit loads from the primary what a query found on the replica`() async throws {
        try await ReplicaTests.withAlice { both, ledger in
            let units = Units(ledger)
            try await units.run { try await $0.load(Story.self, "42").apply(StoryOpened(title: "Old")) }
            try await both.catchUp()
            try await both.stall()
            try await units.run { unit in
                try await unit.load(Story.self, "42").apply([StoryOpened(title: "New"), CommentAdded(text: "first"), StoryClosed()])
            }

            let old = try await Self.found(ledger)
            #expect(old.id == "42" && old.title == "Old")
            let unit = units.begin()
            let story = try await unit.load(Story.self, old.id)
            #expect(story.state.title == "New" && story.revision == 4)
            // Decided on the newest, which is closed, and not on what was found.
            #expect(throws: Story.Refusal.closed) { try story.state.comment("late") }
            unit.rollBack()

            // A charge and its balance: 100 were found, and 10 are there.
            try await ledger.post(ReplicaTests.drawn(90))
            let balance = try await ledger.balance(of: "alice", in: .eur)
            #expect(balance.minorUnits == 100)
            let refused = await #expect(throws: LedgerError.self) {
                try await units.run { try $0.post(ReplicaTests.drawn(Int64(balance.minorUnits))) }
            }
            #expect(refused?.code == .limitExceeded)
            let hold = try await Self.settledElsewhere(both, ledger)
            let settled = await #expect(throws: LedgerError.self) { try await ledger.capture(hold) }
            #expect(settled?.code == .holdSettled)
        }
    }

    /// A hold that a query shows as outstanding, and that is void.
    private static func settledElsewhere(_ both: Replicated, _ ledger: Ledger) async throws -> EntryID {
        try await both.resume()
        var entry = ReplicaTests.drawn(5)
        entry.hold = Hold()
        try await ledger.post(entry)
        try await both.catchUp()
        try await both.stall()
        try await ledger.void(entry.id)
        let outstanding = try await ledger.outstandingHolds()
        #expect(outstanding.compactMap(\.entry.id) == [entry.id])
        #expect(try await ledger.primary.outstandingHolds().isEmpty)
        return entry.id
    }

    @Test func `what was decided on a stale revision is refused, and a run decides again`() async throws {
        try await ReplicaTests.withAlice { both, ledger in
            let units = Units(ledger)
            try await units.run { try await $0.load(Story.self, "42").apply(StoryOpened(title: "One")) }
            try await both.catchUp()
            try await both.stall()
            try await units.run { try await $0.load(Story.self, "42").apply(CommentAdded(text: "unseen")) }

            // The revision that a reader of the replica would expect.
            var query = EntryQuery()
            query.stream = try StreamName(Story.category, "42")
            let stale = UInt64(try await ledger.entries(query).count)
            #expect(stale == 1)
            let unit = units.begin()
            try unit.append(CommentAdded(text: "blind"), to: "42", expecting: .exact(stale))
            let conflict = await #expect(throws: LedgerError.self) { try await unit.commit() }
            #expect(conflict?.code == .revisionConflict)
            // Even a read-only process of the replica that loads the story cannot record what it made of it.
            let reader = Ledger(both.replica, mode: .readOnly)
            let looking = Units(reader).begin()
            let seen = try await looking.load(Story.self, "42")
            #expect(seen.state.comments.isEmpty && seen.revision == 1)
            try seen.apply(CommentAdded(text: "from the replica"))
            let refused = await #expect(throws: LedgerError.self) { try await looking.commit() }
            #expect(refused?.code == .readOnly)
            await reader.close()

            let attempts = try await Self.runAgainstAnother(units)
            #expect(attempts == 2)
            let story = try await units.begin().load(Story.self, "42").state
            #expect(story.comments == ["unseen", "meanwhile", "after 2"])
        }
    }

    /// A run whose story somebody else changes between its load and its commit; how often its body ran.
    private static func runAgainstAnother(_ units: Units) async throws -> Int {
        var attempts = 0
        try await units.run { unit in
            attempts += 1
            let story = try await unit.load(Story.self, "42")
            if attempts == 1 { try await units.run { try await $0.load(Story.self, "42").apply(CommentAdded(text: "meanwhile")) } }
            try story.apply(CommentAdded(text: "after \(story.state.comments.count)"))
        }
        return attempts
    }
}
