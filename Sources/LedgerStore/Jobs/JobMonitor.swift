import Logging
import Metrics
public import LedgerModel
import Synchronization

/// Whether the jobs of a running ``Projector`` do what they should.
public struct JobHealth: Sendable, Hashable {
    public let job: String
    public let generation: UInt32
    /// Done up to here, as far as this worker has seen; nil before its first look.
    public let through: Position?
    /// How long ago the loop last came round, whether or not there was something to do.
    public let sinceHeartbeat: Duration
    /// The loop comes round. If not it hangs, and only a restart helps.
    public let isAlive: Bool
    /// Nothing decided is waiting, or it is being worked on. Else ``problem`` says why not.
    public let isReady: Bool
    public let problem: String?
}

/// What a running projector notes about its loops, and tells logs and metrics.
///
/// Metrics, with the dimensions `job` and `generation`: the counters `indelible_job_loops` (the heartbeat), `indelible_job_stood_down`,
/// `indelible_job_waits` (looks that found a position in flight) and `indelible_job_errors`, the timer `indelible_job_step_duration`,
/// the recorder `indelible_job_step_positions`, and the gauges `indelible_job_through`, `indelible_job_failed` (1 while it cannot go
/// on), `indelible_job_lag_positions`, `indelible_job_lag_seconds` and, with `currency`, `indelible_job_unprojected_minor_units`.
final class JobMonitor: Sendable {
    struct Key: Hashable, Sendable {
        let job: String
        let generation: UInt32
        var dimensions: [(String, String)] { [("job", job), ("generation", String(generation))] }
    }

    fileprivate struct Loop {
        var heartbeat = ContinuousClock.now
        /// When it was last caught up or went on.
        var progress = ContinuousClock.now
        var through: Position?
        var waitingFor: (position: Position, since: ContinuousClock.Instant)?
        var problem: String?
        var isPaused = false
    }

    /// A loop that has not come round for so long hangs.
    static let aliveSeconds = 60
    /// A loop that has neither caught up nor gone on for so long is stuck.
    static let stuckSeconds = 10

    private let loops = Mutex<[Key: Loop]>([:])
    private let logger: Logger

    init(_ logger: Logger) { self.logger = logger }

    func begin(_ key: Key) { loops.withLock { $0[key] = Loop() } }
    func end(_ key: Key) { loops.withLock { $0[key] = nil } }

    /// A step under way gets on.
    func beat(_ key: Key) {
        let now = ContinuousClock.now
        loops.withLock { loops in
            loops[key]?.heartbeat = now
            loops[key]?.progress = now
        }
    }

    func note(_ event: Projector.Event) {
        let key = Key(job: event.job, generation: event.generation)
        let now = ContinuousClock.now
        let previous = loops.withLock { loops in
            let previous = loops[key]
            guard var loop = previous else { return previous }
            loop.heartbeat = now
            loop.note(event.result, now)
            loops[key] = loop
            return previous
        }
        measure(event, key)
        log(event, key, previous, now)
    }

    private func measure(_ event: Projector.Event, _ key: Key) {
        let dimensions = key.dimensions
        func count(_ label: String) { Counter(label: label, dimensions: dimensions).increment() }
        count("indelible_job_loops")
        var isFailed = false
        switch event.result {
        case .success(.advanced(let from, let through)):
            Timer(label: "indelible_job_step_duration", dimensions: dimensions).record(duration: event.duration)
            Recorder(label: "indelible_job_step_positions", dimensions: dimensions).record(Int64(through.number - from.number))
            Gauge(label: "indelible_job_through", dimensions: dimensions).record(Int64(clamping: through.number))
        case .success(.stoodDown): count("indelible_job_stood_down")
        case .success(.caughtUp(_, .some)): count("indelible_job_waits")
        case .success(.failed): isFailed = true
        case .success: break
        case .failure: count("indelible_job_errors")
        }
        Gauge(label: "indelible_job_failed", dimensions: dimensions).record(isFailed ? 1 : 0)
    }

    private func log(_ event: Projector.Event, _ key: Key, _ previous: Loop?, _ now: ContinuousClock.Instant) {
        var metadata: Logger.Metadata = ["job": "\(key.job)", "generation": "\(key.generation)"]
        switch event.result {
        case .success(.advanced(let from, let through)):
            metadata["from"] = "\(from)"
            metadata["through"] = "\(through)"
            metadata["duration"] = "\(event.duration)"
            logger.debug("step done", metadata: metadata)
        case .success(.failed(let failure)):
            metadata["position"] = failure.position.map { "\($0)" }
            if previous?.problem != failure.message { logger.critical("the job stands: \(failure.message)", metadata: metadata) }
        case .success(.caughtUp(_, .some(let position))):
            metadata["position"] = "\(position)"
            if let waiting = previous?.waitingFor, waiting.position == position, Self.crosses(Self.stuckSeconds, waiting.since, previous!.heartbeat, now) {
                logger.warning("a transaction in flight holds a position, and the job waits for it", metadata: metadata)
            }
        case .success(.paused): if previous?.isPaused == false { logger.notice("the job is paused", metadata: metadata) }
        case .success(.retired): logger.notice("the generation is retired", metadata: metadata)
        case .success: break
        case .failure(let error):
            metadata["code"] = "\(error.code.rawValue)"
            if previous?.problem != error.message { logger.error("\(error.message); trying again", metadata: metadata) }
        }
    }

    /// True at the look that first sees so many seconds.
    private static func crosses(
        _ seconds: Int, _ since: ContinuousClock.Instant, _ before: ContinuousClock.Instant, _ now: ContinuousClock.Instant
    ) -> Bool {
        let end = since + .seconds(seconds)
        return before < end && end <= now
    }

    /// Lag, as the journal shows it.
    func measure(_ statuses: [JobStatus]) {
        let running = loops.withLock { Set($0.keys) }
        for status in statuses {
            let key = Key(job: status.generation.job, generation: status.generation.number)
            guard running.contains(key) else { continue }
            Gauge(label: "indelible_job_lag_positions", dimensions: key.dimensions).record(Int64(clamping: status.lag))
            Gauge(label: "indelible_job_lag_seconds", dimensions: key.dimensions).record(status.lagSeconds)
            guard case .money(let sums) = status.unprojected else { continue }
            for money in sums {
                Gauge(label: "indelible_job_unprojected_minor_units", dimensions: key.dimensions + [("currency", money.currency.code.text)])
                    .record(Int64(clamping: money.minorUnits))
            }
        }
    }

    var health: [JobHealth] {
        let now = ContinuousClock.now
        return loops.withLock { loops in
            loops.map { key, loop in
                let silence = loop.heartbeat.duration(to: now)
                let isAlive = silence < .seconds(Self.aliveSeconds)
                var problem = isAlive ? loop.problem : "the loop has not come round for \(silence.components.seconds) s"
                if problem == nil, let waiting = loop.waitingFor, waiting.since.duration(to: now) > .seconds(Self.stuckSeconds) {
                    problem = "it waits for position \(waiting.position), which a transaction in flight holds"
                }
                if problem == nil, loop.progress.duration(to: now) > .seconds(Self.stuckSeconds), !loop.isPaused {
                    problem = "it has made no step for \(loop.progress.duration(to: now).components.seconds) s"
                }
                return JobHealth(
                    job: key.job, generation: key.generation, through: loop.through, sinceHeartbeat: silence, isAlive: isAlive,
                    isReady: problem == nil && loop.through != nil, problem: problem)
            }.sorted { ($0.job, $0.generation) < ($1.job, $1.generation) }
        }
    }
}

extension JobMonitor.Loop {
    mutating func note(_ result: Result<Projector.Step, LedgerError>, _ now: ContinuousClock.Instant) {
        isPaused = false
        var inFlight: Position?
        switch result {
        case .success(.advanced(_, let position)):
            through = position
            (progress, problem) = (now, nil)
        case .success(.caughtUp(let position, let waiting)):
            through = position
            inFlight = waiting
            (progress, problem) = (now, nil)
        case .success(.stoodDown): (progress, problem) = (now, nil)
        case .success(.paused(let position)):
            through = position
            isPaused = true
            problem = "an operator has paused it at position \(position)"
        case .success(.failed(let failure)): problem = failure.message
        case .success(.retired): problem = nil
        case .failure(let error): problem = error.message
        }
        waitingFor = inFlight.map { position in (position, waitingFor?.position == position ? waitingFor!.since : now) }
    }
}
