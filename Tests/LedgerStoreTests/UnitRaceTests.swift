import Indelible
import IndelibleTesting
import LocalMariaDB
import LossyProxy
import MariaDBDriver
import Synchronization
import Testing

/// A link that breaks while the server has not committed yet: whoever looks then finds nothing, and it is committed all the same.
@Suite struct UnitRaceTests {
    /// Breaks the link at one COMMIT: the first one after a unit's work is done.
    private final class Trap: Sendable {
        private let state = Atomic(0)
        var isSprung: Bool { state.load(ordering: .sequentiallyConsistent) == 2 }
        func set() { _ = state.compareExchange(expected: 0, desired: 1, ordering: .sequentiallyConsistent) }
        func springs() -> Bool { state.compareExchange(expected: 1, desired: 2, ordering: .sequentiallyConsistent).exchanged }
    }

    enum Way: Sendable, CaseIterable { case optimistic, keyed, exclusive }

    private static func count(_ ledger: Ledger, _ way: Way, _ trap: Trap) async throws {
        let units = Units(ledger)
        switch way {
        case .optimistic: try await units.run { try add(try await $0.load(Member.self, "bob"), trap) }
        case .keyed: try await units.runOnce(key: "once") { try add(try await $0.load(Member.self, "bob"), trap) }
        case .exclusive: try await units.exclusively([try Units.Claim(Member.self, "bob")]) { try add(try $0.loaded(Member.self, "bob"), trap) }
        }
    }

    private static func add(_ member: Ref<Member>, _ trap: Trap) throws {
        try member.swap { member in
            member.email = "bob@example.org"
            member.stories += 1
        }
        trap.set()
    }

    /// Opens the connections of a ledger.
    private static func warm(_ ledger: Ledger) async throws {
        try await Units(ledger).run { _ = try await $0.load(Story.self, "1").apply(StoryOpened(title: "One")) }
        try await Units(ledger).exclusively([try Units.Claim(Story.self, "1")]) { _ = try $0.loaded(Story.self, "1").apply(StoryClosed()) }
    }

    /// While nobody can commit; half a second longer than it takes until the link is broken.
    private static func withoutCommits(_ book: TestBook, until trap: Trap, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await book.withOwner { owner in
            for stage in ["START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT"] { try await owner.execute(unprepared: "BACKUP STAGE \(stage)") }
            let working = Task { try await body() }
            while !trap.isSprung { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(500))
            try await owner.execute(unprepared: "BACKUP STAGE END")
            try await working.value
        }
    }

    @Test(.timeLimit(.minutes(2)), arguments: Way.allCases, [false, true])
    func `a unit that is committed after its link broke is done once`(way: Way, isNew: Bool) async throws {
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            if !isNew { try await Self.count(book.ledger, .optimistic, Trap()) }
            let trap = Trap()
            let proxy = try LossyProxy(to: server.socketPath, hurries: { _ in true }, losesAnswer: { _ in trap.springs() })
            let ledger = Ledger(
                try BookLocation(server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            try await Self.warm(ledger)
            try await Self.withoutCommits(book, until: trap) { try await Self.count(ledger, way, trap) }
            let member = try await Units(book.ledger).begin().load(Member.self, "bob")
            #expect(member.state.stories == (isNew ? 1 : 2))
            for ledger in [ledger, book.ledger] { await ledger.close() }
            proxy.stop()
        }
    }
}
