import Indelible
import Synchronization

/// How far several generations are together, on stderr. The end is the journal's, and moves with it.
final class JobProgress: Sendable {
    private struct State {
        let progress: Progress
        /// Of each generation, by job and number.
        var through: [String: UInt64] = [:]
        var start: UInt64
        var head: UInt64
    }

    private let state: Mutex<State>

    /// - Parameter statuses: of the generations that are worked on.
    init(_ what: String, _ statuses: [JobStatus], isQuiet: Bool) {
        var state = State(
            progress: Progress(what, isQuiet: isQuiet), start: statuses.reduce(0) { $0 + $1.through.number },
            head: statuses.map(\.head.number).max() ?? 0)
        for status in statuses { state.through[Self.key(status.generation)] = status.through.number }
        self.state = Mutex(state)
    }

    func show(_ generation: Generation, _ position: Position) {
        state.withLock { state in
            state.through[Self.key(generation)] = position.number
            state.head = max(state.head, position.number)
            let done = state.through.values.reduce(0, +)
            state.progress.show(done, of: state.head * UInt64(state.through.count), from: state.start)
        }
    }

    func end() { state.withLock { $0.progress.end() } }

    private static func key(_ generation: Generation) -> String { "\(generation.job) \(generation.number)" }
}
