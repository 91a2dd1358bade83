import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Records the opposite of an entry: every posting with debit and credit swapped. An entry is reversed once, whoever asks;
    /// the same again returns the first receipt.
    ///
    /// A hold is voided instead. Of a capture what it posted is reversed. The reversal of a reversal is a reversal too. Like
    /// every draw it is refused if it would break a limit.
    /// - Parameter effectiveAt: when the reversal counts; nil: when it is recorded.
    /// - Throws: `unknownEntry`, `notReversible` for an entry that moved nothing, `conflict` if it was reversed with other
    ///   words or another time, and as ``post(_:)-(Entry)``.
    @discardableResult
    public func reverse(
        _ id: EntryID, effectiveAt: Timestamp? = nil, description: String? = nil, reference: String? = nil, actor: String? = nil,
        backdating: Backdating = .refuse
    ) async throws(LedgerError) -> Receipt {
        try requireWriter()
        return try await translated {
            guard let entry = try await standing([id])[id] else {
                throw LedgerError(.unknownEntry, "there is no entry with the id \(id)", id: id)
            }
            let accounts = try await catalog.accounts(Set(entry.postings.flatMap { [$0.debit, $0.credit] }))
            var draft = try Draft(
                reversing: entry, effectiveAt: effectiveAt, description: description, reference: reference, actor: actor,
                account: { accounts[$0] })
            draft.backdating = backdating
            return try await commits.write([draft].following(Trace.current))[0]
        }
    }
}

extension Draft {
    /// The entry that reverses another: what that posted, with debit and credit swapped.
    init(
        reversing entry: JournalEntry, effectiveAt: Timestamp?, description: String?, reference: String?, actor: String?,
        account: (AccountID) -> Account?
    ) throws(LedgerError) {
        let posted = entry.postings.filter { $0.status == .posted }
        guard let id = entry.id, !posted.isEmpty else {
            let hint = entry.postings.contains { $0.status == .pending } ? ": it is a hold, void it" : ""
            throw LedgerError(
                .notReversible, "the entry at position \(entry.position) moved nothing that could be reversed\(hint)", id: entry.id)
        }
        let postings = posted.enumerated().map { line, posting in
            JournalPosting(
                line: UInt32(line + 1), debit: posting.credit, credit: posting.debit, amount: posting.amount, status: .posted)
        }
        var payload: [String: JSON] = ["reverses": .string(id.description)]
        for (key, value) in [("description", description), ("reference", reference), ("actor", actor)] {
            if let value { payload[key] = .string(value) }
        }
        self.init(
            id: .reversal(of: id), kind: .reversed, effectiveAt: effectiveAt, payload: .object(payload), postings: postings,
            account: account)
        refersTo = entry.position
    }
}
