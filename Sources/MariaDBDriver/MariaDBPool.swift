import Metrics

/// A pool of connections to one server, opened when they are needed.
///
/// ```swift
/// let pool = MariaDBPool(configuration, connectionsMax: 8)
/// let count = try await pool.withConnection { try await $0.query("SELECT COUNT(*) FROM entry")[0][0] }
/// await pool.close()
/// ```
/// Callers get connections in the order in which they asked. A connection that comes back broken, or has been open for
/// ``Limits/ageMaxSeconds``, is replaced; one that has been idle is asked whether it lives before it is lent again.
///
/// Metrics: the gauges `mariadb_pool_connections`, `mariadb_pool_lent` and `mariadb_pool_waiting`, the timer
/// `mariadb_pool_acquire_duration` and the counter `mariadb_pool_refusals`, each with the dimension `pool`.
public actor MariaDBPool {
    /// How much a pool holds and how long things may take in it.
    public struct Limits: Sendable {
        public var connectionsMax: Int
        /// Callers that wait at the same time; the next one is refused at once.
        public var waitersMax = 10_000
        /// How long a caller waits for a connection.
        public var acquireTimeoutSeconds = 60
        /// An idle connection is closed after so long.
        public var idleMaxSeconds = 300
        /// A connection is replaced after so long, so that changes of addresses and certificates arrive.
        public var ageMaxSeconds = 3600
        /// A connection idle for longer is asked whether it lives before it is lent.
        public var pingAfterIdleSeconds = 15

        public init(connectionsMax: Int = 8) { self.connectionsMax = connectionsMax }
    }

    /// How many connections there are.
    public struct Status: Sendable, Hashable {
        public let connections: Int
        public let lent: Int
        public let waiting: Int
    }

    /// A connection that is lent, and since when it is open.
    private struct Lent: Sendable {
        let connection: MariaDBConnection
        let openedAt: ContinuousClock.Instant
    }
    private typealias Waiter = CheckedContinuation<Lent?, any Error>

    private let configuration: ConnectionConfiguration
    private let limits: Limits
    private var state: PoolState<MariaDBConnection>
    private var waiters: [UInt64: Waiter] = [:]
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var maintenance: Task<Void, Never>?
    private let metrics: PoolMetrics

    public init(_ configuration: ConnectionConfiguration, limits: Limits, name: String = "default") {
        precondition(limits.connectionsMax > 0, "a pool has at least one connection")
        self.configuration = configuration
        self.limits = limits
        metrics = PoolMetrics(name)
        state = PoolState(
            .init(
                connectionsMax: limits.connectionsMax, waitersMax: limits.waitersMax,
                idleMax: .seconds(limits.idleMaxSeconds), ageMax: .seconds(limits.ageMaxSeconds),
                pingAfter: .seconds(limits.pingAfterIdleSeconds)))
    }

    public init(_ configuration: ConnectionConfiguration, connectionsMax: Int = 8, name: String = "default") {
        self.init(configuration, limits: Limits(connectionsMax: connectionsMax), name: name)
    }

    /// Lends a connection for the length of `body`.
    /// - Throws: what `body` throws; a ``MariaDBError`` of connecting; or one with the number 0 if the pool is closed, its
    ///   queue is full, or no connection came free in time.
    public nonisolated func withConnection<T: Sendable>(
        _ body: @Sendable (MariaDBConnection) async throws -> T
    ) async throws -> T {
        let lent = try await acquire()
        do {
            let result = try await body(lent.connection)
            await release(lent)
            return result
        } catch {
            await release(lent)
            throw error
        }
    }

    /// Runs `body` in one database transaction on some connection.
    public nonisolated func transaction<T: Sendable>(
        _ mode: TransactionMode = .readCommitted, _ body: @Sendable (borrowing SQLSession) throws -> T
    ) async throws -> T {
        try await withConnection { try await $0.transaction(mode, body) }
    }

    public var status: Status {
        Status(connections: state.total, lent: state.lent, waiting: state.waiting.count)
    }

    /// Lends nothing more, refuses those who wait, and returns when every connection that is lent has come back and all are
    /// closed.
    public func close() async {
        maintenance?.cancel()
        let (connections, refused) = state.close()
        for id in refused { waiters.removeValue(forKey: id)?.resume(throwing: Self.closed) }
        for connection in connections { await connection.close() }
        if state.total > 0 { await withCheckedContinuation { closing.append($0) } }
    }

    /// What a pool that was closed answers.
    public static let closed = MariaDBError(number: 0, message: "the pool is closed")

    // MARK: - Lending

    private func acquire() async throws -> Lent {
        let start = ContinuousClock.now
        defer { metrics.acquired(start.duration(to: .now), status) }
        while true {
            try Task.checkCancellation()
            switch state.acquire(now: .now) {
            case .use(let idle, let needsPing):
                if !needsPing { return Lent(connection: idle.connection, openedAt: idle.openedAt) }
                if await idle.connection.ping() { return Lent(connection: idle.connection, openedAt: idle.openedAt) }
                await idle.connection.close()
                // Its place is still taken, so a new one may be opened in it.
                return try await open()
            case .open: return try await open()
            case .wait(let id):
                // nil: a place came free instead of a connection.
                return if let lent = try await wait(id) { lent } else { try await open() }
            case .refuse(.closed): throw Self.closed
            case .refuse(.queueFull):
                metrics.refused()
                throw MariaDBError(
                    number: 0, message: "\(limits.waitersMax) callers wait for a connection already", retry: .afterBackoff)
            }
        }
    }

    /// Opens a connection in a place that is taken already.
    private func open() async throws -> Lent {
        do {
            return Lent(connection: try await MariaDBConnection.connect(configuration), openedAt: .now)
        } catch {
            placeLost()
            throw error
        }
    }

    private func placeLost() {
        if let next = state.lost() { waiters.removeValue(forKey: next)?.resume(returning: nil) }
        finishClosing()
    }

    private func release(_ lent: Lent) async {
        switch state.release(lent.connection, isUsable: lent.connection.isUsable, openedAt: lent.openedAt, now: .now) {
        case .keep: maintain()
        case .handOver(let waiter): waiters.removeValue(forKey: waiter)?.resume(returning: lent)
        case .replace(let waiter):
            waiters.removeValue(forKey: waiter)?.resume(returning: nil)
            await lent.connection.close()
        case .close:
            await lent.connection.close()
            finishClosing()
        }
        metrics.set(status)
    }

    // MARK: - Waiting

    private func wait(_ id: UInt64) async throws -> Lent? {
        let seconds = limits.acquireTimeoutSeconds
        let timeout = Task {
            try await Task.sleep(for: .seconds(seconds))
            stopWaiting(
                id, MariaDBError(number: 0, message: "no connection came free within \(seconds) s", retry: .afterBackoff))
        }
        defer { timeout.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Waiter) in
                waiters[id] = continuation
                if Task.isCancelled { stopWaiting(id, CancellationError()) }
            }
        } onCancel: {
            Task { await self.stopWaiting(id, CancellationError()) }
        }
    }

    private func stopWaiting(_ id: UInt64, _ error: any Error) {
        guard state.stopWaiting(id) else { return }
        metrics.refused()
        waiters.removeValue(forKey: id)?.resume(throwing: error)
    }

    // MARK: - Growing old

    /// Closes idle connections in time, for as long as there are any.
    private func maintain() {
        guard maintenance == nil, !state.isClosed else { return }
        let pause = Duration.seconds(max(1, min(limits.idleMaxSeconds, limits.ageMaxSeconds) / 4))
        maintenance = Task { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: pause)
                guard let self, await self.expire() else { return }
            }
        }
    }

    /// False when nothing is idle any more.
    private func expire() async -> Bool {
        for connection in state.expire(now: .now) { await connection.close() }
        metrics.set(status)
        if state.idle.isEmpty { maintenance = nil }
        return !state.idle.isEmpty
    }

    private func finishClosing() {
        guard state.isClosed, state.total == 0 else { return }
        for continuation in closing { continuation.resume() }
        closing = []
    }
}

/// What a pool reports.
private struct PoolMetrics: Sendable {
    private let connections: Gauge
    private let lent: Gauge
    private let waiting: Gauge
    private let acquire: Timer
    private let refusals: Counter

    init(_ name: String) {
        let dimensions = [("pool", name)]
        connections = Gauge(label: "mariadb_pool_connections", dimensions: dimensions)
        lent = Gauge(label: "mariadb_pool_lent", dimensions: dimensions)
        waiting = Gauge(label: "mariadb_pool_waiting", dimensions: dimensions)
        acquire = Timer(label: "mariadb_pool_acquire_duration", dimensions: dimensions)
        refusals = Counter(label: "mariadb_pool_refusals", dimensions: dimensions)
    }

    func acquired(_ duration: Duration, _ status: MariaDBPool.Status) {
        acquire.record(duration: duration)
        set(status)
    }

    func set(_ status: MariaDBPool.Status) {
        connections.record(status.connections)
        lent.record(status.lent)
        waiting.record(status.waiting)
    }

    func refused() { refusals.increment() }
}
