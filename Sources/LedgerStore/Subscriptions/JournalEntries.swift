import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// The entries after a position in the journal's order, none left out and none twice: up to the high-water mark, or on and on.
    ///
    /// ```swift
    /// for try await entry in ledger.entries(after: last, following: true) {
    ///     …
    ///     last = entry.position
    /// }
    /// ```
    /// It reads what is decided: a position that somebody is about to fill, or that nobody will ever use, ends it, or is waited for. The jobs of the
    /// book decide those, so they have to run somewhere. It keeps no place: remember the position of the last entry, or use a ``Subscription``.
    /// - Parameters:
    ///   - kinds: only entries of these; nil for all. What only occupies a position is never among them.
    ///   - isFollowing: false ends at the high-water mark; true waits there for more until the task is cancelled, which ends it without an error.
    ///   - pollInterval: how long to wait between looks.
    ///   - patience: while it follows, how long a position may be undecided that others have passed, or the database not answer, until it throws.
    public func entries(
        after position: Position, of kinds: Set<EntryKind>? = nil, following isFollowing: Bool = false,
        pollInterval: Duration = .milliseconds(20), patience: Duration = .seconds(30)
    ) -> JournalEntries {
        JournalEntries(ledger: self, after: position, kinds: kinds, isFollowing: isFollowing, pollInterval: pollInterval, patience: patience)
    }

    /// Entries as who follows the journal sees them; without those that only occupy a position.
    func recorded(_ entries: [JournalEntry]) async throws -> [RecordedEntry] {
        let ids = Set(entries.flatMap { $0.postings.flatMap { [$0.debit, $0.credit] } })
        let accounts = ids.isEmpty ? [:] : try await catalog.accounts(ids)
        return try entries.compactMap { entry -> RecordedEntry? in
            guard let id = entry.id else { return nil }
            let postings = try entry.postings.map { posting -> RecordedPosting in
                guard let debit = accounts[posting.debit], let credit = accounts[posting.credit], let units = Int64(exactly: posting.amount) else {
                    throw LedgerError(.integrity, "the accounts of the entry at position \(entry.position) are not in the book", id: id)
                }
                return RecordedPosting(
                    debit: debit.path, credit: credit.path, amount: Amount(minorUnits: units, debit.currency.code), status: posting.status)
            }
            return try RecordedEntry(
                id: id, position: entry.position, kind: entry.kind, effectiveAt: entry.effectiveAt, recordedAt: entry.recordedAt,
                payload: entry.payload, postings: postings)
        }
    }
}

/// Entries in the journal's order, as they are read: ``Ledger/entries(after:of:following:pollInterval:patience:)``.
public struct JournalEntries: AsyncSequence, Sendable {
    let ledger: Ledger
    let after: Position
    let kinds: Set<EntryKind>?
    let isFollowing: Bool
    let pollInterval: Duration
    let patience: Duration

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        private let entries: JournalEntries
        private var read: ArraySlice<RecordedEntry> = []
        /// Everything up to here was read.
        private var through: Position
        private var isEnded = false
        /// Since when nothing was got on with, and others have.
        private var stuckSince: ContinuousClock.Instant?

        /// So many positions at a time.
        private static let positionsPerRead: UInt64 = 512

        fileprivate init(_ entries: JournalEntries) { (self.entries, through) = (entries, entries.after) }

        /// The next one; nil at the high-water mark, or when the task is cancelled.
        /// - Throws: `busy` for a position that stays undecided, `integrity` if the journal contradicts itself, and what the database has.
        public mutating func next() async throws(LedgerError) -> RecordedEntry? {
            while !isEnded {
                if let entry = read.popFirst() { return entry }
                let before = through
                do throws(LedgerError) {
                    let isBlocked = try await readOn()
                    if through > before {
                        stuckSince = nil
                        continue
                    }
                    if isBlocked { try stuck(LedgerError(.busy, blocked)) } else { stuckSince = nil }
                } catch {
                    if Task.isCancelled { break }
                    // An error of the moment is waited out, too.
                    guard entries.isFollowing, error.retry != .never, error.code != .integrity, !isStuckTooLong else { throw error }
                    if stuckSince == nil { stuckSince = .now }
                }
                guard entries.isFollowing, (try? await Task.sleep(for: entries.pollInterval)) != nil else { break }
            }
            isEnded = true
            return nil
        }

        private var isStuckTooLong: Bool { stuckSince.map { $0.duration(to: .now) > entries.patience } ?? false }

        private mutating func stuck(_ error: LedgerError) throws(LedgerError) {
            guard entries.isFollowing else { return }
            if isStuckTooLong { throw error }
            if stuckSince == nil { stuckSince = .now }
        }

        private var blocked: String {
            "position \(through.number + 1) is not decided for \(entries.patience), and entries stand after it: somebody's transaction holds it, or the "
                + "book's jobs do not run (`indelible project run`, `indelible project status`)"
        }

        /// Reads what follows without a gap.
        /// - Returns: whether there are entries behind a gap.
        private mutating func readOn() async throws(LedgerError) -> Bool {
            let (ledger, start, kinds) = (try await entries.ledger.answering(), through.number, entries.kinds)
            let (found, end, isBlocked) = try await translated { () -> ([RecordedEntry], Position, Bool) in
                let (batch, isBlocked) = try await ledger.database.read { transaction in
                    let batch = try JournalReader.read(after: start, through: start + Self.positionsPerRead, transaction)
                    guard batch.isEmpty else { return (batch, false) }
                    return (batch, try !transaction.run(.select("1 FROM entry WHERE position > \(start) LIMIT 1")).isEmpty)
                }
                let wanted = batch.indices.filter { kinds?.contains(batch.kind($0)) ?? true }.map { batch[$0] }
                return (try await ledger.recorded(wanted), batch.through, isBlocked)
            }
            (read, through) = (found[...], end)
            return isBlocked
        }
    }
}
