import LedgerDatabase
public import LedgerModel

/// The job that lists the timers of all processes by when they are due. ``TimerRunner`` fires them.
public struct Timers: Projection {
    public let definition = JobDefinition(
        name: "timer", version: "1",
        schema: """
            CREATE TABLE IF NOT EXISTS timer_g{generation} (
                due_at   DATETIME(6)     NOT NULL,
                position BIGINT UNSIGNED NOT NULL COMMENT 'of the entry that started it',
                set_id   BINARY(16)      NOT NULL,
                end_id   BINARY(16)      NOT NULL COMMENT 'of the entry that fires or cancels it',
                stream   VARCHAR(200)    NOT NULL,
                name     VARCHAR(64)     NOT NULL,
                PRIMARY KEY (due_at, position),
                UNIQUE KEY timer_position (position)
            ) ENGINE = InnoDB;
            """,
        compared: [ComparedTable("timer", keys: ["position"], through: "position", values: ["due_at"])])

    public init() {}

    public func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
        var rows: [[LedgerValue]] = []
        for index in entries.indices where entries.kind(index) == .timerSet {
            guard let id = entries.id(index), let payload = try entries.payload(index).map({ json throws(LedgerError) in try JSON(parsing: json) }),
                let name = payload["timer"]?.string, let due = payload["due_at"]?.string, let stream = payload[Entry.ownKey]?["stream"]?.string
            else { throw LedgerError(.integrity, "it starts no timer") }
            rows.append([
                .text(try Timestamp(due).sqlText), .uint(entries.position(index).number), .bytes(id.bytes), .bytes(EntryID.timerEnd(of: id).bytes),
                .text(stream), .text(name),
            ])
        }
        if !rows.isEmpty { try writer.insert(into: "timer", ["due_at", "position", "set_id", "end_id", "stream", "name"], rows: rows) }
    }
}

/// Fires timers that are due, in due order: those that came due while nothing ran, too.
///
/// ```swift
/// let timers = TimerRunner(ledger)
/// try await timers.run()              // until the task is cancelled
/// ```
/// Any number may run: a timer fires once. It is an entry (`ledger.timer-fired`) in the process's stream, which the router takes to the process
/// as any other input. Firing and cancelling are one slot, so the first decides.
public actor TimerRunner {
    private let ledger: Ledger
    private let clock: (any LedgerClock)?
    private var waiting = TimerQueue()
    private var generation: UInt32?
    /// Rows up to here are in the queue.
    private var through: UInt64 = 0

    /// - Parameters:
    ///   - ledger: a writer's.
    ///   - clock: in place of the server's, for tests.
    public init(_ ledger: Ledger, clock: (any LedgerClock)? = nil) { (self.ledger, self.clock) = (ledger, clock) }

    /// Fires what is due now, of the timers that the job has listed.
    /// - Returns: how many this call has fired.
    /// - Throws: `schema` if the book has no live generation of ``Timers``.
    @discardableResult
    public func fireDue() async throws(LedgerError) -> Int {
        try ledger.requireWriter()
        return try await translated {
            try await refresh()
            let now = try await now()
            var fired = 0
            while let timer = waiting.first, timer.dueAt <= now {
                if try await ProcessBook(ledger: ledger).fire(timer.set, timer.name, of: timer.stream) { fired += 1 }
                // Only now: a failure before leaves it here.
                waiting.remove(timer)
            }
            return fired
        }
    }

    /// Fires timers until the task is cancelled. What fails for the moment is tried again.
    /// - Parameter report: told how many were fired, and of every failure.
    public func run(
        pollInterval: Duration = .milliseconds(250), report: @escaping @Sendable (Result<Int, LedgerError>) -> Void = { _ in }
    ) async {
        var failures = 0
        while !Task.isCancelled {
            do throws(LedgerError) {
                let fired = try await fireDue()
                if fired > 0 { report(.success(fired)) }
                failures = 0
            } catch {
                if Task.isCancelled { return }
                failures += 1
                report(.failure(error))
            }
            try? await Task.sleep(for: failures == 0 ? pollInterval : .milliseconds(min(5000, 50 << min(failures, 7))))
        }
    }

    private func now() async throws -> Timestamp {
        if let clock { return clock.now() }
        return try await ledger.database.read { try WriteStep.clock($0) }
    }

    /// Takes in what the job has listed since.
    private func refresh() async throws {
        let (known, after) = (generation, through)
        let (live, rows) = try await ledger.database.read { transaction in
            let live = try Generation.readable(Timers().definition, transaction)
            let start = live == known ? after : 0
            let table = LedgerTable.generated("timer", generation: live)
            // What has ended already is passed over; what ends later is found out when it is due.
            let rows = try transaction.run(
                .select(
                    """
                    t.due_at, t.position, t.set_id, t.stream, t.name FROM \(table: table) t
                    WHERE t.position > \(start) AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = t.end_id) ORDER BY t.position
                    """)
            ).map { row in
                guard let dueAt = Timestamp(sqlText: try row.text(0)) else { throw LedgerError(.schema, "a timer is due at a time that is none") }
                return TimerQueue.Timer(
                    dueAt: dueAt, position: try row.uint(1), set: try EntryID(bytes: try row.bytes(2)),
                    stream: try StreamName(parsing: try row.text(3)), name: try row.text(4))
            }
            return (live, rows)
        }
        if live != generation { waiting = TimerQueue() }
        generation = live
        if let last = rows.last { through = last.position } else if live != known { through = 0 }
        for timer in rows { waiting.insert(timer) }
    }
}

/// Timers in due order: a binary heap.
struct TimerQueue: Sendable {
    struct Timer: Sendable, Equatable {
        let dueAt: Timestamp
        let position: UInt64
        let set: EntryID
        let stream: StreamName
        let name: String

        func isBefore(_ other: Timer) -> Bool { (dueAt, position) < (other.dueAt, other.position) }
    }

    private var heap: [Timer] = []

    var first: Timer? { heap.first }
    var count: Int { heap.count }

    mutating func insert(_ timer: Timer) {
        heap.append(timer)
        var child = heap.count - 1
        while child > 0, heap[child].isBefore(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Removes it if it is the first.
    mutating func remove(_ timer: Timer) {
        guard heap.first == timer else { return }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].isBefore(heap[least]) { least = child }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
