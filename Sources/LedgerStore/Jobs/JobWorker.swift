import LedgerDatabase
import LedgerModel
import Tracing

/// One worker on one generation of a job. Any number of them may work on the same one, in any programs: the step's claim decides
/// who did it, and the others stand down.
actor JobWorker {
    let job: any Job
    let generation: UInt32
    private let reader: JournalReader
    private let database: Database
    private var pace: Pace
    private var ahead: ReadAhead
    /// The step that this worker did last, and where it ended.
    private var previous: (through: Position, step: any JobStep)?
    private var hasBegun = false

    /// - Parameters:
    ///   - database: writes; its connections do not wait for locks, so a claim that is taken is told at once.
    ///   - positionsMax: fewer positions in a step than the job's definition says.
    init(_ job: any Job, generation: UInt32, reader: JournalReader, database: Database, positionsMax: UInt64? = nil) {
        self.job = job
        self.generation = generation
        self.reader = reader
        self.database = database
        pace = Pace(positionsMax: min(job.definition.positionsMax, positionsMax ?? .max), positionsMin: job.definition.positionsMin)
        ahead = ReadAhead(reader: reader)
    }

    /// Does one step.
    /// - Parameter heedsOperators: false for a step that the operator asks for: it is tried although the job is paused or has failed.
    func step(heedsOperators: Bool = true) async throws -> Projector.Step {
        let state = try await JobState.read(job.definition, generation, database)
        if state.isRetired { return .retired }
        let through = state.checkpoint.through
        if heedsOperators {
            if state.isPaused { return .paused(through: through) }
            if let failure = state.failure { return .failed(failure) }
        }
        guard state.head > through else {
            if hasBegun { return .caughtUp(through: through, waitingFor: nil) }
            try await job.resume()
            hasBegun = true
            return try await step(heedsOperators: heedsOperators)
        }
        hasBegun = true
        while true {
            let positions = pace.positions
            do {
                return try await attempt(state.checkpoint, head: state.head)
            } catch {
                previous = nil
                ahead.drop()
                guard let poison = Self.poison(error) else { throw error }
                let tried = min(positions, state.head.number - through.number)
                if pace.narrow(tried) { continue }
                let failure = JobFailure(
                    job: job.definition.name, generation: generation, after: through, position: Position(through.number + 1),
                    code: poison.code.rawValue, message: poison.message)
                try await failure.record(attempt: state.decisions, database)
                return .failed(failure)
            }
        }
    }

    private func attempt(_ checkpoint: Checkpoint, head: Position) async throws -> Projector.Step {
        let from = checkpoint.through
        let clock = ContinuousClock()
        let begun = clock.now
        var step = job.begin(after: previous?.through == from ? previous?.step : nil)
        previous = nil
        var next = checkpoint
        var waitingFor: Position?
        let end = min(from.number + pace.positions, (from.number / JobDefinition.grid + 1) * JobDefinition.grid)
        while next.through.number < end {
            let wanted = min(end - next.through.number, JournalReader.positionsPerRead)
            let read = ahead.read(after: next.through, count: wanted, head: head)
            let slice = try await withTaskCancellationHandler { try await read.value } onCancel: { read.cancel() }
            for batch in slice.batches {
                next.proof.append(batch)
                try step.take(batch)
            }
            next.through = slice.through
            waitingFor = slice.inFlight
            if slice.isEnd { break }
        }
        guard next.through > from else { return .caughtUp(through: from, waitingFor: waitingFor) }
        let span = InstrumentationSystem.tracer is NoOpTracer ? nil : InstrumentationSystem.tracer.startAnySpan("indelible.job.step")
        span?.attributes["indelible.job"] = job.definition.name
        span?.attributes["indelible.generation"] = Int(generation)
        span?.attributes["indelible.from"] = Int(clamping: from.number)
        span?.attributes["indelible.through"] = Int(clamping: next.through.number)
        defer { span?.end() }
        try await Self.prepare(step)
        let (claim, done, job, generation) = (next, step, job.definition.name, generation)
        let isDone = try await database.write { transaction in
            guard try Checkpoint.claim(claim, after: from, job: job, generation: generation, transaction) else { return false }
            try done.write(StepWriter(transaction, job: job, generation: generation, from: from, through: claim.through))
            return true
        }
        guard isDone else {
            ahead.drop()
            return .stoodDown
        }
        previous = (claim.through, step)
        pace.stepped(claim.through.number - from.number, in: begun.duration(to: clock.now))
        return .advanced(from: from, through: claim.through)
    }

    /// Whatever goes wrong outside of the book is tried again, unless it says itself that an entry is at fault.
    private static func prepare(_ step: any JobStep) async throws {
        do { try await step.prepare() } catch let error as LedgerError { throw error } catch let error as CancellationError { throw error } catch {
            throw LedgerError(.unavailable, "what the job does outside of the book failed: \(error)")
        }
    }

    /// What is wrong with an entry; nil for what is wrong with the database or the program.
    private static func poison(_ error: any Error) -> LedgerError? {
        switch error {
        case is CancellationError: return nil
        case let error as LedgerError: return error.code == .integrity ? error : nil
        case let error as DatabaseError:
            switch error.kind {
            case .refusedRow, .other, .duplicateKey: return LedgerError(.integrity, "the database refused its rows: \(error.message)")
            default: return nil
            }
        // What a projection of somebody's own says of an entry.
        default: return LedgerError(.integrity, String(describing: error))
        }
    }
}

/// Reads the next entries while those before are worked on, as long as there is much to read.
private struct ReadAhead {
    let reader: JournalReader
    private var pending: [(after: Position, task: Task<JournalReader.Slice, any Error>)] = []
    /// Reads under way at the most.
    private static let depth = 3

    init(reader: JournalReader) { self.reader = reader }

    /// The next entries, as a task that is under way.
    /// - Parameter head: there are entries up to here.
    mutating func read(after position: Position, count: UInt64, head: Position) -> Task<JournalReader.Slice, any Error> {
        let whole = JournalReader.positionsPerRead
        guard count == whole else {
            drop()
            return begin(position.number, count)
        }
        if pending.first?.after != position { drop() }
        var next = pending.last.map { $0.after.number + whole } ?? position.number
        // Only far below the head: there it is decided what is missing.
        while pending.count < Self.depth, pending.isEmpty || next + 2 * whole <= head.number {
            pending.append((Position(next), begin(next, whole)))
            next += whole
        }
        return pending.removeFirst().task
    }

    private func begin(_ start: UInt64, _ count: UInt64) -> Task<JournalReader.Slice, any Error> {
        let reader = reader
        return Task { try await reader.slice(after: Position(start), through: Position(start + count)) }
    }

    mutating func drop() {
        for one in pending { one.task.cancel() }
        pending = []
    }
}
