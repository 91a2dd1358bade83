import Foundation
import LedgerDatabase
import LedgerModel

/// What fees follow from beside the entries themselves: schedules, accounts, currencies, months. None of it ever changes, there is only more.
struct FeeBook: Sendable {
    /// Names of schedules, in the order in which they became known.
    private(set) var names: [String] = []
    private(set) var versions: [Version] = []
    /// Of each name its versions, the one that an entry is charged by first: by effective time and number, the last ones first.
    private var order: [[Int]] = []
    private var kinds: [EntryKind: KindUse] = [:]
    /// Where an account is in ``accounts``.
    private var places: [UInt32: Int] = [:]
    private var accounts: [KnownAccount] = []
    private var currencies: [CurrencyCode: Currency] = [:]
    var months = MonthCalendar(zone: .gmt)
    private var isZoneKnown = false

    struct Version: Sendable {
        let schedule: FeeSchedule
        /// Place of its name in ``FeeBook/names``.
        let name: Int
        let rules: [Rule]
        /// By account, as in ``FeeBook/accounts``: the rules that it fits, and that have a price for it; nil: not looked yet.
        fileprivate var fitting: [[Int]?] = []

        init(schedule: FeeSchedule, name: Int) {
            (self.schedule, self.name) = (schedule, name)
            rules = schedule.rules.map(Rule.init)
        }
    }

    /// A rule that is looked at for millions of entries: an object, so that looking copies nothing.
    final class Rule: Sendable {
        let rule: FeeRule
        let side: Side
        let hasFields: Bool
        let hasWaivers: Bool
        let volume: FeeRule.Volume

        init(_ rule: FeeRule) {
            self.rule = rule
            (side, hasFields, hasWaivers, volume) = (rule.side, !rule.fields.isEmpty, !rule.waivers.isEmpty, rule.volume)
        }
    }

    private struct KnownAccount: Sendable {
        let path: AccountPath
        let currency: CurrencyCode
    }

    /// What entries of a kind may be charged by.
    struct KindUse: Sendable {
        /// Of each name: the versions as in ``FeeBook/order``, and the rules of each that name the kind.
        var names: [(name: Int, versions: [(from: Int64, version: Int, rules: [Int])])] = []
    }

    var usesVolume: [Bool] { names.indices.map { name in order[name].contains { versions[$0].schedule.usesVolume } } }

    func price(_ charge: Charge) -> FeePrice? {
        guard let place = places[charge.account] else { return nil }
        return versions[charge.version].rules[charge.rule].rule.price(accounts[place].currency)
    }

    func waived(_ charge: Charge) -> BasisPoints? {
        charge.waiver == 0 ? nil : versions[charge.version].rules[charge.rule].rule.waivers[charge.waiver - 1].basisPoints
    }

    /// What a charge adds to the month's volume.
    func counted(_ charge: Charge) -> Int128 {
        charge.version < 0 ? 0 : versions[charge.version].rules[charge.rule].volume.counted(charge.amount)
    }

    /// Place of a version that is known.
    func version(_ name: Int, _ number: UInt32) -> Int? { order[name].first { versions[$0].schedule.version == number } }

    // MARK: - Learning

    /// Reads zone and currencies, once, and the schedules that are published up to a position and not known yet.
    /// - Returns: the versions that are new, with their positions.
    mutating func learnSchedules(
        through: Position, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [(version: Int, position: Position)] {
        let rows = try executor.run(
            .select(
                """
                s.name, s.version, e.position FROM fee_schedule s JOIN entry e ON e.id = s.entry_id
                WHERE e.position <= \(through.number) ORDER BY e.position
                """))
        var new: [(Int, Position)] = []
        for row in rows {
            let (name, number) = (try row.text(0), UInt32(clamping: try row.uint(1)))
            if let known = names.firstIndex(of: name), version(known, number) != nil { continue }
            try learnZoneAndCurrencies(executor)
            let position = Position(try row.uint(2))
            let payload = try executor.run(.select("payload FROM entry WHERE position = \(position.number)")).first?.optionalText(0)
            new.append((add(try Self.schedule(payload, at: position, currencies, months.zone)), position))
        }
        return new
    }

    /// The document that an entry carries.
    static func schedule(
        _ payload: String?, at position: Position, _ currencies: [CurrencyCode: Currency], _ zone: TimeZone
    ) throws -> FeeSchedule {
        do {
            guard case .object(var members)? = try payload.map({ text throws(LedgerError) in try JSON(parsing: text) }) else {
                throw LedgerError(.integrity, "it has no document")
            }
            for key in ["actor", "reference"] { members[key] = nil }
            return try FeeSchedule(.object(members), currencies: { currencies[$0] }, zone: zone)
        } catch {
            throw LedgerError(.integrity, "the fee schedule that the entry at position \(position) publishes cannot be read: \(error)")
        }
    }

    /// - Returns: its place.
    mutating func add(_ schedule: FeeSchedule) -> Int {
        let name = names.firstIndex(of: schedule.name) ?? names.count
        if name == names.count {
            names.append(schedule.name)
            order.append([])
        }
        versions.append(Version(schedule: schedule, name: name))
        order[name].append(versions.count - 1)
        order[name].sort {
            let (left, right) = (versions[$0].schedule, versions[$1].schedule)
            return (right.effectiveFrom, right.version) < (left.effectiveFrom, left.version)
        }
        kinds = [:]
        return versions.count - 1
    }

    /// Takes a version out of account; its place stays.
    mutating func remove(_ version: Int) {
        order[versions[version].name].removeAll { $0 == version }
        kinds = [:]
    }

    mutating func learnZoneAndCurrencies(_ executor: borrowing some SQLExecutor & ~Copyable) throws {
        if !isZoneKnown, let name = try executor.run(.select("time_zone FROM book")).first?.text(0) {
            guard let zone = TimeZone(identifier: name) else {
                throw LedgerError(.schema, "the book's time zone is \(name), which this machine does not know: install its time zones (tzdata)")
            }
            months = MonthCalendar(zone: zone)
        }
        isZoneKnown = true
        for row in try executor.run(.select("code, exponent FROM currency")) {
            let currency = try Currency(try CurrencyCode(try row.text(0)), exponent: Int(try row.uint(1)))
            currencies[currency.code] = currency
        }
    }

    /// Reads those of these accounts that are not known yet.
    mutating func learnAccounts(_ numbers: some Sequence<UInt32>, _ executor: borrowing some SQLExecutor & ~Copyable) throws {
        let missing = Array(Set(numbers.lazy.filter { [places] in places[$0] == nil }))
        for start in stride(from: 0, to: missing.count, by: 1000) {
            let list = missing[start..<min(start + 1000, missing.count)].map { LedgerValue.uint($0) }
            for row in try executor.run(.select("id, path, currency FROM account WHERE id IN \(list: list)")) {
                places[UInt32(try row.uint(0))] = accounts.count
                accounts.append(KnownAccount(path: try AccountPath(try row.text(1)), currency: try CurrencyCode(try row.text(2))))
            }
        }
    }

    // MARK: - Matching

    mutating func use(of kind: EntryKind) -> KindUse {
        if let known = kinds[kind] { return known }
        var use = KindUse()
        for name in names.indices {
            let all = order[name].map { version in
                let schedule = versions[version].schedule
                return (
                    from: schedule.effectiveFrom.microseconds, version: version,
                    rules: schedule.rules.indices.filter { rule in schedule.rules[rule].kinds.contains { $0.matches(kind) } }
                )
            }
            if all.contains(where: { !$0.rules.isEmpty }) { use.names.append((name, all)) }
        }
        kinds[kind] = use
        return use
    }

    mutating func month(of effective: Int64) throws -> Int { try months.month(of: effective) }

    func isKnown(_ account: UInt32) -> Bool { places[account] != nil }

    func path(_ account: UInt32) -> AccountPath? { places[account].map { accounts[$0].path } }

    /// The rules of a version that fit an account, whatever the entry.
    mutating func rules(_ version: Int, for account: UInt32) -> [Int] {
        guard let place = places[account] else { return [] }
        if place < versions[version].fitting.count, let known = versions[version].fitting[place] { return known }
        let (path, currency) = (accounts[place].path, accounts[place].currency)
        let all = versions[version].schedule.rules
        let rules = all.indices.filter { all[$0].price(currency) != nil && all[$0].accounts.contains { $0.matches(path) } }
        if versions[version].fitting.count < accounts.count {
            versions[version].fitting += [[Int]?](repeating: nil, count: accounts.count - versions[version].fitting.count)
        }
        versions[version].fitting[place] = rules
        return rules
    }
}

/// Months in a book's time zone, by their numbers.
struct MonthCalendar: Sendable {
    let zone: TimeZone
    private var known: [Int: Range<Int64>] = [:]
    private var last: (number: Int, range: Range<Int64>)?

    init(zone: TimeZone) { self.zone = zone }

    /// The month that an instant lies in, in microseconds since 1970.
    mutating func month(of effective: Int64) throws -> Int {
        if let last, last.range.contains(effective) { return last.number }
        let month = AccountingMonth(of: Timestamp(microseconds: effective), in: zone)
        last = (month.number, try range(month.number))
        return month.number
    }

    /// From the first instant to the first one after it.
    mutating func range(_ number: Int) throws -> Range<Int64> {
        if let range = known[number] { return range }
        let month = AccountingMonth(number: number)
        // Whatever the zone: the first month has everything before it, as the last one has everything after.
        let start = try month == .first ? Timestamp("1000-01-01") : month.beginning(in: zone)
        let range = try start.microseconds..<month.end(in: zone).microseconds
        known[number] = range
        return range
    }
}
