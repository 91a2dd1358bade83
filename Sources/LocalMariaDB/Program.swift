import Foundation
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// Finds the server's programs on this computer.
enum Program {
    /// The folders of PATH, then those where packages put server programs outside of it.
    static var defaultFolders: [String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map(String.init) + [
            "/usr/sbin", "/usr/local/sbin", "/usr/libexec",
            "/opt/homebrew/bin", "/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin",
        ]
    }

    /// The full path of the program called `name`.
    static func find(_ name: String, in folders: [String]) throws(LocalMariaDBError) -> String {
        for folder in folders {
            let path = "\(folder)/\(name)"
            if unsafe access(path, X_OK) == 0 { return path }
        }
        throw LocalMariaDBError(.missingProgram, """
            The program \(name) was not found in \(folders.joined(separator: ":")). It belongs to the \
            package mariadb-server: run "apt-get install mariadb-server", or on macOS \
            "brew install mariadb".
            """)
    }

    /// The environment for a child: ours without what a service manager meant for this process only.
    static var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        for name in ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
            environment[name] = nil
        }
        // mariadb-install-db is a shell script and needs the everyday tools.
        environment["PATH"] = environment["PATH"] ?? "/usr/bin:/bin:/usr/sbin:/sbin"
        return environment
    }
}
