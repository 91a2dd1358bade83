import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

@testable import LedgerStore

/// What enqueueing and deciding cost, counted on the server.
@Suite struct CommandCostTests {
    @Test(.timeLimit(.minutes(3))) func `deciding loads nothing: its SELECTs do not grow with the history`() async throws {
        // Of its own: every statement that this server runs is counted.
        try await TestServer.withOwn { server in
            let book = try await TestBook.make(on: server)
            try await BookOwner(book.owner).createCommands()
            /// SELECTs of a step that decides so many commands of one subject, and the rows that all of it read.
            func cost(_ commands: Int, _ round: Int) async throws -> (selects: Int, rows: Int) {
                for number in 0..<commands {
                    try await book.ledger.enqueue(ReserveName(member: "ann", name: "\(round)-\(number)"), id: EntryID(key: "\(round)-\(number)"))
                }
                func count(_ what: String) async throws -> Int {
                    try await book.number("SELECT variable_value FROM information_schema.global_status WHERE variable_name = \(what)")
                }
                let (selects, rows) = (try await count("COM_SELECT"), try await count("ROWS_READ"))
                try await book.decide()
                return (try await count("COM_SELECT") - selects, try await count("ROWS_READ") - rows)
            }
            _ = try await cost(20, 0)
            let early = try await cost(100, 1)
            // A long history, also of the same subject.
            let units = Units(book.ledger)
            for number in 0..<40 {
                try await units.run { unit in
                    for text in 0..<100 { try unit.append(CommentAdded(text: "\(text)"), to: "\(number)", expecting: .any) }
                }
            }
            for round in 2..<10 { _ = try await cost(100, round) }
            let late = try await cost(100, 10)
            print("100 decisions: \(early.selects) SELECTs and \(early.rows) rows read early, \(late.selects) and \(late.rows) late")
            #expect(late.selects <= early.selects + 20)
            #expect(late.selects < 100 * 6)
            await book.ledger.close()
        }
    }

    @Test func `two open transactions enqueue for one subject without waiting for each other`() async throws {
        try await CommandSupport.withBook { book in
            let ledger = book.ledger
            try await TextExecutor.with(book) { one in
                let two = try TextExecutor(book, user: book.location.user, password: book.password, role: BookRole.writer.name(book: book.name))
                for executor in [one, two] { try executor.query("SET SESSION innodb_lock_wait_timeout = 1") }
                try one.query("START TRANSACTION")
                try two.query("START TRANSACTION")
                let first = try ledger.enqueue(ReserveName(member: "ann", name: "a"), id: EntryID(key: "one"), in: one)
                let second = try ledger.enqueue(ReserveName(member: "ann", name: "b"), id: EntryID(key: "two"), in: two)
                let third = try ledger.enqueue(ReserveName(member: "ann", name: "c"), id: EntryID(key: "three"), in: one)
                #expect(Set([first.position, second.position, third.position]).count == 3)
                try two.query("ROLLBACK")
                try one.query("COMMIT")
            }
            try await book.decide()
            #expect(try await ledger.outcome(of: EntryID(key: "one")).state == .done)
            #expect(try await ledger.outcome(of: EntryID(key: "three")).state == .done)
            let error = await #expect(throws: LedgerError.self) { try await ledger.outcome(of: EntryID(key: "two")) }
            #expect(error?.code == .unknownEntry)
        }
    }

    @Test func `commands and outcomes are exported and imported as they are`() async throws {
        try await CommandSupport.withBook { book in
            try await book.ledger.enqueue(ReserveName(member: "ann", name: "annie", urgency: 3), id: EntryID(key: "first"))
            try await book.ledger.enqueue(ReserveName(member: "bob", name: "annie"), id: EntryID(key: "second"))
            try await book.decide()
            let refused = try await book.ledger.commands().first { $0.state == .refused }?.id
            try await book.ledger.resolve(command: try #require(refused), actor: "eve", reason: "told them")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
            let text = try await exported(book)
            try await withBook { other in
                try await imported(text, other)
                #expect(try await exported(other) == text)
                let (one, two) = (try await book.ledger.command(EntryID(key: "first")), try await other.ledger.command(EntryID(key: "first")))
                #expect(one.command.header == two.command.header && one.outcome.state == two.outcome.state)
                try await other.project()
                #expect(try await other.reconcile().verdict == .clean)
            }
        }
    }

    private func exported(_ book: TestBook) async throws -> String {
        var text = ""
        _ = try await Exporter(book.ledger).run(.jsonl) { text += $0 }
        return text
    }

    private func imported(_ text: String, _ book: TestBook) async throws {
        let summary = try await Importer(book.ledger).run([file(text, "export.jsonl")])
        #expect(summary.problems.isEmpty, "\(summary.problems)")
    }
}
