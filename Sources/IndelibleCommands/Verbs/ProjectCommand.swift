import ArgumentParser
import Dispatch
import Foundation
import Indelible

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Compute balances from the journal.",
        subcommands: [Once.self, Run.self, Status.self])

    struct Once: Verb {
        static let configuration = CommandConfiguration(abstract: "Project everything that is decided, then stop.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await ProjectCommand.withProjector(book) { projector in
                let end = try await projector.catchUp()
                Output.line("The balances are true through position \(end.through).")
                if let position = end.waitingFor {
                    Output.note("Position \(position) is held by a transaction in flight; project again when it has ended.")
                }
                return .ok
            }
        }
    }

    struct Run: Verb {
        static let configuration = CommandConfiguration(abstract: "Follow the journal until interrupted.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await ProjectCommand.withProjector(book) { projector in
                try await untilInterrupted {
                    try await projector.run { event in
                        guard !output.quiet else { return }
                        switch event.result {
                        case .success(.advanced(let from, let through)): Output.line("\(event.job) \(from) → \(through)")
                        case .success: break
                        case .failure(let error): Output.note("indelible: \(error.message); trying again")
                        }
                    }
                }
                return .ok
            }
        }
    }

    struct Status: Verb {
        static let configuration = CommandConfiguration(abstract: "How far the balances are behind the journal.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await ProjectCommand.withProjector(book) { projector in
                var table = Table([
                    .init("job"), .number("generation"), .number("through"), .number("head"),
                    .number("lag"), .number("lag_seconds"), .init("stepped_at"),
                ])
                table.rows = try await projector.status().map { status in
                    let seconds = status.oldestWaitingRecordedAt.map {
                        max(0, status.now.microseconds - $0.microseconds) / 1_000_000
                    }
                    return [
                        status.generation.job, String(status.generation.number), status.through.description, status.head.description,
                        String(status.lag), String(seconds ?? 0), status.steppedAt?.description ?? "never",
                    ]
                }
                table.print(output.format)
                return .ok
            }
        }
    }

    static func withProjector<T>(_ book: BookOptions, _ body: (Projector) async throws -> T) async throws -> T {
        let projector = Projector(try await Place(book).location())
        do {
            let result = try await body(projector)
            await projector.close()
            return result
        } catch {
            await projector.close()
            throw error
        }
    }

    /// Runs until SIGINT or SIGTERM, then lets the step at hand end.
    private static func untilInterrupted(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { task.cancel() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        try await task.value
    }
}
