import Indelible
import IndelibleTesting
import LocalMariaDB
import LossyProxy
import Testing

/// Units of work over a link that loses every other answer to COMMIT: each is recorded once.
@Suite struct UnitFaultTests {
    private static func withLossyUnits(_ body: (TestBook, Units) async throws -> Void) async throws {
        try await StreamAppendTests.withUnits { book, _ in
            let proxy = try LossyProxy(to: book.server.socketPath) { $0 % 2 == 1 }
            let ledger = Ledger(
                try BookLocation(
                    server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            try await body(book, Units(ledger))
            await ledger.close()
            proxy.stop()
            #expect(proxy.lost >= 10, "\(proxy.lost) of \(proxy.committed) answers were lost")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `an answer that is lost is asked for, and the unit is recorded once`() async throws {
        try await Self.withLossyUnits { book, units in
            for number in 0..<20 {
                try await units.run { unit in
                    _ = try await unit.load(Story.self, "1").apply(CommentAdded(text: "\(number)"))
                    try unit.append(CommentAdded(text: "\(number)"), to: "2", expecting: .any)
                }
            }
            let clear = Units(book.ledger)
            let stories = try await clear.begin().preload(Story.self, ["1", "2"])
            #expect(stories.map(\.state.comments) == Array(repeating: (0..<20).map(String.init), count: 2))
            #expect(stories.map(\.revision) == [20, 0])
        }
    }

    @Test func `the same for those that claim first`() async throws {
        try await Self.withLossyUnits { book, units in
            try await units.run { try await $0.load(Member.self, "bob").swap { $0.email = "bob@example.org" } }
            for number in 1...20 {
                let stories = try await units.exclusively([try Units.Claim(Member.self, "bob")]) { unit in
                    try unit.loaded(Member.self, "bob").swap { member in
                        member.stories += 1
                        return member.stories
                    }
                }
                #expect(stories == number)
            }
            let member = try await Units(book.ledger).begin().load(Member.self, "bob")
            #expect(member.state.stories == 20 && member.revision == 21)
        }
    }
}
