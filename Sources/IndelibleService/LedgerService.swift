public import Foundation
public import Indelible
public import Logging
public import ServiceLifecycle

/// A ledger as a service of your program, with its jobs in the same process or left to another.
///
/// ```swift
/// let service = LedgerService(location, logger: logger)
/// let group = ServiceGroup(services: [service, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
/// try await group.run()              // and meanwhile: service.ledger.post(entry)
/// ```
/// At a graceful shutdown it ends the steps at hand, answers the posts that it has, and closes its connections. Put services that
/// use the ledger behind it in the list: those are shut down first.
public struct LedgerService: Service {
    /// Who runs the jobs.
    public enum Jobs: Sendable {
        /// This process; any number of processes may.
        case inProcess
        /// `indelible project run`, or other services.
        case elsewhere
    }

    public let ledger: Ledger
    private let projector: ProjectorService?
    /// Fires the timers of processes, if the job ``Timers`` is among those of this process.
    private let timers: TimerRunner?

    /// - Parameters:
    ///   - mode: in `.readOnly` it records nothing and runs no jobs, whoever is to run them.
    ///   - reading: a replica that answers queries.
    ///   - jobs: who runs them; whoever runs them needs the role `projector`.
    ///   - projections: jobs of your own beside those of every book.
    ///   - working: jobs of your own that record with the ledger, or look things up with it: processors of commands, routers of processes,
    ///     subscriptions. Where ``Timers`` is among them or among `projections`, timers are fired too.
    public init(
        _ location: BookLocation, mode: LedgerMode = .writer, reading: BookLocation? = nil, jobs: Jobs = .inProcess, projections: [any Job] = [],
        working: (Ledger) -> [any Job] = { _ in [] }, logger: Logger = Logger(label: "indelible")
    ) {
        ledger = Ledger(location, mode: mode, reading: reading)
        switch jobs {
        case .inProcess where mode == .writer:
            let own = projections + working(ledger)
            projector = ProjectorService(Projector(location, jobs: Projector.builtIn + own, logger: logger))
            timers = own.contains { $0 is Timers } ? TimerRunner(ledger) : nil
        case .inProcess, .elsewhere: (projector, timers) = (nil, nil)
        }
    }

    /// How the jobs of this process are; empty if another runs them.
    public var health: [JobHealth] { projector?.projector.health ?? [] }

    /// Runs until the graceful shutdown, or until the task is cancelled.
    public func run() async throws {
        let firing = timers.map { timers in Task { await timers.run() } }
        let result: Result<Void, any Error>
        do {
            if let projector { try await projector.run() } else { try? await gracefulShutdown() }
            result = .success(())
        } catch { result = .failure(error) }
        firing?.cancel()
        await firing?.value
        await ledger.close()
        try result.get()
    }
}

/// A projector as a service of your program, or of the process manager: it tells systemd when it is ready, and that it is alive.
///
/// It reads `NOTIFY_SOCKET` and `WATCHDOG_USEC` as `sd_notify(3)` says, and does nothing where they are not set. The watchdog
/// is told only while every loop comes round: one that hangs is restarted by systemd.
public struct ProjectorService: Service {
    public let projector: Projector
    private let jobs: Set<String>?
    private let manager: ProcessManager
    private let report: @Sendable (Projector.Event) -> Void

    /// - Parameters:
    ///   - jobs: the only ones; nil for all that the projector knows.
    ///   - environment: where the process manager's variables are.
    ///   - report: told of every step, and of every failure.
    public init(
        _ projector: Projector, jobs: Set<String>? = nil, environment: [String: String] = ProcessInfo.processInfo.environment,
        report: @escaping @Sendable (Projector.Event) -> Void = { _ in }
    ) {
        self.projector = projector
        self.jobs = jobs
        manager = ProcessManager(environment)
        self.report = report
    }

    /// Runs until the graceful shutdown, or until the task is cancelled, and closes the projector.
    public func run() async throws {
        let result = await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Result<Void, any Error>?.self) { group in
                group.addTask {
                    do { return .success(try await projector.run(jobs, report: report)) } catch { return .failure(error) }
                }
                group.addTask {
                    await manager.follow(projector)
                    return nil
                }
                var result: Result<Void, any Error> = .success(())
                while let ended = await group.next() {
                    guard let ended else { continue }
                    result = ended
                    group.cancelAll()
                }
                return result
            }
        }
        manager.tell("STOPPING=1")
        await projector.close()
        try result.get()
    }
}
