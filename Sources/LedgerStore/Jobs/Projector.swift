public import LedgerDatabase
public import LedgerModel

/// Computes the balances of a book from its journal, step by step; each step is counted exactly once, whoever runs.
///
/// A step reads what follows the checkpoint, up to the high-water mark, and in one database transaction inserts the next
/// checkpoint and the rows. A second worker on the same step gets a duplicate key on the checkpoint and rolls back.
public struct Projector: Sendable {
    private let database: Database
    private let reader: JournalReader
    private let projection = BalanceProjection()

    /// Connects as the book's `projector` when it is first asked something.
    public init(_ location: BookLocation) {
        database = Database(location, role: .projector, connectionsMax: 2)
        reader = JournalReader(
            database: database,
            claimer: Database(location, role: .projector, connectionsMax: 1, waitsForLocks: false))
    }

    public func close() async {
        await database.close()
        await reader.claimer.close()
    }

    /// What one step did.
    public enum Step: Sendable, Equatable {
        /// Went on from one position to another.
        case advanced(from: Position, through: Position)
        /// Another worker did this step.
        case stoodDown
        /// Nothing more is decided. `waitingFor` is the position of a transaction in flight, if there is one.
        case caughtUp(through: Position, waitingFor: Position?)
    }

    /// Does one step.
    /// - Throws: `integrity` if an entry contradicts itself, `schema` if the generation was made by another definition.
    public func step() async throws(LedgerError) -> Step {
        try await translated {
            let generation = try await generation()
            let job = BalanceProjection.job
            let previous = try await database.read { transaction in
                try Checkpoint.newest(job: job, generation: generation, transaction)
            }
            let gridEnd = (previous.through.number / BalanceProjection.historyStep + 1) * BalanceProjection.historyStep
            let slice = try await reader.slice(after: previous.through, through: Position(gridEnd))
            guard let last = slice.entries.last else {
                return .caughtUp(through: previous.through, waitingFor: slice.inFlight)
            }
            var next = Checkpoint(through: last.position, proof: previous.proof)
            for entry in slice.entries { next.proof.append(entry) }
            let checkpoint = next
            let isDone = try await database.write { transaction in
                guard try Checkpoint.claim(
                    checkpoint, after: previous.through, job: job, generation: generation, transaction)
                else { return false }
                try projection.apply(slice.entries, generation: generation, transaction)
                return true
            }
            return isDone ? .advanced(from: previous.through, through: last.position) : .stoodDown
        }
    }

    /// Steps until nothing more is decided.
    /// - Parameter progress: told after each step how far it is.
    /// - Returns: through which position the balances are true now, and the position that is waited for, if any.
    @discardableResult
    public func catchUp(
        progress: (Position) -> Void = { _ in }
    ) async throws(LedgerError) -> (through: Position, waitingFor: Position?) {
        while true {
            switch try await step() {
            case .advanced(_, let through): progress(through)
            case .stoodDown: continue
            case .caughtUp(let through, let waitingFor): return (through, waitingFor)
            }
        }
    }

    /// Follows the journal until the task is cancelled. When the database is away it tries again.
    /// - Parameters:
    ///   - pollInterval: how long to wait when nothing is new.
    ///   - report: told of every step, and of every failure that is tried again.
    public func run(
        pollInterval: Duration = .milliseconds(50), report: (Result<Step, LedgerError>) -> Void = { _ in }
    ) async throws(LedgerError) {
        var failures = 0
        while !Task.isCancelled {
            do throws(LedgerError) {
                let step = try await step()
                failures = 0
                report(.success(step))
                if case .caughtUp = step { try? await Task.sleep(for: pollInterval) }
            } catch {
                if Task.isCancelled { return }
                guard error.retry != .never else { throw error }
                failures += 1
                report(.failure(error))
                try? await Task.sleep(for: .milliseconds(min(5000, 50 << min(failures, 7))))
            }
        }
    }

    /// How far the balances are.
    public struct Status: Sendable {
        public let generation: UInt32
        /// The balances are true up to here.
        public let through: Position
        /// The highest position in the journal.
        public let head: Position
        /// When the last step was committed; nil before the first.
        public let steppedAt: Timestamp?
        /// When the oldest entry was recorded that is not counted yet; nil if there is none.
        public let oldestWaitingRecordedAt: Timestamp?
        public let now: Timestamp
        /// Positions between the checkpoint and the journal's head.
        public var lag: UInt64 { head.number - min(head.number, through.number) }
    }

    public func status() async throws(LedgerError) -> Status {
        try await translated {
            let generation = try await generation()
            return try await database.read { transaction in
                let job = BalanceProjection.job
                let checkpoint = try Checkpoint.newest(job: job, generation: generation, transaction)
                let rows = try transaction.run(
                    .select(
                        """
                        (SELECT COALESCE(MAX(position), 0) FROM entry),
                        (SELECT recorded_at FROM checkpoint WHERE job = \(job) AND generation = \(generation)
                         ORDER BY from_position DESC LIMIT 1),
                        (SELECT MIN(recorded_at) FROM entry WHERE position > \(checkpoint.through.number)),
                        UTC_TIMESTAMP(6)
                        """))
                guard let row = rows.first, let now = Timestamp(sqlText: try row.text(3)) else {
                    throw LedgerError(.schema, "the database gave no status")
                }
                return Status(
                    generation: generation, through: checkpoint.through, head: Position(try row.uint(0)),
                    steppedAt: try row.optionalText(1).flatMap(Timestamp.init(sqlText:)),
                    oldestWaitingRecordedAt: try row.optionalText(2).flatMap(Timestamp.init(sqlText:)), now: now)
            }
        }
    }

    private func generation() async throws -> UInt32 {
        let live = try await database.read { transaction in
            try Checkpoint.liveGeneration(job: BalanceProjection.job, transaction)
        }
        guard let live else {
            throw LedgerError(.schema, "the book has no generation of balances: `indelible init` creates it")
        }
        guard live.fingerprint == BalanceProjection.fingerprint else {
            throw LedgerError(
                .schema, "generation \(live.generation) of the balances was made by another definition than this program's: "
                    + "run the program that made it, or rebuild")
        }
        return live.generation
    }
}
