import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// What a decision on a limit, and a step of the projector, read: what has come since, however long the book is.
@Suite struct LimitCostTests {
    @Test(.timeLimit(.minutes(2))) func `the cost of a draw, of a step and of a status does not grow with the book`() async throws {
        // Of its own: every row that this server reads is counted.
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            let projector = Projector(book.location)
            // Many steps, each with a row of the account, and many claims.
            for _ in 0..<200 {
                try await book.ledger.post((0..<20).map { _ in LimitTests.paid("alice", 1) })
                try await book.ledger.post(LimitTests.drawn("alice", 1))
                try await projector.catchUp()
            }
            func rowsRead(_ body: () async throws -> Void) async throws -> Int {
                let count: SQL = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'ROWS_READ'"
                let before = try await book.number(count)
                try await body()
                return try await book.number(count) - before
            }
            // A program that remembers nothing.
            let fresh = Ledger(book.location)
            let draw = try await rowsRead { try await fresh.post(LimitTests.drawn("alice", 1)) }
            let step = try await rowsRead { _ = try await projector.step() }
            // 200 steps of two jobs; the newest 33 of each tell the rate.
            let status = try await rowsRead { _ = try await projector.status() }
            print("a draw reads \(draw) rows, a step \(step), a status \(status)")
            #expect(draw > 0 && draw < 150 && step > 0 && step < 150 && status > 0 && status < 200)
            await projector.close()
            await fresh.close()
            await book.ledger.close()
        }
    }
}
