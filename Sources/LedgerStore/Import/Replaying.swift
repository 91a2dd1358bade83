import Foundation
import LedgerDatabase
import LedgerModel

/// Entries that are posted together, in the order of their files.
struct ImportBatch {
    struct Item {
        let content: ImportRecord.Content
        /// `f.jsonl:7`.
        let place: String
    }
    var items: [Item] = []
    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }
}

extension Ledger {
    /// Posts the entries of a batch: those that an export tells of are decided by the same rules as when they were recorded, but
    /// for the clock.
    func post(_ batch: ImportBatch) async throws(LedgerError) -> [Receipt] {
        do throws(LedgerError) {
            return try await translated { try await commits.write(try await drafts(batch)) }
        } catch {
            guard let index = error.index, batch.items.indices.contains(index) else { throw error }
            var told = error
            if error.code == .revisionConflict {
                told = LedgerError(
                    .invalidFile, "an entry of its stream is missing before it, or is in the book already as another one (\(error.message))", id: error.id)
            }
            throw told.placed(batch.items[index].place)
        }
    }

    /// Puts a control in force again that an export tells of.
    func replay(_ told: ToldEntry) async throws(LedgerError) -> Receipt {
        switch try told.meaning() {
        case .limits(let path, let code, let limits): return try await setLimits(limits, of: path, in: code, Telling(told))
        case .status(let path, let code, let status): return try await setStatus(status, of: path, in: code, Telling(told))
        case .period(let day, let closedBefore):
            let zone = try await timeZone()
            guard try day.end(in: zone) == closedBefore else {
                throw LedgerError(
                    .conflict, "\(day) ended at \(closedBefore) where it was closed, and ends at \(try day.end(in: zone)) in \(zone.identifier): "
                        + "create the book with the other's time zone (`indelible init --time-zone`)", id: told.id)
            }
            return try await closePeriod(through: day, Telling(told))
        case .feeSchedule(let document):
            let currencies = try await currenciesByCode()
            return try await publish(try FeeSchedule(document, currencies: { currencies[$0] }, zone: try await timeZone()), Telling(told))
        case .posted, .settlement, .reversal, .fees, .said: preconditionFailure("it is posted with others")
        }
    }

    /// For each entry of a file the conflict with what stands for its id in the book, or nil; and for what refers to
    /// another entry that stands nowhere. Nothing is written.
    /// - Parameter isKnown: whether a file has brought an entry before.
    func conflicts(_ contents: [ImportRecord.Content], isKnown: (EntryID) -> Bool) async throws(LedgerError) -> [LedgerError?] {
        var conflicts = [LedgerError?](repeating: nil, count: contents.count)
        let plain = contents.enumerated().compactMap { index, content in
            if case .entry(let entry, _) = content { (index, entry) } else { nil }
        }
        for (place, conflict) in zip(plain, try await self.conflicts(plain.map(\.1))) { conflicts[place.0] = conflict }
        let told = contents.enumerated().compactMap { index, content in
            if case .told(let told) = content { (index, told) } else { nil }
        }
        guard !told.isEmpty else { return conflicts }
        return try await translated {
            let others = try told.compactMap { try $0.1.meaning().refersTo }.filter { !isKnown($0) }
            let standing = try await standing(Set(told.map(\.1.id) + others))
            let accounts = try await catalog.accounts(Set(standing.values.flatMap { $0.postings.flatMap { [$0.debit, $0.credit] } }))
            let currencies = KnownCurrencies(try await self.currencies())
            for (index, told) in told {
                if let stands = standing[told.id] {
                    guard case .entry(let recorded) = try ExportRecord(stands, accounts, currencies).content, recorded.isSame(as: told) else {
                        conflicts[index] = LedgerError(
                            .conflict, "the id \(told.id) stands for another entry, at position \(stands.position)", id: told.id,
                            standing: stands.receipt(isRepeat: true))
                        continue
                    }
                } else if let other = try told.meaning().refersTo, !isKnown(other), standing[other] == nil {
                    conflicts[index] = LedgerError(
                        .unknownEntry, "the entry \(other), to which it refers, is neither in the book nor further up: import what "
                            + "stands before it too", id: told.id)
                }
            }
            return conflicts
        }
    }

    // MARK: - Drafts

    private func drafts(_ batch: ImportBatch) async throws -> [Draft] {
        var posted: [Entry] = []
        var meanings: [ToldEntry.Meaning?] = []
        for item in batch.items {
            switch item.content {
            case .entry(let entry, _):
                posted.append(entry.withoutOwn)
                meanings.append(nil)
            case .told(let told):
                let meaning = try told.meaning()
                if case .posted = meaning { posted.append(told.entry.withoutOwn) }
                meanings.append(meaning)
            case .currency, .account: preconditionFailure("it is no entry")
            }
        }
        let swept = posted.contains { $0.hold?.expiresAt != nil } ? try await sweptBefore() : nil
        var plain = try await drafts(posted)[...]
        var drafts: [Draft] = []
        for (index, (item, meaning)) in zip(batch.items, meanings).enumerated() {
            var draft: Draft
            switch (item.content, meaning) {
            case (.told(let told), .posted(let redatedFrom)?):
                draft = plain.removeFirst()
                draft.isHistory = true
                if let swept, let expiresAt = told.hold?.expiresAt, expiresAt <= swept {
                    throw LedgerError(
                        .invalidTime, "the hold expired at \(expiresAt), and this book has ended all holds before \(swept): nobody would look for "
                            + "it again. Import it into a new book", index: index, id: told.id)
                }
                if let redatedFrom { draft.redate(to: told.effectiveAt, from: redatedFrom) }
            case (.told(let told), .settlement(let hold)?), (.told(let told), .reversal(let hold)?):
                draft = try await following(told, try await entry(hold, in: drafts))
            case (.told(let told), .fees?): draft = try await fees(told)
            case (.told(let told), .said?):
                draft = Draft(
                    id: told.id, kind: told.kind, effectiveAt: told.effectiveAt, payload: told.entry.withoutOwn.storedPayload, postings: [], limited: [])
            default: draft = plain.removeFirst()
            }
            draft.index = index
            draft.origin = try item.content.origin
            drafts.append(draft)
        }
        return drafts
    }

    /// Fees as they were posted.
    private func fees(_ told: ToldEntry) async throws -> Draft {
        var postings: [JournalPosting] = []
        var limited: [Account] = []
        for line in told.lines {
            let posting = line.posting
            let (debit, credit) = (try await account(posting.debit, in: posting.amount.currency), try await account(posting.credit, in: posting.amount.currency))
            guard posting.amount.minorUnits > 0, line.status == .posted, debit.id != credit.id else {
                throw LedgerError(.invalidEntry, "its posting moves no fees", id: told.id)
            }
            limited += [debit, credit].filter(\.isLimited)
            postings.append(
                JournalPosting(
                    line: UInt32(postings.count + 1), debit: debit.id, credit: credit.id, amount: UInt64(posting.amount.minorUnits), status: .posted))
        }
        var payload = told.entry.withoutOwn.payload
        if let actor = told.actor { payload["actor"] = .string(actor) }
        var draft = Draft(
            id: told.id, kind: told.kind, effectiveAt: told.effectiveAt, payload: .object(payload), postings: postings, limited: limited)
        draft.isHistory = true
        return draft
    }

    /// Who looks for holds to expire looks behind this.
    private func sweptBefore() async throws -> Timestamp? {
        try await database.run(.select("MAX(swept_before) FROM hold_sweep"))[0].optionalText(0).flatMap(Timestamp.init(sqlText:))
    }

    /// An entry of the same batch, or of the book.
    private func entry(_ id: EntryID, in drafts: [Draft]) async throws -> JournalEntry {
        if let draft = drafts.last(where: { $0.id == id }) { return JournalEntry(draft) }
        guard let entry = try await standing([id])[id] else { throw LedgerError(.unknownEntry, "there is no entry with the id \(id)", id: id) }
        return entry
    }

    /// The settlement or reversal that the ledger itself would write, if it is what was told.
    private func following(_ told: ToldEntry, _ other: JournalEntry) async throws -> Draft {
        let accounts = try await catalog.accounts(Set(other.postings.flatMap { [$0.debit, $0.credit] }))
        var draft: Draft
        if told.kind == .reversed {
            draft = try Draft(
                reversing: other, effectiveAt: told.effectiveAt, description: told.description, reference: told.reference,
                actor: told.actor, account: { accounts[$0] })
        } else {
            let end: HoldEnd =
                switch told.kind {
                case .holdVoided: .void
                case .holdExpired: .expiry
                default: .capture(told.captured(of: other, accounts))
                }
            draft = try Draft(
                settling: other, by: end, description: told.description, reference: told.reference, actor: told.actor,
                account: { accounts[$0] })
            draft.effectiveAt = told.effectiveAt
        }
        draft.isHistory = true
        let lines = draft.postings.map { ToldEntry.Line($0, accounts) }
        guard lines == told.lines else {
            throw LedgerError(.invalidEntry, "its postings are not those that follow from the entry to which it refers", id: told.id)
        }
        return draft
    }
}

extension ToldEntry {
    /// How much of each posting of a hold this captures.
    fileprivate func captured(of hold: JournalEntry, _ accounts: [AccountID: Account]) -> [UInt64] {
        var posted = lines.filter { $0.status == .posted }[...]
        return hold.postings.map { held in
            let line = Line(held, accounts)
            guard let next = posted.first, let line, next.posting.debit == line.posting.debit, next.posting.credit == line.posting.credit,
                next.posting.amount.currency == line.posting.amount.currency, UInt64(next.posting.amount.minorUnits) <= held.amount
            else { return 0 }
            posted.removeFirst()
            return UInt64(next.posting.amount.minorUnits)
        }
    }
}

extension ToldEntry.Line {
    /// nil if the accounts are not there.
    fileprivate init?(_ posting: JournalPosting, _ accounts: [AccountID: Account]) {
        guard let debit = accounts[posting.debit], let credit = accounts[posting.credit], let amount = Int64(exactly: posting.amount)
        else { return nil }
        self.init(
            posting: Posting(debit: debit.path, credit: credit.path, amount: Amount(minorUnits: amount, debit.currency.code)),
            status: posting.status)
    }
}

extension JournalEntry {
    /// As it will stand, but for its place.
    init(_ draft: Draft) {
        self.init(
            position: .zero, id: draft.id, kind: draft.kind, lines: UInt32(draft.postings.count),
            effectiveAt: draft.effectiveAt ?? Timestamp(microseconds: 0), recordedAt: Timestamp(microseconds: 0),
            payload: draft.payloadText, postings: draft.postings)
    }
}

extension LedgerError {
    /// The same, with the place in a file in front.
    func placed(_ place: String) -> LedgerError {
        LedgerError(
            code, "\(place): \(message)", retry: retry, index: index, id: id, standing: standing, shortfall: shortfall)
    }
}

extension ToldEntry {
    /// It changes what is in force.
    var isControl: Bool { [.limitsSet, .statusSet, .periodClosed, .feeSchedulePublished].contains(kind) }
}

extension Entry {
    /// Without what only the ledger says; an import says it again.
    var withoutOwn: Entry {
        guard payload[Entry.ownKey] != nil else { return self }
        var entry = self
        entry.payload[Entry.ownKey] = nil
        return entry
    }
}

extension ImportRecord.Content {
    /// Which stream it is of, and where it came from.
    fileprivate var origin: Origin? {
        get throws(LedgerError) {
            switch self {
            case .entry(let entry, _): try entry.payload[Entry.ownKey].map { own throws(LedgerError) in try Origin(own) }
            case .told(let told): try told.origin
            case .currency, .account: nil
            }
        }
    }
}
