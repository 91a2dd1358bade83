public import Indelible
import Synchronization

/// A clock that stands still until it is told otherwise: `Units(store, clock: FakeClock(…))`.
///
/// It may be read and set from anywhere at once.
public final class FakeClock: LedgerClock {
    private let instant: Mutex<Timestamp>

    /// - Parameter start: what it shows until it is set or advanced.
    public init(_ start: Timestamp) { instant = Mutex(start) }

    /// What it shows.
    public func now() -> Timestamp { instant.withLock { $0 } }

    /// Sets it, forward or back.
    public func set(_ instant: Timestamp) { self.instant.withLock { $0 = instant } }

    /// Moves it by so much, cut to whole microseconds; less than zero moves it back. A time that does not fit into 64 bits stops the program.
    /// - Returns: what it shows then.
    @discardableResult
    public func advance(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return instant.withLock { instant in
            instant = Timestamp(microseconds: instant.microseconds + microseconds)
            return instant
        }
    }
}
