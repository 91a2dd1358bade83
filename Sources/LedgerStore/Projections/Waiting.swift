import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Returns when the live generation of a job covers the entry of a receipt: what is projected from then on has it.
    ///
    /// ```swift
    /// let receipt = try await ledger.post(entry)
    /// try await ledger.wait(for: receipt)
    /// let balance = try await ledger.balance(of: "customers:alice", in: .eur, at: .projected)
    /// ```
    /// Some projector has to run, here or elsewhere. Who only needs the balance asks for it with
    /// ``BalanceTime/atLeast(_:)``, which does not wait for a job.
    /// - Throws: `jobBehind` with the job's lag when the time is over; `historyUnavailable` if the journal holds another entry
    ///   there; `schema` if the job has no live generation.
    public func wait(
        for receipt: Receipt, job: String = "balance", timeout: Duration = .seconds(10)
    ) async throws(LedgerError) {
        if let elsewhere = try await elsewhere() { return try await elsewhere.wait(for: receipt, job: job, timeout: timeout) }
        guard try await wait(until: receipt.position, id: receipt.id, job: job, timeout: timeout) else { throw BalanceReader.missing(receipt) }
    }

    /// Returns when the live generation of a job has reached a position: whether the entry with this id stands there then.
    @discardableResult
    func wait(
        until position: Position, id: EntryID? = nil, job: String, timeout: Duration
    ) async throws(LedgerError) -> Bool {
        let deadline = ContinuousClock.now + timeout
        var pause = Duration.milliseconds(1)
        while true {
            let state = try await reached(position, id, job)
            if state.through >= position { return state.isStanding }
            guard ContinuousClock.now < deadline else {
                let lag = state.head.number - min(state.head.number, state.through.number)
                throw LedgerError(
                    .jobBehind, "the job \(job) is at position \(state.through) after \(timeout), \(position.number - state.through.number) "
                        + "before the entry that is waited for; its lag is \(lag) positions. Run the projector (`indelible project run`), "
                        + "or look why it does not get on (`indelible project status`)", id: id)
            }
            do { try await Task.sleep(for: min(pause, deadline - .now)) } catch { throw LedgerError.translating(error) }
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// How far the job is, and whether the entry stands where its receipt says.
    private func reached(
        _ position: Position, _ id: EntryID?, _ job: String
    ) async throws(LedgerError) -> (through: Position, head: Position, isStanding: Bool) {
        try await translated {
            let rows = try await database.run(
                .select(
                    """
                    COALESCE((SELECT through_position FROM checkpoint WHERE checkpoint.job = \(job) AND checkpoint.generation = live.generation
                     ORDER BY from_position DESC LIMIT 1), 0), (SELECT COALESCE(MAX(position), 0) FROM entry),
                    (SELECT COUNT(*) FROM entry WHERE position = \(position.number) AND id = \(id?.bytes ?? []))
                    FROM (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1) live
                    """))
            guard let row = rows.first else {
                throw LedgerError(.schema, "the book has no live generation of “\(job)”: `indelible init` creates those of every book")
            }
            return (Position(try row.uint(0)), Position(try row.uint(1)), try row.uint(2) == 1)
        }
    }
}
