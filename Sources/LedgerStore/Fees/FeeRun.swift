import Foundation
import LedgerDatabase
import LedgerModel

/// One step of the fees, from its entries to its rows.
struct FeeRun {
    var state: FeeMemory.State
    private var usesVolume: [Bool] = []
    private var rows = FeeColumns()
    private var touched: [FeeGroup: FeeTotals] = [:]

    /// What becomes of an entry.
    struct Change {
        let charge: Charge
        /// Of this step: there is no row of it.
        let isNew: Bool
    }

    init(_ state: FeeMemory.State) { self.state = state }

    mutating func run(_ batches: [JournalBatch], _ writer: borrowing StepWriter) throws {
        let published = try state.book.learnSchedules(through: writer.through, writer.transaction)
        guard !state.book.names.isEmpty else { return }
        if !published.isEmpty { state.groups = [:] }
        usesVolume = state.book.usesVolume
        var finder = ChargeFinder(taking(&state.book))
        for batch in batches { try finder.take(batch) }
        try finder.finish(writer.transaction)
        let reversals = try Reversals.resolve(finder.reversed, after: writer.from, through: writer.through, writer.transaction)
        let undone = Set(reversals.filter { $0.isReversed }.map(\.id))
        var changes = finder.charges.filter { !undone.contains($0.id) }.map { Change(charge: $0, isNew: true) }
        let assessments = finder.assessments
        finder.removeAll()
        for root in reversals where root.entry.position <= writer.from && root.isReversed != root.wasReversed {
            try finder.take(root.entry, writer.transaction)
            changes += finder.charges.map { Change(charge: root.isReversed ? $0.lifted : $0, isNew: false) }
            finder.removeAll()
        }
        state.book = finder.book
        // A schedule that is published prices everything from its first month on anew.
        var history: [Int: Int64] = [:]
        for (version, position) in published where position > writer.from && writer.from > .zero {
            let name = state.book.versions[version].name
            let effective = state.book.versions[version].schedule.effectiveFrom.microseconds
            let month = try state.book.month(of: effective)
            history[name] = try min(history[name] ?? .max, state.book.months.range(month).lowerBound)
        }
        if !history.isEmpty {
            let isPast = { (charge: Charge) in history[charge.schedule].map { charge.effective >= $0 } ?? false }
            try replace(history, with: changes.filter { $0.isNew && isPast($0.charge) }.map(\.charge), writer)
            changes.removeAll { isPast($0.charge) }
        }
        try settle(&changes, writer)
        try count(assessments, reversals, writer)
        try rows.insert(writer)
        try insertTotals(writer)
    }

    private func taking(_ book: inout FeeBook) -> FeeBook {
        // Moved out, so that what it learns does not copy it.
        var taken = FeeBook()
        swap(&taken, &book)
        return taken
    }

    // MARK: - Changes

    private mutating func settle(_ changes: inout [Change], _ writer: borrowing StepWriter) throws {
        changes = inOrder(changes)
        var runs: [Range<Int>] = []
        var start = 0
        for index in changes.indices where index + 1 == changes.count || changes[index + 1].charge.group != changes[index].charge.group {
            runs.append(start..<index + 1)
            start = index + 1
        }
        for part in stride(from: 0, to: runs.count, by: 1000) {
            let part = runs[part..<min(part + 1000, runs.count)]
            try learnGroups(part.map { changes[$0.lowerBound].charge.group }, writer)
            let late = part.filter { !isInOrder(changes[$0]) }
            let stored = try stored(late.map { (changes[$0.lowerBound].charge.group, changes[$0]) }, writer)
            for range in part {
                let group = changes[range.lowerBound].charge.group
                if let before = stored[group] {
                    try reprice(group, changes[range], before, writer)
                } else {
                    try append(group, changes[range], writer)
                }
            }
        }
    }

    /// In the order of the primary key. They are in that of the journal: sorted by account, most are in order.
    private func inOrder(_ changes: [Change]) -> [Change] {
        var order = changes.indices.map { UInt64(changes[$0].charge.account) << 32 | UInt64($0) }
        order.sort()
        var sorted = order.map { changes[Int($0 & 0xFFFF_FFFF)] }
        let names = state.book.names
        func isBefore(_ left: Charge, _ right: Charge) -> Bool {
            left.schedule == right.schedule ? Charge.isRanked(left, before: right) : names[left.schedule] < names[right.schedule]
        }
        var (start, isSorted) = (0, true)
        for index in sorted.indices {
            let isLast = index + 1 == sorted.count || sorted[index + 1].charge.account != sorted[index].charge.account
            if !isLast, isBefore(sorted[index + 1].charge, sorted[index].charge) { isSorted = false }
            guard isLast else { continue }
            if !isSorted { sorted[start...index].sort { isBefore($0.charge, $1.charge) } }
            (start, isSorted) = (index + 1, true)
        }
        return sorted
    }

    private func isInOrder(_ changes: ArraySlice<Change>) -> Bool {
        guard let first = changes.first, changes.allSatisfy(\.isNew) else { return false }
        guard usesVolume[first.charge.schedule], let last = state.groups[first.charge.group]?.lastEffective else { return true }
        return first.charge.effective > last
    }

    /// Fees of new entries that rank behind all others of their group, or whose price does not depend on those.
    private mutating func append(_ key: FeeGroup, _ changes: ArraySlice<Change>, _ writer: borrowing StepWriter) throws {
        var group = state.groups[key] ?? .init()
        for change in changes {
            let row = try priced(change.charge, volume: group.totals.volume)
            group.totals.add(row, counted: state.book.counted(change.charge))
            try insert(row, writer)
        }
        if usesVolume[key.schedule] { group.lastEffective = changes.last?.charge.effective }
        state.groups[key] = group
        touched[key] = group.totals
    }

    /// Fees of a group from the first change on, if some of what stands is to be priced anew.
    /// - Parameter stored: what stands of it from there on, in order; where volume does not matter of the changed ones only.
    private mutating func reprice(
        _ key: FeeGroup, _ changes: ArraySlice<Change>, _ stored: [FeeRow], _ writer: borrowing StepWriter
    ) throws {
        var group = state.groups[key] ?? .init()
        for row in stored { group.totals.add(row, counted: state.book.counted(row.charge), times: -1) }
        let changed = Dictionary(changes.map { ($0.charge.id, $0.charge) }) { _, last in last }
        var now = stored.map(\.charge).filter { $0.version >= 0 && changed[$0.id] == nil } + changes.map(\.charge).filter { $0.version >= 0 }
        now.sort(by: Charge.isRanked)
        let before = Dictionary(uniqueKeysWithValues: stored.map { ($0.charge.id, $0) })
        for charge in now {
            let row = try priced(charge, volume: group.totals.volume)
            group.totals.add(row, counted: state.book.counted(charge))
            if let stands = before[charge.id], stands.isSame(as: row) { continue }
            try insert(row, writer)
        }
        for change in changes where change.charge.version < 0 && (before[change.charge.id]?.charge.version ?? -1) >= 0 {
            try insert(FeeRow(change.charge, FeeComponents()), writer)
        }
        if usesVolume[key.schedule] {
            group.lastEffective = max(group.lastEffective ?? .min, changes.last?.charge.effective ?? .min)
        }
        state.groups[key] = group
        touched[key] = group.totals
    }

    func priced(_ charge: Charge, volume: Int128) throws -> FeeRow {
        guard let price = state.book.price(charge) else {
            throw LedgerError(.integrity, "the entry at position \(charge.position) is charged by a rule without a price for it")
        }
        return FeeRow(charge, price.fee(charge.amount, volume: volume, waived: state.book.waived(charge)))
    }

    private mutating func insert(_ row: FeeRow, _ writer: borrowing StepWriter) throws {
        rows.append(row, state.book)
        if rows.count == FeeColumns.rowsPerStatement { try rows.insert(writer) }
    }

    // MARK: - A schedule that applies to what is past

    /// Everything that some schedules charge, each from an instant on that begins a month, is priced anew.
    /// - Parameter new: what this step's own entries are charged by them.
    private mutating func replace(_ starts: [Int: Int64], with new: [Charge], _ writer: borrowing StepWriter) throws {
        let first = starts.values.min() ?? .max
        let parts = try FeeHistory.parts(from: first, through: writer.from, writer.transaction)
        for part in 0..<parts.count {
            let isOfPart = { (account: UInt32) in Int(account) % parts.count == part }
            var finder = ChargeFinder(taking(&state.book))
            finder.only = { schedule, effective, account in starts[schedule].map { effective >= $0 } ?? false && isOfPart(account) }
            try FeeHistory.read(parts.places, through: writer.from, into: &finder, through: writer.through, writer.transaction)
            state.book = finder.book
            let charges = Dictionary(grouping: finder.charges + new.filter { isOfPart($0.account) }, by: \.schedule)
            for (name, start) in starts.sorted(by: { $0.key < $1.key }) {
                try replace(name, from: start, with: charges[name] ?? [], isOfPart, writer)
            }
        }
    }

    private mutating func replace(
        _ name: Int, from start: Int64, with charges: [Charge], _ isOfPart: (UInt32) -> Bool, _ writer: borrowing StepWriter
    ) throws {
        let month = AccountingMonth(number: try state.book.months.month(of: start)).firstDayText
        let accounts = try writer.select(
            "DISTINCT account FROM \(table: writer.table("fee_month")) WHERE schedule = \(state.book.names[name]) AND month >= \(month)"
        ).map { UInt32(try $0.uint(0)) }.filter(isOfPart)
        let byAccount = Dictionary(grouping: charges, by: \.account)
        let all = Set(accounts).union(byAccount.keys).sorted()
        let end = try AccountingMonth.last.end(in: .gmt).microseconds
        for part in stride(from: 0, to: all.count, by: 500) {
            let accounts = Array(all[part..<min(part + 500, all.count)])
            let stored = try FeeTable.newest(
                writer.table("fee"), schedule: name, accounts: accounts, effective: start..<end, &state.book, writer.transaction)
            let before = Dictionary(grouping: stored, by: \.charge.group)
            let now = Dictionary(grouping: accounts.flatMap { byAccount[$0] ?? [] }, by: \.group)
            let groups = Set(before.keys).union(now.keys).sorted { ($0.account, $0.month) < ($1.account, $1.month) }
            try learnGroups(groups, writer)
            for key in groups {
                var group = state.groups[key] ?? .init()
                group.totals = FeeTotals(assessments: group.totals.assessments, assessed: group.totals.assessed)
                state.groups[key] = group
                let kept = Set((now[key] ?? []).map(\.id))
                let lifted = (before[key] ?? []).filter { !kept.contains($0.charge.id) }.map(\.charge.lifted)
                let changes = ((now[key] ?? []) + lifted).sorted(by: Charge.isRanked).map { Change(charge: $0, isNew: false) }
                // What stood does not count towards totals that begin at 0.
                try rewrite(key, changes, before[key] ?? [], writer)
            }
        }
    }

    private mutating func rewrite(_ key: FeeGroup, _ changes: [Change], _ stored: [FeeRow], _ writer: borrowing StepWriter) throws {
        for row in stored { state.groups[key]?.totals.add(row, counted: state.book.counted(row.charge)) }
        try reprice(key, changes[...], stored, writer)
    }

    // MARK: - Assessments

    /// Entries that post fees, and those of which a reversal took back what they posted.
    private mutating func count(_ entries: [JournalEntry], _ reversals: [Reversals.Root], _ writer: borrowing StepWriter) throws {
        let undone = Set(reversals.filter { $0.isReversed }.map(\.id))
        var moves: [(group: FeeGroup, number: UInt32, amount: Int128)] = []
        for entry in entries {
            let told = try Assessed(entry, &state.book)
            moves.append((told.group, 1, entry.id.map(undone.contains) ?? false ? 0 : told.amount))
        }
        for root in reversals where root.entry.kind == .feesAssessed && root.entry.position <= writer.from && root.isReversed != root.wasReversed {
            let told = try Assessed(root.entry, &state.book)
            moves.append((told.group, 0, root.isReversed ? -told.amount : told.amount))
        }
        try learnGroups(moves.map(\.group), writer)
        for move in moves {
            state.groups[move.group, default: .init()].totals.assessments += move.number
            state.groups[move.group, default: .init()].totals.assessed += move.amount
            touched[move.group] = state.groups[move.group]?.totals
        }
    }

    // MARK: - Groups

    /// Reads what stands of groups that are not known.
    private mutating func learnGroups(_ groups: [FeeGroup], _ writer: borrowing StepWriter) throws {
        guard writer.from > .zero else { return }
        struct Key: Hashable { let (schedule, month): (Int, Int) }
        let missing = Dictionary(grouping: Set(groups.filter { state.groups[$0] == nil })) { Key(schedule: $0.schedule, month: $0.month) }
        for (key, groups) in missing {
            let accounts = groups.map(\.account).sorted()
            let totals = try FeeMonthTable.newest(
                writer.table("fee_month"), month: key.month, schedule: state.book.names[key.schedule], accounts: accounts, through: writer.from,
                writer.transaction)
            let last = usesVolume[key.schedule] ? try lastEffective(key.schedule, key.month, accounts, writer) : [:]
            for group in groups {
                state.groups[group] = .init(totals: totals[group.account] ?? FeeTotals(), lastEffective: last[group.account])
            }
        }
    }

    private mutating func lastEffective(
        _ schedule: Int, _ month: Int, _ accounts: [UInt32], _ writer: borrowing StepWriter
    ) throws -> [UInt32: Int64] {
        let range = try state.book.months.range(month)
        var found: [UInt32: Int64] = [:]
        for start in stride(from: 0, to: accounts.count, by: 1000) {
            let list = accounts[start..<min(start + 1000, accounts.count)].map { LedgerValue.uint($0) }
            let rows = try writer.select(
                """
                account.id, (SELECT f.effective_at FROM \(table: writer.table("fee")) f WHERE f.account = account.id
                 AND f.schedule = \(state.book.names[schedule]) AND f.effective_at >= \(Timestamp(microseconds: range.lowerBound).sqlText)
                 AND f.effective_at <= \(Timestamp(microseconds: range.upperBound - 1).sqlText) ORDER BY f.effective_at DESC LIMIT 1)
                FROM account WHERE account.id IN \(list: list)
                """)
            for row in rows { found[UInt32(try row.uint(0))] = try row.optionalText(1).flatMap(Timestamp.init(sqlText:))?.microseconds }
        }
        return found
    }

    /// What stands of groups, from their first change on.
    private mutating func stored(
        _ groups: [(key: FeeGroup, changes: ArraySlice<Change>)], _ writer: borrowing StepWriter
    ) throws -> [FeeGroup: [FeeRow]] {
        struct Key: Hashable { let (schedule, month): (Int, Int) }
        var found: [FeeGroup: [FeeRow]] = [:]
        for (key, groups) in Dictionary(grouping: groups, by: { Key(schedule: $0.key.schedule, month: $0.key.month) }) {
            for group in groups { found[group.key] = [] }
            let start = groups.compactMap { $0.changes.first?.charge.effective }.min() ?? 0
            let end = try state.book.months.range(key.month).upperBound
            let rows = try FeeTable.newest(
                writer.table("fee"), schedule: key.schedule, accounts: groups.map(\.key.account).sorted(), effective: start..<end, &state.book,
                writer.transaction)
            let byAccount = Dictionary(grouping: rows, by: \.charge.account)
            for group in groups {
                guard let rows = byAccount[group.key.account], let first = group.changes.first?.charge else { continue }
                let ids = usesVolume[key.schedule] ? nil : Set(group.changes.map(\.charge.id))
                found[group.key] = rows.filter { row in ids.map { $0.contains(row.charge.id) } ?? !Charge.isRanked(row.charge, before: first) }
            }
        }
        return found
    }

    private mutating func insertTotals(_ writer: borrowing StepWriter) throws {
        let names = state.book.names
        let rows = touched.sorted { left, right in
            (left.key.month, names[left.key.schedule], left.key.account) < (right.key.month, names[right.key.schedule], right.key.account)
        }
        try FeeMonthTable.insert(rows.map { ($0.key, $0.value) }, state.book, writer)
    }
}
