import Foundation
import LedgerDatabase
public import LedgerModel

/// What became of posting the fees of a month.
public struct FeeAssessment: Sendable {
    /// Fees of one account by one schedule.
    public struct Item: Sendable {
        public let schedule: String
        public let account: Account
        /// Minor units; negative if they are paid to the account.
        public let amount: Int128
    }

    public let month: AccountingMonth
    /// Fees follow from the journal through this position.
    public let through: Position
    /// What was posted: by this run, or (``Receipt/isRepeat``) by another one at the same time.
    public internal(set) var posted: [(item: Item, receipt: Receipt)] = []
    /// What the book's rules refused, and why. It stays due.
    public internal(set) var refused: [(item: Item, error: LedgerError)] = []
    /// Accounts and schedules of which nothing was due.
    public internal(set) var settled = 0
}

extension Ledger {
    /// Posts what is due of a month's fees, of all accounts: for each account and schedule an entry, as of the month's last instant.
    ///
    /// Running it again, or by several at once, posts nothing twice: the id of an entry follows from schedule, account, month, and how many there were
    /// before. What changes later (an entry that comes late, a schedule that is published late, a reversal) is due then, and is posted by the next run.
    /// Limits and the state of accounts are respected: who is refused is told, and the others go on. If the book is closed at the month's last instant,
    /// the entries count from the first instant that is not closed.
    /// - Parameters:
    ///   - schedule: only of this one.
    ///   - timeout: how long to wait until what is recorded is projected.
    ///   - progress: told how many are done, of how many.
    /// - Throws: `invalidTime` for a month that has not ended, `jobBehind` if the projector does not get there, `schema` if the book has no live
    ///   generation of fees; and what makes going on impossible (`unavailable`, `busy`, `outcomeUnknown`): run it again then.
    public func assessFees(
        for month: AccountingMonth, schedule: String? = nil, actor: String? = nil, timeout: Duration = .seconds(10),
        progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws(LedgerError) -> FeeAssessment {
        try requireWriter()
        let zone = try await primary.timeZone()
        let end = try month.end(in: zone)
        let (now, head) = try await translated {
            try await database.read { transaction in
                let head = try transaction.run(.select("COALESCE(MAX(position), 0) FROM entry"))[0].uint(0)
                return (try WriteStep.clock(transaction), Position(head))
            }
        }
        guard end <= now else {
            throw LedgerError(.invalidTime, "\(month) has not ended in \(zone.identifier): assess its fees when it has")
        }
        try await wait(until: head, job: FeeProjection.definition.name, timeout: timeout)
        var query = FeeQuery()
        (query.from, query.through, query.schedule) = (month, month, schedule)
        let (months, through) = try await primary.feeMonths(query)
        let versions = Dictionary(grouping: try await primary.feeSchedules(named: schedule).map(\.schedule), by: \.name)
        var assessment = FeeAssessment(month: month, through: through)
        let due = months.filter { $0.due != 0 }.map { FeesDue($0, countsFrom: Timestamp(microseconds: end.microseconds - 1), versions[$0.schedule] ?? [], actor) }
        assessment.settled = months.count - due.count
        // Two lanes: while one waits for the database, the other makes entries.
        let writers = (0..<2).map { _ in
            GroupWriter(lane: WriteLane(location, role: mode.role), step: WriteStep(catalog: catalog, memory: LimitMemory(), tailMax: tailMax))
        }
        do {
            try await post(due, writers, &assessment, progress)
            for writer in writers { await writer.lane.close() }
        } catch {
            for writer in writers { await writer.lane.close() }
            throw LedgerError.translating(error)
        }
        return assessment
    }

    /// Entries that are written together.
    private static let groupMax = 4096

    private func post(
        _ all: [FeesDue], _ writers: [GroupWriter], _ assessment: inout FeeAssessment, _ progress: (Int, Int) -> Void
    ) async throws {
        let total = all.count
        var pending = all
        let income = try await catalog.accounts(Set(all.compactMap(\.income)))
        while !pending.isEmpty {
            let groups = stride(from: 0, to: pending.count, by: Self.groupMax).map { pending[$0..<min($0 + Self.groupMax, pending.count)] }
            pending = []
            try await withThrowingTaskGroup(of: (lane: Int, outcome: Outcome).self) { tasks in
                var next = 0
                func begin(_ lane: Int) {
                    guard next < groups.count else { return }
                    let (group, writer) = (groups[next], writers[lane])
                    next += 1
                    tasks.addTask { (lane, try await post(group, writer, income)) }
                }
                for lane in writers.indices { begin(lane) }
                while let (lane, outcome) = try await tasks.next() {
                    begin(lane)
                    assessment.posted += outcome.posted
                    assessment.refused += outcome.refused
                    assessment.settled += outcome.settled
                    pending += outcome.again
                    progress(assessment.posted.count + assessment.refused.count, total)
                }
            }
        }
        assessment.posted.sort { $0.receipt.position < $1.receipt.position }
    }

    private struct Outcome: Sendable {
        var posted: [(item: FeeAssessment.Item, receipt: Receipt)] = []
        var refused: [(item: FeeAssessment.Item, error: LedgerError)] = []
        var settled = 0
        /// What is due still.
        var again: [FeesDue] = []
    }

    private func post(_ all: ArraySlice<FeesDue>, _ writer: GroupWriter, _ income: AccountCatalog.Accounts) async throws -> Outcome {
        var outcome = Outcome()
        var group: [(due: FeesDue, draft: Draft)] = []
        for due in all {
            do throws(LedgerError) { group.append((due, try due.draft(income))) } catch { outcome.refused.append((due.item, error)) }
        }
        // Side by side in the index of ids.
        group.sort { ($0.draft.id.words.high, $0.draft.id.words.low) < ($1.draft.id.words.high, $1.draft.id.words.low) }
        let results = group.isEmpty ? [] : await writer.write(group.map { [$0.draft] })
        var taken: [(due: FeesDue, standing: EntryID)] = []
        for ((due, draft), result) in zip(group, results) {
            switch result {
            case .success(let receipts): outcome.posted.append((due.item, receipts[0]))
            // Another run has posted something else of it.
            case .failure(let error) where error.code == .conflict: taken.append((due, draft.id))
            case .failure(let error) where error.isRefusal: outcome.refused.append((due.item, error))
            case .failure(let error): throw error
            }
        }
        for due in try await left(taken) { if due.amount == 0 { outcome.settled += 1 } else { outcome.again.append(due) } }
        return outcome
    }

    /// What is still due when another run has posted a part.
    private func left(_ taken: [(due: FeesDue, standing: EntryID)]) async throws -> [FeesDue] {
        guard !taken.isEmpty else { return [] }
        return try await database.read { transaction in
            let roots = try Reversals.resolve(taken.map(\.standing), after: .zero, through: Position(.max), transaction)
            let standing = Dictionary(uniqueKeysWithValues: roots.map { ($0.id, $0) })
            return taken.map { due, id in
                guard let root = standing[id], let posting = root.entry.postings.first else { return due.following(posted: 0) }
                let isReturn = posting.credit == due.item.account.id
                return due.following(posted: root.isReversed ? 0 : isReturn ? -Int128(posting.amount) : Int128(posting.amount))
            }
        }
    }
}

/// What is due of an account, by a schedule, for a month.
private struct FeesDue: Sendable {
    let month: FeeMonth
    let countsFrom: Timestamp
    let income: AccountPath?
    let actor: String?
    /// 1, 2, 3: of the entry that posts it.
    var number: UInt32
    var amount: Int128

    /// - Parameter versions: of its schedule.
    init(_ month: FeeMonth, countsFrom: Timestamp, _ versions: [FeeSchedule], _ actor: String?) {
        self.month = month
        self.countsFrom = countsFrom
        self.actor = actor
        income = (FeeSchedule.inForce(versions, at: countsFrom) ?? versions.last)?.income
        number = month.assessments + 1
        amount = month.due
    }

    var item: FeeAssessment.Item { .init(schedule: month.schedule, account: month.account, amount: amount) }

    func following(posted: Int128) -> FeesDue {
        var next = self
        next.number += 1
        next.amount -= posted
        return next
    }

    func draft(_ accounts: AccountCatalog.Accounts) throws(LedgerError) -> Draft {
        let (account, currency) = (month.account, month.account.currency)
        guard let income, let credited = accounts[income]?.first(in: currency.code) else {
            throw LedgerError(
                .unknownAccount, "the fees are income of \(income?.text ?? "no account"), which the book does not have in \(currency): open it "
                    + "(`indelible account open \(income?.text ?? "PATH") \(currency) --type income`)")
        }
        guard let units = Int64(exactly: amount), units != .min else {
            throw LedgerError(.invalidAmount, "\(currency.format(amount)) \(currency) does not fit into one posting")
        }
        guard credited.id != account.id else {
            throw LedgerError(.invalidEntry, "\(account.path) is charged fees that are its own income")
        }
        var payload: [String: JSON] = [
            "schedule": .string(month.schedule), "month": .string(month.month.description), "account": .string(account.path.text),
            "currency": .string(currency.code.text), "number": .integer(Int64(number)), "fees": .string(currency.format(amount)),
        ]
        if let actor { payload["actor"] = .string(actor) }
        let (debit, credit) = units > 0 ? (account.id, credited.id) : (credited.id, account.id)
        let posting = JournalPosting(line: 1, debit: debit, credit: credit, amount: units.magnitude, status: .posted)
        var draft = Draft(
            id: .fees(month.schedule, account.path, currency.code, month.month, number: number).likelyNew, kind: .feesAssessed, effectiveAt: countsFrom,
            payload: .object(payload), postings: [posting], limited: [account, credited].filter(\.isLimited))
        draft.backdating = .redate
        return draft
    }
}

extension LedgerError {
    /// The book's rules say no, to this one and not to others.
    fileprivate var isRefusal: Bool {
        switch code {
        case .periodClosed, .accountClosed, .accountFrozen, .limitExceeded, .invalidAmount, .invalidEntry, .unknownAccount: true
        default: false
        }
    }
}
