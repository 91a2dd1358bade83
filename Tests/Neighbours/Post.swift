import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Messages of one line over a local socket, each answered with `taken` when the receiver has it.
enum Post {
    struct Failed: Error { let what: String }

    /// Sends a message and waits until it is taken.
    static func send(_ message: String, to path: String) throws {
        let link = try open()
        defer { close(link) }
        guard unsafe withAddress(path, { unsafe connect(link, $0, $1) }) == 0 else { throw Failed(what: "nobody listens") }
        try say(message, link)
        guard line(link) == "taken" else { throw Failed(what: "the receiver has not said that it took it") }
    }

    /// Takes messages, for ever.
    static func receive(at path: String, _ take: @escaping @Sendable (String) async throws -> Void) async throws {
        let listener = try open()
        // Who was here before was killed.
        _ = unsafe unlink(path)
        guard unsafe withAddress(path, { unsafe bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw Failed(what: "nobody can listen at \(path)")
        }
        let (links, continuation) = AsyncStream.makeStream(of: Int32.self)
        Thread.detachNewThread { acceptAll(listener, continuation) }
        for await link in links {
            if let message = line(link), (try? await take(message)) != nil { try? say("taken", link) }
            close(link)
        }
    }

    private static func acceptAll(_ listener: Int32, _ links: AsyncStream<Int32>.Continuation) {
        var link: Int32 = 0
        repeat {
            link = accept(listener, nil, nil)
            if link >= 0 { links.yield(link) }
        } while link >= 0 || errno == EINTR
    }

    private static func open() throws -> Int32 {
        #if canImport(Glibc)
        let link = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let link = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard link >= 0 else { throw Failed(what: "there is no socket") }
        return link
    }

    private static func say(_ text: String, _ link: Int32) throws {
        let bytes = Array((text + "\n").utf8)
        guard unsafe write(link, bytes, bytes.count) == bytes.count else { throw Failed(what: "the link is broken") }
    }

    private static func line(_ link: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(link, &byte, 1) == 1 {
            if byte == 10 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in path.utf8.prefix(place.count - 1).enumerated() { unsafe place[index] = byte }
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
