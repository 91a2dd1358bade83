import Foundation
public import LedgerDatabase
public import LedgerModel

extension BookOwner {
    /// Creates the book, or migrates it: schema, roles, and the first generation of each job. Running it again does
    /// nothing.
    /// - Parameters:
    ///   - resume: runs a migration again that was stopped in the middle.
    ///   - timeZone: where accounting days begin and end, by its IANA name; nil: the one that the book has, UTC for a new one.
    ///   - jobs: those that the book has from its beginning.
    /// - Throws: `conflict` if the book has another time zone, `invalidTime` for one that there is not.
    @discardableResult
    public func create(
        resume: Bool = false, timeZone: String? = nil, jobs: [any Job] = Projector.builtIn
    ) async throws(LedgerError) -> Plan {
        try await translated {
            if let timeZone, TimeZone(identifier: timeZone) == nil {
                throw LedgerError(.invalidTime, "“\(timeZone)” is no time zone: write a name like Europe/Berlin")
            }
            let plan = try await migrate(resume: resume)
            let standing = try await registerBook(timeZone: timeZone ?? "UTC")
            guard timeZone == nil || standing == timeZone else {
                throw LedgerError(.conflict, "the book's time zone is \(standing); it never changes")
            }
            for job in jobs {
                let definition = job.definition
                try await createGeneration(
                    job: definition.name, schema: definition.schema, fingerprint: definition.fingerprint, number: 1)
                try await makeFirstLive(job: definition.name, generation: 1)
            }
            return plan
        }
    }

    /// Makes the next generation of a job beside those that there are; nothing is computed yet, and what is live stays live.
    /// - Returns: its number.
    /// - Throws: `accessDenied` for anybody but the owner.
    @discardableResult
    public func createGeneration(of job: any Job) async throws(LedgerError) -> UInt32 {
        let definition = job.definition
        do {
            return try await createGeneration(job: definition.name, schema: definition.schema, fingerprint: definition.fingerprint)
        } catch { throw Self.explained(error) }
    }

    /// Makes the tables of a job and lets readers read them, if the book does not have that job yet.
    /// - Returns: the live generation.
    /// - Throws: `accessDenied` for anybody but the owner.
    @discardableResult
    public func createJob(_ job: any Job) async throws(LedgerError) -> UInt32 {
        let name = job.definition.name
        let database = Database(location, role: nil, connectionsMax: 1)
        let live: Result<UInt32?, any Error>
        do { live = .success(try await database.read { try Generation.live(of: name, $0)?.number }) } catch { live = .failure(error) }
        await database.close()
        if let live = try await translated({ try live.get() }) { return live }
        let number = try await createGeneration(of: job)
        try await switchLive(job, to: number)
        return number
    }
}
