import ArgumentParser
import Indelible
import Synchronization

struct ProjectRun: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Follow the journal until interrupted.",
        discussion: """
            Works on every generation of its jobs, also on those that are made meanwhile. Start as many as you like: each step is done \
            once. A job that meets an entry it cannot process stands there, and the others go on.
            """)

    @Argument(help: "Only these jobs.") var jobs: [String] = []
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let only = try ProjectCommand.named(jobs)
        let (isQuiet, format) = (output.quiet, output.format)
        let told = Mutex<[String: String]>([:])
        try await ProjectCommand.withProjector(book) { projector in
            try await ProjectCommand.untilInterrupted {
                try await projector.run(only) { event in
                    let name = "\(event.job) \(event.generation)"
                    // What stands is told once.
                    let standing = Self.standing(event)
                    let isNew = told.withLock { told in
                        defer { told[name] = standing }
                        return standing != nil && told[name] != standing
                    }
                    if isNew, let standing { Output.note("indelible: \(standing)") }
                    guard !isQuiet, case .success(.advanced(let from, let through)) = event.result else { return }
                    if format == .json {
                        let line: JSON = [
                            "job": .string(event.job), "generation": .integer(Int64(event.generation)), "from": from.json,
                            "through": through.json,
                        ]
                        Output.line(line.text)
                    } else {
                        Output.line("\(event.job) \(from) → \(through)")
                    }
                }
            }
        }
        return .ok
    }

    private static func standing(_ event: Projector.Event) -> String? {
        switch event.result {
        case .success(.failed(let failure)): "\(failure.error.message); `indelible project retry \(event.job)` when that is explained"
        case .success(.paused(let through)): "the job \(event.job) (generation \(event.generation)) is paused at position \(through)"
        case .success(.retired): "generation \(event.generation) of the job \(event.job) is retired"
        case .success: nil
        case .failure(let error): "\(event.job.isEmpty ? "" : event.job + ": ")\(error.message); trying again"
        }
    }
}
