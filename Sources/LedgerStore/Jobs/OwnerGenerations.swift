public import LedgerDatabase
public import LedgerModel

/// Which generation is live, and which are retired: the owner's decisions.
extension BookOwner {
    /// Lets readers read another generation from now on; the one that they have read goes on beside it.
    /// - Parameters:
    ///   - lagMax: it may be so many positions behind the live one.
    ///   - force: also if it is further behind.
    /// - Returns: the generation that was live before; nil if the job had none.
    /// - Throws: `historyUnavailable` for a generation that is not there, not finished or retired, `schema` for one of another
    ///   definition, `tailTooLong` for one that is too far behind, `accessDenied` for anybody but the owner.
    @discardableResult
    public func switchLive(
        _ job: any Job, to number: UInt32, lagMax: UInt64 = 10_000, force: Bool = false
    ) async throws(LedgerError) -> UInt32? {
        try await switching(job.definition, lagMax, force) { _, _ in number }.from
    }

    /// Lets readers read the generation again that was live before this one.
    /// - Returns: the generation that was live, and the one that is now.
    /// - Throws: `historyUnavailable` if no other was live before, or that one is retired; else as ``switchLive(_:to:lagMax:force:)``.
    @discardableResult
    public func switchBack(
        _ job: any Job, lagMax: UInt64 = 10_000, force: Bool = false
    ) async throws(LedgerError) -> (from: UInt32, to: UInt32) {
        let definition = job.definition
        let (from, to) = try await switching(definition, lagMax, force) { live, transaction in
            let rows = try transaction.run(
                .select(
                    """
                    generation FROM live WHERE job = \(definition.name) AND generation <> \(live ?? 0)
                    ORDER BY sequence DESC LIMIT 1
                    """))
            guard live != nil, let row = rows.first else {
                throw LedgerError(.historyUnavailable, "no other generation of “\(definition.name)” was ever live")
            }
            return UInt32(try row.uint(0))
        }
        return (from ?? 0, to)
    }

    /// Drops the tables of a generation, for ever. Workers stop working on it; a step at hand ends first.
    ///
    /// Claiming the next place in `live` decides against whoever switches to it at the same moment. If it ends in the middle, doing it
    /// again goes on.
    /// - Throws: `conflict` for the live generation and if none is (so the only one stays), `historyUnavailable` for one that is not there,
    ///   `accessDenied` for anybody but the owner.
    public func retire(_ job: String, generation number: UInt32) async throws(LedgerError) {
        try await withDatabase { database in
            try await Self.untilFirst {
                try await database.write { transaction in
                    if try Self.isRetired(job, number, transaction) { return }
                    let all = try Generation.all(transaction).filter { $0.job == job }
                    guard all.contains(where: { $0.number == number }) else { throw try Self.missing(job, number, transaction) }
                    guard let live = try Self.newestSwitch(job, transaction) else {
                        throw LedgerError(.conflict, "“\(job)” has no live generation: switch to one that is to stay first")
                    }
                    guard live.generation != number else {
                        throw LedgerError(
                            .conflict, "generation \(number) of “\(job)” is the live one: readers read it. Switch to another first")
                    }
                    try Self.insertSwitch(job, live.sequence + 1, live.generation, transaction)
                    try transaction.run(.insert(into: .retirement, ["job", "generation"], rows: [[.text(job), .uint(number)]]))
                }
            }
            try await dropGeneration(job: job, generation: number)
        }
    }

    // MARK: -

    private func withDatabase<T: Sendable>(_ body: (Database) async throws -> T) async throws(LedgerError) -> T {
        let database = Database(location, role: nil, connectionsMax: 1)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw Self.explained(error)
        }
    }

    /// The usual reason why the database refuses the user here.
    static func explained(_ error: any Error) -> LedgerError {
        let error = LedgerError.translating(error)
        guard error.code == .accessDenied else { return error }
        return LedgerError(.accessDenied, "only the owner of a book makes, switches and retires generations: \(error.message)")
    }

    /// Again while others are faster.
    private static func untilFirst<T>(_ body: () async throws -> T) async throws -> T {
        while true {
            do { return try await body() } catch let error as DatabaseError {
                switch error.kind {
                case .duplicateKey, .tryAgain: continue
                default: throw error
                }
            }
        }
    }

    private func switching(
        _ definition: JobDefinition, _ lagMax: UInt64, _ force: Bool,
        _ choose: @Sendable (UInt32?, borrowing LedgerTransaction) throws -> UInt32
    ) async throws(LedgerError) -> (from: UInt32?, to: UInt32) {
        let job = definition.name
        return try await withDatabase { database in
            try await Self.untilFirst {
                try await database.write { transaction in
                    let newest = try Self.newestSwitch(job, transaction)
                    let number = try choose(newest?.generation, transaction)
                    try Self.check(definition, number, newest?.generation, force ? nil : lagMax, transaction)
                    if newest?.generation != number { try Self.insertSwitch(job, (newest?.sequence ?? 0) + 1, number, transaction) }
                    return (newest?.generation, number)
                }
            }
        }
    }

    private static func check(
        _ definition: JobDefinition, _ number: UInt32, _ live: UInt32?, _ lagMax: UInt64?, _ transaction: borrowing LedgerTransaction
    ) throws {
        let job = definition.name
        guard let generation = try Generation.all(transaction).first(where: { $0.job == job && $0.number == number }) else {
            throw try missing(job, number, transaction)
        }
        guard generation.fingerprint == definition.fingerprint else {
            throw LedgerError(
                .schema, "generation \(number) of “\(job)” was made by another definition than this program's, so its readers could not read "
                    + "it: switch with the program that made it, or `indelible project rebuild \(job)`")
        }
        guard let live, live != number, let lagMax else { return }
        let target = try Checkpoint.newest(job: job, generation: number, transaction).through.number
        let current = try Checkpoint.newest(job: job, generation: live, transaction).through.number
        guard current <= target || current - target <= lagMax else {
            throw LedgerError(
                .tailTooLong, "generation \(number) of “\(job)” is at position \(target), \(current - target) behind the live generation "
                    + "\(live): readers would read old rows. Let it catch up (`indelible project once \(job)`), or force it")
        }
    }

    private static func newestSwitch(
        _ job: String, _ transaction: borrowing LedgerTransaction
    ) throws -> (sequence: UInt64, generation: UInt32)? {
        let rows = try transaction.run(
            .select("sequence, generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1"))
        return try rows.first.map { (try $0.uint(0), UInt32(try $0.uint(1))) }
    }

    private static func insertSwitch(
        _ job: String, _ sequence: UInt64, _ generation: UInt32, _ transaction: borrowing LedgerTransaction
    ) throws {
        try transaction.run(
            .insert(into: .live, ["job", "sequence", "generation"], rows: [[.text(job), .uint(sequence), .uint(generation)]]))
    }

    private static func isRetired(_ job: String, _ number: UInt32, _ transaction: borrowing LedgerTransaction) throws -> Bool {
        try !transaction.run(.select("1 FROM retirement WHERE job = \(job) AND generation = \(number)")).isEmpty
    }

    /// Why a generation cannot be had.
    static func missing(
        _ job: String, _ number: UInt32, _ transaction: borrowing LedgerTransaction
    ) throws -> LedgerError {
        if try isRetired(job, number, transaction) {
            return LedgerError(.historyUnavailable, "generation \(number) of “\(job)” is retired; its tables are gone")
        }
        let isThere = try !transaction.run(.select("1 FROM generation WHERE job = \(job) AND generation = \(number)")).isEmpty
        return LedgerError(
            .historyUnavailable, isThere
                ? "generation \(number) of “\(job)” is not finished: whoever made it stopped before its tables were there. Rebuild"
                : "“\(job)” has no generation \(number): `indelible project status` shows those that there are")
    }
}
