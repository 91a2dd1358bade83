import Indelible
import IndelibleTesting
import Testing

@Suite struct StreamAppendTests {
    /// A book with the accounts of ``Wallet``.
    static func withUnits<T>(_ body: (TestBook, Units) async throws -> T) async throws -> T {
        try await withBook { book in
            for path in ["customers:alice", "merchants:bob"] as [AccountPath] {
                try await book.ledger.openAccount(path, in: .eur, type: .liability)
            }
            return try await body(book, Units(book.ledger))
        }
    }

    @Test func `events become entries of their stream, and come back as they were`() async throws {
        try await Self.withUnits { book, units in
            try await units.run { unit in
                let story = try await unit.load(Story.self, "42")
                #expect(story.isNew && story.state == Story(id: "42"))
                try story.apply(StoryOpened(title: "Räuber & „Pistole“"))
                try story.apply([CommentAdded(text: "first"), CommentAdded(text: "second")])
                #expect(story.state.comments == ["first", "second"])
            }
            let again = try await units.begin().load(Story.self, "42")
            #expect(again.revision == 3 && again.state.title == "Räuber & „Pistole“" && again.state.comments == ["first", "second"])
            let stored = try await book.entries("story.comment-added")
            #expect(stored.count == 2)
            let payload = try JSON(parsing: try #require(stored[1].payload))
            #expect(payload["text"] == "second")
            #expect(payload["ledger"]?["stream"] == "story:42" && payload["ledger"]?["revision"] == 3 && payload["ledger"]?["version"] == 1)
            #expect(payload["ledger"]?["unit"]?.string?.count == 32)
        }
    }

    @Test func `an event moves money, holds it, captures it and frees it`() async throws {
        try await Self.withUnits { book, units in
            try await units.run { unit in
                let wallet = try await unit.load(Wallet.self, "a")
                try wallet.apply(WalletPaid(units: 500, description: "Lunch"))
                try wallet.apply(WalletReserved(wallet: "a", units: 300))
            }
            var balance = try await book.ledger.balance(of: "merchants:bob", in: .eur)
            #expect(balance.totals.creditsPosted == 500 && balance.totals.creditsPending == 300)
            try await units.run { try await $0.load(Wallet.self, "a").apply(WalletSettled(wallet: "a", units: 200)) }
            balance = try await book.ledger.balance(of: "merchants:bob", in: .eur)
            #expect(balance.totals.creditsPosted == 700 && balance.totals.creditsPending == 0)
            let wallet = try await units.begin().load(Wallet.self, "a")
            #expect(wallet.state.paid == 700 && wallet.state.reserved == 0 && wallet.revision == 3)
            // Held and freed by one unit.
            try await units.run { unit in
                let wallet = try await unit.load(Wallet.self, "b")
                try wallet.apply(WalletReserved(wallet: "b", units: 50))
                try wallet.apply(WalletFreed(wallet: "b"))
            }
            balance = try await book.ledger.balance(of: "merchants:bob", in: .eur)
            #expect(balance.totals.creditsPosted == 700 && balance.totals.creditsPending == 0)
            // A second settlement finds the hold settled, and leaves nothing behind.
            let error = await #expect(throws: LedgerError.self) {
                try await units.run { try await $0.load(Wallet.self, "a").apply(WalletFreed(wallet: "a")) }
            }
            #expect(error?.code == .holdSettled)
            #expect(try await units.begin().load(Wallet.self, "a").revision == 3)
            #expect(try await book.entries("wallet.paid").first?.payload?.contains("\"description\":\"Lunch\"") == true)
        }
    }

    struct Expectation: Sendable, CustomTestStringConvertible {
        let claims: Int
        let commuting: Int
        let expected: ExpectedRevision
        let isAccepted: Bool
        var testDescription: String { "\(claims) claimed, \(commuting) commuting, \(expected)" }
    }

    @Test(arguments: [
        Expectation(claims: 0, commuting: 0, expected: .none, isAccepted: true),
        Expectation(claims: 0, commuting: 1, expected: .none, isAccepted: true),
        Expectation(claims: 1, commuting: 0, expected: .none, isAccepted: false),
        Expectation(claims: 0, commuting: 0, expected: .exists, isAccepted: false),
        Expectation(claims: 1, commuting: 0, expected: .exists, isAccepted: true),
        Expectation(claims: 0, commuting: 1, expected: .exists, isAccepted: true),
        Expectation(claims: 2, commuting: 0, expected: .exact(2), isAccepted: true),
        Expectation(claims: 2, commuting: 3, expected: .exact(2), isAccepted: true),
        Expectation(claims: 2, commuting: 0, expected: .exact(1), isAccepted: false),
        Expectation(claims: 2, commuting: 0, expected: .exact(3), isAccepted: false),
        Expectation(claims: 0, commuting: 0, expected: .exact(1), isAccepted: false),
        Expectation(claims: 0, commuting: 0, expected: .any, isAccepted: true),
        Expectation(claims: 2, commuting: 1, expected: .any, isAccepted: true),
    ])
    func `an append is as it expects, or is refused`(row: Expectation) async throws {
        try await Self.withUnits { book, units in
            try await units.run { unit in
                let story = try await unit.load(Story.self, "1")
                for number in 0..<row.claims { try story.apply(CommentAdded(text: "claim \(number)")) }
                #expect(throws: LedgerError.self) { try unit.append(CommentAdded(text: "x"), to: "1", expecting: .any) }
            }
            try await units.run { unit in
                for number in 0..<row.commuting { try unit.append(CommentAdded(text: "any \(number)"), to: "1", expecting: .any) }
            }
            let unit = units.begin()
            try unit.append(CommentAdded(text: "new"), to: "1", expecting: row.expected)
            if row.isAccepted {
                try await unit.commit()
            } else {
                let error = await #expect(throws: LedgerError.self) { try await unit.commit() }
                #expect(error?.code == .revisionConflict)
            }
            let story = try await units.begin().load(Story.self, "1")
            #expect(story.state.comments.count == row.claims + row.commuting + (row.isAccepted ? 1 : 0))
            let claims: UInt64 = row.isAccepted && row.expected != .any && row.expected != .exists ? 1 : 0
            #expect(story.revision == UInt64(row.claims) + claims)
        }
    }

    @Test func `64 appends as any on one stream are all there and none conflicts`() async throws {
        try await Self.withUnits { book, units in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let unit = units.begin()
                        try unit.append(CommentAdded(text: "\(number)"), to: "1", expecting: .any)
                        try await unit.commit()
                    }
                }
                try await group.waitForAll()
            }
            let story = try await units.begin().load(Story.self, "1")
            #expect(Set(story.state.comments) == Set((0..<64).map(String.init)) && story.state.comments.count == 64)
            #expect(story.revision == 0)
        }
    }

    @Test func `of many that claim one revision one has it`() async throws {
        try await Self.withUnits { book, units in
            let won = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<32 { group.addTask { try await Self.claimsFirst(units, "\(number)") } }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(won == 1)
            #expect(try await units.begin().load(Story.self, "1").state.comments.count == 1)
        }
    }

    private static func claimsFirst(_ units: Units, _ text: String) async throws -> Bool {
        let unit = units.begin()
        try unit.append(CommentAdded(text: text), to: "1", expecting: .none)
        do { try await unit.commit() } catch {
            #expect(error.code == .revisionConflict)
            return false
        }
        return true
    }

    @Test func `entries are found by their stream`() async throws {
        try await Self.withUnits { book, units in
            for id in ["1", "2", "1"] { try await units.run { _ = try await $0.load(Story.self, id).apply(CommentAdded(text: "of \(id)")) } }
            try await units.run { try $0.append(CommentAdded(text: "any"), to: "1", expecting: .any) }
            var query = EntryQuery()
            query.stream = try Story.stream("1")
            let found = try await book.ledger.entries(query)
            #expect(found.map { $0.payload?.contains("of 1") } == [true, true, false] && found.map(\.position) == found.map(\.position).sorted())
            query.after = found[0].position
            #expect(try await book.ledger.entries(query).count == 2)
            query.stream = try Story.stream("9")
            #expect(try await book.ledger.entries(query).isEmpty)
        }
    }
}
