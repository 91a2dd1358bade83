import LedgerDatabase
public import LedgerModel
import Synchronization

/// Units of work on a book: `Units(ledger)`.
extension Ledger: UnitStore {
    /// What is stored of streams, in the same order, as of one moment.
    ///
    /// The number of statements does not depend on how many streams there are (up to a thousand), nor on how long they are.
    public func histories(_ requests: [StreamRequest]) async throws(LedgerError) -> [StreamHistory] {
        guard !requests.isEmpty else { return [] }
        return try await translated {
            try await Trace.current.span("ledger.load") { try await database.read { try streams.histories(requests, $0) } }
        }
    }

    /// Keeps a state in memory, to begin with the next time.
    public func remember<A: Aggregate>(_ state: A, of stream: StreamName, after history: StreamHistory) {
        streams.remember(state, of: stream, after: history)
    }

    /// The receipt of an entry, if it stands.
    public func receipt(of id: EntryID) async throws(LedgerError) -> Receipt? {
        try await translated { try await standing([id])[id]?.receipt(isRepeat: true) }
    }

    /// Records all operations in order, in one transaction, or none.
    /// - Throws: as ``post(_:)-(Entry)``, and `revisionConflict` and `claimTaken` for what streams refuse.
    public func commit(_ operations: [UnitOperation], _ trace: Trace) async throws(LedgerError) -> [Receipt] {
        guard !operations.isEmpty else { return [] }
        try requireWriter()
        return try await translated {
            try await trace.span("ledger.unit") {
                let drafts = UnitDrafts(operations, trace)
                let posted = try await self.drafts(drafts.entries, isChecked: true)
                let holds = drafts.heldElsewhere.isEmpty ? [:] : try await standing(drafts.heldElsewhere)
                let ids = Set((holds.values.map(\.postings) + posted.map(\.postings)).joined().flatMap { [$0.debit, $0.credit] })
                let accounts = drafts.settlesHolds ? try await catalog.accounts(ids) : [:]
                return try await commits.write(try drafts.all(posted, holds) { accounts[$0] })
            }
        }
    }

    /// Claims the next revision of each stream, has `body` decide, and records what it returns, all in one transaction.
    /// - Throws: what `body` throws, as it is.
    public func exclusively(
        _ requests: [StreamRequest], _ trace: Trace, _ body: @Sendable ([StreamHistory], [EntryID]) throws -> [UnitOperation]
    ) async throws -> [Receipt] {
        try requireWriter()
        var retrying = Retrying()
        let attempt = Attempt()
        // The same in each attempt: if an earlier one is still being committed, claiming waits for it, and finds it.
        let ids = requests.map { _ in EntryID.minted() }
        var isUnknown = false
        while true {
            do {
                return try await trace.span("ledger.unit") {
                    try await database.write { try claimAndRecord(requests, ids, trace, attempt, $0, body) }
                }
            } catch is NothingDecided {
                return []
            } catch let failure as DatabaseError {
                if failure.kind == .outcomeUnknown { isUnknown = true }
                if isUnknown {
                    // To run it again would be to do it twice; without claims nothing would tell.
                    guard !ids.isEmpty else { throw LedgerError(failure) }
                    do { if let receipts = try await recorded(attempt) { return receipts } } catch { throw LedgerError.translating(retrying.final(failure)) }
                }
                do { try await retrying.pause(after: failure) } catch { throw LedgerError.translating(error) }
            }
        }
    }

    /// The transaction is rolled back, and that is all.
    private struct NothingDecided: Error {}

    /// What the last attempt was about to record.
    private final class Attempt: Sendable {
        private let ids = Mutex<(own: EntryID?, all: [EntryID])>((nil, []))
        /// An entry that nobody else can have recorded, and all of them in order.
        var entries: (own: EntryID?, all: [EntryID]) { ids.withLock { $0 } }
        func records(_ own: EntryID?, _ all: [EntryID]) { ids.withLock { $0 = (own, all) } }
    }

    /// The receipts of an attempt whose outcome was not heard of; nil if it came to nothing.
    private func recorded(_ attempt: Attempt) async throws -> [Receipt]? {
        let entries = attempt.entries
        guard let own = entries.own else { return nil }
        let standing = try await standing(entries.all)
        return standing[own] == nil ? nil : entries.all.compactMap { standing[$0]?.receipt(isRepeat: false) }
    }

    private func claimAndRecord(
        _ requests: [StreamRequest], _ ids: [EntryID], _ trace: Trace, _ attempt: Attempt, _ transaction: borrowing LedgerTransaction,
        _ body: ([StreamHistory], [EntryID]) throws -> [UnitOperation]
    ) throws -> [Receipt] {
        let streams = requests.map(\.stream).sorted()
        // Those who want the same wait here, on a row that nobody changes; it only saves retries. Who comes first to a new stream does not wait.
        _ = try transaction.run(
            .select("1 FROM stream_entry WHERE stream IN \(list: streams.map { .text($0.text) }) AND revision = 1 ORDER BY stream FOR UPDATE"))
        let histories = try self.streams.histories(requests, transaction)
        let rows = zip(histories, ids).sorted { $0.0.stream < $1.0.stream }.map { history, id -> [LedgerValue] in
            [.text(history.stream.text), .bytes(id.bytes), .uint(history.revision + 1)]
        }
        if !rows.isEmpty { try transaction.run(.insert(into: .streamEntry, ["stream", "entry_id", "revision"], rows: rows)) }
        let operations = try body(histories, ids)
        guard !operations.isEmpty else { throw NothingDecided() }
        let drafts = UnitDrafts(operations, trace, claimed: Set(ids))
        let posted = try self.drafts(drafts.entries, isChecked: true, transaction)
        let holds = drafts.heldElsewhere.isEmpty ? [:] : try JournalRows.entries(drafts.heldElsewhere, transaction)
        let numbers = Set((holds.values.map(\.postings) + posted.map(\.postings)).joined().flatMap { [$0.debit, $0.credit] })
        var accounts: [AccountID: Account] = [:]
        if drafts.settlesHolds {
            for row in try transaction.run(AccountCatalog.statement(numbers.sorted())) {
                let account = try AccountCatalog.account(row)
                accounts[account.id] = account
            }
        }
        let all = try drafts.all(posted, holds) { accounts[$0] }
        attempt.records(ids.first, all.map(\.id))
        do {
            return try WriteStep(catalog: catalog, memory: nil, tailMax: tailMax).run([all], attempt: 1, transaction).results[0].get()
        } catch let nothing as WriteStep.NothingToWrite {
            // All of it stands, or it is refused: what was claimed here is rolled back.
            _ = try nothing.outcome.results[0].get()
            throw LedgerError(.conflict, "everything in the unit of work is recorded already")
        }
    }
}

/// The operations of a unit of work as drafts, once their accounts and holds are found.
private struct UnitDrafts {
    private let operations: [UnitOperation]
    private let trace: Trace
    private let claimed: Set<EntryID>
    /// What is posted, in order.
    let entries: [Entry]
    /// Holds that are to be settled and do not begin here.
    let heldElsewhere: [EntryID]

    init(_ operations: [UnitOperation], _ trace: Trace, claimed: Set<EntryID> = []) {
        (self.operations, self.trace, self.claimed) = (operations, trace, claimed)
        entries = operations.compactMap { if case .post(let entry) = $0.action { entry } else { nil } }
        let own = Set(entries.map(\.id))
        heldElsewhere = Array(Set(operations.compactMap(\.settled)).subtracting(own))
    }

    var settlesHolds: Bool { operations.contains { $0.settled != nil } }

    func all(_ posted: [Draft], _ holds: [EntryID: JournalEntry], account: (AccountID) -> Account?) throws -> [Draft] {
        var posted = posted[...]
        var own: [EntryID: Draft] = [:]
        var drafts: [Draft] = []
        for (index, operation) in operations.enumerated() {
            var draft: Draft
            switch operation.action {
            case .post(let entry):
                draft = posted.removeFirst()
                own[entry.id] = draft
            case .capture(let hold, let amounts):
                let entry = try self.hold(hold, own, holds)
                let units = try amounts.map { try entry.captured($0, account) }
                draft = try Draft(settling: entry, by: .capture(units), account: account)
            case .void(let hold): draft = try Draft(settling: try self.hold(hold, own, holds), by: .void, account: account)
            }
            draft.index = index
            draft.isOfUnit = true
            draft.origin = Origin(trace, operation.append, command: operation.command, isClaimed: claimed.contains(draft.id))
            drafts.append(draft)
        }
        return drafts
    }

    private func hold(_ id: EntryID, _ own: [EntryID: Draft], _ holds: [EntryID: JournalEntry]) throws -> JournalEntry {
        if let draft = own[id] { return JournalEntry(draft) }
        guard let entry = holds[id] else { throw LedgerError(.unknownEntry, "there is no entry with the id \(id)", id: id) }
        return entry
    }
}

extension UnitOperation {
    fileprivate var settled: EntryID? {
        switch action {
        case .post: nil
        case .capture(let hold, _), .void(let hold): hold
        }
    }
}
