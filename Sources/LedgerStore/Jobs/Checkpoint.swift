import LedgerDatabase
import LedgerModel

/// How far a job got, and the proof of what it has read.
struct Checkpoint: Sendable, Equatable {
    var through: Position = .zero
    var proof = JournalProof()

    /// The newest checkpoint of a generation, or the beginning.
    static func newest(
        job: String, generation: UInt32, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> Checkpoint {
        try read(
            transaction.run(
                .select(
                    """
                    through_position, entries, postings, hash FROM checkpoint
                    WHERE job = \(job) AND generation = \(generation) ORDER BY from_position DESC LIMIT 1
                    """)))
    }

    /// The newest checkpoint that lies at or before a position, or the beginning.
    static func atOrBefore(
        _ position: Position, job: String, generation: UInt32, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> Checkpoint {
        try read(
            transaction.run(
                .select(
                    """
                    through_position, entries, postings, hash FROM checkpoint
                    WHERE job = \(job) AND generation = \(generation) AND from_position < \(position.number)
                    AND through_position <= \(position.number) ORDER BY from_position DESC LIMIT 1
                    """)))
    }

    private static func read(_ rows: Rows) throws -> Checkpoint {
        guard let row = rows.first else { return Checkpoint() }
        return Checkpoint(
            through: Position(try row.uint(0)),
            proof: JournalProof(entries: try row.uint(1), postings: try row.uint(2), hash: try row.bytes(3)))
    }

    /// Claims the step after `previous`; false if another worker has it.
    static func claim(
        _ next: Checkpoint, after previous: Position, job: String, generation: UInt32,
        _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> Bool {
        do throws(DatabaseError) {
            try transaction.run(
                .insert(
                    into: .checkpoint,
                    ["job", "generation", "from_position", "through_position", "entries", "postings", "hash"],
                    rows: [[
                        .text(job), .uint(generation), .uint(previous.number), .uint(next.through.number),
                        .uint(next.proof.entries), .uint(next.proof.postings), .bytes(next.proof.hash),
                    ]]))
            return true
        } catch {
            // The claim was taken, or two claims met.
            switch error.kind {
            case .duplicateKey, .tryAgain, .lockWaitTimeout: return false
            default: throw error
            }
        }
    }
}
