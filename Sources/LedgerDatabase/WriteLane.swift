internal import MariaDBDriver

/// One connection for one writer after the other, and the queue that both run on: a task that prefers ``executor`` changes
/// threads only when it begins and when it answers.
public actor WriteLane {
    private nonisolated let queue = QueueExecutor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe queue.asUnownedSerialExecutor() }
    public nonisolated var executor: any TaskExecutor { queue }

    private let configuration: ConnectionConfiguration
    private var connection: MariaDBConnection?
    private var usedAt = ContinuousClock.now
    /// Idle for longer, it is asked whether it lives.
    private static let pingAfter = Duration.seconds(15)

    /// Connects when it is first used, and again when the link was lost.
    public init(_ location: BookLocation, role: BookRole?) {
        var configuration = location.configuration(role: role)
        configuration.beginsImplicitly = true
        self.configuration = configuration
    }

    /// Runs `body` in one READ COMMITTED transaction and commits it, or rolls it back if `body` throws. One at a time.
    public func write<T: Sendable>(
        _ body: @Sendable (borrowing LedgerTransaction) throws -> T
    ) async throws -> T {
        do {
            let connection = try await current()
            let result = try await connection.transaction { session in try body(LedgerTransaction(session)) }
            usedAt = .now
            return result
        } catch let error as MariaDBError { throw DatabaseError(error) }
    }

    public func close() async {
        await connection?.close()
        connection = nil
    }

    private func current() async throws -> MariaDBConnection {
        if let connection, connection.isUsable {
            if usedAt.duration(to: .now) < Self.pingAfter { return connection }
            if await connection.ping() { return connection }
        }
        await connection?.close()
        let new = try await MariaDBConnection.connect(configuration, on: queue)
        connection = new
        return new
    }
}
