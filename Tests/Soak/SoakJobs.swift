import ArgumentParser
import Foundation
import Indelible
import Soaking

struct SoakJobs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Workers are killed, jobs are paused and rebuilt; every row is what the postings sum to.",
        discussion: "Exit code 1 if anything differs.")

    @Option(help: "How long to write.") var minutes = 3.0
    @Option(help: "Programs that follow the journal, 2 to 8.") var workers = 4
    @Option(help: "Checkpoints of each generation that are proven in the end.") var checkpoints = 60
    @Option(help: "Of whatever is random; another one each time unless you name it.") var seed: UInt64 = .random(in: 1...UInt64(UInt32.max))

    func validate() throws {
        guard (2...8).contains(workers) else { throw ValidationError("--workers: 2 to 8") }
    }

    func run() async throws {
        var options = JobSoak.Options(seed: seed)
        (options.duration, options.workers, options.checkpointsMax) = (.seconds(minutes * 60), workers, checkpoints)
        print("soak jobs: \(minutes) minutes, \(workers) workers, --seed \(seed)")
        try await SoakRun.onOwnServer { [options] run in
            let outcome = try await JobSoak(run.book, indelible: run.beside("indelible"), program: run.program, folder: run.folder, options, say: SoakRun.tell).run()
            return (outcome.lines, outcome.findings)
        }
    }

    /// One worker, as the conductor starts it.
    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        func run() async throws { try await JobFollower().run() }
    }
}
