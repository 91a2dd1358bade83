import ArgumentParser
import Indelible

struct ProjectPause: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop a job between two steps, in every program that works on it.")

    @Argument var job: String
    @OptionGroup var book: BookOptions

    func execute() async throws -> ExitStatus {
        let isDone = try await ProjectCommand.withProjector(book) { try await $0.pause(job) }
        Output.line(isDone ? "The job \(job) is paused." : "The job \(job) is paused already.")
        return .ok
    }
}
