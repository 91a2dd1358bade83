import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Records an entry, once.
    ///
    /// Posting the same id with the same content again returns the first receipt. What the server filled in (the
    /// effective time, if you gave none) is not content.
    /// - Throws: `conflict` if the id stands for another content; `unknownAccount`, `currencyMismatch`,
    ///   `invalidAmount` or `invalidEntry` for an entry that cannot be recorded; `outcomeUnknown` if the database
    ///   went away at COMMIT and did not come back: post the same entry again to learn what happened.
    @discardableResult
    public func post(_ entry: Entry) async throws(LedgerError) -> Receipt {
        do throws(LedgerError) { return try await post([entry])[0] } catch { throw error.about(index: nil, id: entry.id) }
    }

    /// Records a batch of entries: all of them, or none.
    /// - Returns: a receipt for each, in the same order.
    /// - Throws: as ``post(_:)-(Entry)``, with the index of the entry that is at fault.
    @discardableResult
    public func post(_ batch: [Entry]) async throws(LedgerError) -> [Receipt] {
        try await translated {
            let drafts = try await drafts(batch)
            var retrying = Retrying()
            while true {
                do { return try await attempt(drafts, isFirst: retrying.attempts == 0) } catch let error as DatabaseError {
                    try await retrying.pause(after: error)
                } catch { throw retrying.final(error) }
            }
        }
    }

    private func attempt(_ drafts: [Draft], isFirst: Bool) async throws -> [Receipt] {
        // Ids that callers made may stand already. After a failure, ids of our own may too.
        let standing = try await standing(drafts.filter { !isFirst || !$0.id.isMinted }.map(\.id))
        let recorded = try await insert(try Self.newDrafts(drafts, standing))
        var seen: Set<EntryID> = []
        return drafts.map { draft in
            guard let new = recorded[draft.id] else { return standing[draft.id]!.receipt(isRepeat: true) }
            let isRepeat = !seen.insert(draft.id).inserted
            return Receipt(id: new.id, position: new.position, recordedAt: new.recordedAt, isRepeat: isRepeat)
        }
    }

    /// For each entry the conflict with what stands for its id in the book, or nil. Nothing is written.
    func conflicts(_ entries: [Entry]) async throws(LedgerError) -> [LedgerError?] {
        try await translated {
            let standing = try await standing(entries.map(\.id))
            var conflicts = [LedgerError?](repeating: nil, count: entries.count)
            for (index, entry) in entries.enumerated() where standing[entry.id] != nil {
                do { _ = try Self.newDrafts(try await drafts([entry]), standing) } catch let error as LedgerError {
                    conflicts[index] = error
                }
            }
            return conflicts
        }
    }

    // MARK: - Before the transaction

    /// Checks a batch and finds the accounts of its postings.
    private func drafts(_ batch: [Entry]) async throws -> [Draft] {
        var paths: Set<AccountPath> = []
        for (index, entry) in batch.enumerated() {
            do throws(LedgerError) { try entry.validate() } catch { throw error.about(index: index, id: entry.id) }
            for posting in entry.postings { paths.formUnion([posting.debit, posting.credit]) }
        }
        var accounts = try await catalog.accounts(paths)
        var drafts: [Draft] = []
        for (index, entry) in batch.enumerated() {
            var postings: [JournalPosting] = []
            for (line, posting) in entry.postings.enumerated() {
                var ids: [AccountID] = []
                for path in [posting.debit, posting.credit] {
                    let code = posting.amount.currency
                    if accounts[path]?[code] == nil { accounts[path] = try await catalog.fresh(path) }
                    guard let account = accounts[path]?[code] else {
                        throw Self.missing(path, code, accounts[path] ?? [:]).about(index: index, id: entry.id)
                    }
                    ids.append(account.id)
                }
                postings.append(
                    JournalPosting(
                        line: UInt32(line + 1), debit: ids[0], credit: ids[1],
                        amount: UInt64(posting.amount.minorUnits), status: .posted))
            }
            drafts.append(Draft(entry, postings, index: index))
        }
        return drafts
    }

    /// The drafts that are to be inserted: each id once, and none that stands.
    private static func newDrafts(_ drafts: [Draft], _ standing: [EntryID: JournalEntry]) throws -> [Draft] {
        var seen: [EntryID: Draft] = [:]
        var new: [Draft] = []
        for draft in drafts {
            if let stands = standing[draft.id] {
                if let difference = draft.difference(from: stands) {
                    throw LedgerError(
                        .conflict, "the id \(draft.id) stands for another entry, at position \(stands.position), recorded "
                            + "\(stands.recordedAt): \(difference). Use another id for another entry",
                        index: draft.index, id: draft.id, standing: stands.receipt(isRepeat: true))
                }
            } else if let first = seen[draft.id] {
                guard first.hasSameContent(as: draft) else {
                    throw LedgerError(
                        .conflict, "entries \(first.index + 1) and \(draft.index + 1) of the batch have the same id, "
                            + "\(draft.id), and different content", index: draft.index, id: draft.id)
                }
            } else {
                seen[draft.id] = draft
                new.append(draft)
            }
        }
        return new
    }

    // MARK: - The transaction

    private func insert(_ drafts: [Draft]) async throws -> [EntryID: Receipt] {
        guard !drafts.isEmpty else { return [:] }
        return try await database.write { try JournalWriter.append(drafts, in: $0) }
    }
}

/// An entry with its accounts found, ready to be inserted.
struct Draft: Sendable {
    let index: Int
    let id: EntryID
    let kind: EntryKind
    let effectiveAt: Timestamp?
    let payload: JSON?
    let postings: [JournalPosting]

    init(_ entry: Entry, _ postings: [JournalPosting], index: Int) {
        self.index = index
        id = entry.id
        kind = entry.kind
        effectiveAt = entry.effectiveAt
        payload = entry.storedPayload
        self.postings = postings
    }

    func hasSameContent(as other: Draft) -> Bool {
        kind == other.kind && effectiveAt == other.effectiveAt && payload == other.payload && postings == other.postings
    }

    /// What this asks for and what stands, where they differ; nil if they do not.
    func difference(from standing: JournalEntry) -> String? {
        if kind != standing.kind { return "its kind is \(standing.kind), asked: \(kind)" }
        if let effectiveAt, effectiveAt != standing.effectiveAt {
            return "it counts from \(standing.effectiveAt), asked: \(effectiveAt)"
        }
        if postings != standing.postings {
            func text(_ postings: [JournalPosting]) -> String {
                if postings.isEmpty { return "none" }
                return postings.prefix(5).map { "\($0.amount) debit account \($0.debit.number) credit account \($0.credit.number)" }
                    .joined(separator: ", ") + (postings.count > 5 ? ", …" : "")
            }
            return "its postings are \(text(standing.postings)), asked: \(text(postings)) (minor units)"
        }
        if standing.payload != payload?.text {
            let stands = standing.payload.flatMap { try? JSON(parsing: $0) }
            if stands != payload {
                return "its payload is \(standing.payload ?? "none"), asked: \(payload?.text ?? "none")"
            }
        }
        return nil
    }
}

extension JournalEntry {
    func receipt(isRepeat: Bool) -> Receipt {
        guard let id else { preconditionFailure("a tombstone has no receipt") }
        return Receipt(id: id, position: position, recordedAt: recordedAt, isRepeat: isRepeat)
    }
}
