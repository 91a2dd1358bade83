import ArgumentParser
import LocalMariaDB

struct LocalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "local", abstract: "The private server of a folder. It starts on demand and stops when idle.",
        subcommands: [Start.self, Stop.self, Status.self])

    struct Folder: ParsableArguments {
        @Option(help: ArgumentHelp("The folder.", valueName: "path")) var folder = ".indelible"
    }

    struct Start: Verb {
        static let configuration = CommandConfiguration(abstract: "Start it, or do nothing if it runs.")
        @OptionGroup var folder: Folder
        @Option(help: "Stop after so many seconds without a connection; 0 for never.") var idleSeconds = 600

        func execute() async throws -> ExitStatus {
            let server = try await LocalMariaDB.start(
                .init(folder: folder.folder, idleShutdownSeconds: idleSeconds == 0 ? nil : idleSeconds))
            Output.line("running  pid \(server.pid)  socket \(server.socketPath)")
            return .ok
        }
    }

    struct Stop: Verb {
        static let configuration = CommandConfiguration(abstract: "Stop it, or do nothing if it does not run.")
        @OptionGroup var folder: Folder

        func execute() async throws -> ExitStatus {
            try await LocalMariaDB.attach(folder: folder.folder)?.stop()
            Output.line("stopped")
            return .ok
        }
    }

    struct Status: Verb {
        static let configuration = CommandConfiguration(abstract: "Say whether it runs.")
        @OptionGroup var folder: Folder

        func execute() async throws -> ExitStatus {
            switch LocalMariaDB.status(folder: folder.folder) {
            case .absent: Output.line("absent")
            case .stopped: Output.line("stopped")
            case .starting: Output.line("starting")
            case .running(let pid, let socket): Output.line("running  pid \(pid)  socket \(socket)")
            }
            return .ok
        }
    }
}
