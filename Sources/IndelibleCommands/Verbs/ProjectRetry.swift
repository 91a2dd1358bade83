import ArgumentParser
import Indelible

struct ProjectRetry: Verb {
    static let configuration = CommandConfiguration(commandName: "retry", abstract: "Let a job try again where it failed.")

    @Argument var job: String
    @OptionGroup var book: BookOptions

    func execute() async throws -> ExitStatus {
        let isDone = try await ProjectCommand.withProjector(book) { try await $0.retry(job) }
        Output.line(isDone ? "The job \(job) will try again where it failed." : "The job \(job) has not failed.")
        return .ok
    }
}
