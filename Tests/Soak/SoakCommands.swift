import ArgumentParser
import Foundation
import Indelible
import Soaking

struct SoakCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commands", abstract: "Random commands, bulks and processes, and processors that are killed; each has one outcome, in order, and the winners are right.",
        discussion: "Rounds go on until the minutes are over. Exit code 1 if anything differs.")

    @Option(help: "For so long at least.") var minutes = 3.0
    @Option(help: "Commands in a round.") var commands = 5000
    @Option(help: "Programs that decide, 1 to 8.") var workers = 3
    @Option(help: "Of whatever is random; another one each time unless you name it.") var seed: UInt64 = .random(in: 1...UInt64(UInt32.max))

    func validate() throws {
        guard (1...8).contains(workers) else { throw ValidationError("--workers: 1 to 8") }
        guard commands >= 100 else { throw ValidationError("--commands: 100 or more") }
    }

    func run() async throws {
        var options = CommandSoak.Options(seed: seed)
        (options.commands, options.duration, options.workers) = (commands, .seconds(minutes * 60), workers)
        print("soak commands: \(commands) commands a round, \(minutes) minutes, \(workers) processors, --seed \(seed)")
        try await SoakRun.onOwnServer { [options] run in
            let outcome = try await CommandSoak(run.book, program: run.program, folder: run.folder, options, say: SoakRun.tell).run()
            return (outcome.lines, outcome.findings)
        }
    }

    /// One processor, as the conductor starts it.
    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        func run() async throws { try await CommandFollower().run() }
    }
}
