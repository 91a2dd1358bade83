import Indelible
import IndelibleTesting
import Testing

@Suite struct UnitTests {
    @Test func `concurrent units on one aggregate run again until each is in`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await units.run(attemptsMax: 100) { unit in
                            let member = try await unit.load(Member.self, "bob")
                            try member.swap { member in
                                member.email = "bob@example.org"
                                member.stories += 1
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let member = try await units.begin().load(Member.self, "bob")
            #expect(member.state.stories == 16 && member.revision == 16)
        }
    }

    @Test func `there is one reference to one thing`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            let unit = units.begin()
            let first = try await unit.load(Story.self, "1")
            async let second = unit.load(Story.self, "1")
            async let third = unit.preload(Story.self, ["2", "1", "1"])
            #expect(try await second === first)
            #expect(try await third.map { $0 === first } == [false, true, true])
            try first.apply(StoryOpened(title: "One"))
            #expect(try await unit.load(Story.self, "1").state.title == "One")
        }
    }

    @Test func `what was handed out stays as it was`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            let story = try await units.begin().load(Story.self, "1")
            let before = story.state
            try story.apply(StoryOpened(title: "One"))
            #expect(before.title == nil && story.state.title == "One")
        }
    }

    @Test func `the revision that was captured first is the one that is claimed`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            let unit = units.begin()
            let story = try await unit.load(Story.self, "1")
            try await units.run { try await $0.load(Story.self, "1").apply(StoryOpened(title: "Another's")) }
            // Loading again neither sees the other's event nor moves what is expected.
            let again = try await unit.load(Story.self, "1")
            #expect(again === story && again.revision == 0 && again.state.title == nil)
            try again.apply(StoryOpened(title: "Mine"))
            let error = await #expect(throws: LedgerError.self) { try await unit.commit() }
            #expect(error?.code == .revisionConflict)
            #expect(try await units.begin().load(Story.self, "1").state.title == "Another's")
        }
    }

    @Test func `after its end a unit takes nothing more, whatever the end`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            let committed = units.begin()
            let one = try await committed.load(Story.self, "1")
            try one.apply(StoryOpened(title: "One"))
            try await committed.commit()
            let rolledBack = units.begin()
            let two = try await rolledBack.load(Story.self, "2")
            try two.apply(StoryOpened(title: "Two"))
            rolledBack.rollBack()
            let conflicting = units.begin()
            try conflicting.append(CommentAdded(text: "late"), to: "1", expecting: .none)
            await #expect(throws: LedgerError.self) { try await conflicting.commit() }
            for (unit, ref) in [(committed, one), (rolledBack, two)] {
                #expect(throws: LedgerError.self) { try ref.apply(CommentAdded(text: "x")) }
                await #expect(throws: LedgerError.self) { try await unit.load(Story.self, "1") }
                await #expect(throws: LedgerError.self) { try await unit.commit() }
                #expect(throws: LedgerError.self) { try unit.post(Entry(kind: "note.made")) }
            }
            let error = await #expect(throws: LedgerError.self) { try await conflicting.commit() }
            #expect(error?.code == .unitEnded && error?.message == "the unit of work was refused, and nothing of it is recorded: begin another")
            #expect(throws: LedgerError.self) { try units.begin().claim("email", "", for: "story:1") }
            #expect(try await units.begin().load(Story.self, "2").isNew)
        }
    }

    @Test func `who checks and changes nothing still stands on what was read`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            // Each looks at what the other changes: both going through would be as if neither had looked.
            let (first, second) = (units.begin(), units.begin())
            for (unit, read, written) in [(first, "a", "b"), (second, "b", "a")] {
                try await unit.load(Story.self, read).check()
                try await unit.load(Story.self, written).apply(StoryOpened(title: "after looking at \(read)"))
            }
            try await first.commit()
            let error = await #expect(throws: LedgerError.self) { try await second.commit() }
            #expect(error?.code == .revisionConflict)
            let (a, b) = (try await units.begin().load(Story.self, "a"), try await units.begin().load(Story.self, "b"))
            #expect(a.isNew == false && a.state.title == nil && a.revision == 1 && b.state.title != nil)
            // With an event of its own a check adds nothing.
            try await units.run { unit in
                let story = try await unit.load(Story.self, "a")
                try story.check()
                try story.apply(StoryOpened(title: "A"))
            }
            #expect(try await units.begin().load(Story.self, "a").revision == 2)
            #expect(try await book.entries(.streamChecked).count == 1)
        }
    }

    private static func claim(_ units: Units, _ holder: String) async throws {
        try await units.run { try $0.claim("email", "bob@example.org", for: holder) }
    }

    private static func release(_ units: Units, _ holder: String) async throws {
        try await units.run { try $0.release("email", "bob@example.org", of: holder) }
    }

    @Test func `a value is claimed once and can be given back`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            try await Self.claim(units, "member:bob")
            let taken = await #expect(throws: LedgerError.self) { try await Self.claim(units, "member:robert") }
            #expect(taken?.code == .claimTaken && taken?.message == "email “bob@example.org” is claimed by member:bob")
            let other = await #expect(throws: LedgerError.self) { try await Self.release(units, "member:robert") }
            #expect(other?.code == .claimTaken)
            try await Self.release(units, "member:bob")
            await #expect(throws: LedgerError.self) { try await Self.release(units, "member:bob") }
            try await Self.claim(units, "member:robert")
            await #expect(throws: LedgerError.self) { try await Self.claim(units, "member:bob") }
            // Another scope, another value: others' business.
            try await units.run { unit in
                try unit.claim("email", "BOB@example.org", for: "member:bob")
                try unit.claim("phone", "bob@example.org", for: "member:bob")
            }
            // Both in one unit: the second finds the first.
            await #expect(throws: LedgerError.self) {
                try await units.run { unit in
                    try unit.claim("email", "x@example.org", for: "member:a")
                    try unit.claim("email", "x@example.org", for: "member:b")
                }
            }
            try await units.run { try $0.claim("email", "x@example.org", for: "member:c") }
        }
    }

    @Test func `a part that is refused takes all of the unit with it`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            try await book.ledger.openAccount("customers:poor", in: .eur, type: .liability, limits: AccountLimits(floor: 0))
            let error = await #expect(throws: LedgerError.self) {
                try await units.run { unit in
                    try await unit.load(Story.self, "1").apply(StoryOpened(title: "One"))
                    try unit.post(
                        Entry(kind: "gift.made", postings: [Posting(debit: "customers:poor", credit: "merchants:bob", amount: Amount(minorUnits: 1, .eur))]))
                    try unit.claim("email", "poor@example.org", for: "story:1")
                }
            }
            #expect(error?.code == .limitExceeded)
            #expect(try await units.begin().load(Story.self, "1").isNew)
            try await units.run { try $0.claim("email", "poor@example.org", for: "story:2") }
        }
    }

    @Test func `a plain state changes through its validator, and records what changes`() async throws {
        try await StreamAppendTests.withUnits { book, units in
            let unit = units.begin()
            let member = try await unit.load(Member.self, "bob")
            #expect(throws: Member.Refusal.noEmail) { try member.swap { $0.stories = 1 } }
            #expect(member.state == Member(id: "bob"))
            try member.swap { $0.email = "bob@example.org" }
            try member.swap { _ in }
            try await unit.commit()
            #expect(try await book.entries("member.saved").count == 1)
            #expect(try await units.begin().load(Member.self, "bob").state.email == "bob@example.org")
        }
    }

    @Test func `a request with a key is done once`() async throws {
        try await StreamAppendTests.withUnits { _, units in
            let runs = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { try await Self.isDone(units) } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(runs == 1)
            #expect(try await units.begin().load(Story.self, "1").state.comments == ["once"])
        }
    }

    private static func isDone(_ units: Units) async throws -> Bool {
        let outcome = try await units.runOnce(key: "request-1", attemptsMax: 50) { unit in
            try await unit.load(Story.self, "1").apply(CommentAdded(text: "once"))
        }
        if case .done = outcome { return true }
        return false
    }
}
