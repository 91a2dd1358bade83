import ArgumentParser
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Soaking

struct SoakCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commands", abstract: "Random commands, and processors that are killed; each has one outcome, in order, and the winners are right.",
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
        do { try await run(options) } catch let differs as Differs {
            print("The server's folder is kept: \(differs.folder)")
            throw ExitCode.failure
        }
    }

    private struct Differs: Error { let folder: String }

    private func run(_ options: CommandSoak.Options) async throws {
        try await TestServer.withOwn { server in
            let logs = server.folder + "/soak"
            try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            let book = try await TestBook.make(on: server)
            let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
            let outcome = try await CommandSoak(book, program: program, folder: logs, options) { line in
                print(line)
                fflush(nil)
            }.run()
            await book.ledger.close()
            for line in outcome.lines { print(line) }
            for finding in outcome.findings { print("DIFFERS: \(finding)") }
            if !outcome.findings.isEmpty { throw Differs(folder: server.folder) }
        }
    }

    /// One processor, as the conductor starts it.
    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(shouldDisplay: false)
        func run() async throws { try await CommandFollower().run() }
    }
}
