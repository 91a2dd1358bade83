public import LedgerModel

/// How far one generation of a job is, measured against the journal, and whether it goes on.
public struct JobStatus: Sendable {
    /// What a generation does.
    public enum State: String, Sendable, CaseIterable {
        /// Everything in the journal is counted.
        case caughtUp
        /// There is more in the journal, and it is not long.
        case behind
        /// The next position is held by a transaction in flight (or was rolled back, and no worker has passed it yet).
        case waiting
        /// What is decided has been waiting for longer than it may, and no step was made meanwhile: nobody works on it, or whoever
        /// does gets nowhere.
        case stuck
        /// An operator has stopped the job.
        case paused
        /// It stands at an entry that cannot be processed, until an operator says retry.
        case failed
        /// Of a job that this program knows, but made by another definition: it does not work on it. (Of a job that it does not know it
        /// tells what there is to see.)
        case foreign
    }

    /// A position that is waited for.
    public struct Wait: Sendable, Hashable {
        public let position: Position
        /// A later position was recorded then: it has been waited for since then at least.
        public let since: Timestamp
        /// Who holds it in all likelihood, if the login may see that.
        public internal(set) var holder: Holder?
    }

    /// The oldest transaction in flight that has written something to this book.
    public struct Holder: Sendable, Hashable {
        /// The connection, as `KILL` takes it; 0 for an XA transaction in prepared state, which has none.
        public let connection: UInt64
        /// user@host.
        public let user: String
        public let openSeconds: UInt64

        public var description: String {
            connection == 0
                ? "an XA transaction in prepared state, open for \(openSeconds) s (XA RECOVER)"
                : "connection \(connection) of \(user), its transaction is open for \(openSeconds) s"
        }
    }

    /// The newest failure.
    public struct Failed: Sendable, Hashable {
        public let failure: JobFailure
        public let at: Timestamp
        /// It stops the job now: nobody has said retry, and nobody has done the step.
        public let stands: Bool
    }

    /// Money that has moved in the journal and is not counted yet.
    public enum Unprojected: Sendable, Hashable {
        /// Sums of the postings behind the checkpoint, by currency.
        case money([Money])
        /// More positions than are summed for a status.
        case tooMany(UInt64)
    }

    public struct Money: Sendable, Hashable {
        public let currency: Currency
        public let minorUnits: Int128
    }

    public let generation: Generation
    public let state: State
    /// This program knows the job, and another definition made this generation.
    public let isForeign: Bool
    /// Its rows are true up to here.
    public let through: Position
    /// The highest position in the journal.
    public let head: Position
    /// When the last step was committed; nil before the first.
    public let steppedAt: Timestamp?
    /// When the oldest entry was recorded that is not counted yet; nil if there is none.
    public let oldestWaitingRecordedAt: Timestamp?
    public let now: Timestamp
    /// Positions in a second, over its recent steps; nil if it has made too few.
    public let positionsPerSecond: UInt64?
    public let unprojected: Unprojected
    public let failed: Failed?
    public internal(set) var waiting: Wait?
    /// What it waits for has been waiting for longer than it may.
    public let isOverdue: Bool

    /// Positions between the checkpoint and the journal's head.
    public var lag: UInt64 { head.number - min(head.number, through.number) }

    /// How long the oldest entry that is not counted has been in the journal.
    public var lagSeconds: Int64 { oldestWaitingRecordedAt.map { max(0, now.microseconds - $0.microseconds) / 1_000_000 } ?? 0 }

    /// When it is through at the recent rate; nil if nothing moves, or nothing is to be done.
    public var secondsToGo: UInt64? {
        guard state == .behind, let rate = positionsPerSecond, rate > 0 else { return nil }
        return (lag + rate - 1) / rate
    }

    /// Somebody has to look: it is stuck, has failed, waits for a position too long, or readers read what this program does not go on
    /// with. What is not live and another definition's is only kept.
    public var needsAttention: Bool {
        if isForeign, !generation.isLive { return false }
        return switch state {
        case .stuck, .failed: true
        case .waiting: isOverdue
        case .foreign: true
        case .caughtUp, .behind, .paused: false
        }
    }

    /// The state, in one line for people; nil if there is nothing to say.
    public var note: String? {
        let (job, number) = (generation.job, generation.number)
        switch state {
        case .caughtUp, .behind: return nil
        case .waiting:
            guard let waiting else { return nil }
            return "waits for position \(waiting.position) since \(waiting.since) at least: "
                + (waiting.holder?.description ?? "a transaction in flight holds it, or it was rolled back and no projector has passed it")
        case .stuck:
            return "nothing was done for \(lagSeconds) s: is a projector running (`indelible project run`), and what does it say?"
        case .paused: return "paused: `indelible project resume \(job)`"
        case .failed: return failed.map { "\($0.failure.error.message). When that is explained: `indelible project retry \(job)`" }
        case .foreign:
            return "generation \(number) was made by another definition of “\(job)”: this program does not work on it"
        }
    }

    /// What a generation does, from what is known of it. No I/O.
    static func state(
        isForeign: Bool, hasFailed: Bool, isPaused: Bool, lag: UInt64, isNextVisible: Bool, isOverdue: Bool
    ) -> State {
        if hasFailed { return .failed }
        if isForeign { return .foreign }
        if isPaused { return .paused }
        if lag == 0 { return .caughtUp }
        if !isNextVisible { return .waiting }
        return isOverdue ? .stuck : .behind
    }
}
