public import LedgerDatabase
public import LedgerModel

/// Proves a book against itself. It reads one snapshot, claims nothing, and shares no query and no arithmetic with what it
/// checks: sums and digests are made by the server.
public struct Auditor: Sendable {
    private let database: Database

    /// Connects as the book's `auditor`.
    public init(_ location: BookLocation) {
        database = Database(location, role: .auditor, connectionsMax: 1)
    }

    public func close() async { await database.close() }

    /// Examines the book up to the first gap in its snapshot.
    /// - Parameter lagMax: so many positions after the checkpoint may be not covered by the balances, the account lines or the fees, and the book
    ///   still be clean; for books that are written to all the time.
    /// - Throws: ``LedgerError`` if the book cannot be read. What it finds is in the result.
    public func reconcile(lagMax: UInt64 = 0) async throws(LedgerError) -> Reconciliation {
        let book = database.location.book
        return try await translated {
            try await database.read { transaction in
                let basis = try Self.basis(book, transaction)
                let journal = JournalAudit(through: basis.journalThrough.number)
                let balances = BalanceAudit(through: basis.checkpoint.number, generation: basis.generation)
                let (holds, controls) = (HoldAudit(through: journal.through), ControlAudit(through: journal.through))
                let streams = StreamAudit(through: journal.through)
                let lines = try AccountLineAudit(transaction)
                let fees = try FeeAudit(transaction)
                let proofs = [ProofAudit.Subject(job: "balance", generation: basis.generation, through: basis.checkpoint.number)]
                    + (lines.generation.map { [.init(job: "account_line", generation: $0, through: lines.through)] } ?? [])
                    + (fees.generation.map { [.init(job: "fee", generation: $0, through: fees.through)] } ?? [])
                let trial = try balances.trialBalance(transaction)
                return Reconciliation(
                    basis: basis,
                    checks: [
                        try journal.positions(checkpoint: basis.checkpoint, transaction),
                        try journal.lines(transaction),
                        try journal.accounts(transaction),
                        try holds.settlements(transaction),
                        try holds.expiries(transaction),
                        try holds.reversals(transaction),
                        try controls.controls(transaction),
                        try controls.closings(transaction),
                        try streams.streams(transaction),
                        try streams.claims(transaction),
                        try ProcessAudit(through: journal.through).check(transaction),
                        try CommandAudit(through: journal.through).commands(transaction),
                        try LimitAudit(through: journal.through).check(transaction),
                        try ProofAudit(subjects: proofs).check(transaction),
                        try balances.check(transaction),
                        try BalanceHistoryAudit(through: basis.checkpoint.number, generation: basis.generation, lines: lines).check(transaction),
                        try BalanceSpanAudit(through: basis.checkpoint.number, generation: basis.generation).check(transaction),
                        BalanceAudit.trialCheck(trial),
                        try lines.check(transaction),
                    ] + (try fees.checks(now: basis.takenAt, transaction)),
                    trialBalance: trial, notCovered: Self.notCovered(basis, lines, fees, lagMax))
            }
        }
    }

    private static func basis(_ book: String, _ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Basis {
        let live = try transaction.run(
            .select("generation FROM live WHERE job = 'balance' ORDER BY sequence DESC LIMIT 1"))
        guard let generation = try live.first?.uint(0) else {
            throw LedgerError(.schema, "the book has no balances to reconcile: `indelible init` creates them")
        }
        let rows = try transaction.run(
            .select(
                """
                UTC_TIMESTAMP(6), (SELECT COALESCE(MAX(position), 0) FROM entry),
                (SELECT COALESCE(MAX(through_position), 0) FROM checkpoint WHERE job = 'balance' AND generation = \(generation))
                """))
        // The first position whose successor is missing ends the complete prefix.
        let prefix = try transaction.run(
            .select(
                """
                IF(EXISTS (SELECT 1 FROM entry WHERE position = 1), (SELECT a.position FROM entry a
                LEFT JOIN entry b ON b.position = a.position + 1 WHERE b.position IS NULL ORDER BY a.position LIMIT 1), 0)
                """))
        guard let row = rows.first, let takenAt = Timestamp(sqlText: try row.text(0)) else {
            throw LedgerError(.schema, "the database gave no time")
        }
        return Reconciliation.Basis(
            book: book, takenAt: takenAt, journalThrough: Position(try prefix[0].uint(0)), head: Position(try row.uint(1)),
            generation: UInt32(generation), checkpoint: Position(try row.uint(2)))
    }

    private static func notCovered(_ basis: Reconciliation.Basis, _ lines: AccountLineAudit, _ fees: FeeAudit, _ lagMax: UInt64) -> [String] {
        var notes: [String] = []
        let (journal, checkpoint) = (basis.journalThrough.number, basis.checkpoint.number)
        if journal > checkpoint, journal - checkpoint > lagMax {
            notes.append(
                "the balances do not cover \(journal - checkpoint) positions after \(checkpoint): run `indelible project once`")
        }
        if lines.generation == nil {
            notes.append(
                "the book has no live generation of account lines: run `indelible project rebuild account_line`, then "
                    + "`indelible project switch account_line`")
        } else if journal > lines.through, journal - lines.through > lagMax {
            notes.append(
                "the account lines do not cover \(journal - lines.through) positions after \(lines.through): run `indelible project once`")
        }
        if fees.generation == nil {
            notes.append("the book has no live generation of fees: run `indelible project rebuild fee`, then `indelible project switch fee`")
        } else if journal > fees.through, journal - fees.through > lagMax {
            notes.append("the fees do not cover \(journal - fees.through) positions after \(fees.through): run `indelible project once`")
        }
        if basis.head.number > journal, basis.head.number - journal > lagMax {
            notes.append(
                "position \(journal + 1) is missing below \(basis.head), so nothing from there on was examined: a transaction "
                    + "holds it, or it was rolled back and the projector has not passed yet (`indelible project once`)")
        }
        return notes
    }
}
