import LedgerDatabase
import LedgerModel

/// A row of `fee`: what an entry is charged, and how that comes about.
struct FeeRow: Sendable {
    let charge: Charge
    let components: FeeComponents

    init(_ charge: Charge, _ components: FeeComponents) { (self.charge, self.components) = (charge, components) }

    /// Whether it says the same of its entry.
    func isSame(as other: FeeRow) -> Bool {
        charge.version == other.charge.version && charge.rule == other.charge.rule && charge.amount == other.charge.amount
            && charge.waiver == other.charge.waiver && components == other.components
    }
}

/// Totals of an account, a schedule and a month.
struct FeeTotals: Sendable, Equatable {
    var charged: Int64 = 0
    var volume: Int128 = 0
    var fees: Int128 = 0
    var waived: Int128 = 0
    var assessments: UInt32 = 0
    var assessed: Int128 = 0

    mutating func add(_ row: FeeRow, counted: Int128, times: Int128 = 1) {
        guard row.charge.version >= 0 else { return }
        charged += Int64(times)
        volume += counted * times
        fees += row.components.fee * times
        waived += row.components.waived * times
    }
}

extension [FeeSlice] {
    /// `1:30000 2:500`.
    var text: String { map { "\($0.step):\($0.amount)" }.joined(separator: " ") }

    /// Reads ``text``; nil if it is none.
    init?(text: String) {
        self = []
        for part in text.split(separator: " ") {
            let numbers = part.split(separator: ":")
            guard numbers.count == 2, let step = Int(numbers[0]), let amount = Int128(numbers[1]) else { return nil }
            append(FeeSlice(step: step, amount: amount))
        }
    }
}

/// `fee` of a generation.
enum FeeTable {
    static let columns: SelectText = """
        account, effective_at, id, position, version, rule, amount, slices, percentage, rounding, fixed, bounded, waiver, waived,
        waived_rounding, through
        """

    /// The newest row of each entry that accounts are charged by a schedule, in the order of account, time and id.
    /// - Parameter effective: entries that count then.
    static func newest(
        _ table: LedgerTable, schedule: Int, accounts: [UInt32], effective: Range<Int64>, _ book: inout FeeBook,
        _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [FeeRow] {
        let list = accounts.map { LedgerValue.uint($0) }
        let rows = try executor.run(
            .select(
                """
                \(columns) FROM \(table: table) WHERE schedule = \(book.names[schedule]) AND account IN \(list: list)
                AND effective_at >= \(Timestamp(microseconds: effective.lowerBound).sqlText)
                AND effective_at <= \(Timestamp(microseconds: effective.upperBound - 1).sqlText)
                ORDER BY account, schedule, effective_at, id, through
                """))
        var found: [FeeRow] = []
        for row in rows {
            let read = try self.row(row, schedule, &book)
            if let last = found.last, last.charge.account == read.charge.account, last.charge.id == read.charge.id { found.removeLast() }
            found.append(read)
        }
        return found
    }

    static func row(_ row: Row, _ schedule: Int, _ book: inout FeeBook) throws -> FeeRow {
        let position = try row.uint(3)
        let number = UInt32(clamping: try row.uint(4))
        guard let effective = Timestamp(sqlText: try row.text(1))?.microseconds, let slices = [FeeSlice](text: try row.text(7)) else {
            throw LedgerError(.integrity, "a fee of the entry at position \(position) cannot be one")
        }
        let version = number == 0 ? -1 : book.version(schedule, number)
        guard let version else {
            throw LedgerError(.integrity, "the fee of the entry at position \(position) is of version \(number) of \(book.names[schedule]), which is not published")
        }
        var components = FeeComponents()
        components.slices = slices
        (components.percentage, components.rounding, components.fixed) = (try row.decimal(8), try row.optionalInt(9) ?? 0, try row.decimal(10))
        (components.bounded, components.waived, components.waivedRounding) = (try row.decimal(11), try row.decimal(13), try row.optionalInt(14) ?? 0)
        let charge = Charge(
            schedule: schedule, account: UInt32(try row.uint(0)), month: try book.month(of: effective), effective: effective,
            id: try EntryID(bytes: try row.bytes(2)), position: position, version: version, rule: Int(try row.uint(5)) - (number == 0 ? 0 : 1),
            amount: try row.decimal(6), waiver: Int(try row.uint(12)))
        return FeeRow(charge, components)
    }
}

/// Rows of `fee` to be inserted, column by column.
struct FeeColumns {
    private var accounts: [UInt64] = []
    private var schedules: [String] = []
    private var effective: [String] = []
    private var ids: [[UInt8]] = []
    private var positions: [UInt64] = []
    private var versions: [UInt64] = []
    private var rules: [UInt64] = []
    private var slices: [String] = []
    private var waivers: [UInt64] = []
    private var amounts: [Int128] = []
    private var percentages: [Int128] = []
    private var roundings: [Int64] = []
    private var fixed: [Int128] = []
    private var bounded: [Int128] = []
    private var waived: [Int128] = []
    private var waivedRoundings: [Int64] = []
    private var fees: [Int128] = []
    private var time = TimestampWriter()

    var count: Int { accounts.count }

    mutating func append(_ row: FeeRow, _ book: borrowing FeeBook) {
        let (charge, parts) = (row.charge, row.components)
        time.write(charge.effective)
        accounts.append(UInt64(charge.account))
        schedules.append(book.names[charge.schedule])
        effective.append(String(decoding: time.text, as: UTF8.self))
        ids.append(charge.id.bytes)
        positions.append(charge.position)
        versions.append(charge.version < 0 ? 0 : UInt64(book.versions[charge.version].schedule.version))
        rules.append(charge.version < 0 ? 0 : UInt64(charge.rule + 1))
        slices.append(parts.slices.isEmpty ? "" : parts.slices.text)
        waivers.append(UInt64(charge.waiver))
        amounts.append(charge.amount)
        percentages.append(parts.percentage)
        roundings.append(parts.rounding)
        fixed.append(parts.fixed)
        bounded.append(parts.bounded)
        waived.append(parts.waived)
        waivedRoundings.append(parts.waivedRounding)
        fees.append(parts.fee)
    }

    /// Inserts what there is and begins anew.
    mutating func insert(_ writer: borrowing StepWriter) throws {
        guard count > 0 else { return }
        try writer.insert(
            into: "fee",
            [
                "account", "schedule", "effective_at", "id", "through", "position", "version", "rule", "slices", "waiver", "amount", "percentage",
                "rounding", "fixed", "bounded", "waived", "waived_rounding", "fee",
            ],
            values: [
                .uint(accounts), .text(schedules), .text(effective), .bytes(ids), .uint([UInt64](repeating: writer.through.number, count: count)),
                .uint(positions), .uint(versions), .uint(rules), .text(slices), .uint(waivers), .wide(amounts), .wide(percentages), .int(roundings),
                .wide(fixed), .wide(bounded), .wide(waived), .int(waivedRoundings), .wide(fees),
            ])
        self = FeeColumns()
    }

    static let rowsPerStatement = 16_384
}

/// `fee_month` of a generation.
enum FeeMonthTable {
    static let columns: SelectText = "f.account, f.charged, f.volume, f.fees, f.waived, f.assessments, f.assessed"

    static func totals(_ row: Row) throws -> FeeTotals {
        FeeTotals(
            charged: try row.optionalInt(1) ?? 0, volume: try row.decimal(2), fees: try row.decimal(3), waived: try row.decimal(4),
            assessments: UInt32(clamping: try row.uint(5)), assessed: try row.decimal(6))
    }

    /// Behind ``columns`` month and schedule.
    static let wideColumns: SelectText = """
        f.account, f.charged, f.volume, f.fees, f.waived, f.assessments, f.assessed, CONVERT(f.month, CHAR), f.schedule
        """

    static func totals(_ row: borrowing RowInPlace) -> FeeTotals {
        FeeTotals(
            charged: Int64(row.uint(1) ?? 0), volume: row.decimal(2) ?? 0, fees: row.decimal(3) ?? 0, waived: row.decimal(4) ?? 0,
            assessments: UInt32(clamping: row.uint(5) ?? 0), assessed: row.decimal(6) ?? 0)
    }

    /// What was true of these accounts up to a position.
    static func newest(
        _ table: LedgerTable, month: Int, schedule: String, accounts: [UInt32], through: Position,
        _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [UInt32: FeeTotals] {
        var found: [UInt32: FeeTotals] = [:]
        let day = AccountingMonth(number: month).firstDayText
        for start in stride(from: 0, to: accounts.count, by: 1000) {
            let list = accounts[start..<min(start + 1000, accounts.count)].map { LedgerValue.uint($0) }
            let rows = try executor.run(
                .select(
                    """
                    \(columns) FROM account STRAIGHT_JOIN \(table: table) f ON f.month = \(day) AND f.schedule = \(schedule)
                    AND f.account = account.id AND f.through = (SELECT n.through FROM \(table: table) n WHERE n.month = \(day)
                     AND n.schedule = \(schedule) AND n.account = account.id AND n.through <= \(through.number) ORDER BY n.through DESC LIMIT 1)
                    WHERE account.id IN \(list: list)
                    """))
            for row in rows { found[UInt32(try row.uint(0))] = try totals(row) }
        }
        return found
    }

    static func insert(_ rows: [(group: FeeGroup, totals: FeeTotals)], _ book: borrowing FeeBook, _ writer: borrowing StepWriter) throws {
        for start in stride(from: 0, to: rows.count, by: FeeColumns.rowsPerStatement) {
            let part = rows[start..<min(start + FeeColumns.rowsPerStatement, rows.count)]
            var names: [String] = []
            for row in part { names.append(book.names[row.group.schedule]) }
            func wide(_ value: (FeeTotals) -> Int128) -> ColumnRows.Values { .wide(part.map { value($0.totals) }) }
            try writer.insert(
                into: "fee_month", ["month", "schedule", "account", "through", "charged", "volume", "fees", "waived", "assessments", "assessed"],
                values: [
                    .text(part.map { AccountingMonth(number: $0.group.month).firstDayText }), .text(names),
                    .uint(part.map { UInt64($0.group.account) }), .uint([UInt64](repeating: writer.through.number, count: part.count)),
                    .int(part.map(\.totals.charged)), wide(\.volume), wide(\.fees), wide(\.waived), .uint(part.map { UInt64($0.totals.assessments) }),
                    wide(\.assessed),
                ])
        }
    }
}

extension ColumnRows.Values {
    /// Numbers, or their digits if one is too wide for 64 bits.
    static func wide(_ values: [Int128]) -> ColumnRows.Values {
        var narrow: [Int64] = []
        narrow.reserveCapacity(values.count)
        for value in values {
            guard let number = Int64(exactly: value) else { return .text(values.map { String($0) }) }
            narrow.append(number)
        }
        return .int(narrow)
    }
}
