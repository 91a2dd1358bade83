public import ArgumentParser

/// `indelible`: the ledger from the command line.
public struct IndelibleCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "indelible",
        abstract: "An insert-only, double-entry ledger on MariaDB.",
        discussion: ExitStatus.help,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, DoctorCommand.self, AccountCommand.self, CurrencyCommand.self, PostCommand.self,
            ImportCommand.self, ExportCommand.self, EntryCommand.self, ProjectCommand.self, BalanceCommand.self, ReconcileCommand.self,
            LocalCommand.self, BenchCommand.self, BenchWorkerCommand.self,
        ])

    public init() {}
}
