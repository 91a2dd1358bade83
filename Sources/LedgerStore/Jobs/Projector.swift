public import LedgerDatabase
public import LedgerModel
public import Logging

/// Runs jobs: computes balances, account lines and projections of your own from a book's journal. Each step is counted exactly
/// once, whoever runs; start as many as you like, in as many programs.
///
/// ```swift
/// let projector = Projector(location)
/// try await projector.run()           // until the task is cancelled
/// ```
/// A step reads what follows the checkpoint, up to the high-water mark, and in one database transaction inserts the next
/// checkpoint and the rows. A second worker on the same step gets a duplicate key on the checkpoint and rolls back.
public struct Projector: Sendable {
    /// The jobs of every book.
    public static let builtIn: [any Job] = [BalanceProjection(), AccountLineProjection(), FeeProjection()]

    public let jobs: [any Job]
    let database: Database
    private let writes: Database
    private let reader: JournalReader
    private let positionsMax: UInt64?
    private let mode: LedgerMode
    private let monitor: JobMonitor

    /// Connects as the book's `projector` when it is first asked something.
    /// - Parameters:
    ///   - mode: in `.readOnly` it connects as the book's `auditor`, says how the jobs are and compares generations, and runs nothing.
    ///   - jobs: those that it knows. It works on all their generations that are not retired.
    ///   - positionsMax: fewer positions in a step than the jobs say.
    ///   - logger: told what ``run(_:pollInterval:report:)`` does: steps at `debug`, what is tried again at `error`, an entry that
    ///     stops a job at `critical`. Never a value of an entry.
    public init(
        _ location: BookLocation, mode: LedgerMode = .writer, jobs: [any Job] = Projector.builtIn, positionsMax: UInt64? = nil,
        logger: Logger = Logger(label: "indelible.jobs") { _ in SwiftLogNoOpLogHandler() }
    ) {
        monitor = JobMonitor(logger)
        self.mode = mode
        self.jobs = jobs
        self.positionsMax = positionsMax
        database = Database(location, role: mode == .readOnly ? .auditor : .projector, connectionsMax: 2 + jobs.count)
        writes = Database(location, role: .projector, connectionsMax: 1 + jobs.count, waitsForLocks: false)
        reader = JournalReader(database: database, claimer: writes)
    }

    public func close() async {
        await database.close()
        await writes.close()
    }

    /// What one step did.
    public enum Step: Sendable, Equatable {
        /// Went on from one position to another.
        case advanced(from: Position, through: Position)
        /// Another worker did this step.
        case stoodDown
        /// Nothing more is decided. `waitingFor` is the position of a transaction in flight, if there is one.
        case caughtUp(through: Position, waitingFor: Position?)
        /// An operator has stopped the job here.
        case paused(through: Position)
        /// It cannot go on from here; nothing is tried until an operator says retry.
        case failed(JobFailure)
        /// The generation's tables are gone.
        case retired
    }

    /// Something that a running projector tells.
    public struct Event: Sendable {
        public let job: String
        public let generation: UInt32
        /// What the step did, or why it will be tried again.
        public let result: Result<Step, LedgerError>
        /// How long the step took.
        public let duration: Duration
    }

    /// Does one step of a job's live generation, also when the job is paused or has failed.
    /// - Throws: `integrity` if an entry cannot be processed, `schema` if the generation was made by another definition.
    public func step(of job: String = "balance") async throws(LedgerError) -> Step {
        try requireWriter()
        return try await translated {
            let known = try self.job(job)
            let generation = try await database.read { try Generation.readable(known.definition, $0) }
            return try await Self.orThrow(worker(known, generation).step(heedsOperators: false))
        }
    }

    /// Steps until nothing more is decided: every generation of every job that is known here, or of some.
    /// - Parameters:
    ///   - only: the jobs; nil for all.
    ///   - generation: of one job, only this.
    ///   - heedsOperators: false to work on jobs that are paused or have failed too.
    ///   - progress: told after each step how far that generation is.
    /// - Returns: through which position all of them are true now, and a position that is waited for, if any.
    /// - Throws: `integrity` if a job cannot go on; the others are done all the same.
    @discardableResult
    public func catchUp(
        _ only: Set<String>? = nil, generation: UInt32? = nil, heedsOperators: Bool = false,
        progress: @escaping @Sendable (Generation, Position) -> Void = { _, _ in }
    ) async throws(LedgerError) -> (through: Position, waitingFor: Position?) {
        try requireWriter()
        return try await translated {
            let own = try await ownGenerations().filter {
                (only?.contains($0.job) ?? true) && (generation == nil || $0.number == generation)
            }
            for job in only ?? Set(jobs.map(\.definition.name)) where !own.contains(where: { $0.job == job }) {
                try await throwMissing(job)
            }
            return try await withThrowingTaskGroup(of: (Position, Position?).self) { group in
                for generation in own {
                    group.addTask { try await catchUp(generation, heedsOperators) { progress(generation, $0) } }
                }
                var through: Position?
                var waitingFor: Position?
                var failure: (any Error)?
                while let result = await group.nextResult() {
                    switch result {
                    case .success(let end):
                        through = min(through ?? end.0, end.0)
                        waitingFor = waitingFor ?? end.1
                    case .failure(let error): failure = failure ?? error
                    }
                }
                if let failure { throw failure }
                return (through ?? .zero, waitingFor)
            }
        }
    }

    private func catchUp(
        _ generation: Generation, _ heedsOperators: Bool, progress: @Sendable (Position) -> Void
    ) async throws -> (Position, Position?) {
        let worker = worker(try job(generation.job), generation.number)
        var looks = 0
        while true {
            switch try await Self.orThrow(worker.step(heedsOperators: heedsOperators)) {
            case .advanced(_, let through):
                progress(through)
                looks = 0
            case .stoodDown: try await Task.sleep(for: .milliseconds(2))
            case .caughtUp(let through, let waitingFor):
                // It may be another job that is just claiming it.
                looks += 1
                if waitingFor == nil || looks > 5 { return (through, waitingFor) }
                try await Task.sleep(for: .milliseconds(10))
            case .paused(let through): return (through, nil)
            case .failed, .retired: return (.zero, nil)
            }
        }
    }

    /// Follows the journal until the task is cancelled: every generation of every job that is known here, those that are made
    /// meanwhile too. What fails for the moment is tried again; a job that meets an entry it cannot process stands there, and
    /// the others go on.
    /// - Parameters:
    ///   - only: the jobs; nil for all.
    ///   - pollInterval: how long to wait when nothing is new; five times as long when nothing has been new for some time.
    ///   - report: told of every step, and of every failure.
    public func run(
        _ only: Set<String>? = nil, pollInterval: Duration = .milliseconds(20), report: @escaping @Sendable (Event) -> Void = { _ in }
    ) async throws(LedgerError) {
        try requireWriter()
        try await translated {
            for job in only ?? [] { _ = try self.job(job) }
            await withTaskGroup(of: JobMonitor.Key?.self) { group in
                var running: Set<JobMonitor.Key> = []
                var failures = 0
                var missing: Set<String> = []
                var looks = 0
                group.addTask { await Self.pause(.zero) }
                while let ended = await group.next() {
                    if let ended {
                        running.remove(ended)
                        continue
                    }
                    if Task.isCancelled { break }
                    do throws(LedgerError) {
                        let own = try await translated { try await ownGenerations() }
                        for job in only ?? Set(jobs.map(\.definition.name)) where !own.contains(where: { $0.job == job }) {
                            guard missing.insert(job).inserted else { continue }
                            do throws(LedgerError) { try await throwMissing(job) } catch {
                                report(Event(job: job, generation: 0, result: .failure(error), duration: .zero))
                            }
                        }
                        for generation in own where only?.contains(generation.job) ?? true {
                            let key = JobMonitor.Key(job: generation.job, generation: generation.number)
                            guard running.insert(key).inserted else { continue }
                            group.addTask {
                                await follow(generation, pollInterval, report)
                                return key
                            }
                        }
                        failures = 0
                        if looks % 5 == 0 { try await measureLag() }
                        looks += 1
                    } catch {
                        failures += 1
                        report(Event(job: "", generation: 0, result: .failure(error), duration: .zero))
                    }
                    let again = failures == 0 ? Duration.seconds(1) : Self.backoff(failures)
                    group.addTask { await Self.pause(again) }
                }
                group.cancelAll()
            }
        }
    }

    private static func pause(_ duration: Duration) async -> JobMonitor.Key? {
        try? await Task.sleep(for: duration)
        return nil
    }

    /// Works on one generation until it is retired or the task is cancelled.
    private func follow(_ generation: Generation, _ pollInterval: Duration, _ report: @Sendable (Event) -> Void) async {
        guard let job = jobs.first(where: { $0.definition.name == generation.job }) else { return }
        let worker = worker(job, generation.number)
        let clock = ContinuousClock()
        let key = JobMonitor.Key(job: generation.job, generation: generation.number)
        monitor.begin(key)
        defer { monitor.end(key) }
        var (failures, idleLooks) = (0, 0)
        while !Task.isCancelled {
            let begun = clock.now
            let result: Result<Step, LedgerError>
            do throws(LedgerError) {
                // In a task of its own: whoever cancels lets the step at hand end.
                result = .success(
                    try await translated {
                        try await JobHeartbeat.$listener.withValue(.init { [monitor] in monitor.beat(key) }) { try await Task { try await worker.step() }.value }
                    })
                failures = 0
            } catch {
                if Task.isCancelled { return }
                failures += 1
                result = .failure(error)
            }
            let event = Event(job: generation.job, generation: generation.number, result: result, duration: begun.duration(to: clock.now))
            monitor.note(event)
            report(event)
            switch result {
            case .success(.advanced): idleLooks = 0
            case .success(.retired): return
            // Another worker has just done it; let it go on.
            case .success(.stoodDown): try? await Task.sleep(for: .milliseconds(Int.random(in: 1...20)))
            case .success(.caughtUp):
                idleLooks += 1
                try? await Task.sleep(for: idleLooks > Self.idleLooksMax ? pollInterval * 5 : pollInterval)
            case .success(.paused), .success(.failed): try? await Task.sleep(for: .milliseconds(500))
            case .failure: try? await Task.sleep(for: Self.backoff(failures))
            }
        }
    }

    /// Whether the loops of ``run(_:pollInterval:report:)`` come round, and get on. Nobody is asked: it answers at once.
    public var health: [JobHealth] { monitor.health }

    /// Asks the journal how far behind it every generation is, and tells the metrics.
    public func measureLag() async throws(LedgerError) { monitor.measure(try await status()) }

    private static let idleLooksMax = 50

    private static func backoff(_ failures: Int) -> Duration { .milliseconds(min(5000, 50 << min(failures, 7))) }

    // MARK: -

    func requireWriter() throws(LedgerError) { try mode.requireWriter() }

    func job(_ name: String) throws -> any Job {
        if let job = jobs.first(where: { $0.definition.name == name }) { return job }
        let known = jobs.map(\.definition.name).sorted().joined(separator: ", ")
        throw LedgerError(.unknownEntry, "there is no job “\(name)” here; this program knows \(known)")
    }

    /// Says why there is nothing to work on for a job.
    private func throwMissing(_ name: String) async throws(LedgerError) {
        try await translated {
            let definition = try job(name).definition
            _ = try await database.read { try Generation.readable(definition, $0) }
        }
    }

    /// Generations that this program can work on.
    private func ownGenerations() async throws -> [Generation] {
        let fingerprints = Dictionary(uniqueKeysWithValues: jobs.map { ($0.definition.name, $0.definition.fingerprint) })
        return try await database.read { try Generation.all($0) }.filter { fingerprints[$0.job] == $0.fingerprint }
    }

    private func worker(_ job: any Job, _ generation: UInt32) -> JobWorker {
        JobWorker(job, generation: generation, reader: reader, database: writes, positionsMax: positionsMax)
    }

    private static func orThrow(_ step: Step) throws -> Step {
        if case .failed(let failure) = step { throw failure.error }
        return step
    }
}
