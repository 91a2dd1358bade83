import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Testing

/// `indelible command …` on a book whose commands a program of its own decides.
@Suite struct CommandVerbTests {
    struct Reserve: Command {
        static let name: EntryKind = "name.reserve"
        let member: String
        let name: String
        var subject: StreamName { get throws { try StreamName("member", member) } }
    }

    static let handler = CommandHandler(for: Reserve.self) { command, unit in
        if command.name.isEmpty { throw CommandRefusal("the name is empty") }
        try unit.claim("name", command.name, for: "member:\(command.member)")
    }

    private static func decide(_ book: TestBook) async throws {
        let projector = Projector(book.location, jobs: [CommandProcessor(book.ledger, [handler, CommandHandler(bulk: ReserveAll.self)], subjectsMax: 1)])
        try await projector.catchUp()
        await projector.close()
    }

    @Test func `commands are listed, shown, done again and resolved`() async throws {
        try await withBook { test in
            let book = LimitCommandTests.Book(folder: test.server.folder, name: test.name)
            try await book.ok("init")
            #expect(try await book.ok("command init --format csv") == "job,generation\ncommand,1\n")
            #expect(try await book.ok("command init --format csv") == "job,generation\ncommand,1\n")
            let sentAt = try SentTime("2026-11-21T10:00:00.000+01:00")
            for (key, member, name) in [("one", "ann", "annie"), ("two", "bob", "annie"), ("three", "eve", "")] {
                try await test.ledger.enqueue(Reserve(member: member, name: name), id: EntryID(key: key), sentAt: sentAt)
            }
            let waiting = try await book.ok("command list --waiting --format csv")
            #expect(waiting.split(separator: "\n").count == 4 && waiting.contains("\(EntryID(key: "two")),name.reserve,member:bob,0,2026-11-21T09:00:00Z,waiting"))
            try await book.refused("command retry one", 2, "is not decided yet")
            try await Self.decide(test)
            let refused = try await book.ok("command list --refused --format csv")
            #expect(refused.split(separator: "\n").count == 3 && refused.contains("the name is empty"))
            #expect(try await book.ok("command list --waiting --format json") == "[]\n")
            #expect(try await book.ok("command list --subject member:ann").contains("done"))

            let shown = try JSON(parsing: try await book.ok("command show two --format json"))
            #expect(shown["state"] == "refused" && shown["code"] == "claimTaken" && shown["winner_holder"] == "member:ann")
            #expect(shown["sent_at"] == "2026-11-21T10:00:00.000+01:00" && shown["payload"] == ["member": "bob", "name": "annie"])
            #expect(try await book.ok("command show two").contains("winner_holder"))

            let retried = try JSON(parsing: try await book.ok("command retry two --format json"))
            #expect(retried["repeat"] == false)
            #expect(try JSON(parsing: try await book.ok("command retry two --format json"))["repeat"] == true)
            #expect(try await book.ok("command list --refused --format csv").split(separator: "\n").count == 2)
            #expect(try await book.ok("command list --refused --retried --format csv").split(separator: "\n").count == 3)
            try await book.ok("command resolve three --actor ops:eve --reason told-her")
            #expect(try await book.ok("command resolve three --actor ops:eve --reason told-her --format json").contains(#""repeat":true"#))
            try await book.refused("command resolve three --actor mallory --reason no", 2, "was resolved by ops:eve")
            try await book.refused("command resolve one --actor ops:eve --reason no", 2, "is done")
            try await book.refused("command retry three", 2, "was resolved by ops:eve")
            try await book.refused("command show nobody", 65, "there is no command with the id")
            try await book.refused("command list --refused --waiting", 64, "exclude each other")
            #expect(try await book.ok("command list --refused --format json") == "[]\n")
        }
    }

    /// Reserves a name for each customer.
    struct ReserveAll: BulkCommand {
        static let name: EntryKind = "name.reserve-all"
        let word: String
        var selection: BulkSelection { BulkSelection(of: "customers:*") }
        // Two want the same.
        func command(for member: Balance) -> (any Command)? { Reserve(member: member.account.path.text, name: member.account.path.text.prefix(11) + word) }
    }

    @Test func `a bulk is shown with the numbers of its members, and they are listed`() async throws {
        try await withBook { test in
            let book = LimitCommandTests.Book(folder: test.server.folder, name: test.name)
            try await book.ok("init")
            try await book.ok("command init")
            for path in ["customers:a", "customers:b1", "customers:b2"] as [AccountPath] { try await test.ledger.openAccount(path, in: .eur, type: .liability) }
            try await test.ledger.enqueue(ReserveAll(word: "!"), id: EntryID(key: "all"))
            try await test.ledger.enqueue(Reserve(member: "ann", name: "annie"), id: EntryID(key: "ann"))
            let before = try JSON(parsing: try await book.ok("command show all --format json"))
            #expect(before["state"] == "waiting" && before["members"] == 0)
            try await Self.decide(test)
            let shown = try JSON(parsing: try await book.ok("command show all --format json"))
            #expect(shown["state"] == "done" && shown["members"] == 3 && shown["members_done"] == 2 && shown["members_refused"] == 1)
            #expect(shown["members_waiting"] == 0 && shown["members_retried"] == 0 && shown["members_resolved"] == 0)
            #expect(try await book.ok("command show ann --format json").contains("members") == false)

            let all = try await book.ok("command list --bulk all --format csv")
            #expect(all.split(separator: "\n").count == 4 && !all.contains("member:ann"))
            let refused = try await book.ok("command list --bulk all --refused --format csv").split(separator: "\n")
            #expect(refused.count == 2)
            let member = String(try #require(refused[1].split(separator: ",").dropFirst().first))
            let one = try JSON(parsing: try await book.ok("command show \(member) --format json"))
            #expect(one["bulk"] == .string(EntryID(key: "all").description) && one["currency"] == "EUR" && one["account"]?.string?.hasPrefix("customers:b") == true)
            try await book.ok("command retry \(member)")
            #expect(try JSON(parsing: try await book.ok("command show all --format json"))["members_retried"] == 1)
            #expect(try await book.ok("command list --bulk all --waiting --format csv").split(separator: "\n").count == 2)
            #expect(try await book.ok("command list --bulk ann --format json") == "[]\n")
        }
    }
}
