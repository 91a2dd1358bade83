import ArgumentParser
import Indelible

struct ProjectRebuild: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Compute a new generation of a job beside the live one.",
        discussion: """
            Readers go on with the live generation until you switch. The tables of the new one are made by the owner of the book, its rows \
            are computed as the projector. If it is interrupted, `project once` or a running `project run` goes on with it.
            """)

    @Argument var job: String
    @Flag(name: .customLong("no-wait"), help: "Only make its tables: a running `project run` computes it.") var noWait = false
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let known = try ProjectCommand.known(job)
        return try await ProjectCommand.withProjector(book) { projector in
            guard try await !projector.status(moneyMax: 0).contains(where: { $0.generation.job == job && $0.state == .paused }) else {
                throw Failure(.incomplete, "the job \(job) is paused: `indelible project resume \(job)` first")
            }
            let number = try await BookOwner(try await Place(book).ownerLocation()).createGeneration(of: known)
            if noWait {
                tell(number, through: .zero, "Generation \(number) of \(job) is made; `indelible project run` computes it.")
                return .ok
            }
            let mine = try await projector.status(moneyMax: 0).filter { $0.generation.job == job && $0.generation.number == number }
            let progress = JobProgress("\(job) generation \(number)", mine, isQuiet: output.quiet)
            defer { progress.end() }
            let end = try await projector.catchUp([job], generation: number, heedsOperators: true) { progress.show($0, $1) }
            progress.end()
            let after = try await projector.status(moneyMax: 0).first { $0.generation.job == job && $0.generation.number == number }
            guard let after else { throw Failure(.incomplete, "generation \(number) of \(job) was retired meanwhile") }
            if after.state == .paused {
                throw Failure(
                    .incomplete, "the job \(job) was paused while generation \(number) was at position \(after.through): resume it, then "
                        + "`indelible project once \(job)` goes on")
            }
            tell(
                number, through: end.through,
                """
                Generation \(number) of \(job) is computed through position \(end.through).
                Next: indelible project compare \(job) --generation \(number)
                      indelible project switch \(job) \(number)
                """)
            if let position = end.waitingFor, !output.quiet {
                Output.note("Position \(position) is held by a transaction in flight; what comes after it follows with `indelible project run`.")
            }
            return .ok
        }
    }

    private func tell(_ number: UInt32, through: Position, _ text: String) {
        guard output.format == .json else { return Output.line(text) }
        let line: JSON = ["job": .string(job), "generation": .integer(Int64(number)), "through": through.json]
        Output.line(line.text)
    }
}
