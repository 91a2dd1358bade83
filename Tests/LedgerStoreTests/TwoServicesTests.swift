import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver
import Testing

/// One service opens accounts, another welcomes the customers, each with a book of its own; both are killed at random.
@Suite struct TwoServicesTests {
    @Test(.timeLimit(.minutes(3))) func `each account that one service opens leads to one reaction in the other, across kills of both`() async throws {
        var random = Seeded("two services")
        let accounts = 250
        try await withBook { bank in
            let mail = try await TestBook.make(on: bank.server)
            try await Self.prepare(bank, mail)
            let mailbox = NSTemporaryDirectory() + "mail-\(mail.name).sock"
            var running: [String: Process] = [:]
            for (role, book) in [("bank", bank), ("mail", mail)] { running[role] = try Self.start(role, book, mailbox, accounts) }
            var kills = ["bank": 0, "mail": 0]
            let end = ContinuousClock.now + .seconds(140)
            while try await mail.number("SELECT COUNT(*) FROM entry WHERE kind = 'welcome.sent'") < accounts, .now < end {
                try await Task.sleep(for: .milliseconds(Int.random(in: 150...500, using: &random)))
                // In the end nobody is killed, so that they can finish.
                guard kills["bank", default: 0] < 12 else { continue }
                let role = Bool.random(using: &random) ? "bank" : "mail"
                kill(running[role]?.processIdentifier ?? 0, SIGKILL)
                running[role]?.waitUntilExit()
                kills[role, default: 0] += 1
                running[role] = try Self.start(role, role == "bank" ? bank : mail, mailbox, accounts)
            }
            // Whatever would come twice has time to come.
            try await Task.sleep(for: .milliseconds(500))
            for process in running.values {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
            }
            print("two services: killed \(kills)")
            #expect(kills["bank", default: 0] > 2 && kills["mail", default: 0] > 2)
            let opened = try await bank.number("SELECT COUNT(*) FROM account WHERE path LIKE 'customers:%'")
            let welcomed = try await mail.number("SELECT COUNT(DISTINCT JSON_VALUE(payload, '$.reference')) FROM entry WHERE kind = 'welcome.sent'")
            let sent = try await mail.number("SELECT COUNT(*) FROM entry WHERE kind = 'welcome.sent'")
            #expect(opened == accounts && welcomed == accounts && sent == accounts, "INDELIBLE_SEED=\(random.seed)")
            #expect(try await mail.number("SELECT COUNT(*) FROM entry WHERE kind = 'welcome.send'") == accounts)
            #expect(try await mail.ledger.balance(of: "customers", in: .eur).totals.creditsPosted == Int128(accounts * 500))
            for book in [bank, mail] {
                _ = try await book.project()
                try await book.expectClean()
            }
            await mail.ledger.close()
        }
    }

    private static func prepare(_ bank: TestBook, _ mail: TestBook) async throws {
        try await BookOwner(bank.owner).createGeneration(of: Subscription("welcomes", on: bank.ledger) { _ in })
        try await BookOwner(mail.owner).createCommands()
        try await mail.ledger.openAccount("gifts", in: .eur, type: .expense)
        try await mail.ledger.openAccount("customers", in: .eur, type: .liability)
    }

    private static func start(_ role: String, _ book: TestBook, _ mailbox: String, _ accounts: Int) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "Neighbours"))
        let orders = [
            "ROLE": role, "SOCKET": book.server.socketPath, "BOOK": book.name, "USER": book.location.user, "PASSWORD": book.password,
            "MAILBOX": mailbox, "ACCOUNTS": "\(accounts)",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(orders.map { ("NEIGHBOUR_" + $0.key, $0.value) }) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }
}
