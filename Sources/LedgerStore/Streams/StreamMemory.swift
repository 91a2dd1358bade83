import LedgerModel
import Synchronization

/// States of streams as this program folded them last, to begin with the next time. A state is never taken for the newest: what was
/// claimed after it is read each time.
///
/// Streams with entries that claim nothing are not kept: those come in between, in no order that a revision tells.
final class StreamMemory: Sendable {
    struct Remembered: Sendable {
        let state: any Sendable
        let type: ObjectIdentifier
        let revision: UInt64
    }

    private struct State {
        var newer: [StreamName: Remembered] = [:]
        var older: [StreamName: Remembered] = [:]
    }

    private let state = Mutex(State())
    private let streamsMax: Int

    /// - Parameter streamsMax: 0 to keep nothing.
    init(_ streamsMax: Int) { self.streamsMax = streamsMax }

    func find(_ stream: StreamName, _ type: any Aggregate.Type) -> Remembered? {
        let found = state.withLock { state -> Remembered? in
            if let found = state.newer[stream] { return found }
            guard let found = state.older.removeValue(forKey: stream) else { return nil }
            Self.keep(stream, found, &state, streamsMax)
            return found
        }
        return found?.type == ObjectIdentifier(type) ? found : nil
    }

    func keep(_ stream: StreamName, _ remembered: Remembered) {
        guard streamsMax > 0 else { return }
        state.withLock { state in
            if let known = state.newer[stream] ?? state.older[stream], known.revision > remembered.revision { return }
            Self.keep(stream, remembered, &state, streamsMax)
        }
    }

    func forget(_ stream: StreamName) {
        state.withLock { state in
            state.newer[stream] = nil
            state.older[stream] = nil
        }
    }

    /// Two halves: those that were used since the last half was full, and those before; the older half is dropped as a whole.
    private static func keep(_ stream: StreamName, _ remembered: Remembered, _ state: inout State, _ max: Int) {
        state.newer[stream] = remembered
        guard state.newer.count > max / 2 else { return }
        state.older = state.newer
        state.newer = [:]
    }
}
