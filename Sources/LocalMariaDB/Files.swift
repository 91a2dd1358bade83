import Foundation
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// The text of `errno`.
func errorText() -> String {
    unsafe String(cString: strerror(errno))
}

/// The last lines of a log, at most twenty.
func logTail(_ path: String) -> String {
    guard let file = FileHandle(forReadingAtPath: path) else { return "" }
    defer { try? file.close() }
    let size = (try? file.seekToEnd()) ?? 0
    try? file.seek(toOffset: size > 8192 ? size - 8192 : 0)
    let bytes = (try? file.readToEnd()) ?? Data()
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(20)
    return lines.joined(separator: "\n")
}

/// The absolute path without symbolic links, or nil when nothing is there.
func canonicalPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}

/// What `lstat` knows about a path, or nil when nothing is there.
func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status : nil
}

/// Deletes one file; that it is absent is fine.
func removeFile(_ path: String) {
    _ = unsafe unlink(path)
}

/// The name of the operating-system user that this process acts as.
func currentUserName() throws(LocalMariaDBError) -> String {
    var record = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16384)
    let size = buffer.count
    guard unsafe getpwuid_r(geteuid(), &record, &buffer, size, &found) == 0, unsafe found != nil,
          let name = unsafe record.pw_name
    else {
        throw LocalMariaDBError(.unknownUser, """
            The user id \(geteuid()) has no name. MariaDB recognises its administrator by the \
            operating-system user's name: add the user to /etc/passwd.
            """)
    }
    return unsafe String(cString: name)
}

/// Waits, and turns cancellation into this module's error.
func pause(_ duration: Duration) async throws(LocalMariaDBError) {
    do {
        try await Task.sleep(for: duration)
    } catch {
        throw LocalMariaDBError(.cancelled, "Waiting for the local MariaDB server was cancelled.")
    }
}
