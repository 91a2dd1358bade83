import ArgumentParser
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Soaking

/// Runs the library for long under trouble of its own making, and says whether anything was lost or doubled.
@main struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scripts/soak", abstract: "Long runs under trouble, and what came of them.",
        subcommands: [
            Writing.self, SoakJobs.self, SoakFees.self, SoakUnits.self, SoakCommands.self, Write.self, SoakJobs.Follow.self, SoakCommands.Decide.self,
        ])

    struct Writing: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writers are killed and answers are lost; exactly what was acknowledged is in the journal.",
            discussion: "It goes on until both the posts and the minutes are reached. Exit code 1 if anything differs.")

        @Option(help: "Posts to be acknowledged.") var posts = 1_000_000
        @Option(help: "For so long at least.") var minutes = 0.0
        @Option(help: "Programs that write at once.") var writers = 4
        @Option(help: "Posts that each has on the way at once.") var tasks = 32
        @Option(help: "Of whatever is random; another one each time unless you name it.") var seed: UInt64 = .random(in: 1...UInt64(UInt32.max))

        func run() async throws {
            var options = SoakConductor.Options(seed: seed)
            (options.posts, options.writers, options.tasks) = (posts, writers, tasks)
            options.duration = .seconds(minutes * 60)
            print("soak writing: \(posts) posts, \(minutes) minutes, \(writers) writers of \(tasks) tasks, --seed \(seed)")
            try await SoakRun.onOwnServer { [options] run in
                let outcome = try await SoakConductor(run.book, program: run.program, folder: run.folder, options, say: SoakRun.tell).run()
                let refused = outcome.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                let end = outcome.findings.isEmpty ? "Nothing is lost, nothing is there twice." : "\(outcome.findings.count) findings."
                return (["refused: \(refused)", end], outcome.findings)
            }
        }
    }

    /// One writer, as the conductor starts it.
    struct Write: AsyncParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        func run() async throws { try await SoakWriter().run() }
    }
}
