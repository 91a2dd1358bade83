import LedgerDatabase

/// When and how often a transaction is sent again.
struct Retrying {
    static let attemptsMax = 8

    /// How many times the transaction has failed.
    private(set) var attempts = 0
    /// The answer to some COMMIT was lost, and no later look has told what became of it.
    private var isOutcomeUnknown = false

    /// Pauses if the same request may be sent again; else throws the error.
    ///
    /// A duplicate key is somebody else's claim: the caller looks again, without a pause. After a COMMIT whose answer was
    /// lost the caller's next look tells what happened; if there is no next look, the outcome stays unknown.
    mutating func pause(after error: DatabaseError) async throws {
        attempts += 1
        if error.kind == .outcomeUnknown { isOutcomeUnknown = true }
        let isRepeatable =
            switch error.kind {
            case .duplicateKey, .tryAgain, .lockWaitTimeout, .connectionLost, .outcomeUnknown: true
            case .unreachable: isOutcomeUnknown
            default: false
            }
        guard isRepeatable, attempts < Self.attemptsMax else { throw final(error) }
        if case .duplicateKey = error.kind { return }
        // 4, 8, 16 … milliseconds, each somewhere between half and all of it, so that two do not stay in step.
        let milliseconds = 2 << min(attempts, 7)
        do {
            try await Task.sleep(for: .microseconds(Int.random(in: milliseconds * 500...milliseconds * 1000)))
        } catch { throw final(error) }
    }

    /// An error with which the caller gives up: a cancelled look leaves unknown what was unknown before it.
    func final(_ error: any Error) -> any Error {
        guard isOutcomeUnknown, (error as? DatabaseError)?.kind != .outcomeUnknown else { return error }
        return DatabaseError(
            kind: .outcomeUnknown, number: (error as? DatabaseError)?.number ?? 0, message: "\(error)")
    }
}
