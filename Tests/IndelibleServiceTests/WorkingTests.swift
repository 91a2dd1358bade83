import Indelible
import IndelibleService
import IndelibleTesting
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

/// A service with jobs of its own that record: a process, its timers, and commands.
@Suite struct WorkingTests {
    enum Input: Sendable { case asked, over }

    struct Remind: Command {
        static let name: EntryKind = "remind"
        let whom: String
        var subject: StreamName { get throws { try StreamName("person", whom) } }
    }

    struct Reminder: ProcessManager {
        static let name: ProcessName = "reminder"
        static var inputs: [InputType<Reminder>] { [.entry("asked", for: { $0.reference }, as: { _ in .asked }), .timer("later", as: .over)] }
        let id: String
        var isEnded = false
        init(id: String) { self.id = id }
        mutating func evolve(_ input: Input) { if case .over = input { isEnded = true } }
        func react(to input: Input) -> [Effect] {
            switch input {
            case .asked: [.startTimer("later", after: .milliseconds(1))]
            case .over: [.command(Remind(whom: id), once: "remind")]
            }
        }
    }

    @Test func `it takes inputs to processes, fires timers, decides commands and shuts down`() async throws {
        try await withBook { book in
            let owner = BookOwner(book.owner)
            try await owner.createCommands()
            try await owner.createJob(Timers())
            try await owner.createJob(ProcessRouter(of: Reminder.self, ledger: book.ledger))
            let handler = CommandHandler(for: Remind.self) { command, unit in try unit.post(Entry(kind: "reminded", reference: command.whom)) }
            let service = LedgerService(book.location, projections: [Timers()]) { ledger in
                [ProcessRouter(of: Reminder.self, ledger: ledger), CommandProcessor(ledger, [handler])]
            }
            try await testGracefulShutdown { trigger in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await service.run() }
                    try await service.ledger.post(Entry(kind: "asked", reference: "eve"))
                    try await Self.untilReminded(service.ledger)
                    trigger.triggerGracefulShutdown()
                    try await group.waitForAll()
                }
            }
            #expect(try await book.ledger.process(Reminder.self, "eve").isEnded)
        }
    }

    private static func untilReminded(_ ledger: Ledger) async throws {
        for _ in 0..<1000 {
            for try await entry in ledger.entries(after: .zero, of: ["reminded"]) {
                #expect(entry.reference == "eve")
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("nobody was reminded")
    }
}
