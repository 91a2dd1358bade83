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

    func lines(_ accounts: [AccountID]) -> [AccountID: Line] {
        state.withLock { state in
            var found: [AccountID: Line] = [:]
            found.reserveCapacity(accounts.count)
            for account in accounts { found[account] = state.lines[account] }
            return found
        }
    }

    var isQueueing: Bool { state.withLock { $0.queueing > 0 } }

    /// A claim of ours was taken by somebody else.
    func noteConflict() { state.withLock { $0.queueing = 64 } }

    /// - Parameter moved: what the transaction moved on accounts that it did not claim.
    func committed(_ lines: [AccountID: Line], moved: [Draft.Effect]) {
        state.withLock { state in
            state.queueing = max(0, state.queueing - 1)
            for effect in moved { state.lines[effect.account.id]?.line.totals.add(effect.change, times: 1) }
            if state.lines.count + lines.count > Self.linesMax { state.lines = [:] }
            for (account, line) in lines {
                state.lines[account] = line
                // They may be settled when it is used again.
                state.lines[account]?.line.expired = []
            }
        }
    }
}
