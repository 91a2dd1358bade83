import ArgumentParser
import Foundation
import Indelible
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
        try await SoakRun.onOwnServer { [options] run in
            let outcome = try await UnitSoak(run.book, program: run.beside("UnitRunner"), folder: run.folder, options, say: SoakRun.tell).run()
            let refused = outcome.refused.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            let end = outcome.findings.isEmpty ? "The journal is that of a sequential run." : "\(outcome.findings.count) findings."
            return (["\(outcome.acknowledged) done, \(outcome.repeated) had been done; refused: \(refused)", end], outcome.findings)
        }
    }
}
