import ArgumentParser
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
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
        do { try await run(options) } catch let differs as Differs {
            print("The server's folder is kept: \(differs.folder)")
            throw ExitCode.failure
        }
    }

    private struct Differs: Error { let folder: String }

    private func run(_ options: JobSoak.Options) async throws {
        try await TestServer.withOwn { server in
            let logs = server.folder + "/soak"
            try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            let book = try await TestBook.make(on: server)
            let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
            let indelible = URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent("indelible").path
            let outcome = try await JobSoak(book, indelible: indelible, program: program, folder: logs, options) { line in
                print(line)
                fflush(nil)
            }.run()
            await book.ledger.close()
            for line in outcome.lines { print(line) }
            for finding in outcome.findings { print("DIFFERS: \(finding)") }
            if !outcome.findings.isEmpty { throw Differs(folder: server.folder) }
        }
    }

    /// One worker, as the conductor starts it.
    struct Follow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        func run() async throws { try await JobFollower().run() }
    }
}
