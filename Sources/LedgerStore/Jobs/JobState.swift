import LedgerDatabase
public import LedgerModel

/// A step that cannot be done: the job stands there until an operator says retry, or does the step.
public struct JobFailure: Sendable, Hashable {
    public let job: String
    public let generation: UInt32
    /// The job is done up to here.
    public let after: Position
    /// The entry at fault, if it is known.
    public let position: Position?
    /// As `LedgerError.Code` writes it.
    public let code: String
    public let message: String

    /// As an error to end a command with.
    public var error: LedgerError {
        LedgerError(
            .integrity, "the job \(job) (generation \(generation)) stands at position \(after)"
                + (position.map { " and cannot process the entry at \($0)" } ?? "") + ": \(message)")
    }

    /// Keeps it, once for each retry.
    func record(attempt: UInt64, _ database: Database) async throws {
        do {
            try await database.run(
                .insert(
                    into: .jobFailure, ["job", "generation", "from_position", "attempt", "position", "code", "message"],
                    rows: [[
                        .text(job), .uint(generation), .uint(after.number), .uint(attempt), position.map { .uint($0.number) } ?? .null,
                        .text(code), .text(String(message.prefix(2000))),
                    ]]))
        } catch let error as DatabaseError {
            // Another worker has met it too.
            guard case .duplicateKey = error.kind else { throw error }
        }
    }
}

/// What a worker has to know before a step, in one statement.
struct JobState: Sendable {
    var checkpoint: Checkpoint
    /// The highest position in the journal.
    var head: Position
    var isPaused: Bool
    var isRetired: Bool
    /// Decisions of operators so far; a failure is kept once for each.
    var decisions: UInt64
    /// That stands: it happened here, and no retry has come after it.
    var failure: JobFailure?

    static func read(_ definition: JobDefinition, _ generation: UInt32, _ database: Database) async throws -> JobState {
        let job = definition.name
        let row = try await database.run(
            .select(
                """
                c.through_position, c.entries, c.postings, c.hash, (SELECT COALESCE(MAX(position), 0) FROM entry),
                (SELECT action FROM job_control WHERE job = \(job) AND action <> 'retry' ORDER BY sequence DESC LIMIT 1),
                COALESCE(d.sequence, 0), f.position, f.code, f.message, g.fingerprint, r.generation
                FROM (SELECT 1) one
                LEFT JOIN (SELECT through_position, entries, postings, hash FROM checkpoint
                 WHERE job = \(job) AND generation = \(generation) ORDER BY from_position DESC LIMIT 1) c ON TRUE
                LEFT JOIN (SELECT sequence FROM job_control WHERE job = \(job) AND action = 'retry' ORDER BY sequence DESC LIMIT 1) d ON TRUE
                LEFT JOIN job_failure f ON f.job = \(job) AND f.generation = \(generation)
                 AND f.from_position = COALESCE(c.through_position, 0) AND f.attempt = COALESCE(d.sequence, 0)
                LEFT JOIN generation g ON g.job = \(job) AND g.generation = \(generation)
                LEFT JOIN retirement r ON r.job = \(job) AND r.generation = \(generation)
                """))[0]
        guard !row.isNull(10) else {
            throw LedgerError(.schema, "the job \(job) has no generation \(generation): `indelible project rebuild \(job)` makes one")
        }
        guard try row.bytes(10) == definition.fingerprint else {
            throw LedgerError(
                .schema, "generation \(generation) of the job \(job) was made by another definition than this program's: run the "
                    + "program that made it, or `indelible project rebuild \(job)`")
        }
        var checkpoint = Checkpoint()
        if !row.isNull(0) {
            checkpoint = Checkpoint(
                through: Position(try row.uint(0)),
                proof: JournalProof(entries: try row.uint(1), postings: try row.uint(2), hash: try row.bytes(3)))
        }
        var failure: JobFailure?
        if !row.isNull(8) {
            failure = JobFailure(
                job: job, generation: generation, after: checkpoint.through,
                position: row.isNull(7) ? nil : Position(try row.uint(7)), code: try row.text(8), message: try row.text(9))
        }
        return JobState(
            checkpoint: checkpoint, head: Position(try row.uint(4)), isPaused: try row.optionalText(5) == "pause",
            isRetired: !row.isNull(11), decisions: try row.uint(6), failure: failure)
    }
}
