#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// Asks a server whether it accepts clients, without speaking more than the first packet.
enum Handshake {
    /// Whether somebody at `socket` greets a new connection as a MariaDB server does.
    ///
    /// Never blocks a thread; gives up after about a quarter of a second.
    static func isOffered(at socket: String) async throws(LocalMariaDBError) -> Bool {
        let descriptor = connect(to: socket)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        for _ in 0..<50 {
            // Three bytes of length, one of sequence, then the payload.
            var packet = [UInt8](repeating: 0, count: 7)
            let count = unsafe recv(descriptor, &packet, packet.count, 0)
            if count == packet.count { return greets(payload: packet[4...]) }
            guard count < 0, errno == EAGAIN || errno == EINTR else { return false }
            try await pause(.milliseconds(5))
        }
        return false
    }

    /// A greeting begins with the protocol version, 10. "Too many connections" (error 1040) also
    /// comes from a server that is up.
    static func greets(payload: ArraySlice<UInt8>) -> Bool {
        payload.first == 0x0a || Array(payload) == [0xff, 0x10, 0x04]
    }

    /// A connected descriptor that never blocks, or -1.
    private static func connect(to path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count <= SocketPath.bytesMax else { return -1 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            unsafe bytes.copyBytes(from: path.utf8)
        }
        #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return -1 }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe systemConnect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        close(descriptor)
        return -1
    }
}

/// `connect(2)`, which the function above would hide by its name.
private func systemConnect(
    _ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t
) -> Int32 {
    unsafe connect(descriptor, address, length)
}
