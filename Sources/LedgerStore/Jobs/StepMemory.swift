import Synchronization

/// What a worker has written itself, by account: while it does step after step, nobody else has written in between.
final class StepMemory<Value: Sendable>: Sendable {
    private struct State {
        var known: [UInt32: Value] = [:]
        /// Written in a transaction that is not known to be committed.
        var staged: [UInt32: Value] = [:]
    }

    private let state = Mutex(State())
    /// Accounts at the most; then it keeps only those of the last step.
    private static var accountsMax: Int { 1_000_000 }
    private static var accountsPerRead: Int { 1000 }

    func stage(_ values: [UInt32: Value]) { state.withLock { $0.staged = values } }

    /// What was staged is committed.
    func keep() {
        state.withLock { state in
            for (account, value) in state.staged { state.known[account] = value }
            if state.known.count > Self.accountsMax { state.known = state.staged }
            state.staged = [:]
        }
    }

    /// What is known of these accounts, and the others, so many together as are read at once.
    func known(_ accounts: [UInt32]) -> (values: [UInt32: Value], missing: [[UInt32]]) {
        var values: [UInt32: Value] = [:]
        let missing = state.withLock { state in
            accounts.filter { account in
                guard let known = state.known[account] else { return true }
                values[account] = known
                return false
            }
        }
        let chunks = stride(from: 0, to: missing.count, by: Self.accountsPerRead).map { start in
            Array(missing[start..<min(start + Self.accountsPerRead, missing.count)])
        }
        return (values, chunks)
    }
}
