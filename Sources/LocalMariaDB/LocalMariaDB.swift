#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// A private MariaDB server in a folder, reached by a unix socket.
///
/// For development, for programs that bring their own database, and for tests. This value is only a
/// handle: the server is a process of its own that outlives the one that started it, until it is
/// stopped or has been idle for ``Configuration/idleShutdownSeconds``. Everything belonging to it
/// lies in the folder; several servers run side by side, one a folder.
///
/// ```swift
/// let server = try await LocalMariaDB.start(.init(folder: "ledger.db"))
/// // connect to server.socketPath as server.adminUser, without a password
/// try await server.stop()
/// ```
///
/// Its settings are durable ones: a commit that was acknowledged survives a crash.
public struct LocalMariaDB: Sendable {
    /// What is known about a folder's server without talking to it.
    public enum Status: Sendable, Equatable {
        /// The folder or its data does not exist, or may not be read by this user.
        case absent
        /// There is data and no server.
        case stopped
        /// A server is starting or ending; nobody can connect yet, or any more.
        case starting
        /// A server runs.
        case running(pid: Int32, socket: String)
    }

    /// The unix socket to connect to. It lies in the folder, or under /tmp if that path would be
    /// too long for a socket.
    public let socketPath: String
    /// The server's process id.
    public let pid: Int32
    /// The folder's absolute path, without symbolic links.
    public let folder: String
    /// The database account to connect with: the name of the operating-system user. It has all
    /// privileges, no password, and is only let in by the unix socket.
    public let adminUser: String

    /// The server's error log.
    public var logPath: String { files.log }

    private let files: ServerFolder

    private init(_ files: ServerFolder, pid: Int32, adminUser: String) {
        self.files = files
        self.pid = pid
        self.adminUser = adminUser
        socketPath = files.socket
        folder = files.path
    }

    /// Starts the server of a folder, or attaches to it if it already runs, and waits until it
    /// accepts connections.
    ///
    /// The folder and its data are created when absent. Callers at the same time, in one process or
    /// in several, all get the same server. After a crash the server recovers first.
    ///
    /// A server that is about to end for idleness may still answer here; who then cannot connect
    /// calls `start` again.
    ///
    /// - Parameter configuration: The folder, and how to run its server if it does not run yet.
    /// - Returns: A handle to the server that is ready.
    /// - Throws: ``LocalMariaDBError``; its message contains the end of the server's error log when
    ///   the server did not come up.
    public static func start(
        _ configuration: Configuration
    ) async throws(LocalMariaDBError) -> LocalMariaDB {
        var starting = try Starting(configuration)
        let pid = try await starting.run()
        return LocalMariaDB(starting.folder, pid: pid, adminUser: starting.adminUser)
    }

    /// What the server of a folder does now. Starts nothing and creates nothing.
    public static func status(folder: String) -> Status {
        ChildProcess.reap()
        guard let files = ServerFolder(existing: folder) else { return .absent }
        guard files.isAlive else {
            return fileStatus(files.data) == nil ? .absent : .stopped
        }
        guard let pid = files.pid else { return .starting }
        return .running(pid: pid, socket: files.socket)
    }

    /// A handle to the server that runs in a folder, or nil if none does. Starts nothing.
    public static func attach(folder: String) -> LocalMariaDB? {
        guard case .running(let pid, _) = status(folder: folder),
              let files = ServerFolder(existing: folder),
              let adminUser = try? currentUserName()
        else { return nil }
        return LocalMariaDB(files, pid: pid, adminUser: adminUser)
    }

    /// Shuts the server down in order and waits until its process has gone.
    ///
    /// Returns at once when it has already gone. Clients that are connected lose their connection.
    ///
    /// - Parameter timeoutSeconds: How long to wait, in seconds.
    /// - Throws: ``LocalMariaDBError`` of the kind `stopFailed` when the server belongs to another
    ///   user or still runs after the time, `cancelled` when the task is cancelled while waiting.
    public func stop(timeoutSeconds: Int = 60) async throws(LocalMariaDBError) {
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        guard signal(SIGTERM) else {
            throw LocalMariaDBError(.stopFailed, """
                Process \(pid), the server in \(folder), cannot be signalled: \(errorText()). Stop it \
                as the user that started it.
                """)
        }
        while !isGone {
            guard ContinuousClock.now < deadline else {
                throw LocalMariaDBError(
                    .stopFailed,
                    "Process \(pid), the server in \(folder), still runs after \(timeoutSeconds) s.",
                    logPath: logPath)
            }
            try await pause(.milliseconds(20))
        }
    }

    /// Ends the server at once, as a crash would (SIGKILL). For tests of recovery.
    ///
    /// Does not wait for the process to be gone; ``start(_:)`` does.
    public func kill() {
        _ = signal(SIGKILL)
    }

    /// Sends a signal if the server is still the one of this handle. False if that is not allowed.
    private func signal(_ number: Int32) -> Bool {
        guard files.isAlive, files.pid == pid else { return true }
        return send(number, to: pid) == 0 || errno == ESRCH
    }

    /// Nobody holds the lock, or somebody else does.
    private var isGone: Bool {
        ChildProcess.reap()
        if !files.isAlive { return true }
        if let other = files.pid, other != pid { return true }
        return send(0, to: pid) != 0 && errno == ESRCH
    }
}

/// `kill(2)`, which the method above hides by its name.
private func send(_ signal: Int32, to pid: Int32) -> Int32 {
    kill(pid, signal)
}
