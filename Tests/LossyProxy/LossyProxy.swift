import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A socket between programs and a server that loses the answer to a COMMIT now and then: the server has committed, and the
/// program's link is broken before it hears so.
public final class LossyProxy: Sendable {
    /// Where programs connect instead.
    public let socketPath: String
    private let serverPath: String
    private let losesAnswer: @Sendable (Int) -> Bool
    private let hurries: @Sendable (Int) -> Bool
    private let listener: Int32
    private let commits = Atomic(0)
    private let losses = Atomic(0)

    /// COMMITs that went through here.
    public var committed: Int { commits.load(ordering: .relaxed) }
    /// Answers that were lost.
    public var lost: Int { losses.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - hurries: told the number of each COMMIT whose answer is lost; true to break the link as soon as the server is asked, while it may still
    ///     commit.
    ///   - losesAnswer: told the number of each COMMIT, from 1; true to lose its answer.
    public init(
        to serverPath: String, hurries: @escaping @Sendable (Int) -> Bool = { _ in false }, losesAnswer: @escaping @Sendable (Int) -> Bool
    ) throws {
        self.serverPath = serverPath
        self.losesAnswer = losesAnswer
        self.hurries = hurries
        socketPath = NSTemporaryDirectory() + "lossy-\(UUID().uuidString.prefix(8)).sock"
        listener = socket(AF_UNIX, Self.stream, 0)
        let isBound = unsafe Self.withAddress(socketPath) { unsafe bind(listener, $0, $1) } == 0
        guard listener >= 0, isBound, listen(listener, 128) == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        signal(SIGPIPE, SIG_IGN)
        Thread.detachNewThread { self.acceptAll() }
    }

    /// Lets nobody in any more; links that are open stay.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        _ = unsafe unlink(socketPath)
    }

    #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
    private static let stream = SOCK_STREAM
    #endif

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

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            if client < 0 {
                if errno == EINTR { continue }
                return
            }
            let server = socket(AF_UNIX, Self.stream, 0)
            guard unsafe Self.withAddress(serverPath, { unsafe connect(server, $0, $1) }) == 0 else {
                close(client)
                close(server)
                continue
            }
            let link = ProxyLink(client: client, server: server)
            Thread.detachNewThread { self.carryRequests(link) }
            Thread.detachNewThread { self.carryAnswers(link) }
        }
    }

    /// Packet by packet, so that a COMMIT is seen.
    private func carryRequests(_ link: ProxyLink) {
        var pending: [UInt8] = []
        var isHurried = false
        reading: while let bytes = link.read(link.client) {
            pending += bytes
            while pending.count >= 4 {
                let whole = 4 + (Int(pending[0]) | Int(pending[1]) << 8 | Int(pending[2]) << 16)
                guard pending.count >= whole else { break }
                // Sequence 0 begins a command; 3 is COM_QUERY.
                if pending[3] == 0, pending[4..<whole].elementsEqual([3] + "COMMIT".utf8) {
                    let number = commits.wrappingAdd(1, ordering: .relaxed).newValue
                    if losesAnswer(number) {
                        link.losesNext.store(true, ordering: .sequentiallyConsistent)
                        isHurried = hurries(number)
                    }
                }
                guard link.write(Array(pending[..<whole]), link.server) else { break reading }
                if isHurried { break reading }
                pending.removeFirst(whole)
            }
        }
        // The server's side stays until it has answered: what it was asked for is done.
        if isHurried { link.endClient() } else { link.end() }
        link.leave()
    }

    private func carryAnswers(_ link: ProxyLink) {
        while let bytes = link.read(link.server) {
            if link.losesNext.load(ordering: .sequentiallyConsistent) {
                losses.wrappingAdd(1, ordering: .relaxed)
                break
            }
            guard link.write(bytes, link.client) else { break }
        }
        link.end()
        link.leave()
    }
}

/// Two sockets, client's and server's.
private final class ProxyLink: Sendable {
    let client: Int32
    let server: Int32
    let losesNext = Atomic(false)
    private let ends = Atomic(0)

    init(client: Int32, server: Int32) {
        self.client = client
        self.server = server
    }

    func read(_ socket: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe recv(socket, &buffer, buffer.count, 0)
            if count > 0 { return Array(buffer[..<count]) }
            if count < 0, errno == EINTR { continue }
            return nil
        }
    }

    func write(_ bytes: [UInt8], _ socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Ends both directions; the other thread notices.
    func end() {
        shutdown(client, Int32(SHUT_RDWR))
        shutdown(server, Int32(SHUT_RDWR))
    }

    func endClient() { shutdown(client, Int32(SHUT_RDWR)) }

    /// The second of the two directions closes.
    func leave() {
        guard ends.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue == 2 else { return }
        close(client)
        close(server)
    }
}
