#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif
import Synchronization

/// A process that we started and that may outlive us.
///
/// It has a session of its own (Ctrl-C in our terminal does not reach it), reads nothing, writes to
/// a log, and inherits no descriptor but the folder's lock, which it has as descriptor 3.
final class ChildProcess: Sendable {
    let pid: pid_t
    private let status = Mutex<Int32?>(nil)
    private static let unreaped = Mutex<[ChildProcess]>([])

    private init(pid: pid_t) {
        self.pid = pid
    }

    /// What `waitpid` said when the process had ended, or nil while it lives.
    var waitStatus: Int32? {
        Self.reap()
        return status.withLock { $0 }
    }

    /// Takes leave of every child of ours that has ended, so that none stays a zombie for long.
    static func reap() {
        unreaped.withLock { children in
            children.removeAll { child in
                var status: Int32 = 0
                let result = unsafe waitpid(child.pid, &status, WNOHANG)
                if result == 0 || (result < 0 && errno == EINTR) { return false }
                // ECHILD: somebody else in this process has reaped it; how it ended is unknown.
                let ended = result == child.pid ? status : 0
                child.status.withLock { $0 = ended }
                return true
            }
        }
    }

    /// Ends the process and everything that belongs to its session's first group, at once.
    func killGroup() {
        _ = kill(-pid, SIGKILL)
    }

    /// Starts `arguments[0]`, a full path, with its output in the folder's log and its temporary files in the folder.
    static func spawn(
        _ arguments: [String], folder: ServerFolder, lock: borrowing FolderLock
    ) throws(LocalMariaDBError) -> ChildProcess {
        let logPath = folder.log
        let environmentOfChild = Program.environment.merging(["TMPDIR": folder.temporary]) { _, own in own }
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #else
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }

        unsafe posix_spawn_file_actions_adddup2(&actions, lock.descriptor, 3)
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(
            &actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        #if !canImport(Darwin)
        unsafe SpawnExtras.closeFrom(4, &actions)
        #endif

        // Threads of ours block signals that the child must see, and a library may ignore SIGPIPE.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, SpawnExtras.flags)

        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var environment = unsafe environmentOfChild.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for unsafe string in unsafe argv + environment { unsafe free(string) } }

        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &environment)
        guard code == 0 else {
            throw LocalMariaDBError(.launchFailed, """
                Cannot run \(arguments[0]) with its output in \(logPath): \
                \(unsafe String(cString: strerror(code))).
                """)
        }
        let child = ChildProcess(pid: pid)
        unreaped.withLock { $0.append(child) }
        return child
    }
}

/// "exit code 1" or "signal 9", from what `waitpid` said.
func describe(waitStatus: Int32) -> String {
    let signal = waitStatus & 0x7f
    return signal == 0 ? "exit code \((waitStatus >> 8) & 0xff)" : "signal \(signal)"
}
