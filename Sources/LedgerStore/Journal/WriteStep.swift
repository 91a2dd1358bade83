import LedgerDatabase
import LedgerModel

/// One attempt to write a group of requests in one database transaction: look up, claim, read, decide, insert. The order is what
/// makes it exact: whatever a decision has read has a lower position than what it writes.
struct WriteStep: Sendable {
    /// Entries that stand or fall together.
    typealias Request = [Draft]

    struct Outcome: Sendable {
        var results: [Result<[Receipt], LedgerError>]
        /// What may be remembered once it is committed.
        var lines: [AccountID: LimitMemory.Line] = [:]
        var moved: [Draft.Effect] = []
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
        if catalog.isControlOld { try catalog.refreshControls(executor) }
        let asked = requests.joined().filter { attempt > 0 || !$0.id.isMinted }.map(\.id)
        var standing = asked.isEmpty ? [:] : try JournalRows.entries(asked, executor)
        let new = requests.joined().filter { standing[$0.id] == nil }
        let claims = try claim(new, attempt: attempt, executor)
        let now = claims.isEmpty && !new.contains(where: \.needsClock) ? nil : try Self.clock(executor)
        var lines = try read(claims.filter { $0.value.line == nil }.map(\.value.account), now, executor)
        for (id, claim) in claims where claim.line != nil { lines[id] = claim.line }
        var decided = decide(requests, standing, lines, now)
        // Whoever repeats a request gets its receipt, also where a rule would refuse it by now: ids of our own are looked up
        // before they are refused.
        let refused = zip(requests, decided.results).filter { $1 != nil }.flatMap { $0.0 }.map(\.id).filter { attempt == 0 && $0.isMinted }
        if !refused.isEmpty {
            let found = try JournalRows.entries(refused, executor)
            if !found.isEmpty {
                standing.merge(found) { $1 }
                decided = decide(requests, standing, lines, now)
            }
        }
        // A no that rests on what is remembered is read again.
        let doubtful = decided.results.doubtful(claims)
        if !doubtful.isEmpty {
            lines.merge(try read(doubtful, now, executor)) { $1 }
            decided = decide(requests, standing, lines, now)
            let again = decided.results.doubtful(claims).filter { !doubtful.contains($0) }
            if !again.isEmpty {
                lines.merge(try read(claims.values.map(\.account), now, executor)) { $1 }
                decided = decide(requests, standing, lines, now)
            }
        }
        guard !decided.decision.accepted.isEmpty else { throw NothingToWrite(outcome: Outcome(results: decided.results(standing, []))) }
        let receipts = try JournalWriter.append(decided.decision.accepted, in: executor)
        var outcome = Outcome(results: decided.results(standing, receipts))
        for (id, claim) in claims {
            outcome.lines[id] = decided.decision.lines[id].map { LimitMemory.Line(revision: claim.revision + 1, line: $0) }
        }
        outcome.moved = decided.decision.accepted.flatMap(\.limited).filter { claims[$0.account.id] == nil }
        return outcome
    }

    static func clock(_ executor: borrowing some SQLExecutor & ~Copyable) throws -> Timestamp {
        guard let now = Timestamp(sqlText: try executor.run(.select("UTC_TIMESTAMP(6)"))[0].text(0)) else {
            throw LedgerError(.schema, "the database has no clock")
        }
        return now
    }

    // MARK: - Claiming

    struct Claim {
        let account: Account
        /// The revision before the one that is claimed.
        let revision: UInt64
        /// What is remembered, if nobody claimed since.
        let line: Decision.Line?
    }

    private func claim(
        _ drafts: [Draft], attempt: Int, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [AccountID: Claim] {
        var accounts: [AccountID: Account] = [:]
        for draft in drafts { for effect in draft.limited where effect.claims { accounts[effect.account.id] = effect.account } }
        guard !accounts.isEmpty else { return [:] }
        let ids = accounts.keys.sorted()
        let remembered = memory?.lines(ids) ?? [:]
        var revisions: [AccountID: UInt64] = [:]
        if attempt > 0 || memory?.isQueueing != false {
            try Claims.queue(ids, executor)
            revisions = try Claims.newest(ids, executor)
        } else {
            revisions = try Claims.newest(ids.filter { remembered[$0] == nil }, executor)
            for (id, line) in remembered { revisions[id] = line.revision }
        }
        try Claims.take(after: ids.map { ($0, revisions[$0] ?? 0) }, executor)
        return Dictionary(
            uniqueKeysWithValues: ids.map { id in
                let line = remembered[id].flatMap { $0.revision == revisions[id] ? $0.line : nil }
                return (id, Claim(account: accounts[id]!, revision: revisions[id] ?? 0, line: line))
            })
    }

    func read(
        _ accounts: [Account], _ now: Timestamp?, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [AccountID: Decision.Line] {
        guard !accounts.isEmpty, let now else { return [:] }
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
        _ requests: [Request], _ standing: [EntryID: JournalEntry], _ lines: [AccountID: Decision.Line], _ now: Timestamp?
    ) -> Decided {
        let controls = catalog.controls()
        var decision = Decision(
            lines: lines, controls: controls.changed, closedBefore: controls.closedBefore, now: now,
            account: { catalog.account($0) })
        if let plain = decidePlain(requests, standing, &decision) { return plain }
        var taken: [EntryID: Draft] = [:]
        var results: [LedgerError?] = []
        for request in requests {
            let before = decision.accepted.count
            var own: [EntryID: Draft] = [:]
            do throws(LedgerError) {
                for draft in request {
                    if let stands = standing[draft.id] {
                        if let conflict = draft.conflict(with: stands) { throw conflict }
                    } else if let first = own[draft.id] ?? taken[draft.id] {
                        guard first.hasSameContent(as: draft) else { throw draft.conflict(withAnotherRequest: first, own[draft.id] != nil) }
                    } else {
                        try decision.decide(draft)
                        own[draft.id] = draft
                    }
                }
                if taken.isEmpty { taken = own } else { taken.merge(own) { $1 } }
                results.append(nil)
            } catch {
                decision.takeBack(to: before)
                results.append(error)
            }
        }
        return Decided(decision: decision, requests: requests, results: results)
    }
}

extension WriteStep {
    /// The usual case, at once: different ids, none of which stands, and nothing that is refused. Else nil, and nothing is decided.
    private func decidePlain(
        _ requests: [Request], _ standing: [EntryID: JournalEntry], _ decision: inout Decision
    ) -> Decided? {
        guard standing.isEmpty else { return nil }
        var ids: Set<EntryID> = []
        var count = 0
        for request in requests {
            count += request.count
            for draft in request { ids.insert(draft.id) }
        }
        guard ids.count == count else { return nil }
        do throws(LedgerError) {
            for request in requests { for draft in request { try decision.decide(draft) } }
        } catch {
            decision.takeBack(to: 0)
            return nil
        }
        guard decision.accepted.count == count else {
            decision.takeBack(to: 0)
            return nil
        }
        return Decided(
            decision: decision, requests: requests, results: .init(repeating: nil, count: requests.count), isPlain: true)
    }
}

extension [LedgerError?] {
    /// Accounts whose limit refused something on what was only remembered.
    fileprivate func doubtful(_ claims: [AccountID: WriteStep.Claim]) -> [Account] {
        let paths = Set(compactMap { $0?.shortfall.map { [$0.account.text, $0.currency.text] } })
        guard !paths.isEmpty else { return [] }
        return claims.values.filter { $0.line != nil && paths.contains([$0.account.path.text, $0.account.currency.code.text]) }.map(\.account)
    }
}

extension Draft {
    var needsClock: Bool { settles?.expiresAt != nil || hold?.expiresAt != nil }

    fileprivate func conflict(withAnotherRequest first: Draft, _ isSameBatch: Bool) -> LedgerError {
        if settles != nil { return LedgerError(.holdSettled, "the hold is being settled in another way", index: index, id: id) }
        let text = isSameBatch
            ? "entries \(first.index + 1) and \(index + 1) of the batch have the same id, \(id), and different content"
            : "the id \(id) was posted with another content at the same time"
        return LedgerError(.conflict, text, index: index, id: id)
    }
}
