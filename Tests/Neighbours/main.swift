// Two services that know each other by events only, in one program: `bank` opens accounts and tells of them, `mail` welcomes whoever it is told of.
// Each has a book of its own. Tests start both, kill both, and look what came of it. Settings come from the environment.
import Foundation
import Indelible

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Settings: Sendable {
    let role: String
    let location: BookLocation
    /// Where `mail` listens.
    let mailbox: String
    let accounts: Int

    struct Missing: Error { let name: String }

    init() throws {
        func text(_ name: String) throws -> String {
            guard let text = ProcessInfo.processInfo.environment["NEIGHBOUR_" + name] else { throw Missing(name: name) }
            return text
        }
        role = try text("ROLE")
        location = try BookLocation(
            server: .socket(path: try text("SOCKET")), book: try text("BOOK"), user: try text("USER"), password: Secret(try text("PASSWORD")))
        mailbox = try text("MAILBOX")
        accounts = Int(try text("ACCOUNTS")) ?? 0
    }
}

/// Opens accounts, and tells the neighbour of each.
struct Bank: Sendable {
    let settings: Settings

    static let translator = Translator(
        source: "/bank",
        [
            .entry(.accountOpened, to: "bank.account-opened.v1", subject: { $0.payload["account"]?.string }) { entry in
                // Only customers are anybody's business.
                guard let account = entry.payload["account"]?.string, account.hasPrefix("customers:") else { return nil }
                return ["account": .string(account)]
            }
        ])

    func run() async throws {
        let ledger = Ledger(settings.location)
        let mailbox = settings.mailbox
        let welcomes = Subscription("welcomes", of: Self.translator.kinds, on: ledger) { entry in
            guard let event = try Self.translator.event(of: entry) else { return }
            try Post.send(event.json, to: mailbox)
        }
        let projector = Projector(settings.location, jobs: [welcomes])
        let opening = Task { try await open(on: ledger) }
        try await projector.run()
        try await opening.value
    }

    private func open(on ledger: Ledger) async throws {
        // Whoever was started before has opened some: opening again does nothing.
        for number in 0..<settings.accounts {
            let path = try AccountPath("customers:c\(number)")
            while (try? await ledger.openAccount(path, in: .eur, type: .liability)) == nil { try await Task.sleep(for: .milliseconds(20)) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Welcomes each customer that it is told of.
struct Mail: Sendable {
    let settings: Settings

    struct Welcome: Command {
        static let name: EntryKind = "welcome.send"
        let account: String
        var subject: StreamName { get throws { try StreamName("customer", account) } }
    }

    func run() async throws {
        let ledger = Ledger(settings.location)
        let handler = CommandHandler(for: Welcome.self) { command, unit in
            try unit.post(
                Entry(
                    kind: "welcome.sent", reference: command.account,
                    postings: [Posting(debit: "gifts", credit: "customers", amount: Amount(minorUnits: 500, .eur))]))
        }
        let projector = Projector(settings.location, jobs: [CommandProcessor(ledger, [handler])])
        let jobs = Task { try await projector.run() }
        try await Post.receive(at: settings.mailbox) { message in
            let event = try PublicEvent(parsing: message)
            // Told again, it is the same command.
            try await ledger.enqueue(
                Welcome(account: event.data["account"]?.string ?? ""), id: EntryID(key: event.source + "#" + event.id), sentAt: SentTime(event.time))
        }
        try await jobs.value
    }
}

let settings = try Settings()
signal(SIGPIPE, SIG_IGN)
// It lives no longer than the test.
let parent = getppid()
Thread.detachNewThread {
    while getppid() == parent { usleep(200_000) }
    exit(0)
}
if settings.role == "bank" { try await Bank(settings: settings).run() } else { try await Mail(settings: settings).run() }
