import LedgerDatabase
public import LedgerModel

/// How far one generation of a job is, measured against the journal.
public struct JobStatus: Sendable {
    public let generation: Generation
    /// Its rows are true up to here.
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

extension Projector {
    /// How far every generation is, of jobs that this program does not know too.
    public func status() async throws(LedgerError) -> [JobStatus] {
        try await translated {
            try await database.read { transaction in
                try Generation.all(transaction).map { generation in
                    let (job, number) = (generation.job, generation.number)
                    let checkpoint = try Checkpoint.newest(job: job, generation: number, transaction)
                    let rows = try transaction.run(
                        .select(
                            """
                            (SELECT COALESCE(MAX(position), 0) FROM entry),
                            (SELECT recorded_at FROM checkpoint WHERE job = \(job) AND generation = \(number)
                             ORDER BY from_position DESC LIMIT 1),
                            (SELECT recorded_at FROM entry WHERE position > \(checkpoint.through.number) ORDER BY position LIMIT 1),
                            UTC_TIMESTAMP(6)
                            """))
                    guard let row = rows.first, let now = Timestamp(sqlText: try row.text(3)) else {
                        throw LedgerError(.schema, "the database gave no status")
                    }
                    return JobStatus(
                        generation: generation, through: checkpoint.through, head: Position(try row.uint(0)),
                        steppedAt: try row.optionalText(1).flatMap(Timestamp.init(sqlText:)),
                        oldestWaitingRecordedAt: try row.optionalText(2).flatMap(Timestamp.init(sqlText:)), now: now)
                }
            }
        }
    }
}
