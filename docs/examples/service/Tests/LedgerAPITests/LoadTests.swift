import Foundation
import Indelible
import IndelibleTesting
import Testing

/// What was acknowledged stands once, what was not at most once, and the balances are a sum that anybody can make.
@Suite struct LoadTests {
    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    @Test(.timeLimit(.minutes(10))) func `services that are killed at random moments lose and double nothing`() async throws {
        let seed = UInt64(Self.number("LEDGER_LOAD_SEED") ?? Int.random(in: 1...1_000_000))
        let load = Load(seed: seed, transfers: Self.number("LEDGER_LOAD_TRANSFERS") ?? 1500)
        print("load: LEDGER_LOAD_SEED=\(seed)")
        try await withBook { book in
            let receiver = Receiver()
            let result = try await load.run(on: book, receiver)
            let found = try await Self.transfers(book)
            Self.judge(load, result, found)
            Self.judgeTelling(result, receiver, found)
            try await Self.expectSums(load, found, book)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            Self.report(load, result, found)
        }
    }

    /// All transfers of the journal, in its order.
    private static func transfers(_ book: TestBook) async throws -> [JournalEntry] {
        var (found, query) = ([JournalEntry](), EntryQuery())
        (query.kind, query.limit) = ("transfer", 1000)
        while true {
            let page = try await book.ledger.entries(query)
            guard let last = page.last else { return found }
            found += page
            query.after = last.position
        }
    }

    private static func judge(_ load: Load, _ result: Load.Result, _ found: [JournalEntry]) {
        let positions = Dictionary(grouping: found) { $0.id }.mapValues { $0.map(\.position.number) }
        for (number, outcome) in result.outcomes.enumerated() {
            let request = Load.Request(load.seed, number)
            let stands = positions[request.entry] ?? []
            #expect(stands.count <= 1 && outcome.created <= 1, "\(request.key) is there more than once")
            if !outcome.positions.isEmpty {
                #expect(Set(stands) == outcome.positions, "\(request.key) was acknowledged elsewhere than it stands")
            } else if outcome.lost == 0 {
                #expect(stands.isEmpty && outcome.refused == "limitExceeded", "\(request.key): \(outcome)")
            }
        }
        // Nobody else has made one.
        #expect(found.count == Load.accounts.count + result.outcomes.indices.count { positions[Load.Request(load.seed, $0).entry] != nil })
        #expect(result.kills > 1 && result.exits == [0, 0])
    }

    /// A follower has each transfer once, in the journal's order; a webhook's receiver each at least once, and signed.
    private static func judgeTelling(_ result: Load.Result, _ receiver: Receiver, _ found: [JournalEntry]) {
        let followed = result.followed.filter { $0.type == "com.example.transferred.v1" }
        #expect(followed.map(\.id) == found.compactMap { $0.id?.description })
        let delivered = Set(receiver.deliveries.map(\.id))
        #expect(delivered == Set(result.followed.map(\.id)) && receiver.forgeries == 0)
        print("load: the follower was cut off \(result.cuts) times; \(receiver.deliveries.count) webhooks for \(delivered.count) events")
    }

    /// A model that knows no ledger: money moves as it was asked for, and no floor is ever broken on the way.
    private static func expectSums(_ load: Load, _ found: [JournalEntry], _ book: TestBook) async throws {
        var cents = Dictionary(uniqueKeysWithValues: Load.accounts.map { ($0, Load.fundedCents) })
        let requests = Dictionary(uniqueKeysWithValues: (0..<load.transfers).map { Load.Request(load.seed, $0) }.map { ($0.entry, $0) })
        for entry in found {
            guard let request = entry.id.flatMap({ requests[$0] }) else { continue }
            cents[request.debit, default: 0] -= request.cents
            cents[request.credit, default: 0] += request.cents
            #expect(cents[request.debit, default: 0] >= 0, "position \(entry.position) breaks the floor of \(request.debit)")
        }
        for (path, sum) in cents {
            #expect(try await book.ledger.balance(of: try AccountPath(path), in: .eur).minorUnits == Int128(sum), "\(path)")
        }
    }

    private static func report(_ load: Load, _ result: Load.Result, _ found: [JournalEntry]) {
        let outcomes = result.outcomes
        print(
            """
            load: \(load.transfers) transfers by \(load.clients) clients in \(Int(result.seconds)) s (\(Int(Double(load.transfers) / result.seconds)) a second), \
            \(result.kills) kills; \(outcomes.count { !$0.positions.isEmpty }) acknowledged, \(outcomes.count { $0.refused != nil }) refused, \
            \(outcomes.count { $0.positions.isEmpty && $0.refused == nil }) without an answer; \(outcomes.map(\.lost).reduce(0, +)) attempts lost, \
            \(outcomes.count { !$0.positions.isEmpty && $0.created == 0 }) of them recorded all the same; \(found.count) transfers in the journal
            """)
    }
}
