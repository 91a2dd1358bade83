import ArgumentParser
import Indelible
import IndelibleService
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

struct ProjectRun: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Follow the journal until interrupted.",
        discussion: """
            Works on every generation of its jobs, also on those that are made meanwhile. Start as many as you like: each step is done \
            once. A job that meets an entry it cannot process stands there, and the others go on.
            """)

    @Option(help: "Log to stderr from this level on: trace, debug, info, notice, warning, error or critical (default: nothing).")
    var logLevel: String?
    @Argument(help: "Only these jobs.") var jobs: [String] = []
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let only = try ProjectCommand.named(jobs)
        let (isQuiet, format) = (output.quiet, output.format)
        let told = Mutex<[String: String]>([:])
        let logger = try logger()
        let place = try await Place(book)
        try place.mode.requireWriter()
        let projector = Projector(try await place.location(), jobs: IndelibleCommand.jobs, logger: logger)
        let service = ProjectorService(projector, jobs: only) { event in
            let name = "\(event.job) \(event.generation)"
            // What stands is told once.
            let standing = Self.standing(event)
            let isNew = told.withLock { told in
                defer { told[name] = standing }
                return standing != nil && told[name] != standing
            }
            if isNew, let standing { Output.note("indelible: \(standing)") }
            guard !isQuiet, case .success(.advanced(let from, let through)) = event.result else { return }
            Output.line(Self.line(event, from, through, format))
        }
        try await ServiceGroup(services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
        return .ok
    }

    /// To stderr: stdout is for data.
    private func logger() throws -> Logger {
        guard let logLevel else { return Logger(label: "indelible.jobs") { _ in SwiftLogNoOpLogHandler() } }
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw Failure(.usage, "--log-level is \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")), not “\(logLevel)”")
        }
        var logger = Logger(label: "indelible.jobs") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }

    private static func line(_ event: Projector.Event, _ from: Position, _ through: Position, _ format: OutputFormat) -> String {
        guard format == .json else { return "\(event.job) \(from) → \(through)" }
        let line: JSON = [
            "job": .string(event.job), "generation": .integer(Int64(event.generation)), "from": from.json, "through": through.json,
        ]
        return line.text
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
