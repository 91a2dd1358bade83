import Foundation
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// One attempt to have a server in a folder: finds it, starts it or waits for whoever starts it.
struct Starting {
    let configuration: LocalMariaDB.Configuration
    let folder: ServerFolder
    let adminUser: String
    let deadline: ContinuousClock.Instant
    /// The server that this attempt has started, once it has.
    private var server: ChildProcess?

    init(_ configuration: LocalMariaDB.Configuration) throws(LocalMariaDBError) {
        self.configuration = configuration
        adminUser = try currentUserName()
        folder = try ServerFolder(creating: configuration.folder)
        deadline = .now + .seconds(configuration.startTimeoutSeconds)
    }

    /// The process id of the server that is ready.
    ///
    /// Whoever holds the lock starts; everybody else looks for the socket, and for the lock again,
    /// because a starter may fail or be killed.
    mutating func run() async throws(LocalMariaDBError) -> Int32 {
        while true {
            try checkServer()
            if server == nil, let lock = try FolderLock.acquire(folder.lock) {
                try await launch(holding: lock)
            }
            // In this order: a process id read before the greeting may be that of a predecessor.
            if try await Handshake.isOffered(at: folder.socket), let pid = folder.pid, folder.isAlive {
                return pid
            }
            guard ContinuousClock.now < deadline else { throw timedOut }
            try await pause(.milliseconds(20))
        }
    }

    /// Starts the server, which takes the lock over; ours is given up on return.
    private mutating func launch(holding lock: consuming FolderLock) async throws(LocalMariaDBError) {
        folder.removeStaleFiles()
        try SocketPath.prepare(folder.socket)
        _ = unsafe mkdir(folder.temporary, 0o700)
        let program = try Program.find("mariadbd", in: configuration.programFolders)
        try await DataFolder.prepare(
            folder, adminUser: adminUser, programFolders: configuration.programFolders,
            deadline: deadline, lock: lock)
        let statements = IdleShutdown.initFile(
            seconds: configuration.idleShutdownSeconds, adminUser: adminUser)
        do {
            try statements.write(toFile: folder.initFile, atomically: true, encoding: .utf8)
        } catch {
            throw LocalMariaDBError(.unusableFolder, "Cannot write \(folder.initFile): \(error).")
        }
        let options = ServerOptions.server(program: program, folder: folder, configuration: configuration)
        server = try ChildProcess.spawn(options, folder: folder, lock: lock)
    }

    private func checkServer() throws(LocalMariaDBError) {
        guard let status = server?.waitStatus else { return }
        throw LocalMariaDBError(
            .serverExited, "mariadbd ended before it was ready (\(describe(waitStatus: status))).",
            logPath: folder.log)
    }

    private var timedOut: LocalMariaDBError {
        let seconds = configuration.startTimeoutSeconds
        return LocalMariaDBError(
            .startTimedOut, """
                The server in \(folder.path) was not ready at \(folder.socket) after \(seconds) s. It \
                may still be starting: call start again to wait on.
                """,
            logPath: folder.log)
    }
}
