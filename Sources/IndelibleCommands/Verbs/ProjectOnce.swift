import ArgumentParser
import Indelible

struct ProjectOnce: Verb {
    static let configuration = CommandConfiguration(
        commandName: "once", abstract: "Project everything that is decided, then stop.",
        discussion: "Exits 3 if a job is paused, 4 if one cannot go on; the others are done all the same.")

    @Argument(help: "Only these jobs.") var jobs: [String] = []
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let only = try ProjectCommand.named(jobs)
        return try await ProjectCommand.withProjector(book) { projector in
            let statuses = try await projector.status(moneyMax: 0).filter {
                (only?.contains($0.generation.job) ?? true) && !$0.isForeign
            }
            let paused = Set(statuses.filter { $0.state == .paused }.map(\.generation.job)).sorted()
            let progress = JobProgress("projected", statuses.filter { $0.state != .paused }, isQuiet: output.quiet)
            defer { progress.end() }
            let end = try await projector.catchUp(only, heedsOperators: true) { progress.show($0, $1) }
            progress.end()
            for job in paused { Output.note("indelible: the job \(job) is paused: `indelible project resume \(job)`") }
            let isOfBalances = jobs.isEmpty || jobs == ["balance"]
            let what = isOfBalances ? "The balances are" : "The rows of \(jobs.joined(separator: ", ")) are"
            switch output.format {
            case .json:
                var members: [String: JSON] = ["through": end.through.json]
                if let position = end.waitingFor { members["waiting_for"] = position.json }
                Output.line(JSON.object(members).text)
            default: Output.line("\(what) true through position \(end.through).")
            }
            if let position = end.waitingFor, !output.quiet {
                Output.note("Position \(position) is held by a transaction in flight; project again when it has ended.")
            }
            return paused.isEmpty ? .ok : .incomplete
        }
    }
}
