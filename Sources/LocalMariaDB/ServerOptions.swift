#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// The command lines of the server and of the program that creates its data folder.
enum ServerOptions {
    private static let redoLogSize = "--innodb-log-file-size=256M"

    /// Creates the data folder under its temporary name, with one account: the operating-system
    /// user, all privileges, no password, by the unix socket only.
    ///
    /// No `--user`, also for root: the script would then change owners of the system's own files,
    /// and it splits paths with spaces. The bootstrap server needs none.
    static func install(program: String, folder: ServerFolder, adminUser: String) -> [String] {
        [
            program, "--no-defaults", "--datadir=\(folder.unfinishedData)",
            "--auth-root-authentication-method=socket", "--auth-root-socket-user=\(adminUser)",
            "--skip-test-db", redoLogSize,
        ]
    }

    /// Runs the server.
    static func server(
        program: String, folder: ServerFolder, configuration: LocalMariaDB.Configuration
    ) -> [String] {
        var options = [
            program, "--no-defaults", "--datadir=\(folder.data)", "--socket=\(folder.socket)",
            "--pid-file=\(folder.pidFile)", "--log-error=\(folder.log)", "--init-file=\(folder.initFile)",
        ]
        if geteuid() == 0 { options.append("--user=root") }
        if let port = configuration.tcpPort {
            options += ["--bind-address=127.0.0.1", "--port=\(port)"]
        } else {
            options.append("--skip-networking")
        }
        options += durability(folder) + behaviour
        return options + configuration.extraOptions
    }

    /// What has been acknowledged survives a crash of the server and of the computer.
    private static func durability(_ folder: ServerFolder) -> [String] {
        [
            "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1",
            "--log-bin=\(folder.data)/binlog", "--binlog-format=ROW", "--expire-logs-days=0",
            "--innodb-buffer-pool-size=256M", redoLogSize,
        ]
    }

    private static let behaviour = [
        "--innodb-autoinc-lock-mode=2", "--transaction-isolation=READ-COMMITTED",
        // A writer that sleeps inside its transaction holds everybody up: bounded.
        "--idle-write-transaction-timeout=60", "--secure-timestamp=YES", "--default-time-zone=+00:00",
        "--character-set-server=utf8mb4", "--collation-server=utf8mb4_nopad_bin",
        "--event-scheduler=ON", "--log-bin-trust-function-creators=ON",
        "--local-infile=OFF", "--skip-name-resolve", "--max-connections=400",
    ]
}
