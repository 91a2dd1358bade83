import ArgumentParser
import Indelible

struct ProjectResume: Verb {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let a paused job go on.")

    @Argument var job: String
    @OptionGroup var book: BookOptions

    func execute() async throws -> ExitStatus {
        let isDone = try await ProjectCommand.withProjector(book) { try await $0.resume(job) }
        Output.line(isDone ? "The job \(job) goes on." : "The job \(job) is not paused.")
        return .ok
    }
}
