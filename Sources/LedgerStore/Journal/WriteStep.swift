import LedgerDatabase
import LedgerModel

/// One attempt to write a group of requests in one database transaction: look up, claim, read, decide, insert. The order is what
/// makes it exact: whatever a decision has read has a lower position than what it writes.
struct WriteStep: Sendable {
    /// Entries that stand or fall together.
    typealias Request = [Draft]

    struct Outcome: Sendable {
        var results: [Result<[Receipt], LedgerError>]
        var learned = Learned()
    }

    /// What may be remembered once it is committed.
    struct Learned: Sendable {
        /// The revisions that were claimed.
        var revisions: [AccountID: UInt64] = [:]
        var lines: [AccountID: Decision.Line] = [:]
        var accepted: [Draft] = []
    }

    /// Nothing is to be inserted: the transaction is rolled back, and this is the answer.
    struct NothingToWrite: Error { let outcome: Outcome }

    let catalog: AccountCatalog
    /// nil: everything is read.
    let memory: LimitMemory?
    let tailMax: UInt64

    /// - Parameter attempt: 0 for the first; then also ids of our own are looked up, and claims queue.
    func run(
        _ requests: [Request], attempt: Int, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> Outcome {
        if catalog.isControlOld { try catalog.refreshControls(executor, isCurrent: memory != nil) }
        let asked = requests.joined().filter { attempt > 0 || !$0.id.isMinted }.map(\.id)
        var standing = asked.isEmpty ? [:] : try JournalRows.entries(asked, executor)
        let new = standing.isEmpty ? Array(requests.joined()) : requests.joined().filter { standing[$0.id] == nil }
        let claims = try claim(new, attempt: attempt, executor)
        let now = claims.accounts.isEmpty && !new.contains(where: \.needsClock) ? nil : try Self.clock(executor)
        var lines = claims.remembered
        if lines.count < claims.accounts.count {
            lines.merge(try read(claims.accounts.filter { lines[$0] == nil }, now, executor)) { $1 }
        }
        let heads = try StreamHeads(standing.isEmpty ? new : Array(requests.joined()), now, executor)
        var decided = decide(requests, standing, lines, now, heads)
        // Whoever repeats a request gets its receipt, also where a rule would refuse it by now: ids of our own are looked up
        // before they are refused, and others again, because somebody may have recorded them while this waited for its claims.
        let refused = zip(requests, decided.results).filter { $1 != nil }.flatMap { $0.0 }.map(\.id).filter { standing[$0] == nil }
        if !refused.isEmpty {
            let found = try JournalRows.entries(refused, executor)
            if !found.isEmpty {
                standing.merge(found) { $1 }
                decided = decide(requests, standing, lines, now, heads)
            }
        }
        // A no that rests on what is remembered is read again.
        let doubtful = decided.results.doubtful(claims.remembered)
        if !doubtful.isEmpty {
            lines.merge(try read(doubtful, now, executor)) { $1 }
            decided = decide(requests, standing, lines, now, heads)
            if decided.results.doubtful(claims.remembered).contains(where: { !doubtful.contains($0) }) {
                lines.merge(try read(claims.accounts, now, executor)) { $1 }
                decided = decide(requests, standing, lines, now, heads)
            }
        }
        guard !decided.decision.accepted.isEmpty else { throw NothingToWrite(outcome: Outcome(results: decided.results(standing, []))) }
        try StreamHeads.insert(decided.decision.accepted, executor)
        let receipts = try JournalWriter.append(decided.decision.accepted, in: executor)
        var outcome = Outcome(results: decided.results(standing, receipts))
        if memory != nil {
            outcome.learned = Learned(
                revisions: claims.revisions, lines: decided.decision.lines, accepted: decided.decision.accepted)
        }
        return outcome
    }

    static func clock(_ executor: borrowing some SQLExecutor & ~Copyable) throws -> Timestamp {
        guard let now = Timestamp(sqlText: try executor.run(.select("UTC_TIMESTAMP(6)"))[0].text(0)) else {
            throw LedgerError(.schema, "the database has no clock")
        }
        return now
    }

    // MARK: - Claiming

    private struct Claimed {
        /// In order.
        var accounts: [AccountID] = []
        /// The revisions that are claimed.
        var revisions: [AccountID: UInt64] = [:]
        /// What is remembered of those that nobody has claimed since.
        var remembered: [AccountID: Decision.Line] = [:]
    }

    private func claim(
        _ drafts: [Draft], attempt: Int, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> Claimed {
        var ids: Set<AccountID> = []
        for draft in drafts { for effect in draft.limited where effect.claims { ids.insert(effect.account) } }
        guard !ids.isEmpty else { return Claimed() }
        var claimed = Claimed(accounts: ids.sorted())
        let memories = memory?.lines(claimed.accounts) ?? .init(repeating: nil, count: claimed.accounts.count)
        let isQueueing = attempt > 0 || memory?.isQueueing != false
        if isQueueing { try Claims.queue(claimed.accounts, executor) }
        let newest = try Claims.newest(
            zip(claimed.accounts, memories).filter { isQueueing || $0.1 == nil }.map(\.0), executor)
        claimed.revisions.reserveCapacity(ids.count)
        claimed.remembered.reserveCapacity(ids.count)
        let revisions = zip(claimed.accounts, memories).map { account, memory -> UInt64 in
            let last = newest[account] ?? memory?.revision ?? 0
            if let memory, memory.revision == last { claimed.remembered[account] = memory.line }
            claimed.revisions[account] = last + 1
            return last + 1
        }
        try Claims.take(claimed.accounts, revisions, executor)
        return claimed
    }

    func read(
        _ ids: [AccountID], _ now: Timestamp?, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [AccountID: Decision.Line] {
        guard !ids.isEmpty, let now else { return [:] }
        var accounts = ids.compactMap { catalog.account($0) }
        if accounts.count < ids.count {
            // Opened in the caller's own transaction.
            accounts += try executor.run(AccountCatalog.statement(ids.filter { catalog.account($0) == nil })).map(AccountCatalog.account)
        }
        return try LimitReader(tailMax: tailMax).lines(accounts, now: now, executor)
    }

    // MARK: - Deciding

    struct Decided {
        var decision: Decision
        var requests: [Request]
        var results: [LedgerError?]
        /// Every entry is new and accepted, and nothing beside them.
        var isPlain = false

        /// Receipts for what was accepted: of now, or of the first time.
        /// - Parameter receipts: of everything that was inserted, in order.
        func results(
            _ standing: [EntryID: JournalEntry], _ receipts: [Receipt]
        ) -> [Result<[Receipt], LedgerError>] {
            if isPlain {
                var next = 0
                return requests.map { request in
                    defer { next += request.count }
                    return .success(Array(receipts[next..<next + request.count]))
                }
            }
            let recorded = Dictionary(uniqueKeysWithValues: receipts.map { ($0.id, $0) })
            var seen: Set<EntryID> = []
            return zip(requests, results).map { request, refusal in
                if let refusal { return .failure(refusal) }
                return .success(
                    request.map { draft in
                        if let stands = standing[draft.id] { return stands.receipt(isRepeat: true) }
                        guard let new = recorded[draft.id] else { preconditionFailure("what was accepted was inserted") }
                        guard seen.insert(draft.id).inserted else {
                            return Receipt(id: new.id, position: new.position, recordedAt: new.recordedAt, isRepeat: true)
                        }
                        return new
                    })
            }
        }
    }

    /// Each request on what stands after those before it; a refused one leaves nothing behind.
    func decide(
        _ requests: [Request], _ standing: [EntryID: JournalEntry], _ lines: [AccountID: Decision.Line], _ now: Timestamp?,
        _ heads: StreamHeads = StreamHeads()
    ) -> Decided {
        let controls = catalog.controls()
        var decision = Decision(
            lines: lines, controls: controls.changed, closedBefore: controls.closedBefore, now: now,
            account: { catalog.account($0) })
        if let plain = decidePlain(requests, standing, &decision, heads) { return plain }
        var heads = heads
        var taken: [EntryID: Draft] = [:]
        var results: [LedgerError?] = []
        for request in requests {
            let (before, headsBefore) = (decision.accepted.count, heads)
            var own: [EntryID: Draft] = [:]
            do throws(LedgerError) {
                try Self.checkWhole(request, standing, taken)
                for draft in request {
                    if let stands = standing[draft.id] {
                        if let conflict = draft.conflict(with: stands) { throw conflict }
                    } else if let first = own[draft.id] ?? taken[draft.id] {
                        guard first.hasSameContent(as: draft) else { throw draft.conflict(withAnotherRequest: first, own[draft.id] != nil) }
                    } else {
                        try decision.decide(try heads.placed(draft))
                        own[draft.id] = draft
                    }
                }
                if taken.isEmpty { taken = own } else { taken.merge(own) { $1 } }
                results.append(nil)
            } catch {
                decision.takeBack(to: before)
                heads = headsBefore
                results.append(Self.moved(request, heads, before: error) ?? error)
            }
        }
        return Decided(decision: decision, requests: requests, results: results)
    }
}

extension WriteStep {
    /// The usual case, at once: different ids, none of which stands, and nothing that is refused. Else nil, and nothing is decided.
    private func decidePlain(
        _ requests: [Request], _ standing: [EntryID: JournalEntry], _ decision: inout Decision, _ heads: StreamHeads
    ) -> Decided? {
        guard standing.isEmpty else { return nil }
        let count = requests.reduce(0) { $0 + $1.count }
        if count > 1 {
            var ids = Set<EntryID>(minimumCapacity: count)
            for request in requests { for draft in request { ids.insert(draft.id) } }
            guard ids.count == count else { return nil }
        }
        do throws(LedgerError) {
            var heads = heads
            for request in requests { for draft in request { try decision.decide(try heads.placed(draft)) } }
        } catch {
            decision.takeBack(to: 0)
            return nil
        }
        // An expiry may stand for a request that comes after it, and then they are not in order.
        guard decision.accepted.count == count, !decision.accepted.contains(where: { $0.settles?.isExpiry == true }) else {
            decision.takeBack(to: 0)
            return nil
        }
        return Decided(
            decision: decision, requests: requests, results: .init(repeating: nil, count: requests.count), isPlain: true)
    }
}

extension WriteStep {
    /// What a unit of work ends by may be ended already because its stream moved on under it. Then that is told: decided again, it says why by itself.
    private static func moved(_ request: Request, _ heads: StreamHeads, before error: LedgerError) -> LedgerError? {
        guard request.first?.isOfUnit == true, error.code == .conflict || error.code == .holdSettled else { return nil }
        var heads = heads
        for draft in request {
            do throws(LedgerError) { _ = try heads.placed(draft) } catch { return error.code == .revisionConflict ? error : nil }
        }
        return nil
    }

    /// A unit of work of which a part was done by another one is not done by halves.
    private static func checkWhole(
        _ request: Request, _ standing: [EntryID: JournalEntry], _ taken: [EntryID: Draft]
    ) throws(LedgerError) {
        guard request.first?.isOfUnit == true else { return }
        let beside = request.filter { taken[$0.id] != nil }
        if let first = beside.first, beside.count < request.count {
            throw LedgerError(
                .conflict, "a \(first.kind) with the id \(first.id) is recorded by another unit of work at the same time, so nothing else of this one is "
                    + "recorded", index: first.index, id: first.id)
        }
        guard !standing.isEmpty else { return }
        let stands = request.filter { standing[$0.id] != nil }
        guard let first = stands.first, stands.count < request.count, let entry = standing[first.id] else { return }
        if let conflict = first.conflict(with: entry) { throw conflict }
        let what = first.settles.map { "the hold \($0.hold) is settled" } ?? "a \(first.kind) with the id \(first.id) is recorded"
        throw LedgerError(
            first.settles == nil ? .conflict : .holdSettled, "\(what) at position \(entry.position) already, so nothing else of the unit of work is recorded",
            index: first.index, id: first.id, standing: entry.receipt(isRepeat: true))
    }
}

extension [LedgerError?] {
    /// Accounts whose limit refused something on what was only remembered.
    fileprivate func doubtful(_ remembered: [AccountID: Decision.Line]) -> [AccountID] {
        let short = compactMap { $0?.shortfall }
        guard !short.isEmpty else { return [] }
        return remembered.values.map(\.account).filter { account in
            short.contains { $0.account == account.path && $0.currency == account.currency.code }
        }.map(\.id)
    }
}

extension Draft {
    var needsClock: Bool { settles?.expiresAt != nil || hold?.expiresAt != nil || origin?.needsClock == true }

    fileprivate func conflict(withAnotherRequest first: Draft, _ isSameBatch: Bool) -> LedgerError {
        if settles != nil { return LedgerError(.holdSettled, "the hold is being settled in another way", index: index, id: id) }
        let text = isSameBatch
            ? "entries \(first.index + 1) and \(index + 1) of the batch have the same id, \(id), and different content"
            : "the id \(id) was posted with another content at the same time"
        return LedgerError(.conflict, text, index: index, id: id)
    }
}
