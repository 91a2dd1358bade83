#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// Where the server of a folder listens.
///
/// A socket's path must fit into `sockaddr_un`: 107 bytes on Linux, 103 on macOS. In a folder with a
/// longer path the socket lies in a private folder under /tmp, with a name that follows from the
/// folder's path, so that everybody finds it again.
enum SocketPath {
    /// The longest path, in bytes, that a unix socket can have here.
    static let bytesMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// The private folder for the sockets of folders with long paths.
    static var sharedFolder: String { "/tmp/indelible-\(geteuid())" }

    /// The socket of the server in `folder`, a canonical path.
    static func of(folder: String) -> String {
        let inside = folder + "/mariadb.sock"
        if inside.utf8.count <= bytesMax { return inside }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 // FNV-1a
        for byte in folder.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return "\(sharedFolder)/\(String(hash, radix: 16)).sock"
    }

    /// Makes sure that the folder of `socket` exists and that nobody else can put files there.
    static func prepare(_ socket: String) throws(LocalMariaDBError) {
        guard socket.hasPrefix(sharedFolder + "/") else { return }
        try preparePrivateFolder(sharedFolder)
    }

    static func preparePrivateFolder(_ path: String) throws(LocalMariaDBError) {
        _ = unsafe mkdir(path, 0o700)
        guard let status = fileStatus(path), status.st_mode & S_IFMT == S_IFDIR,
              status.st_uid == geteuid(), status.st_mode & 0o077 == 0
        else {
            throw LocalMariaDBError(.unsafeSocketFolder, """
                \(path), where sockets of folders with long paths live, must be a folder (no link) \
                that belongs to user id \(geteuid()) with mode 0700. Remove it, or use a folder with \
                a shorter path.
                """)
        }
    }
}
