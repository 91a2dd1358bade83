public import LedgerDatabase
public import LedgerModel

/// The rows of a projection of your own, in its live generation, on one snapshot.
public struct ProjectionReader: ~Copyable {
    private let transaction: LedgerTransaction
    public let generation: UInt32
    /// The rows are true up to here.
    public let through: Position

    init(_ transaction: borrowing LedgerTransaction, generation: UInt32, through: Position) {
        self.transaction = transaction.rewrapped()
        self.generation = generation
        self.through = through
    }

    /// The table `base_g1` of this generation 1.
    public borrowing func table(_ base: StaticString) -> LedgerTable { .generated(base, generation: generation) }

    /// `SELECT` and what follows.
    public borrowing func select(_ rest: SelectText) throws -> Rows { try transaction.run(.select(rest)) }
}

extension Ledger {
    /// Reads rows of a projection, of whatever generation is live. All statements of `body` see the same state of the book.
    /// - Throws: `schema` if the projection has no live generation, or another definition made it; and what `body` throws, as a
    ///   ``LedgerError``.
    public func read<T: Sendable>(
        _ job: any Job, _ body: @Sendable (borrowing ProjectionReader) throws -> T
    ) async throws(LedgerError) -> T {
        if let elsewhere = try await elsewhere() { return try await elsewhere.read(job, body) }
        let definition = job.definition
        return try await translated {
            try await database.read { transaction in
                let generation = try Generation.readable(definition, transaction)
                let through = try Checkpoint.newest(job: definition.name, generation: generation, transaction).through
                return try body(ProjectionReader(transaction, generation: generation, through: through))
            }
        }
    }
}
