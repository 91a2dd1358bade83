import Foundation

/// A value behind a lock.
///
/// Like `Synchronization.Mutex`, on a lock that the thread sanitizer knows: it does not see that one's futexes on Linux, and
/// reports races where there are none.
final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<T>(_ body: (inout Value) throws -> T) rethrows -> T {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
