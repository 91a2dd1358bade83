import LedgerDatabase
public import LedgerModel

/// What operators decide about a job: rows of `job_control`, the newest one says.
extension Projector {
    private enum Action: String { case pause, resume, retry }

    /// Stops a job between two steps, in every program that works on it, until ``resume(_:)``.
    /// - Returns: false if it was paused already.
    /// - Throws: `unknownEntry` if the book has no such job.
    @discardableResult
    public func pause(_ job: String) async throws(LedgerError) -> Bool {
        try await decide(.pause, job) { $0.newest != "pause" }
    }

    /// Lets a job go on that was paused.
    /// - Returns: false if it was not.
    /// - Throws: `unknownEntry` if the book has no such job.
    @discardableResult
    public func resume(_ job: String) async throws(LedgerError) -> Bool {
        try await decide(.resume, job) { $0.newest == "pause" }
    }

    /// Lets a job try again where it failed. What it has done so far stays; who wants to compute everything anew rebuilds.
    /// - Returns: false if nothing of it stands failed.
    /// - Throws: `unknownEntry` if the book has no such job.
    @discardableResult
    public func retry(_ job: String) async throws(LedgerError) -> Bool {
        try await decide(.retry, job) { $0.hasFailed }
    }

    private struct Decisions {
        let sequence: UInt64
        /// The newest of pause and resume.
        let newest: String?
        let hasFailed: Bool
    }

    private func decide(_ action: Action, _ job: String, if isOfUse: (Decisions) -> Bool) async throws(LedgerError) -> Bool {
        try requireWriter()
        return try await translated {
            while true {
                let decisions = try await decisions(job)
                guard isOfUse(decisions) else { return false }
                do {
                    try await database.run(
                        .insert(
                            into: .jobControl, ["job", "sequence", "action"],
                            rows: [[.text(job), .uint(decisions.sequence + 1), .text(action.rawValue)]]))
                    return true
                } catch let error as DatabaseError {
                    // Somebody else has decided something: look at that first.
                    guard case .duplicateKey = error.kind else { throw error }
                }
            }
        }
    }

    private func decisions(_ job: String) async throws -> Decisions {
        try await database.read { transaction in
            let row = try transaction.run(
                .select(
                    """
                    (SELECT COALESCE(MAX(sequence), 0) FROM job_control WHERE job = \(job)),
                    (SELECT action FROM job_control WHERE job = \(job) AND action <> 'retry' ORDER BY sequence DESC LIMIT 1),
                    (SELECT COALESCE(MAX(sequence), 0) FROM job_control WHERE job = \(job) AND action = 'retry')
                    """))[0]
            let generations = try Generation.all(transaction).filter { $0.job == job }
            guard !generations.isEmpty else {
                throw LedgerError(.unknownEntry, "the book has no job “\(job)”: `indelible project status` shows those that it has")
            }
            let attempt = try row.uint(2)
            let hasFailed = try generations.contains { generation in
                let through = try Checkpoint.newest(job: job, generation: generation.number, transaction).through
                return try !transaction.run(
                    .select(
                        """
                        1 FROM job_failure WHERE job = \(job) AND generation = \(generation.number)
                        AND from_position = \(through.number) AND attempt = \(attempt)
                        """)
                ).isEmpty
            }
            return Decisions(sequence: try row.uint(0), newest: try row.optionalText(1), hasFailed: hasFailed)
        }
    }
}
