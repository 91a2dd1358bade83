import ArgumentParser
import Foundation
import Indelible
import Soaking

struct SoakFees: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fees", abstract: "Charges of all times, schedules published late, workers that are killed; every fee is the model's.",
        discussion: "It goes on until both the charges and the minutes are reached. Exit code 1 if anything differs.")

    @Option(help: "Entries to be posted.") var charges = 1_000_000
    @Option(help: "For so long at least.") var minutes = 0.0
    @Option(help: "Programs that follow the journal, 2 to 8.") var workers = 4
    @Option(help: "Accounts that are charged.") var shops = 400
    @Option(help: "Of whatever is random; another one each time unless you name it.") var seed: UInt64 = .random(in: 1...UInt64(UInt32.max))

    func validate() throws {
        guard (2...8).contains(workers) else { throw ValidationError("--workers: 2 to 8") }
        guard charges > 0, shops >= 16 else { throw ValidationError("--charges: more than 0; --shops: 16 or more") }
    }

    func run() async throws {
        var options = FeeSoak.Options(seed: seed)
        (options.charges, options.duration, options.workers, options.shops) = (charges, .seconds(minutes * 60), workers, shops)
        print("soak fees: \(charges) charges, \(minutes) minutes, \(workers) workers, \(shops) shops, --seed \(seed)")
        try await SoakRun.onOwnServer(timeZone: "Europe/Berlin") { [options] run in
            let outcome = try await FeeSoak(run.book, indelible: run.beside("indelible"), program: run.program, folder: run.folder, options, say: SoakRun.tell).run()
            return (outcome.lines, outcome.findings)
        }
    }
}
