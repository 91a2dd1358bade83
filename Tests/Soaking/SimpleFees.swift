/// What docs/fees.md says, a second time and as simply as it goes: all of a journal in, the fees of one account after the other out.
/// It shares nothing with what writes the rows, and it is slow where that is fast.
struct SimpleFees: Sendable {
    /// The newest row of an entry and a schedule, as `fee_g` has it.
    struct Row: Equatable, Sendable {
        var schedule: String
        var effective: Int64
        var id: SimpleJournal.ID
        /// Of the entry.
        var position: UInt64
        var version = 0
        var rule = 0
        var amount: Int128 = 0
        var slices = ""
        var percentage: Int128 = 0
        var rounding: Int128 = 0
        var fixed: Int128 = 0
        var bounded: Int128 = 0
        var waiver = 0
        var waived: Int128 = 0
        var waivedRounding: Int128 = 0
        var fee: Int128 = 0
    }

    /// The newest row of a month and a schedule, as `fee_month_g` has it.
    struct Month: Equatable, Sendable {
        var schedule: String
        /// Its first day.
        var month: String
        var charged: Int128 = 0
        var volume: Int128 = 0
        var fees: Int128 = 0
        var waived: Int128 = 0
    }

    let journal: SimpleJournal
    /// By name, in the order of their bytes.
    private let schedules: [(name: String, versions: [SimpleSchedule])]
    /// Entries that touch an account by a posted posting.
    private let touching: [UInt32: [Int32]]
    private let holds: [SimpleJournal.ID: SimpleJournal.Words]
    /// The reversal of an entry.
    private let reversals: [SimpleJournal.ID: SimpleJournal.ID]

    init(_ journal: SimpleJournal) throws {
        self.journal = journal
        var (versions, touching): ([String: [SimpleSchedule]], [UInt32: [Int32]]) = ([:], [:])
        var reversals: [SimpleJournal.ID: SimpleJournal.ID] = [:]
        var captured: Set<SimpleJournal.ID> = []
        for (index, entry) in journal.entries.enumerated() {
            let words = journal.words[Int(entry.words)]
            switch words.kind {
            case "ledger.fee-schedule-published":
                let schedule = try SimpleSchedule(words.payload, journal.calendar, exponents: journal.exponents)
                versions[schedule.name, default: []].append(schedule)
            case "ledger.reversed":
                if let id = Self.id(words.payload["reverses"]) { reversals[id] = entry.id }
            case "ledger.hold-captured":
                if let id = Self.id(words.payload["hold"]) { captured.insert(id) }
            default: break
            }
            for posting in journal.postings(of: entry) where posting.isPosted {
                for account in [posting.debit, posting.credit] where touching[account]?.last != Int32(index) {
                    touching[account, default: []].append(Int32(index))
                }
            }
        }
        var holds: [SimpleJournal.ID: SimpleJournal.Words] = [:]
        for entry in journal.entries where captured.contains(entry.id) { holds[entry.id] = journal.words[Int(entry.words)] }
        schedules = versions.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
        (self.touching, self.holds, self.reversals) = (touching, holds, reversals)
    }

    private static func id(_ json: SimpleJSON?) -> SimpleJournal.ID? { json?.string.flatMap { SimpleJournal.ID(hex: $0) } }

    /// Every account that may have a fee.
    var accounts: [UInt32] { touching.keys.sorted() }

    // MARK: - What is charged

    private struct Charge {
        let entry: SimpleJournal.Entry
        let version: SimpleSchedule
        let rule: Int
        let price: SimpleSchedule.Price
        let waiver: Int
        let amount: Int128
    }

    /// The fees of one account, in the order of their keys.
    func fees(of account: UInt32) -> (rows: [Row], months: [Month]) {
        guard let known = journal.accounts[account], let touching = touching[account] else { return ([], []) }
        let path = known.path.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        var entries: [SimpleJournal.Entry] = touching.map { journal.entries[Int($0)] }.filter { !isReversed($0.id) }
        entries.sort { $0.effective == $1.effective ? $0.id < $1.id : $0.effective < $1.effective }
        var result: (rows: [Row], months: [Month]) = ([], [])
        for schedule in schedules {
            if !schedule.versions.contains(where: { $0.mayCharge(path) }) { continue }
            var months: [Int: Month] = [:]
            for entry in entries {
                guard let charge = charge(entry, schedule.versions, account, path, known.currency) else { continue }
                let month = journal.calendar.month(entry.effective)
                var totals = months[month] ?? Month(schedule: schedule.name, month: SimpleCalendar.text(month: month))
                let row = row(charge, volumeBefore: totals.volume)
                totals.charged += 1
                totals.volume += charge.version.rules[charge.rule].volume * charge.amount
                totals.fees += row.fee
                totals.waived += row.waived
                months[month] = totals
                result.rows.append(row)
            }
            result.months += months.sorted { $0.key < $1.key }.map(\.value)
        }
        return result
    }

    private func isReversed(_ id: SimpleJournal.ID) -> Bool {
        guard let reversal = reversals[id] else { return false }
        return !isReversed(reversal)
    }

    /// Kind and payload by which an entry is charged; nil if it never is.
    private func words(_ entry: SimpleJournal.Entry) -> SimpleJournal.Words? {
        let own = journal.words[Int(entry.words)]
        if own.kind == "ledger.hold-captured" { return Self.id(own.payload["hold"]).flatMap { holds[$0] } }
        return own.kind.hasPrefix("ledger.") ? nil : own
    }

    private func charge(
        _ entry: SimpleJournal.Entry, _ versions: [SimpleSchedule], _ account: UInt32, _ path: [String], _ currency: String
    ) -> Charge? {
        let version = versions.filter { $0.effectiveFrom <= entry.effective }
            .max { ($0.effectiveFrom, $0.version) < ($1.effectiveFrom, $1.version) }
        guard let version, let words = words(entry) else { return nil }
        for (number, rule) in version.rules.enumerated() {
            guard rule.kinds.contains(where: { Self.fits(words.kind, $0) }), rule.accounts.contains(where: { $0.fits(path) }),
                rule.fields.allSatisfy({ $0.fits(words.payload) }), let price = rule.prices[currency] ?? rule.prices["*"]
            else { continue }
            let own = journal.postings(of: entry).filter { $0.isPosted && (rule.isDebit ? $0.debit : $0.credit) == account }
            if own.isEmpty { continue }
            let waiver = rule.waivers.firstIndex { waiver in
                (waiver.accounts?.contains { $0.fits(path) } ?? true) && waiver.fields.allSatisfy { $0.fits(words.payload) }
                    && (waiver.from.map { entry.effective >= $0 } ?? true) && (waiver.until.map { entry.effective < $0 } ?? true)
            }
            return Charge(
                entry: entry, version: version, rule: number, price: price, waiver: waiver.map { $0 + 1 } ?? 0,
                amount: own.reduce(0) { $0 + Int128($1.amount) })
        }
        return nil
    }

    private static func fits(_ kind: String, _ pattern: String) -> Bool {
        pattern.hasSuffix(".*") ? kind.hasPrefix(pattern.dropLast()) : kind == pattern
    }

    // MARK: - How much

    private static let whole: Int128 = 100_000_000

    private func row(_ charge: Charge, volumeBefore: Int128) -> Row {
        var row = Row(schedule: charge.version.name, effective: charge.entry.effective, id: charge.entry.id, position: charge.entry.position)
        (row.version, row.rule, row.waiver) = (charge.version.version, charge.rule + 1, charge.waiver)
        let waived = charge.waiver > 0 ? charge.version.rules[charge.rule].waivers[charge.waiver - 1].share : 0
        Self.price(&row, charge.price, charge.amount, volumeBefore, waived: waived)
        return row
    }

    /// - Parameter waived: 1/100,000,000 of the fee.
    static func price(_ row: inout Row, _ price: SimpleSchedule.Price, _ amount: Int128, _ volumeBefore: Int128, waived share: Int128) {
        let slices = slices(price, amount, volumeBefore)
        row.amount = amount
        if price.hasTiers { row.slices = slices.map { "\($0.step + 1):\($0.amount)" }.joined(separator: " ") }
        let exact = slices.reduce(0) { $0 + $1.amount * price.steps[$1.step].share }
        row.percentage = rounded(exact, price.rounding)
        row.rounding = row.percentage * whole - exact
        row.fixed = slices.reduce(0) { $0 + price.steps[$1.step].fixed }
        let sum = row.percentage + row.fixed
        if let minimum = price.minimum, sum < minimum { row.bounded = minimum - sum }
        if let maximum = price.maximum, sum > maximum { row.bounded = maximum - sum }
        let full = sum + row.bounded
        row.waived = rounded(full * share, price.rounding)
        row.waivedRounding = row.waived * whole - full * share
        row.fee = full - row.waived
    }

    /// What of the amount each step covers, from step 0.
    static func slices(_ price: SimpleSchedule.Price, _ amount: Int128, _ volumeBefore: Int128) -> [(step: Int, amount: Int128)] {
        if !price.hasTiers { return [(0, amount)] }
        if price.isWhole {
            let place = price.isByVolume ? volumeBefore : amount
            return [(price.steps.lastIndex { $0.from <= place } ?? 0, amount)]
        }
        let begin = price.isByVolume ? volumeBefore : 0
        let end = begin + amount
        return price.steps.indices.compactMap { step in
            let from = step == 0 ? begin : max(begin, price.steps[step].from)
            let until = step + 1 < price.steps.count ? min(end, price.steps[step + 1].from) : end
            return from < until ? (step, until - from) : nil
        }
    }

    /// So many 1/100,000,000 as a whole number.
    static func rounded(_ parts: Int128, _ mode: String) -> Int128 {
        let quotient = abs(parts) / whole
        let rest = abs(parts) % whole
        let isNegative = parts < 0
        let isAwayFromZero =
            switch mode {
            case "down": false
            case "up": rest > 0
            case "floor": rest > 0 && isNegative
            case "ceiling": rest > 0 && !isNegative
            case "half-up": rest * 2 >= whole
            default: rest * 2 > whole || rest * 2 == whole && quotient % 2 == 1
            }
        let size = quotient + (isAwayFromZero ? 1 : 0)
        return isNegative ? -size : size
    }
}
