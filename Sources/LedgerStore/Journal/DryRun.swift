import LedgerDatabase
public import LedgerModel

/// What posting an entry would do.
public struct Preview: Sendable, Hashable {
    public let id: EntryID
    /// The receipt of the first time, if the entry is recorded already.
    public let standing: Receipt?
    /// What the accounts of its postings would stand at after it.
    public let balances: [Balance]
}

extension Ledger {
    /// Says what posting a batch would do, by the same arithmetic and in the same order, and writes nothing: no position is
    /// taken and nobody waits for it.
    ///
    /// It is true of one moment; what is posted meanwhile may change the answer.
    /// - Throws: what posting the batch would throw.
    public func preview(_ batch: [Entry]) async throws(LedgerError) -> [Preview] {
        try await translated {
            let drafts = try await drafts(batch)
            let accounts = try await catalog.accounts(Set(drafts.flatMap { $0.postings.flatMap { [$0.debit, $0.credit] } }))
            let step = WriteStep(catalog: catalog, memory: nil, tailMax: tailMax)
            return try await database.read { transaction in
                let standing = try step.preview(drafts, transaction)
                var lines = try step.read(accounts.keys.sorted(), try WriteStep.clock(transaction), transaction)
                for id in lines.keys { lines[id]?.releaseExpired() }
                let totals = lines.mapValues(\.totals)
                let through = try BalanceReader.currentPrefix(transaction)
                return Self.previews(drafts, standing, accounts, totals, through)
            }
        }
    }

    private static func previews(
        _ drafts: [Draft], _ standing: [EntryID: JournalEntry], _ accounts: [AccountID: Account],
        _ totals: [AccountID: Totals], _ through: Position
    ) -> [Preview] {
        var totals = totals
        var moved: Set<EntryID> = []
        return drafts.map { draft in
            if standing[draft.id] == nil, moved.insert(draft.id).inserted {
                for posting in draft.postings {
                    totals[posting.debit, default: Totals()].add(.debit, posting.amount, posting.status)
                    totals[posting.credit, default: Totals()].add(.credit, posting.amount, posting.status)
                }
            }
            let touched = Set(draft.postings.flatMap { [$0.debit, $0.credit] }).compactMap { accounts[$0] }
            return Preview(
                id: draft.id, standing: standing[draft.id]?.receipt(isRepeat: true),
                balances: touched.sorted { ($0.path, $0.currency.code) < ($1.path, $1.currency.code) }.map {
                    Balance(account: $0, totals: totals[$0.id] ?? Totals(), through: through)
                })
        }
    }
}

extension WriteStep {
    /// Decides one request as ``run(_:attempt:_:)`` does, and neither claims nor inserts.
    /// - Returns: what stands of it already.
    func preview(
        _ request: Request, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [EntryID: JournalEntry] {
        try catalog.refreshControls(executor, isCurrent: false)
        let standing = try JournalRows.entries(request.map(\.id), executor)
        let now = try Self.clock(executor)
        let claimed = request.filter { standing[$0.id] == nil }.flatMap(\.limited).filter(\.claims).map(\.account)
        let lines = try read(Set(claimed).sorted(), now, executor)
        if let refusal = decide([request], standing, lines, now).results[0] { throw refusal }
        return standing
    }
}
