import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Synchronization
import Testing

/// Commands that were refused, that stop the job, or that somebody settles.
@Suite struct CommandDeadLetterTests {
    private static func refused(_ book: TestBook, _ member: String = "bob") async throws -> EntryID {
        let first = try await book.ledger.enqueue(ReserveName(member: "ann", name: "annie"), id: EntryID(key: "first"))
        // They are of two subjects, so together they would race.
        try await book.decide()
        let second = try await book.ledger.enqueue(ReserveName(member: member, name: "annie"))
        try await book.decide()
        #expect(try await book.ledger.outcome(of: first.id).state == .done)
        #expect(try await book.ledger.outcome(of: second.id).state == .refused)
        return second.id
    }

    @Test func `a refused command is enqueued again, once for each refusal`() async throws {
        try await CommandSupport.withBook { book in
            let id = try await Self.refused(book)
            async let one = book.ledger.retry(command: id)
            async let two = book.ledger.retry(command: id)
            let (a, b) = (try await one, try await two)
            #expect(a.id == b.id && a.position == b.position)
            let again = try await book.ledger.command(a.id)
            #expect(again.command.header.retries == id && again.command.header.subject.text == "member:bob" && again.outcome == .undecided)
            let ledgerOwn = try #require(try JSON(parsing: again.command.payload)["ledger"]?["command"])
            #expect(ledgerOwn["retries"] == .string(id.description))
            // Refused again: then there is another one.
            try await book.decide()
            #expect(try await book.ledger.outcome(of: a.id).state == .refused)
            let third = try await book.ledger.retry(command: id)
            #expect(third.id != a.id && !third.isRepeat)
            #expect(try await book.ledger.command(third.id).command.header.retries == a.id)
            // The name is free now.
            try await Units(book.ledger).run { try $0.release("name", "annie", of: "member:ann") }
            try await book.decide()
            #expect(try await book.ledger.outcome(of: third.id).state == .done)
            let error = await #expect(throws: LedgerError.self) { try await book.ledger.retry(command: id) }
            #expect(error?.code == .notRefused && error?.standing != nil)
            var query = CommandQuery()
            query.state = .refused
            #expect(try await book.ledger.commands(query).isEmpty)
            query.includesRetried = true
            #expect(try await book.ledger.commands(query).map(\.retriedBy) == [a.id, third.id])
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a refused command is resolved once, by somebody who says why`() async throws {
        try await CommandSupport.withBook { book in
            let id = try await Self.refused(book)
            let receipt = try await book.ledger.resolve(command: id, actor: "eve", reason: "told bob")
            let again = try await book.ledger.resolve(command: id, actor: "eve", reason: "told bob")
            #expect(again.position == receipt.position)
            let other = await #expect(throws: LedgerError.self) { try await book.ledger.resolve(command: id, actor: "mallory", reason: "no") }
            #expect(other?.code == .notRefused && other?.message.contains("eve") == true)
            guard case .resolved(let resolved) = try await book.ledger.outcome(of: id) else { throw TestProblem("it is not resolved") }
            #expect(resolved.actor == "eve" && resolved.reason == "told bob" && resolved.refusal?.code == .claimTaken)
            let retry = await #expect(throws: LedgerError.self) { try await book.ledger.retry(command: id) }
            #expect(retry?.code == .notRefused)
            let done = await #expect(throws: LedgerError.self) {
                try await book.ledger.resolve(command: EntryID(key: "first"), actor: "eve", reason: "no")
            }
            #expect(done?.code == .notRefused)
            let nobody = await #expect(throws: LedgerError.self) { try await book.ledger.resolve(command: id, actor: "", reason: "no") }
            #expect(nobody?.code == .invalidEntry)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a handler that fails stops the job at its command, which is named, and is repaired or settled by hand`() async throws {
        try await CommandSupport.withBook { book in
            struct Broken: Error {}
            let isBroken = Mutex(true)
            let handler = CommandHandler(for: ReserveName.self) { command, unit in
                if command.name == "poison", isBroken.withLock({ $0 }) { throw Broken() }
                try unit.claim("name", command.name, for: command.member)
            }
            var ids: [EntryID] = []
            for name in ["one", "poison", "three", "poison", "five"] {
                ids.append(try await book.ledger.enqueue(ReserveName(member: "m", name: name)).id)
            }
            let position = try await book.ledger.command(ids[1]).command.position
            try await book.withCommands([handler]) { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.catchUp() }
                #expect(error?.code == .integrity && error?.message.contains("position \(position)") == true && error?.message.contains("\(ids[1])") == true)
            }
            #expect(try await book.ledger.outcome(of: ids[0]).state == .done)
            #expect(try await book.ledger.outcome(of: ids[2]) == .undecided)
            // Settled by hand, nobody decides it any more.
            try await book.ledger.resolve(command: ids[1], actor: "eve", reason: "poison")
            isBroken.withLock { $0 = false }
            try await book.decide([handler])
            let states = try await ids.async { try await book.ledger.outcome(of: $0).state }
            #expect(states == [.done, .resolved, .done, .done, .done])
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a command that this program cannot read stops the job, and an older one is brought up`() async throws {
        struct Newer: Command {
            static let name: EntryKind = "name.reserve"
            static let version = 2
            static func upcast(_ payload: inout [String: JSON], from version: Int) throws { payload["alias"] = payload.removeValue(forKey: "name") }
            let member: String
            let alias: String
            var subject: StreamName { get throws { try StreamName("member", member) } }
        }
        try await CommandSupport.withBook { book in
            let seen = Mutex<[String]>([])
            let newer = CommandHandler(for: Newer.self) { command, _ in seen.withLock { $0.append(command.alias) } }
            let old = try await book.ledger.enqueue(ReserveName(member: "ann", name: "annie"))
            try await book.decide([newer])
            #expect(try await book.ledger.outcome(of: old.id).state == .done)
            let new = try await book.ledger.enqueue(Newer(member: "bob", alias: "bobby"))
            #expect(seen.withLock { $0 } == ["annie"])
            try await book.withCommands { projector in
                let error = await #expect(throws: LedgerError.self) { try await projector.catchUp() }
                #expect(error?.message.contains("a newer one wrote it") == true)
            }
            #expect(try await book.ledger.outcome(of: new.id) == .undecided)
        }
    }

    @Test func `reconcile finds outcomes that are of no command, and a command with two`() async throws {
        try await CommandSupport.withBook { book in
            let id = try await Self.refused(book)
            try await book.withOwner { connection in
                let (none, foreign) = ("{\"command\":\"\(EntryID(key: "nobody"))\",\"ledger\":{\"unit\":\"x\"}}", "{\"command\":\"\(id)\",\"ledger\":{\"unit\":\"x\"}}")
                let (first, second) = (EntryID.outcome(of: EntryID(key: "nobody")).bytes, EntryID(key: "forged").bytes)
                _ = try await connection.query("INSERT INTO entry (id, kind, `lines`, payload) VALUES (\(first), 'ledger.command-done', 0, \(none))")
                _ = try await connection.query("INSERT INTO entry (id, kind, `lines`, payload) VALUES (\(second), 'ledger.command-done', 0, \(foreign))")
            }
            try await book.project()
            let check = try #require(try await book.reconcile().checks.first { $0.name == "commands" })
            let text = check.findings.joined(separator: "\n")
            #expect(check.findings.count == 3 && text.contains("there is not") && text.contains("has not the id") && text.contains("has 2 outcomes"), "\(text)")
        }
    }
}

extension Array {
    fileprivate func async<T>(_ body: (Element) async throws -> T) async rethrows -> [T] {
        var results: [T] = []
        for one in self { results.append(try await body(one)) }
        return results
    }
}
