import LedgerDatabase
import LedgerModel

/// An entry that is charged: of one account, by one schedule.
struct Charge: Sendable {
    /// Place in ``FeeBook/names``.
    let schedule: Int
    let account: UInt32
    /// ``AccountingMonth/number``.
    let month: Int
    let effective: Int64
    let id: EntryID
    let position: UInt64
    /// Place in ``FeeBook/versions``; -1: it is not charged any more.
    var version: Int
    /// Place in the version's rules.
    var rule: Int
    /// Minor units.
    var amount: Int128
    /// 1, 2, 3; 0: none.
    var waiver: Int

    var group: FeeGroup { FeeGroup(schedule: schedule, month: month, account: account) }

    /// By effective time, then id.
    static func isRanked(_ left: Charge, before right: Charge) -> Bool {
        (left.effective, left.id.words.high, left.id.words.low) < (right.effective, right.id.words.high, right.id.words.low)
    }

    /// The same, not charged.
    var lifted: Charge {
        var charge = self
        (charge.version, charge.rule, charge.amount, charge.waiver) = (-1, 0, 0, 0)
        return charge
    }
}

/// Whose volume counts together.
struct FeeGroup: Sendable, Hashable {
    let schedule: Int
    let month: Int
    let account: UInt32
}

/// Finds what entries are charged, as `docs/fees.md` says it (“What is charged”).
struct ChargeFinder {
    var book: FeeBook
    private(set) var charges: [Charge] = []
    /// Captures, whose kind and payload are those of their holds; these have to be read.
    private(set) var captures: [(hold: EntryID, entry: JournalEntry)] = []
    /// Entries that reversals of these entries name.
    private(set) var reversed: [EntryID] = []
    private(set) var assessments: [JournalEntry] = []
    /// What looks at accounts that are not known yet.
    private var waiting: [(batch: JournalBatch, index: Int)] = []
    private var unknown: Set<UInt32> = []
    /// Only what this says; nil: all.
    var only: ((_ schedule: Int, _ effective: Int64, _ account: UInt32) -> Bool)?

    init(_ book: FeeBook) { self.book = book }

    mutating func removeAll() {
        (charges, captures, reversed, assessments, waiting, unknown) = ([], [], [], [], [], [])
    }

    // MARK: - Entries

    mutating func take(_ batch: JournalBatch) throws {
        var last: (kind: EntryKind, use: FeeBook.KindUse)?
        for index in batch.indices {
            let kind = batch.kind(index)
            if kind.isReserved {
                try takeReserved(kind, batch, index)
                continue
            }
            if last?.kind != kind { last = (kind, book.use(of: kind)) }
            guard let use = last?.use, !use.names.isEmpty else { continue }
            let range = batch.postingRange(index)
            if range.contains(where: { !book.isKnown(batch.postings[$0].debit.number) || !book.isKnown(batch.postings[$0].credit.number) }) {
                for posting in batch.postings[range] { unknown.formUnion([posting.debit.number, posting.credit.number]) }
                waiting.append((batch, index))
                continue
            }
            try charge(Subject(batch, index), use, batch.postings[range])
        }
    }

    private mutating func takeReserved(_ kind: EntryKind, _ batch: JournalBatch, _ index: Int) throws {
        switch kind {
        case .holdCaptured:
            let entry = batch[index]
            captures.append((try Self.named("hold", entry), entry))
        case .reversed: reversed.append(try Self.named("reverses", batch[index]))
        case .feesAssessed: assessments.append(batch[index])
        default: break
        }
    }

    /// An entry that another one's payload names.
    static func named(_ key: String, _ entry: JournalEntry) throws -> EntryID {
        guard let payload = entry.payload, let id = try JSON(parsing: payload)[key]?.string.flatMap(EntryID.init(hex:)) else {
            throw LedgerError(.integrity, "the entry at position \(entry.position) of the kind \(entry.kind) does not say “\(key)”")
        }
        return id
    }

    /// Reads what is missing for the entries that were taken, and charges those.
    mutating func finish(_ executor: borrowing some SQLExecutor & ~Copyable) throws {
        for capture in captures { for posting in capture.entry.postings { unknown.formUnion([posting.debit.number, posting.credit.number]) } }
        try book.learnAccounts(unknown, executor)
        let entries = waiting
        (waiting, unknown) = ([], [])
        for (batch, index) in entries {
            try charge(Subject(batch, index), book.use(of: batch.kind(index)), batch.postings[batch.postingRange(index)])
        }
        let holds = captures.isEmpty ? [:] : try JournalRows.entries(Set(captures.map(\.hold)), executor)
        for (hold, entry) in captures {
            guard let held = holds[hold], let id = entry.id else {
                throw LedgerError(.integrity, "the entry at position \(entry.position) captures a hold that is not there")
            }
            let subject = Subject(
                position: entry.position.number, id: id, effective: entry.effectiveAt.microseconds, payload: { held.payload })
            try charge(subject, book.use(of: held.kind), entry.postings[...])
        }
        captures = []
    }

    /// Charges an entry of the journal by itself.
    mutating func take(_ entry: JournalEntry, _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        guard let id = entry.id else { return }
        if entry.kind == .holdCaptured {
            captures.append((try Self.named("hold", entry), entry))
            return try finish(executor)
        }
        guard !entry.kind.isReserved else { return }
        try book.learnAccounts(entry.postings.flatMap { [$0.debit.number, $0.credit.number] }, executor)
        let subject = Subject(position: entry.position.number, id: id, effective: entry.effectiveAt.microseconds, payload: { entry.payload })
        try charge(subject, book.use(of: entry.kind), entry.postings[...])
    }

    /// Leaves only those of these entries.
    mutating func drop(where isDropped: (Charge) -> Bool) { charges.removeAll(where: isDropped) }

    // MARK: - One entry

    /// What rules look at beside postings.
    private struct Subject {
        let position: UInt64
        let id: EntryID
        let effective: Int64
        let payload: () -> String?

        init(position: UInt64, id: EntryID, effective: Int64, payload: @escaping () -> String?) {
            (self.position, self.id, self.effective, self.payload) = (position, id, effective, payload)
        }

        init(_ batch: JournalBatch, _ index: Int) {
            self.init(
                position: batch.position(index).number, id: batch.id(index) ?? .init(high: 0, low: 0), effective: batch.effective[index],
                payload: { batch.payload(index) })
        }
    }

    private mutating func charge(_ subject: Subject, _ use: FeeBook.KindUse, _ postings: ArraySlice<JournalPosting>) throws {
        var parsed: JSON??
        func payload() -> JSON? {
            if let parsed { return parsed }
            let read = subject.payload().flatMap { try? JSON(parsing: $0) }
            parsed = .some(read)
            return read
        }
        for (name, versions) in use.names {
            guard let inForce = versions.first(where: { $0.from <= subject.effective }), !inForce.rules.isEmpty else { continue }
            for moved in Self.moved(postings) {
                let fitting = book.rules(inForce.version, for: moved.account)
                if fitting.isEmpty || !(only?(name, subject.effective, moved.account) ?? true) { continue }
                for index in inForce.rules where fitting.contains(index) {
                    let rule = book.versions[inForce.version].rules[index]
                    let amount = rule.side == .debit ? moved.debits : moved.credits
                    guard amount > 0, !rule.hasFields || rule.rule.fields.allSatisfy({ $0.holds(payload()) }) else { continue }
                    var waiver = 0
                    if rule.hasWaivers, let path = book.path(moved.account) {
                        let time = Timestamp(microseconds: subject.effective)
                        waiver = (rule.rule.waivers.firstIndex { $0.fits(path, at: time, payload) } ?? -1) + 1
                    }
                    charges.append(
                        Charge(
                            schedule: name, account: moved.account, month: try book.month(of: subject.effective), effective: subject.effective,
                            id: subject.id, position: subject.position, version: inForce.version, rule: index, amount: amount, waiver: waiver))
                    break
                }
            }
        }
    }

    /// What an entry moves on each account, without what is only held.
    private static func moved(_ postings: ArraySlice<JournalPosting>) -> [(account: UInt32, debits: Int128, credits: Int128)] {
        if postings.count == 1, let posting = postings.first {
            guard posting.status == .posted else { return [] }
            return [(posting.debit.number, Int128(posting.amount), 0), (posting.credit.number, 0, Int128(posting.amount))]
        }
        var places: [UInt32: Int] = [:]
        var moved: [(account: UInt32, debits: Int128, credits: Int128)] = []
        for posting in postings where posting.status == .posted {
            for (account, isCredit) in [(posting.debit.number, false), (posting.credit.number, true)] {
                let place = places[account] ?? moved.count
                if place == moved.count {
                    places[account] = place
                    moved.append((account, 0, 0))
                }
                if isCredit { moved[place].credits += Int128(posting.amount) } else { moved[place].debits += Int128(posting.amount) }
            }
        }
        return moved
    }
}
