import Indelible
import IndelibleTesting
import LocalMariaDB
import Testing

@testable import LedgerStore

/// What bulks cost, counted on the server.
@Suite struct BulkCostTests {
    @Test(.timeLimit(.minutes(5))) func `the statements of a bulk are as many as its pages, not as its members`() async throws {
        // Of its own: the log of this server is on for everybody.
        try await TestServer.withOwn { server in
            let few = try await Self.cost(customers: 10, on: server)
            let many = try await Self.cost(customers: 1000, on: server)
            print("10 members: \(few.expansion.total) statements, their progress \(few.progress.total)")
            print("1000 members: \(many.expansion.total) statements, their progress \(many.progress.total)")
            // The commands of a page are inserted 128 at a time, each INSERT with a look at the clock: 7 more of them, and a second page.
            #expect(many.expansion.inserts - few.expansion.inserts <= 8, "\(many.expansion)")
            #expect(many.expansion.total - few.expansion.total <= 40, "\(many.expansion)")
            #expect(many.expansion.total < 100, "\(many.expansion)")
            #expect(many.progress.total == few.progress.total && many.progress.total < 10, "\(many.progress)")
        }
    }

    private struct Cost {
        let expansion: StatementCount
        let progress: StatementCount
    }

    private static func cost(customers: Int, on server: LocalMariaDB) async throws -> Cost {
        let book = try await TestBook.make(on: server)
        try await BookOwner(book.owner).createCommands()
        try await BulkSupport.open(customers, { _ in .none }, book)
        let id = EntryID(key: "fees")
        let (ledger, bulk) = (book.ledger, ChargeAll(units: 1))
        try await ledger.enqueue(bulk, id: id)
        let (command, _) = try await ledger.command(id)
        let members = BulkMembers(selection: try #require(command.header.selection), position: command.position)
        let expansion = BulkExpansion(ledger: ledger, command: command, bulk: bulk, members: members, pageMax: 1000)
        let expanding = try await book.countingStatements {
            let count = try await expansion.run()
            #expect(count == customers)
        }
        let counting = try await book.countingStatements {
            let progress = try await ledger.progress(ofBulk: id)
            #expect(progress.members == customers)
        }
        await ledger.close()
        return Cost(expansion: expanding, progress: counting)
    }
}
