import LedgerDatabase
public import LedgerModel

/// One computation of a job, with tables of its own; rebuilding makes another one beside it.
public struct Generation: Sendable, Hashable {
    public let job: String
    public let number: UInt32
    /// Of the definition that made it.
    public let fingerprint: [UInt8]
    /// Readers read it: the newest switch says.
    public let isLive: Bool
    public let createdAt: Timestamp

    /// All that are ready and not retired, by job and number.
    static func all(_ transaction: borrowing some SQLExecutor & ~Copyable) throws -> [Generation] {
        try transaction.run(
            .select(
                """
                g.job, g.generation, g.fingerprint, g.created_at, COALESCE(g.generation = (SELECT live.generation FROM live
                 WHERE live.job = g.job ORDER BY live.sequence DESC LIMIT 1), 0)
                FROM generation g JOIN generation_ready b ON b.job = g.job AND b.generation = g.generation
                LEFT JOIN retirement r ON r.job = g.job AND r.generation = g.generation
                WHERE r.job IS NULL ORDER BY g.job, g.generation
                """)
        ).map { row in
            guard let number = UInt32(exactly: try row.uint(1)), let createdAt = Timestamp(sqlText: try row.text(3)) else {
                throw LedgerError(.schema, "a generation of \(try row.text(0)) cannot be one")
            }
            return Generation(
                job: try row.text(0), number: number, fingerprint: try row.bytes(2), isLive: try row.uint(4) == 1, createdAt: createdAt)
        }
    }

    /// The live generation of a job, or nil.
    static func live(
        of job: String, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> (number: UInt32, fingerprint: [UInt8])? {
        let rows = try transaction.run(
            .select(
                """
                live.generation, generation.fingerprint FROM live
                JOIN generation ON generation.job = live.job AND generation.generation = live.generation
                WHERE live.job = \(job) ORDER BY live.sequence DESC LIMIT 1
                """))
        guard let row = rows.first, let number = UInt32(exactly: try row.uint(0)) else { return nil }
        return (number, try row.bytes(1))
    }

    /// The live generation of a job that this program can read.
    /// - Throws: `schema` if there is none, or another definition made it.
    static func readable(
        _ definition: JobDefinition, _ transaction: borrowing some SQLExecutor & ~Copyable
    ) throws -> UInt32 {
        guard let live = try live(of: definition.name, transaction) else {
            throw LedgerError(.schema, "the book has no live generation of “\(definition.name)”: `indelible init` creates those of "
                    + "every book, `indelible project rebuild` and `switch` any other")
        }
        guard live.fingerprint == definition.fingerprint else {
            throw LedgerError(
                .schema, "generation \(live.number) of “\(definition.name)” was made by another definition than this program's: run the "
                    + "program that made it, or `indelible project rebuild \(definition.name)` and then switch")
        }
        return live.number
    }
}
