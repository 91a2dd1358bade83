/// A clock in place of the server's, for tests.
public protocol LedgerClock: Sendable {
    func now() -> Timestamp
}

extension Duration {
    /// Cut to whole microseconds; what does not fit into 64 bits is the longest that does.
    var microseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000_000
    }
}

extension UnitOperation {
    /// The same, decided at this instant where the clock decides.
    func at(_ now: Timestamp) -> UnitOperation {
        guard let append, case .readAt(let revision, let window, _) = append.rule else { return self }
        return UnitOperation(
            action, append: StreamAppend(append.stream, .readAt(revision, windowMicroseconds: window, now: now), version: append.version),
            command: command)
    }
}
