import Foundation
import Indelible

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The process manager, by the protocol of `sd_notify(3)`: lines as datagrams to the socket that `NOTIFY_SOCKET` names.
struct ProcessManager: Sendable {
    private let path: String?
    /// How often the watchdog wants to hear something; nil if there is none.
    let watchdog: Duration?

    init(_ environment: [String: String]) {
        path = environment["NOTIFY_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        watchdog = environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0) }
    }

    /// Tells it that the jobs are ready, how they are, and that they are alive, until the task is cancelled.
    func follow(_ projector: Projector) async {
        guard path != nil else { return }
        let interval = watchdog.map { $0 / 3 } ?? .seconds(5)
        var isReady = false
        while !Task.isCancelled {
            let health = projector.health
            if !isReady, !health.isEmpty, health.allSatisfy({ $0.through != nil }) {
                isReady = true
                tell("READY=1")
            }
            let problems = health.compactMap { one in one.problem.map { "\(one.job) \(one.generation): \($0)" } }
            tell("STATUS=" + (problems.isEmpty ? "\(health.count) jobs follow the journal" : problems.joined(separator: "; ")))
            if watchdog != nil, health.allSatisfy(\.isAlive) { tell("WATCHDOG=1") }
            try? await Task.sleep(for: isReady ? interval : min(interval, .milliseconds(200)))
        }
    }

    private static let doNotWait = Int32(MSG_DONTWAIT)

    /// Sends one line. Nobody who listens is no error: the program goes on.
    func tell(_ line: String) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < room else { return }
        // An abstract name.
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #endif
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size - room + bytes.count)
        let text = Array(line.replacing("\n", with: " ").utf8)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                // A manager that does not read may not stop the jobs.
                _ = unsafe sendto(descriptor, text, text.count, Self.doNotWait, pointer, length)
            }
        }
    }
}
