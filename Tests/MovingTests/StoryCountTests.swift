import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// The number of a member's stories, which is kept with the member and has to agree with the stories.
@Suite struct StoryCountTests {
    private static let bob = OldMember(id: 1, name: "Bob", email: "bob@example.org", stories: 0)

    @Test(.timeLimit(.minutes(2))) func `old: of two saves the second fails, and the story is there uncounted`() async throws {
        try await withOldServer { _, old in
            let (members, stories) = (OldMembers(connection: old[0]), OldStories(connection: old[0]))
            var bob = Self.bob
            bob.stories = 100
            try await members.insert(bob)
            // Each repository saves by itself.
            try await stories.insert(OldStory(id: 42, author: 1, title: "One too many"))
            bob.stories += 1
            await #expect { try await members.save(bob) } throws: { ($0 as? MariaDBError)?.number == 4025 }
            #expect(try await stories.load(42).author == 1)
            #expect(try await members.load(1).stories == 100)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `old: two publish at once, each in a transaction, and one story is not counted`() async throws {
        try await withOldServer(connections: 2) { _, old in
            try await OldMembers(connection: old[0]).insert(Self.bob)
            var flows: [(stories: OldStories, members: OldMembers, bob: OldMember)] = []
            for connection in old {
                try await connection.execute(unprepared: "START TRANSACTION")
                let members = OldMembers(connection: connection)
                flows.append((OldStories(connection: connection), members, try await members.load(1)))
            }
            for (number, flow) in flows.enumerated() {
                try await flow.stories.insert(OldStory(id: Int64(number), author: 1, title: "Story \(number)"))
                var bob = flow.bob
                bob.stories += 1
                try await flow.members.save(bob)
                try await flow.members.connection.execute(unprepared: "COMMIT")
            }
            #expect(try await flows[0].stories.count(of: 1) == 2)
            #expect(try await flows[0].members.load(1).stories == 1)
        }
    }

    private static func publish(_ title: String, as id: String, by author: String, _ units: Units) async throws {
        try await units.run(attemptsMax: 200) { unit in
            let story = try await unit.load(Story.self, id)
            let member = try await unit.load(Member.self, author)
            try story.apply(story.state.publish(title, by: author))
            try member.apply(member.state.countStory())
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: six publish at once, and every story is counted`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<6 {
                    group.addTask {
                        for number in 0..<8 { try await Self.publish("Story \(number)", as: "\(task)-\(number)", by: "bob", units) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await units.begin().load(Member.self, "bob").state.stories == 48)
            #expect(try await book.entries("story.published") == 48)
            #expect(try await book.entries("member.story-counted") == 48)
            try await book.project()
            let found = try await book.reconcile()
            #expect(found.verdict == .clean, "\(found)")
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: six publish at once and take turns, and every story is counted`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<6 {
                    group.addTask {
                        for number in 0..<8 {
                            let id = "\(task)-\(number)"
                            try await units.exclusively([Units.Claim(Member.self, "bob"), Units.Claim(Story.self, id)]) { unit in
                                let (story, member) = (try unit.loaded(Story.self, id), try unit.loaded(Member.self, "bob"))
                                try story.apply(story.state.publish("Story \(number)", by: "bob"))
                                try member.apply(member.state.countStory())
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await units.begin().load(Member.self, "bob").state.stories == 48)
            #expect(try await book.entries("story.published") == 48)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `new: what fails in a unit leaves neither`() async throws {
        try await withBook { book in
            let units = Units(book.ledger)
            try await units.run { unit in
                let member = try await unit.load(Member.self, "bob")
                for _ in 0..<99 { try member.apply(member.state.countStory()) }
            }
            // The database refuses a part of it: there is no such account.
            let nothing = try await book.rowsAdded {
                await #expect { try await Self.publishAndPay("41", units) } throws: { ($0 as? LedgerError)?.code == .unknownAccount }
            }
            #expect(nothing == [:])
            try await Self.publish("The last one", as: "42", by: "bob", units)
            // The domain refuses a part of it.
            let refused = try await book.rowsAdded {
                await #expect(throws: Refusal.self) { try await Self.publish("One too many", as: "43", by: "bob", units) }
            }
            #expect(refused == [:])
            for (id, author) in [("41", nil), ("42", "bob"), ("43", nil)] {
                #expect(try await units.begin().load(Story.self, id).state.author == author)
            }
            #expect(try await units.begin().load(Member.self, "bob").state.stories == 100)
        }
    }

    private static func publishAndPay(_ id: String, _ units: Units) async throws {
        try await units.run { unit in
            let story = try await unit.load(Story.self, id)
            let member = try await unit.load(Member.self, "bob")
            try story.apply(story.state.publish("Paid for", by: "bob"))
            try member.apply(member.state.countStory())
            try unit.post(
                Entry(kind: "story.paid", postings: [Posting(debit: "nowhere", credit: "nobody", amount: Amount(minorUnits: 1, .eur))]))
        }
    }
}
