import Foundation
import Indelible
import IndelibleTesting
import Testing

/// The code of docs/commands.md: compiled and run here, and the document has exactly this.
@Suite struct CommandDocumentTests {
    struct ReserveNickname: Command {
        static let name: EntryKind = "nickname.reserve"
        let member: String
        let nickname: String
        var subject: StreamName { get throws { try StreamName("nickname", nickname) } }
    }

    struct SendWelcome: Command {
        static let name: EntryKind = "welcome.send"
        let member: String
        var subject: StreamName { get throws { try StreamName("member", member) } }
        var priority: Int { -1 }
    }

    struct ChargeAccount: Command {
        static let name: EntryKind = "account-fee.charge"
        let account: AccountPath
        let month: String
        let fee: Amount
        var subject: StreamName { get throws { try StreamName("account", account.text) } }
    }

    struct ChargeAccounts: BulkCommand {
        static let name: EntryKind = "account-fee.charge-all"
        let month: String
        let fee: Amount
        let actor: String
        var selection: BulkSelection { BulkSelection(of: "customers:*", type: .liability, currency: .eur, balanceMin: 1) }

        func command(for member: Balance) -> (any Command)? {
            member.account.path == "customers:house" ? nil : ChargeAccount(account: member.account.path, month: month, fee: fee)
        }
    }

    private struct Unexpected: Error {}

    @Test func `the code of the document does what it says`() async throws {
        try await withBook { book in
            let (ledger, location, owner) = (book.ledger, book.location, book.owner)
            let reserve = CommandHandler(for: ReserveNickname.self) { command, unit in
                if command.nickname.count > 20 { throw CommandRefusal("the nickname is too long") }
                try unit.claim("nickname", command.nickname, for: "member:\(command.member)")
                try unit.enqueue(SendWelcome(member: command.member))
            }
            let welcome = CommandHandler(for: SendWelcome.self) { command, unit in
                try unit.post(Entry(kind: "welcome.sent", payload: ["member": .string(command.member)]))
            }

            let id = EntryID(key: "request-17")
            try await ledger.enqueue(ReserveNickname(member: "ann", nickname: "annie"), id: id, sentAt: SentTime("2025-11-21T10:00:00.000+01:00"))
            try await ledger.enqueue(ReserveNickname(member: "ann", nickname: "annie"), id: id)
            try await ledger.enqueue(ReserveNickname(member: "bob", nickname: "annie"), id: EntryID(key: "request-18"))

            try await BookOwner(owner).createCommands()
            let processor = CommandProcessor(ledger, [reserve, welcome])
            let projector = Projector(location, jobs: Projector.builtIn + [processor])
            try await projector.catchUp()  // or run(), until the task is cancelled

            guard case .done = try await ledger.outcome(of: id, waiting: .seconds(5)) else { throw Unexpected() }
            guard case .refused(let refused) = try await ledger.outcome(of: EntryID(key: "request-18")) else { throw Unexpected() }
            print(refused.reason, refused.winner?.holder ?? "")  // nickname “annie” is claimed by member:ann member:ann
            #expect(refused.reason == "nickname “annie” is claimed by member:ann" && refused.winner?.holder == "member:ann")

            let again = try await ledger.retry(command: EntryID(key: "request-18"))
            try await projector.catchUp()
            try await ledger.resolve(command: again.id, actor: "ops:eve", reason: "told bob")

            await projector.close()
            #expect(try await book.entries("welcome.sent").count == 1)
            #expect(try await ledger.outcome(of: again.id).state == .resolved)
            let payload = try JSON(parsing: try #require(try await ledger.entry(id)?.payload))
            let shown = try #require(try String(contentsOf: repository.appendingPathComponent("docs/commands.md"), encoding: .utf8).split(separator: "\n").first { $0.hasPrefix("{\"member\"") })
            #expect(try JSON(parsing: String(shown)) == payload)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the bulk of the document charges who has money, and who has too little is refused`() async throws {
        try await withBook { book in
            let (ledger, location) = (book.ledger, book.location)
            try await BookOwner(book.owner).createCommands()
            try await ledger.openAccount("assets:cash", in: .eur, type: .asset)
            try await ledger.openAccount("income:fees", in: .eur, type: .income)
            for (path, units) in [("customers:ann", 500), ("customers:bob", 300), ("customers:eve", 200), ("customers:house", 900), ("customers:new", 0)] as [(AccountPath, Int64)] {
                try await ledger.openAccount(path, in: .eur, type: .liability, limits: .noOverdraft)
                guard units > 0 else { continue }
                try await ledger.post(Entry(kind: "paid", postings: [Posting(debit: "assets:cash", credit: path, amount: Amount(minorUnits: units, .eur))]))
            }

            let charge = CommandHandler(for: ChargeAccount.self) { command, unit in
                try unit.post(
                    Entry(
                        id: EntryID(key: "account-fee-\(command.month)-\(command.account)"), kind: "account-fee.charged", reference: command.month,
                        postings: [Posting(debit: command.account, credit: "income:fees", amount: command.fee)]))
            }
            let charging = Projector(location, jobs: [CommandProcessor(ledger, [CommandHandler(bulk: ChargeAccounts.self), charge])])

            let november = EntryID(key: "account-fees-2025-11")
            try await ledger.enqueue(ChargeAccounts(month: "2025-11", fee: Amount(minorUnits: 300, .eur), actor: "ops:eve"), id: november)
            try await charging.catchUp()
            let progress = try await ledger.progress(ofBulk: november)
            print(progress.members, progress.done, progress.refused, progress.waiting)  // 3 2 1 0
            #expect(progress.members == 3 && progress.done == 2 && progress.refused == 1 && progress.waiting == 0)

            await charging.close()
            #expect(try await ledger.balance(of: "income:fees", in: .eur).minorUnits == 600)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the document has this code and no other`() throws {
        try expectCode(of: "docs/commands.md", in: "Tests/LedgerStoreTests/CommandDocumentTests.swift", atLeast: 60)
    }
}
