/// A small pool of connections to one server, opened when they are needed.
///
/// ```swift
/// let pool = MariaDBPool(configuration, connectionsMax: 8)
/// let count = try await pool.withConnection { try await $0.query("SELECT COUNT(*) FROM entry")[0][0] }
/// await pool.close()
/// ```
public actor MariaDBPool {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let configuration: ConnectionConfiguration
    private let connectionsMax: Int
    private let pingAfter: Duration
    private var idle: [(connection: MariaDBConnection, since: ContinuousClock.Instant)] = []
    private var waiters: [Waiter] = []
    private var nextWaiterID: UInt64 = 0
    /// Connections handed out, being opened, or idle.
    private var total = 0
    private var isClosed = false

    /// - Parameters:
    ///   - connectionsMax: further callers wait in the order they came.
    ///   - pingAfterIdleSeconds: a connection idle for longer is asked whether it lives before it is handed out.
    public init(_ configuration: ConnectionConfiguration, connectionsMax: Int = 8, pingAfterIdleSeconds: Int = 15) {
        precondition(connectionsMax > 0, "a pool has at least one connection")
        self.configuration = configuration
        self.connectionsMax = connectionsMax
        pingAfter = .seconds(pingAfterIdleSeconds)
    }

    /// Lends a connection for the length of `body`.
    public nonisolated func withConnection<T: Sendable>(
        _ body: @Sendable (MariaDBConnection) async throws -> T
    ) async throws -> T {
        let connection = try await acquire()
        do {
            let result = try await body(connection)
            await release(connection)
            return result
        } catch {
            await release(connection)
            throw error
        }
    }

    /// Runs `body` in one database transaction on some connection.
    public nonisolated func transaction<T: Sendable>(
        _ mode: TransactionMode = .readCommitted, _ body: @Sendable (borrowing SQLSession) throws -> T
    ) async throws -> T {
        try await withConnection { try await $0.transaction(mode, body) }
    }

    /// Closes idle connections now and the others when they come back; callers in the queue get an error.
    public func close() async {
        isClosed = true
        let closing = idle.map(\.connection)
        idle = []
        total -= closing.count
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closedError) }
        waiters = []
        for connection in closing { await connection.close() }
    }

    private static let closedError = MariaDBError(number: 0, message: "the pool is closed")

    private func acquire() async throws -> MariaDBConnection {
        while true {
            if isClosed { throw Self.closedError }
            try Task.checkCancellation()
            if let (connection, since) = idle.popLast() {
                if since.duration(to: .now) < pingAfter { return connection }
                if await connection.ping() { return connection }
                await connection.close()
                free()
                continue
            }
            if total < connectionsMax {
                total += 1
                do { return try await MariaDBConnection.connect(configuration) } catch {
                    free()
                    throw error
                }
            }
            try await wait()
        }
    }

    private func release(_ connection: MariaDBConnection) async {
        if await connection.isUsable, !isClosed {
            idle.append((connection, .now))
            wakeOne()
        } else {
            await connection.close()
            free()
        }
    }

    private func free() {
        total -= 1
        wakeOne()
    }

    private func wakeOne() {
        if !waiters.isEmpty { waiters.removeFirst().continuation.resume() }
    }

    /// Waits until a connection may be free. Whoever is woken tries again and, if somebody was faster, waits once more.
    private func wait() async throws {
        let id = nextWaiterID
        nextWaiterID += 1
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                waiters.append(Waiter(id: id, continuation: continuation))
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
    }

    private func cancel(_ id: UInt64) {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
        waiters.remove(at: index).continuation.resume(throwing: CancellationError())
    }
}
