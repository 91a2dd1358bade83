import ArgumentParser
import Indelible

struct ProcessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "process", abstract: "List process managers, and show what each took and did (docs/processes.md).",
        subcommands: [List.self, Show.self, History.self])

    /// The name of a type of process.
    struct Name: ExpressibleByArgument {
        let name: ProcessName
        init?(argument: String) {
            guard let name = try? ProcessName(argument) else { return nil }
            self.name = name
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List processes: how many inputs each took, and which timers run.")
        @Argument(help: "Only processes of this name.") var process: Name?
        @Flag(help: "Only those that have not ended.") var open = false
        @Flag(help: "Only those that have ended.") var ended = false
        @Option(help: "At most so many.") var limit = 100
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            guard !(open && ended) else { throw Failure(.usage, "give --open or --ended, not both") }
            let state: Bool? = open ? false : ended ? true : nil
            let found = try await book.withLedger(role: .auditor) { try await $0.processes(process?.name, isEnded: state, limit: limit) }
            var table = Table([
                .init("process"), .init("id"), .init("state"), .number("steps"), .number("timers"), .init("began_at"), .init("last_at"),
                .number("last_position"),
            ])
            table.rows = found.map { one in
                [
                    one.process.text, one.id, one.isEnded ? "ended" : "open", String(one.steps), String(one.timers), one.firstRecordedAt.description,
                    one.lastRecordedAt.description, one.lastPosition.description,
                ]
            }
            table.print(output.format)
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(abstract: "Show one process: its state, and the timers that run.")
        @Argument(help: "The name of its type.") var process: Name
        @Argument(help: "Its id.") var id: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let events = try await ProcessCommand.history(of: process.name, id, book)
            var (steps, posted, state) = (0, 0, "open")
            var timers: [String: Timestamp] = [:]
            for event in events {
                switch event.what {
                case .step(_, _, let outcome):
                    steps += 1
                    if outcome == "ended" { state = "ended" }
                case .timerSet(let name, let dueAt): timers[name] = dueAt
                case .timerCancelled(let name), .timerFired(let name): timers[name] = nil
                case .posted: posted += 1
                }
            }
            var table = Table([
                .init("process"), .init("id"), .init("state"), .number("steps"), .number("effects"), .init("timers"), .init("began_at"),
                .init("last_at"),
            ])
            table.rows = [[
                process.name.text, id, state, String(steps), String(posted),
                timers.sorted { $0.key < $1.key }.map { "\($0.key) due \($0.value)" }.joined(separator: ", "),
                events.first?.recordedAt.description ?? "", events.last?.recordedAt.description ?? "",
            ]]
            table.print(output.format)
            return .ok
        }
    }

    struct History: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Print what a process took and did, in the order of the journal.",
            discussion: "Behind each step stand the timers that it set or cancelled, and the entries that it posted.")
        @Argument(help: "The name of its type.") var process: Name
        @Argument(help: "Its id.") var id: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let events = try await ProcessCommand.history(of: process.name, id, book)
            var table = Table([.number("position"), .init("recorded_at"), .init("what"), .init("name"), .init("detail"), .init("entry")])
            table.rows = events.map { event in
                let (what, name, detail) = Self.words(event.what)
                return [event.position.description, event.recordedAt.description, what, name, detail, event.id.description]
            }
            table.print(output.format)
            return .ok
        }

        private static func words(_ what: ProcessEvent.What) -> (what: String, name: String, detail: String) {
            switch what {
            case .step(let input, let kind, let outcome): ("step", kind, outcome == "continued" ? "input \(input)" : "\(outcome), input \(input)")
            case .timerSet(let name, let dueAt): ("timer set", name, "due \(dueAt)")
            case .timerCancelled(let name): ("timer cancelled", name, "")
            case .timerFired(let name): ("timer fired", name, "")
            case .posted(let kind): ("posted", kind.text, "")
            }
        }
    }

    private static func history(of name: ProcessName, _ id: String, _ book: BookOptions) async throws -> [ProcessEvent] {
        guard let events = try await book.withLedger(role: .auditor, { try await $0.processHistory(name, id) }) else {
            throw LedgerError(.unknownEntry, "there is no process \(name) \(id) in the book")
        }
        return events
    }
}
