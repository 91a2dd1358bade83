import ArgumentParser
import Indelible

struct ProjectSwitch: Verb {
    static let configuration = CommandConfiguration(
        commandName: "switch", abstract: "Let readers read another generation from now on.",
        discussion: """
            The generation that was live goes on beside it, so `switch JOB --back` takes no time. A generation that is further behind the \
            live one than --max-lag is refused, unless --force is given.
            """)

    @Argument var job: String
    @Argument(help: ArgumentHelp("The generation.", valueName: "n")) var number: UInt32?
    @Flag(help: "The one that was live before.") var back = false
    @Option(help: "It may be so many positions behind the live one.") var maxLag: UInt64 = 10_000
    @Flag(help: "However far it is behind.") var force = false
    @OptionGroup var book: BookOptions

    func validate() throws {
        guard (number == nil) == back else { throw ValidationError("Give a generation or --back.") }
    }

    func execute() async throws -> ExitStatus {
        let known = try ProjectCommand.known(job)
        let owner = BookOwner(try await Place(book).ownerLocation())
        if let number {
            let before = try await owner.switchLive(known, to: number, lagMax: maxLag, force: force)
            if before == number {
                Output.line("Generation \(number) of \(job) is live already.")
            } else {
                Output.line("Generation \(number) of \(job) is live\(before.map { "; generation \($0) was" } ?? "").")
            }
        } else {
            let (from, to) = try await owner.switchBack(known, lagMax: maxLag, force: force)
            Output.line("Generation \(to) of \(job) is live again; generation \(from) was.")
        }
        return .ok
    }
}
