import ArgumentParser
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Soaking

struct SoakUnits: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "units", abstract: "Units of work race and are killed; the journal is that of a sequential run.",
        discussion: "It goes on until both the units and the minutes are reached. Exit code 1 if anything differs.")

    @Option(help: "Units to be acknowledged.") var units = 1000
    @Option(help: "For so long at least.") var minutes = 3.0
    @Option(help: "Programs that run units at once.") var processes = 4
    @Option(help: "Units that each has on the way at once.") var tasks = 4
    @Option(help: "Of whatever is random; another one each time unless you name it.") var seed: UInt64 = .random(in: 1...UInt64(UInt32.max))

    func run() async throws {
        var options = UnitSoak.Options(seed: seed)
        (options.units, options.processes, options.tasks) = (units, processes, tasks)
        options.duration = .seconds(minutes * 60)
        print("soak units: \(units) units, \(minutes) minutes, \(processes) processes of \(tasks) tasks, --seed \(seed)")
        do { try await run(options) } catch let differs as Differs {
            print("The server's folder is kept: \(differs.folder)")
            throw ExitCode.failure
        }
    }

    private struct Differs: Error { let folder: String }

    private func run(_ options: UnitSoak.Options) async throws {
        try await TestServer.withOwn { server in
            let logs = server.folder + "/soak"
            try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
            let book = try await TestBook.make(on: server)
            let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
            let runner = URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent("UnitRunner").path
            let outcome = try await UnitSoak(book, program: runner, folder: logs, options) { line in
                print(line)
                fflush(nil)
            }.run()
            await book.ledger.close()
            print("\(outcome.acknowledged) done, \(outcome.repeated) had been done; "
                + "refused: \(outcome.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))")
            for finding in outcome.findings.prefix(100) { print("DIFFERS: \(finding)") }
            print(outcome.findings.isEmpty ? "The journal is that of a sequential run." : "\(outcome.findings.count) findings.")
            if !outcome.findings.isEmpty { throw Differs(folder: server.folder) }
        }
    }
}
