#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// The socket of a connection, for whoever has to break it from outside the connection's queue.
final class Link: Sendable {
    private let descriptor = Locked<Int32>(-1)
    private let lost = Locked(true)

    func open(_ new: Int32) {
        descriptor.withLock { $0 = new }
        lost.withLock { $0 = false }
    }

    var isUsable: Bool { !lost.withLock { $0 } }

    func lose() { lost.withLock { $0 = true } }

    /// Before the socket is closed: its number may be somebody else's right after.
    func close() { descriptor.withLock { $0 = -1 } }

    /// Ends a call that waits for a server which no longer answers.
    func breakOff() {
        descriptor.withLock { if $0 >= 0 { _ = shutdown($0, Int32(SHUT_RDWR)) } }
    }
}

/// The cancellation of one call: ends its statement on the server, and no other.
final class Cancellation: Sendable {
    private enum State {
        /// Not begun: it waits for calls before it.
        case waiting
        case running(threadID: UInt)
        case done
    }
    private struct Now {
        var state = State.waiting
        var isCancelled = false
        var killing: Task<Void, Never>?
    }

    private let now = Locked(Now())
    private let configuration: ConnectionConfiguration
    private let link: Link

    init(_ configuration: ConnectionConfiguration, _ link: Link) {
        self.configuration = configuration
        self.link = link
    }

    var isCancelled: Bool { now.withLock { $0.isCancelled } }
    var killing: Task<Void, Never>? { now.withLock { $0.killing } }

    /// False if the call was cancelled before it began.
    func begin(_ threadID: UInt) -> Bool {
        now.withLock { now in
            guard !now.isCancelled else { return false }
            now.state = .running(threadID: threadID)
            return true
        }
    }

    func end() { now.withLock { $0.state = .done } }

    func cancel() {
        now.withLock { now in
            guard !now.isCancelled else { return }
            now.isCancelled = true
            guard case .running(let threadID) = now.state else { return }
            now.killing = Task.detached { [configuration, link] in
                await Self.kill(threadID, configuration, link)
            }
        }
    }

    /// Kills over a connection of its own. If there is none to be had the link is broken: then the connection is lost, but
    /// nobody waits.
    private static func kill(_ threadID: UInt, _ configuration: ConnectionConfiguration, _ link: Link) async {
        var configuration = configuration
        configuration.connectTimeoutSeconds = min(configuration.connectTimeoutSeconds, 5)
        configuration.responseTimeoutSeconds = min(configuration.responseTimeoutSeconds, 5)
        configuration.database = nil
        configuration.role = nil
        configuration.sessionVariables = []
        configuration.willCall = nil
        do throws(MariaDBError) {
            let killer = try await MariaDBConnection.connect(configuration)
            await killer.killQuery(threadID, else: link)
            await killer.close()
        } catch {
            link.breakOff()
        }
    }
}

extension MariaDBConnection {
    /// 1094: the thread has gone, and its statement with it.
    fileprivate func killQuery(_ threadID: UInt, else link: Link) {
        do throws(MariaDBError) { try runNow("KILL QUERY \(threadID)") } catch {
            if error.number != 1094 { link.breakOff() }
        }
    }
}
