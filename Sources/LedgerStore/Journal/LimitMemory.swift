import LedgerModel
import Synchronization

/// What this program knows of accounts with limits from its own last claim on them.
///
/// Whoever claims the revision right after the one that is remembered knows that nobody has claimed in between. Then nothing
/// has happened that could turn a yes into a no, and what is remembered is at most too careful: payments in by others are
/// missing in it. So a yes may be decided on it without reading anything, and a no is read again.
///
/// One writer uses it at a time, and what is not committed is never remembered.
final class LimitMemory: Sendable {
    struct Line: Sendable {
        var revision: UInt64
        var line: Decision.Line
    }

    private struct State {
        var lines: [AccountID: Line] = [:]
        /// Others draw from the same accounts: so many more transactions queue first.
        var queueing = 0
    }

    private static let linesMax = 200_000
    private let state = Mutex(State())

    /// What is remembered of each.
    func lines(_ accounts: [AccountID]) -> [Line?] {
        state.withLock { state in accounts.map { state.lines[$0] } }
    }

    var isQueueing: Bool { state.withLock { $0.queueing > 0 } }

    /// A claim of ours was taken by somebody else.
    func noteConflict() { state.withLock { $0.queueing = 64 } }

    /// A transaction that claimed these was committed.
    func committed(_ learned: WriteStep.Learned) {
        guard !learned.revisions.isEmpty else { return }
        state.withLock { state in
            state.queueing = max(0, state.queueing - 1)
            if state.lines.count + learned.revisions.count > Self.linesMax { state.lines = [:] }
            // What it paid into accounts that it did not claim.
            for draft in learned.accepted {
                for effect in draft.limited where learned.revisions[effect.account] == nil {
                    state.lines[effect.account]?.line.totals.add(effect.change, times: 1)
                }
            }
            for (account, revision) in learned.revisions {
                guard var line = learned.lines[account] else { continue }
                // They may be settled when it is used again.
                line.expired = []
                state.lines[account] = Line(revision: revision, line: line)
            }
        }
    }
}
