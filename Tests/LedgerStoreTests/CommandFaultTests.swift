import Indelible
import IndelibleTesting
import LocalMariaDB
import LossyProxy
import Testing

/// Commands that are decided over a link that loses every other answer to COMMIT.
@Suite struct CommandFaultTests {
    @Test func `answers that are lost refuse nothing, and each command has one outcome`() async throws {
        try await CommandSupport.withBook { book in
            for number in 0..<30 { try await book.ledger.enqueue(PlaceOrder(number: "\(number)"), id: EntryID(key: "\(number)")) }
            let proxy = try LossyProxy(to: book.server.socketPath) { $0 % 2 == 1 }
            let ledger = Ledger(
                try BookLocation(
                    server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            let projector = Projector(book.location, jobs: [CommandProcessor(ledger, CommandSupport.handlers, subjectsMax: 1)])
            try await projector.catchUp()
            await projector.close()
            await ledger.close()
            proxy.stop()
            #expect(proxy.lost >= 10, "\(proxy.lost) of \(proxy.committed) answers were lost")
            let outcomes = try await book.outcomes()
            #expect(outcomes.count == 30 && outcomes.allSatisfy { $0.entry.kind == .commandDone })
            #expect(try await book.entries("order.placed").count == 30)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `several processors decide each command once, and the journal is as one would have left it`() async throws {
        try await CommandSupport.withBook { book in
            for number in 0..<300 {
                try await book.ledger.enqueue(ReserveName(member: "m\(number % 20)", name: "n\(number % 100)"), id: EntryID(key: "\(number)"))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await book.decide() } }
                try await group.waitForAll()
            }
            let outcomes = try await book.outcomes()
            #expect(outcomes.count == 300 && outcomes.count { $0.entry.kind == .commandDone } == 100)
            #expect(try await book.entries("ledger.claimed").count == 100)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}
