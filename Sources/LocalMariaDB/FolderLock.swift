#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// The exclusive lock of a folder: held exactly as long as a server of that folder lives.
///
/// It is a `flock`, which belongs to the open file and not to a process. The starter takes it and
/// the server inherits the open file, so the kernel releases the lock when the last of them has
/// ended, however it ended: no crash leaves anything stale behind.
struct FolderLock: ~Copyable {
    /// The open file that carries the lock; closed on exec unless it is passed on explicitly.
    let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Takes the lock, or returns nil when a server (or somebody starting one) holds it.
    static func acquire(_ path: String) throws(LocalMariaDBError) -> FolderLock? {
        let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard opened >= 0 else {
            throw LocalMariaDBError(.unusableFolder, "Cannot open the lock file \(path): \(errorText()).")
        }
        // Above the descriptors 0 to 3 that a child's own files are put on.
        let descriptor = fcntl(opened, F_DUPFD_CLOEXEC, 10)
        let duplicateError = errorText()
        close(opened)
        guard descriptor >= 0 else {
            throw LocalMariaDBError(.unusableFolder, "Cannot open the lock file \(path): \(duplicateError).")
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
            return FolderLock(descriptor: descriptor)
        }
        let code = errno
        let text = errorText()
        close(descriptor)
        guard code == EWOULDBLOCK || code == EINTR else {
            throw LocalMariaDBError(.unusableFolder, """
                Cannot lock \(path): \(text). The folder must be on a file system that supports flock.
                """)
        }
        return nil
    }

    /// Whether a server lives, starts or ends in the folder right now.
    static func isHeld(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Shared, so that two who look at once do not take each other for a server.
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
