public import LedgerDatabase
public import LedgerModel

extension Projector {
    /// How far every generation is that is not retired, of jobs that this program does not know too.
    ///
    /// Everything is measured against the journal, in one snapshot. The cost does not grow with the number of steps made.
    /// - Parameters:
    ///   - stuckAfter: so long may something decided wait, with no step meanwhile, before that is called stuck.
    ///   - moneyMax: the postings behind a checkpoint are summed up to so many positions.
    ///   - observer: who looks for the transaction that is waited for; it needs the server's privilege PROCESS. nil: this
    ///     projector's own login.
    public func status(
        stuckAfter: Duration = .seconds(10), moneyMax: UInt64 = 200_000, observer: BookLocation? = nil
    ) async throws(LedgerError) -> [JobStatus] {
        try await translated {
            let fingerprints = Dictionary(uniqueKeysWithValues: jobs.map { ($0.definition.name, $0.definition.fingerprint) })
            let location = database.location
            var all = try await database.read { transaction in
                var sums = UnprojectedSums(positionsMax: moneyMax)
                return try Generation.all(transaction).map { generation in
                    let isForeign = fingerprints[generation.job].map { $0 != generation.fingerprint } ?? false
                    return try JobStatusReader(generation: generation, isForeign: isForeign).read(stuckAfter, &sums, transaction)
                }
            }
            guard all.contains(where: { $0.waiting != nil }) else { return all }
            let holder = await JobStatusReader.holder(observer ?? location)
            for index in all.indices { all[index].waiting?.holder = holder }
            return all
        }
    }
}

private struct JobStatusReader {
    let generation: Generation
    let isForeign: Bool
    /// The rate is that of so many steps, of the last minute before the newest.
    private static let recentSteps = 33

    func read(
        _ stuckAfter: Duration, _ sums: inout UnprojectedSums, _ transaction: borrowing LedgerTransaction
    ) throws -> JobStatus {
        let job = generation.job
        let steps = try recent(transaction)
        let through = Position(steps.first?.through ?? 0)
        let row = try transaction.run(
            .select(
                """
                (SELECT COALESCE(MAX(position), 0) FROM entry), UTC_TIMESTAMP(6),
                (SELECT position FROM entry WHERE position > \(through.number) ORDER BY position LIMIT 1),
                (SELECT recorded_at FROM entry WHERE position > \(through.number) ORDER BY position LIMIT 1),
                (SELECT action FROM job_control WHERE job = \(job) AND action <> 'retry' ORDER BY sequence DESC LIMIT 1)
                """))[0]
        let head = Position(try row.uint(0))
        let now = try Self.time(row, 1)
        let oldest = row.isNull(3) ? nil : try Self.time(row, 3)
        let failed = try newestFailure(through, transaction)
        let limit = stuckAfter.components.seconds * 1_000_000 + stuckAfter.components.attoseconds / 1_000_000_000_000
        let isNextVisible = try !row.isNull(2) && row.uint(2) == through.number + 1
        let waitsTooLong = oldest.map { now.microseconds - $0.microseconds > limit } ?? false
        let hasStepped = steps.first.map { now.microseconds - $0.at.microseconds <= limit } ?? false
        let isOverdue = waitsTooLong && (!isNextVisible || !hasStepped)
        let state = JobStatus.state(
            isForeign: isForeign, hasFailed: failed?.stands ?? false, isPaused: try row.optionalText(4) == "pause",
            lag: head.number - min(head.number, through.number), isNextVisible: isNextVisible, isOverdue: isOverdue)
        return JobStatus(
            generation: generation, state: state, isForeign: isForeign, through: through, head: head, steppedAt: steps.first?.at,
            oldestWaitingRecordedAt: oldest, now: now, positionsPerSecond: Self.rate(steps),
            unprojected: try sums.read(after: through, upTo: head, transaction), failed: failed,
            waiting: oldest != nil && !isNextVisible
                ? JobStatus.Wait(position: Position(through.number + 1), since: oldest ?? now, holder: nil) : nil,
            isOverdue: isOverdue)
    }

    private struct Step {
        let through: UInt64
        let at: Timestamp
    }

    /// The newest steps, the newest first.
    private func recent(_ transaction: borrowing LedgerTransaction) throws -> [Step] {
        try transaction.run(
            .select(
                """
                through_position, recorded_at FROM checkpoint WHERE job = \(generation.job) AND generation = \(generation.number)
                ORDER BY from_position DESC LIMIT \(UInt64(Self.recentSteps))
                """)
        ).map { Step(through: try $0.uint(0), at: try Self.time($0, 1)) }
    }

    /// Positions in a second.
    private static func rate(_ steps: [Step]) -> UInt64? {
        guard let newest = steps.first else { return nil }
        guard let oldest = steps.last(where: { newest.at.microseconds - $0.at.microseconds <= 60_000_000 }) else { return nil }
        let elapsed = newest.at.microseconds - oldest.at.microseconds
        guard elapsed > 0 else { return nil }
        let rate = UInt128(newest.through - min(newest.through, oldest.through)) * 1_000_000 / UInt128(elapsed)
        return UInt64(clamping: rate)
    }

    private func newestFailure(_ through: Position, _ transaction: borrowing LedgerTransaction) throws -> JobStatus.Failed? {
        let rows = try transaction.run(
            .select(
                """
                from_position, attempt, position, code, message, failed_at,
                (SELECT COALESCE(MAX(sequence), 0) FROM job_control WHERE job = \(generation.job) AND action = 'retry')
                FROM job_failure WHERE job = \(generation.job) AND generation = \(generation.number)
                ORDER BY from_position DESC, attempt DESC LIMIT 1
                """))
        guard let row = rows.first else { return nil }
        let after = Position(try row.uint(0))
        return JobStatus.Failed(
            failure: JobFailure(
                job: generation.job, generation: generation.number, after: after,
                position: row.isNull(2) ? nil : Position(try row.uint(2)), code: try row.text(3), message: try row.text(4)),
            at: try Self.time(row, 5), stands: try after == through && row.uint(1) == row.uint(6))
    }

    private static func time(_ row: Row, _ column: Int) throws -> Timestamp {
        guard let time = Timestamp(sqlText: try row.text(column)) else { throw LedgerError(.schema, "the database gave no status") }
        return time
    }

    /// The oldest transaction in flight that has written to the book; nil if there is none, or the login may not see it. One without a connection
    /// (the server's own, or prepared and left) may be another book's, so it is told last.
    static func holder(_ location: BookLocation) async -> JobStatus.Holder? {
        let database = Database(location, role: nil, connectionsMax: 1)
        let rows = try? await database.run(
            .select(
                """
                t.trx_mysql_thread_id, GREATEST(0, TIMESTAMPDIFF(SECOND, t.trx_started, NOW())), CONCAT(p.user, '@', p.host)
                FROM information_schema.innodb_trx t LEFT JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
                WHERE t.trx_rows_modified > 0 AND (p.id IS NULL OR p.db = DATABASE())
                ORDER BY p.id IS NULL, t.trx_started LIMIT 1
                """))
        await database.close()
        guard let row = rows?.first, let connection = try? row.uint(0), let seconds = try? row.uint(1) else { return nil }
        let user = try? row.optionalText(2)
        return JobStatus.Holder(connection: connection, user: user ?? "?", openSeconds: seconds)
    }
}

/// What has moved behind a checkpoint; generations that stand at the same one share it.
private struct UnprojectedSums {
    let positionsMax: UInt64
    private var known: [UInt64: JobStatus.Unprojected] = [:]

    init(positionsMax: UInt64) { self.positionsMax = positionsMax }

    mutating func read(
        after: Position, upTo head: Position, _ transaction: borrowing LedgerTransaction
    ) throws -> JobStatus.Unprojected {
        guard head > after else { return .money([]) }
        let count = head.number - after.number
        guard count <= positionsMax else { return .tooMany(count) }
        if let sum = known[after.number] { return sum }
        let money = try transaction.run(
            .select(
                """
                c.code, c.exponent, SUM(p.amount) FROM posting p JOIN account a ON a.id = p.debit JOIN currency c ON c.code = a.currency
                WHERE p.position > \(after.number) AND p.position <= \(head.number) GROUP BY c.code, c.exponent ORDER BY c.code
                """)
        ).map { row in
            JobStatus.Money(
                currency: try Currency(try CurrencyCode(try row.text(0)), exponent: Int(try row.uint(1))), minorUnits: try row.decimal(2))
        }
        known[after.number] = .money(money)
        return .money(money)
    }
}
