public import ArgumentParser
public import Indelible
import Synchronization

/// `indelible`: the ledger from the command line.
public struct IndelibleCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "indelible",
        abstract: "An insert-only, double-entry ledger on MariaDB.",
        discussion: ExitStatus.help,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "The book", subcommands: [InitCommand.self, DoctorCommand.self, PeriodCommand.self]),
            CommandGroup(name: "Accounts", subcommands: [AccountCommand.self, CurrencyCommand.self, BalanceCommand.self, ReportCommand.self]),
            CommandGroup(
                name: "Entries", subcommands: [PostCommand.self, HoldCommand.self, ReverseCommand.self, EntryCommand.self]),
            CommandGroup(name: "Fees", subcommands: [FeesCommand.self]),
            CommandGroup(name: "Processes", subcommands: [ProcessCommand.self]),
            CommandGroup(name: "Commands", subcommands: [CommandVerbs.self]),
            CommandGroup(name: "Files", subcommands: [ImportCommand.self, ExportCommand.self]),
            CommandGroup(name: "Running it", subcommands: [
                ProjectCommand.self, ReconcileCommand.self, LocalCommand.self, BenchCommand.self, BenchWorkerCommand.self,
            ]),
        ])

    public init() {}
}

extension IndelibleCommand {
    private static let own = Mutex<[any Job]>([])

    /// The jobs that this program knows.
    static var jobs: [any Job] { Projector.builtIn + own.withLock { $0 } }

    /// Runs the command line of a program that has projections of its own: `project` runs, rebuilds, compares and switches them too.
    ///
    /// ```swift
    /// @main enum Tool {
    ///     static func main() async { await IndelibleCommand.main(projections: [MerchantDays()]) }
    /// }
    /// ```
    public static func main(projections: [any Job]) async {
        own.withLock { $0 = projections }
        await main()
    }
}
