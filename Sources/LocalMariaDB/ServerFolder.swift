import Foundation
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// The files of one server, by name, and what can be told from them.
struct ServerFolder: Sendable {
    /// The folder's canonical path.
    let path: String

    var data: String { path + "/data" }
    var unfinishedData: String { path + "/data.new" }
    var log: String { path + "/server.log" }
    var pidFile: String { path + "/mariadb.pid" }
    /// For temporary tables, which a server removes when it starts: in a folder shared by several, those of the others too.
    var temporary: String { path + "/tmp" }
    var initFile: String { path + "/init.sql" }
    var lock: String { path + "/alive.lock" }
    var socket: String { SocketPath.of(folder: path) }

    /// The folder at `path` if it exists.
    init?(existing path: String) {
        guard let canonical = canonicalPath(path) else { return nil }
        self.path = canonical
    }

    /// The folder at `path`, created when absent.
    ///
    /// Only the folder itself is made private, and only if it is created here: parents get the
    /// ordinary mode, and a folder that exists keeps its own.
    init(creating path: String) throws(LocalMariaDBError) {
        let url = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
        try? FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        let made = unsafe mkdir(path, 0o700)
        let code = errno
        let text = errorText()
        guard made == 0 || code == EEXIST, let folder = ServerFolder(existing: path) else {
            throw LocalMariaDBError(.unusableFolder, "Cannot create the folder \(path): \(text).")
        }
        self = folder
    }

    /// Whether a server lives, starts or ends here.
    var isAlive: Bool { FolderLock.isHeld(lock) }

    /// The process id that the server wrote down. Believed only while ``isAlive``: the file
    /// survives a crash, the lock does not.
    var pid: Int32? {
        guard let bytes = FileManager.default.contents(atPath: pidFile) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Forgets what a server that crashed left behind. Only for the holder of the lock.
    func removeStaleFiles() {
        removeFile(pidFile)
        removeFile(socket)
    }
}
