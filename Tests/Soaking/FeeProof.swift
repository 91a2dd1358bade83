import IndelibleTesting
import MariaDBDriver

/// What the rows of the fees must be: those of ``SimpleFees``, from the journal as the tables hold it, in queries that nothing else uses.
struct FeeProof {
    struct Result: Sendable, CustomStringConvertible {
        /// Entries that are charged, for each account and schedule.
        var charged = 0
        /// All rows, the older ones too.
        var rows = 0
        /// Rows that have a newer one.
        var adjusted = 0
        /// The newest row says that it is not charged any more.
        var withdrawn = 0
        var months = 0
        var differences = 0
        /// The first of them.
        var findings: [String] = []

        mutating func find(_ finding: String) {
            differences += 1
            if findings.count < 20 { findings.append(finding) }
        }

        var description: String {
            "\(charged) fees in \(months) months, \(rows) rows, of which \(adjusted) were adjusted and \(withdrawn) end a fee; \(differences) differences"
                + findings.map { "\n\($0)" }.joined()
        }
    }

    let connection: MariaDBConnection
    let generation: SQLIdentifier
    let monthGeneration: SQLIdentifier

    /// - Parameter generation: of the job `fee`.
    static func with<T>(_ book: TestBook, generation: UInt32 = 1, _ body: (FeeProof) async throws -> T) async throws -> T {
        guard let table = SQLIdentifier("fee_g\(generation)"), let months = SQLIdentifier("fee_month_g\(generation)") else { fatalError("no name") }
        return try await JobProof.with(book) { proof in
            try await body(FeeProof(connection: proof.connection, generation: table, monthGeneration: months))
        }
    }

    // MARK: - The journal

    /// - Parameter through: nothing after this position.
    func journal(through: UInt64 = .max) async throws -> SimpleJournal {
        let zone = try await connection.query("SELECT time_zone FROM book").first.flatMap { Self.text($0[0]) }
        var (accounts, exponents): ([UInt32: SimpleJournal.Account], [String: Int]) = ([:], [:])
        for row in try await connection.query("SELECT id, path, currency FROM account") {
            guard let id = Self.number(row[0]), let path = Self.text(row[1]), let currency = Self.text(row[2]) else { continue }
            accounts[UInt32(id)] = .init(path: path, currency: currency)
        }
        for row in try await connection.query("SELECT code, exponent FROM currency") {
            if let code = Self.text(row[0]), let exponent = Self.number(row[1]) { exponents[code] = Int(exponent) }
        }
        var journal = SimpleJournal(try SimpleCalendar(zone ?? "UTC"), accounts: accounts, exponents: exponents)
        // One snapshot, so that no posting comes without its entry.
        try await connection.execute(unprepared: "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try await connection.execute(unprepared: "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        try await connection.withRows(
            "SELECT position, id, kind, effective_at, payload FROM entry WHERE id IS NOT NULL AND position <= \(through) ORDER BY position"
        ) { rows in
            for try await row in rows {
                guard let position = Self.number(row[0]), let id = Self.id(row[1]), let kind = Self.text(row[2]), let time = Self.text(row[3])
                else { throw SimpleJSON.Malformed(description: "no entry: \(row)") }
                try journal.add(UInt64(position), id, kind: kind, effective: try SimpleCalendar.utc(time), payload: Self.text(row[4]))
            }
        }
        try await connection.withRows("SELECT position, debit, credit, amount, status FROM posting WHERE position <= \(through) ORDER BY position, line") { rows in
            for try await row in rows {
                let numbers = (0..<5).compactMap { Self.number(row[$0]) }
                guard numbers.count == 5 else { throw SimpleJSON.Malformed(description: "no posting: \(row)") }
                try journal.add(
                    .init(debit: UInt32(numbers[1]), credit: UInt32(numbers[2]), amount: UInt64(numbers[3]), isPosted: numbers[4] == 0),
                    at: UInt64(numbers[0]))
            }
        }
        try await connection.execute(unprepared: "COMMIT")
        return journal
    }

    // MARK: - The comparison

    /// The newest rows against what they must be. The rows are read once, in the order of their keys, and none is kept.
    /// - Parameter through: as of this position, where a step of the job has ended: nothing after it is looked at.
    func compare(through: UInt64 = .max) async throws -> Result {
        try await compare(try SimpleFees(try await journal(through: through)), through: through)
    }

    func compare(_ fees: SimpleFees, through: UInt64 = .max) async throws -> Result {
        var result = Result()
        var expected = FeeQueue(fees)
        var newest: (account: UInt32, row: SimpleFees.Row)?
        func end(_ result: inout Result) {
            guard let (account, row) = newest else { return }
            if row.version == 0 { result.withdrawn += 1 }
            expected.meet(account, row, &result)
        }
        try await connection.withRows(
            """
            SELECT account, schedule, effective_at, id, version, rule, amount, slices, percentage, rounding, fixed, bounded, waiver, waived,
            waived_rounding, fee, through, position FROM \(identifier: generation) WHERE through <= \(through)
            ORDER BY account, schedule, effective_at, id, through
            """
        ) { rows in
            for try await row in rows {
                let (account, read) = try Self.row(row)
                result.rows += 1
                if let (before, older) = newest {
                    if before == account, older.isOfTheSame(read) {
                        result.adjusted += 1
                        if older == read { result.find("account \(account): the same row again: \(read)") }
                    } else {
                        end(&result)
                    }
                }
                newest = (account, read)
            }
        }
        end(&result)
        expected.end(&result)
        result.charged = expected.charged
        try await compareMonths(expected.months, through, &result)
        return result
    }

    private func compareMonths(_ expected: [FeeQueue.Key: SimpleFees.Month], _ through: UInt64, _ result: inout Result) async throws {
        result.months = expected.count
        var read: [FeeQueue.Key: SimpleFees.Month] = [:]
        try await connection.withRows(
            """
            SELECT account, schedule, month, charged, volume, fees, waived FROM \(identifier: monthGeneration) WHERE through <= \(through)
            ORDER BY month, schedule, account, through
            """
        ) { rows in
            for try await row in rows {
                let numbers = [0, 3, 4, 5, 6].compactMap { Self.number(row[$0]) }
                guard numbers.count == 5, let schedule = Self.text(row[1]), let month = Self.text(row[2]) else {
                    throw SimpleJSON.Malformed(description: "no month: \(row)")
                }
                read[FeeQueue.Key(account: UInt32(numbers[0]), schedule: schedule, month: month)] = .init(
                    schedule: schedule, month: month, charged: numbers[1], volume: numbers[2], fees: numbers[3], waived: numbers[4])
            }
        }
        for key in Set(expected.keys).union(read.keys) {
            // A month whose fees have all ended is there with nothing.
            let nothing = SimpleFees.Month(schedule: key.schedule, month: key.month)
            let (should, stands) = (expected[key] ?? nothing, read[key] ?? nothing)
            if should != stands { result.find("account \(key.account):\n  is     \(read[key].map { "\($0)" } ?? "missing")\n  should \(should)") }
        }
    }

    // MARK: - Columns

    static func text(_ value: SQLValue) -> String? {
        switch value {
        case .text(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    static func number(_ value: SQLValue) -> Int128? {
        switch value {
        case .int(let number): Int128(number)
        case .uint(let number): Int128(number)
        case .text(let text): Int128(text)
        default: nil
        }
    }

    static func id(_ value: SQLValue) -> SimpleJournal.ID? {
        guard case .bytes(let bytes) = value, bytes.count == 16 else { return nil }
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return SimpleJournal.ID(word(bytes[..<8]), word(bytes[8...]))
    }

    private static func row(_ row: SQLRow) throws -> (UInt32, SimpleFees.Row) {
        let numbers = (4...17).map { number(row[$0]) ?? 0 }
        guard let account = number(row[0]), let schedule = text(row[1]), let time = text(row[2]), let id = id(row[3]), let slices = text(row[7])
        else { throw SimpleJSON.Malformed(description: "no fee: \(row)") }
        var read = SimpleFees.Row(schedule: schedule, effective: try SimpleCalendar.utc(time), id: id, position: UInt64(numbers[13]))
        (read.version, read.rule, read.amount, read.slices) = (Int(numbers[0]), Int(numbers[1]), numbers[2], slices)
        (read.percentage, read.rounding, read.fixed, read.bounded) = (numbers[4], numbers[5], numbers[6], numbers[7])
        (read.waiver, read.waived, read.waivedRounding, read.fee) = (Int(numbers[8]), numbers[9], numbers[10], numbers[11])
        return (UInt32(account), read)
    }
}

extension SimpleFees.Row {
    func isOfTheSame(_ other: Self) -> Bool { schedule == other.schedule && effective == other.effective && id == other.id }

    /// It stands before the other one in the order of the keys.
    func precedes(_ other: Self) -> Bool {
        if schedule != other.schedule { return schedule.utf8.lexicographicallyPrecedes(other.schedule.utf8) }
        return effective == other.effective ? id < other.id : effective < other.effective
    }
}
