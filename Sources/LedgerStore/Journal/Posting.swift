public import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Records an entry, once.
    ///
    /// Entries that are posted at the same time are written together (group commit), each answered by itself. Posting the same
    /// id with the same content again returns the first receipt. What the server filled in (the effective time, if you gave
    /// none) is not content. A task that is cancelled before its entry was taken up posts nothing; after that it gets its answer.
    /// - Throws: in this order, the first that applies: `invalidEntry`, `invalidAmount` or `invalidTime` for an entry that no
    ///   book would record; `unknownAccount` or `currencyMismatch`; `conflict` if the id stands for another content;
    ///   `periodClosed`, `accountClosed`, `accountFrozen`, `limitExceeded` for what the book's rules refuse. `outcomeUnknown` if
    ///   the database went away at COMMIT and did not come back: post the same entry again to learn what happened. `readOnly` in a
    ///   process that only reads, as from everything that records something.
    @discardableResult
    public func post(_ entry: Entry) async throws(LedgerError) -> Receipt {
        do throws(LedgerError) { return try await post([entry])[0] } catch { throw error.about(index: nil, id: entry.id) }
    }

    /// Records a batch of entries: all of them, or none.
    /// - Returns: a receipt for each, in the same order.
    /// - Throws: as ``post(_:)-(Entry)``, with the index of the entry that is at fault.
    @discardableResult
    public func post(_ batch: [Entry]) async throws(LedgerError) -> [Receipt] {
        try requireWriter()
        guard !batch.isEmpty else { return [] }
        return try await translated { try await commits.write(try await drafts(batch).following(Trace.current)) }
    }

    /// Records an entry within a database transaction of your own, which you commit or roll back.
    ///
    /// The receipt is provisional: until your COMMIT its position names nothing. A conflict with somebody else is thrown
    /// (`busy`), never tried again here; roll back and start again. Any isolation level will do but READ UNCOMMITTED; keep the
    /// transaction short after this, because every job waits for its position. It blocks the thread for as long as the
    /// database takes.
    /// - Throws: as ``post(_:)-(Entry)``; after any error roll back.
    @discardableResult
    public func post(
        _ entry: Entry, in executor: borrowing some SQLExecutor & ~Copyable
    ) throws(LedgerError) -> Receipt {
        do throws(LedgerError) { return try post([entry], in: executor)[0] } catch { throw error.about(index: nil, id: entry.id) }
    }

    /// Records a batch of entries within a database transaction of your own.
    @discardableResult
    public func post(
        _ batch: [Entry], in executor: borrowing some SQLExecutor & ~Copyable
    ) throws(LedgerError) -> [Receipt] {
        guard !batch.isEmpty else { return [] }
        do {
            let drafts = try drafts(batch, executor)
            return try writeNow(drafts.following(Trace.current), executor)
        } catch { throw Self.surfaced(error) }
    }

    func writeNow(
        _ drafts: [Draft], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [Receipt] {
        let session = try executor.run(.select("@@tx_isolation, @@in_transaction"))[0]
        guard try session.text(0) != "READ-UNCOMMITTED" else {
            throw LedgerError(.invalidEntry, "the transaction reads uncommitted rows: use READ COMMITTED")
        }
        guard try session.uint(1) == 1 else {
            throw LedgerError(.invalidEntry, "there is no transaction to post in: begin one first")
        }
        do {
            // Every id is looked up and every account is read: nothing that is remembered is of use in a snapshot of the caller's.
            let step = WriteStep(catalog: catalog, memory: nil, tailMax: tailMax)
            return try step.run([drafts], attempt: 1, executor).results[0].get()
        } catch let nothing as WriteStep.NothingToWrite {
            return try nothing.outcome.results[0].get()
        }
    }

    /// In the caller's transaction a claim that somebody else has is the caller's to try again.
    static func surfaced(_ error: any Error) -> LedgerError {
        guard let error = error as? DatabaseError, case .duplicateKey = error.kind else { return LedgerError.translating(error) }
        return LedgerError(.busy, "somebody else was faster; roll back and try the whole transaction again")
    }

    /// For each entry the conflict with what stands for its id in the book, or nil. Nothing is written.
    func conflicts(_ entries: [Entry]) async throws(LedgerError) -> [LedgerError?] {
        try await translated {
            let standing = try await standing(entries.map(\.id))
            var conflicts = [LedgerError?](repeating: nil, count: entries.count)
            for (index, entry) in entries.enumerated() {
                guard let stands = standing[entry.id] else { continue }
                var draft = try await drafts([entry.withoutOwn])[0]
                draft.origin = try entry.payload[Entry.ownKey].map { own throws(LedgerError) in try Origin(own) }
                conflicts[index] = draft.conflict(with: stands)
            }
            return conflicts
        }
    }

    // MARK: - Drafts

    /// Checks a batch and finds the accounts of its postings.
    /// - Parameter isChecked: they are the ledger's own, or were checked before.
    func drafts(_ batch: [Entry], isChecked: Bool = false) async throws -> [Draft] {
        if !isChecked { try validate(batch) }
        var accounts = catalog.remembered
        var missing: Set<AccountPath> = []
        let drafts = drafts(batch, accounts, &missing)
        if missing.isEmpty { return drafts }
        for path in missing where accounts[path] != nil {
            // It may have got another currency since.
            _ = try await catalog.fresh(path)
        }
        accounts = try await catalog.accounts(missing)
        return try self.drafts(batch, accounts)
    }

    /// The same, within a transaction: accounts that it opened itself are seen, and not remembered.
    func drafts(
        _ batch: [Entry], isChecked: Bool = false, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [Draft] {
        try requireWriter()
        if !isChecked { try validate(batch) }
        var accounts = catalog.remembered
        var missing: Set<AccountPath> = []
        let drafts = drafts(batch, accounts, &missing)
        if missing.isEmpty { return drafts }
        for row in try executor.run(AccountCatalog.statement(missing)) {
            let account = try AccountCatalog.account(row)
            accounts[account.path, default: []].remember(account)
        }
        return try self.drafts(batch, accounts)
    }

    private func validate(_ batch: [Entry]) throws(LedgerError) {
        for (index, entry) in batch.enumerated() {
            do throws(LedgerError) { try entry.validate() } catch { throw error.about(index: index, id: entry.id) }
        }
    }

    private func drafts(_ batch: [Entry], _ accounts: AccountCatalog.Accounts) throws(LedgerError) -> [Draft] {
        var missing: Set<AccountPath> = []
        let drafts = drafts(batch, accounts, &missing)
        guard !missing.isEmpty else { return drafts }
        for (index, entry) in batch.enumerated() {
            for posting in entry.postings {
                for path in [posting.debit, posting.credit] where accounts[path]?.first(in: posting.amount.currency) == nil {
                    throw Self.missing(path, posting.amount.currency, accounts[path] ?? []).about(index: index, id: entry.id)
                }
            }
        }
        return drafts
    }

    /// - Parameter missing: paths that are not known in the currency; then the drafts are of no use.
    private func drafts(
        _ batch: [Entry], _ accounts: AccountCatalog.Accounts, _ missing: inout Set<AccountPath>
    ) -> [Draft] {
        var drafts: [Draft] = []
        drafts.reserveCapacity(batch.count)
        for (index, entry) in batch.enumerated() {
            var postings: [JournalPosting] = []
            postings.reserveCapacity(entry.postings.count)
            var limited: [Account] = []
            for posting in entry.postings {
                let code = posting.amount.currency
                guard let debit = accounts[posting.debit]?.first(in: code), let credit = accounts[posting.credit]?.first(in: code) else {
                    for path in [posting.debit, posting.credit] where accounts[path]?.first(in: code) == nil { missing.insert(path) }
                    continue
                }
                if debit.isLimited { limited.append(debit) }
                if credit.isLimited { limited.append(credit) }
                postings.append(
                    JournalPosting(
                        line: UInt32(postings.count + 1), debit: debit.id, credit: credit.id,
                        amount: UInt64(posting.amount.minorUnits), status: entry.hold == nil ? .posted : .pending))
            }
            var draft = Draft(
                id: entry.id, kind: entry.kind, effectiveAt: entry.effectiveAt, payload: entry.storedPayload,
                postings: postings, limited: limited)
            draft.index = index
            draft.hold = entry.hold
            draft.backdating = entry.backdating
            drafts.append(draft)
        }
        return drafts
    }
}
