import LedgerDatabase
import LedgerModel

/// Entries that were reversed, and those whose reversal was.
enum Reversals {
    /// An entry that is no reversal itself.
    struct Root {
        let id: EntryID
        let entry: JournalEntry
        let wasReversed: Bool
        let isReversed: Bool
    }

    /// The entries that reversals go back to, and whether they are reversed as of two positions.
    /// - Parameter named: what reversals name: entries, or reversals.
    static func resolve(
        _ named: [EntryID], after from: Position, through: Position, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [Root] {
        var roots: [EntryID: JournalEntry] = [:]
        var next = Set(named)
        while !next.isEmpty {
            let entries = try JournalRows.entries(next, executor)
            guard entries.count == next.count else { throw LedgerError(.integrity, "a reversal names an entry that is not there") }
            next = []
            for (id, entry) in entries {
                if entry.kind == .reversed { next.insert(try ChargeFinder.named("reverses", entry)) } else { roots[id] = entry }
            }
        }
        var chain = Dictionary(uniqueKeysWithValues: roots.keys.map { ($0, EntryID.reversal(of: $0)) })
        var (was, now): (Set<EntryID>, Set<EntryID>) = ([], [])
        while !chain.isEmpty {
            let entries = try JournalRows.entries(Set(chain.values), executor)
            for (root, reversal) in chain {
                guard let entry = entries[reversal], entry.position <= through else {
                    chain[root] = nil
                    continue
                }
                now.formSymmetricDifference([root])
                if entry.position <= from { was.formSymmetricDifference([root]) }
                chain[root] = .reversal(of: reversal)
            }
        }
        return roots.map { Root(id: $0, entry: $1, wasReversed: was.contains($0), isReversed: now.contains($0)) }
    }
}

/// Entries of the past that a schedule applies to: the journal has no index by effective time, so it is looked through.
enum FeeHistory {
    /// Charges that are looked at together; more accounts are taken in several parts.
    private static let chargesMax = 500_000

    /// Where entries are that count from an instant on, and in how many parts of the accounts they are best looked at.
    static func parts(
        from start: Int64, through: Position, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> (places: [UInt64], count: Int) {
        let rows = try executor.run(
            .select(
                """
                (position - 1) DIV \(JournalReader.positionsPerRead), COUNT(*) FROM entry WHERE position <= \(through.number)
                AND effective_at >= \(Timestamp(microseconds: start).sqlText) AND id IS NOT NULL GROUP BY 1 ORDER BY 1
                """))
        let total = try rows.reduce(0) { $0 + Int(try $1.uint(1)) }
        return (try rows.map { try $0.uint(0) }, 1 + total / chargesMax)
    }

    /// Finds what is charged in these places of the journal, without what is reversed as of another position.
    static func read(
        _ places: [UInt64], through end: Position, into finder: inout ChargeFinder, through: Position,
        _ executor: borrowing LedgerTransaction
    ) throws {
        for place in places {
            let start = place * JournalReader.positionsPerRead
            try finder.take(try JournalReader.read(after: start, through: min(start + JournalReader.positionsPerRead, end.number), executor))
        }
        try finder.finish(executor)
        let reversed = try executor.run(
            .select(
                "payload FROM entry WHERE kind = \(EntryKind.reversed.text) AND position <= \(through.number)")
        ).compactMap { try $0.optionalText(0).flatMap { try JSON(parsing: $0)["reverses"]?.string }.flatMap(EntryID.init(hex:)) }
        let undone = Set(try Reversals.resolve(reversed, after: through, through: through, executor).filter(\.isReversed).map(\.id))
        finder.drop { undone.contains($0.id) }
    }
}

/// What an entry says that posted fees.
struct Assessed {
    let group: FeeGroup
    /// Minor units; negative if they were paid to the account.
    let amount: Int128

    init(_ entry: JournalEntry, _ book: inout FeeBook) throws {
        let payload = try entry.payload.map { try JSON(parsing: $0) }
        guard let name = payload?["schedule"]?.string, let schedule = book.names.firstIndex(of: name),
            let month = try payload?["month"]?.string.map({ try AccountingMonth($0) }), let fees = payload?["fees"]?.string,
            let posting = entry.postings.first, entry.postings.count == 1
        else { throw LedgerError(.integrity, "the entry at position \(entry.position) posts fees of nothing that is known") }
        let isReturn = fees.hasPrefix("-")
        group = FeeGroup(schedule: schedule, month: month.number, account: (isReturn ? posting.credit : posting.debit).number)
        amount = isReturn ? -Int128(posting.amount) : Int128(posting.amount)
    }
}
