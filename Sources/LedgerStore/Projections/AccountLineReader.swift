import LedgerDatabase
import LedgerModel

/// A line as the tables have it.
struct StoredLine: Sendable {
    let key: LineKey
    let counterpart: AccountID
    let isCredit: Bool
    let amount: UInt64
    let status: PostingStatus
    let isLate: Bool
    /// Posted debits less posted credits, in the journal's order.
    let balance: Int128
    let entry: EntryID
    let kind: EntryKind
    let recordedAt: Timestamp
    let description: String?
    let reference: String?

    /// What it moves.
    var change: Int128 { status == .posted ? isCredit ? -Int128(amount) : Int128(amount) : 0 }
}

/// Reads the lines of an account from one generation: a page in one statement, hence in one state of the book, which says itself
/// whether the generation is live and how far it is.
struct AccountLineReader: Sendable {
    let account: Account
    let range: AccountLineRange
    /// Lines of a page; one more is read.
    let limit: Int
    let generation: UInt32

    /// What a page is exact as of.
    struct Basis: Sendable {
        let through: UInt64
        let proof: [UInt8]

        init(through: UInt64, proof: [UInt8]) {
            self.through = through
            self.proof = proof
        }

        /// 32 bytes and the digits behind them: one subquery for both.
        init?(hashAndThrough bytes: [UInt8]) {
            guard let through = UInt64(String(decoding: bytes.dropFirst(32), as: UTF8.self)) else { return nil }
            self.init(through: through, proof: Array(bytes.prefix(32)))
        }
    }

    struct Read: Sendable {
        let basis: Basis
        /// In the order of the range, one more than a page has if there are more.
        var lines: [StoredLine]
        /// After the newest line, if it was asked for.
        var balance: Int128?
    }

    var table: LedgerTable { AccountLineProjection.table(generation) }
    var late: LedgerTable { AccountLineProjection.late(generation) }
    var number: UInt32 { account.id.number }
    private var job: String { AccountLineProjection.definition.name }

    // MARK: - Pages

    /// - Returns: nil if another generation is live.
    func byPosition(after place: AccountLineCursor.Place?, _ transaction: borrowing LedgerTransaction) throws -> Read? {
        var condition: SelectText = "l.account = \(number)"
        if let through = place?.through { condition = "\(condition) AND l.position <= \(through)" }
        // Where the last page ended is within the range already.
        if place == nil || range.isNewestFirst, let lower = range.lower { condition = "\(condition) AND l.position >= \(UInt64(clamping: lower))" }
        if place == nil || !range.isNewestFirst, let upper = range.upper { condition = "\(condition) AND l.position < \(UInt64(clamping: upper))" }
        if let last = place?.last { condition = "\(condition) AND \(beyond(last.place))" }
        let order: SelectText = range.isNewestFirst ? "l.position DESC, l.line DESC" : "l.position, l.line"
        let checkpoint: SelectText = """
            FROM checkpoint WHERE job = \(job) AND generation = \(generation) AND from_position < \(place?.through ?? .max)
            ORDER BY from_position DESC LIMIT 1
            """
        // Subqueries that are evaluated once: dearer is a UNION.
        let found = try read(
            """
            4, l.position, l.line, \(Self.columns), (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1),
            (SELECT CONCAT(hash, through_position) \(checkpoint))
            FROM \(table: table) l LEFT JOIN entry e ON e.position = l.position WHERE \(condition) ORDER BY \(order) LIMIT \(limit + 1)
            """, transaction)
        if let found, !found.lines.isEmpty { return found }
        // No line says how far it is: once more, in one state.
        return try read("\(head(through: place?.through)) UNION ALL \(lines(where: condition))", transaction)
    }

    /// The lines that are not late are in the order of time where they are; the late ones are few, and in that order in their own
    /// table. A page is merged from both.
    /// - Parameters:
    ///   - last: the last line that was shown.
    ///   - inTime: behind this line (in the direction of the pages) go on those that are not late.
    /// - Returns: nil if another generation is live.
    func byTime(
        after last: LineKey?, inTime: LinePlace, through: UInt64?, withBalance: Bool, _ transaction: borrowing LedgerTransaction
    ) throws -> Read? {
        var upTo: SelectText = ""
        if let through { upTo = "AND l.position <= \(through)" }
        let main = lines(where: "l.account = \(number) AND l.late = 0 AND \(beyond(inTime)) \(upTo)")
        var statement: SelectText = "\(head(through: through)) UNION ALL \(main) UNION ALL \(lateLines(after: last, upTo))"
        if withBalance {
            statement = """
                \(statement) UNION ALL (SELECT 3, position, line, account, side, amount, status, late, balance, NULL, NULL, NULL, NULL, NULL, NULL, NULL
                FROM \(table: table) WHERE account = \(number) ORDER BY position DESC, line DESC LIMIT 1)
                """
        }
        guard var read = try read(statement, transaction) else { return nil }
        // The range's end: those that are not late come in the order of time, so that nothing follows behind it.
        read.lines.removeAll { line in
            let time = line.key.effective.microseconds
            return !line.isLate && (range.isNewestFirst ? range.lower.map { time < $0 } : range.upper.map { time >= $0 }) ?? false
        }
        read.lines.sort { range.isNewestFirst ? $1.key < $0.key : $0.key < $1.key }
        return read
    }

    /// Which generation is live and how far it is.
    /// - Returns: nil if another one is.
    func basis(_ transaction: borrowing LedgerTransaction) throws -> Basis? {
        try read(head(through: nil), transaction)?.basis
    }

    /// The balance of the lines below a position.
    func balance(before position: UInt64, through: UInt64, _ transaction: borrowing LedgerTransaction) throws -> Int128 {
        let rows = try transaction.run(
            .select(
                """
                balance FROM \(table: table) WHERE account = \(number) AND position < \(position) AND position <= \(through)
                ORDER BY position DESC, line DESC LIMIT 1
                """))
        return try rows.first?.decimal(0) ?? 0
    }

    // MARK: - The statement

    /// Part 0: the newest checkpoint, or the one of a cursor; and which generation is live. No row if there is no checkpoint.
    private func head(through: UInt64?) -> SelectText {
        // First, hence without ORDER BY. With a NULL beside it a whole number that has no sign would become a DECIMAL.
        """
        0, c.through_position, c.generation, (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1), c.generation,
        c.through_position, c.generation, c.generation, NULL, NULL, NULL, NULL, NULL, NULL, NULL, c.hash FROM checkpoint c
        WHERE c.job = \(job) AND c.generation = \(generation) AND c.from_position = (SELECT MAX(newest.from_position) FROM checkpoint newest
        WHERE newest.job = \(job) AND newest.generation = \(generation) AND newest.from_position < \(through ?? .max))
        """
    }

    private static let columns: SelectText = """
        l.counterpart, l.side, l.amount, l.status, l.late, l.balance, l.effective_at, e.id, e.kind, e.recorded_at,
        JSON_VALUE(e.payload, '$.description'), JSON_VALUE(e.payload, '$.reference'), NULL
        """

    /// Part 1: lines by their primary key.
    private func lines(where condition: SelectText) -> SelectText {
        let order: SelectText = range.isNewestFirst ? "l.position DESC, l.line DESC" : "l.position, l.line"
        return """
            (SELECT 1, l.position, l.line, \(Self.columns) FROM \(table: table) l LEFT JOIN entry e ON e.position = l.position
             WHERE \(condition) ORDER BY \(order) LIMIT \(limit + 1))
            """
    }

    /// Part 2: late lines of the range by their time.
    private func lateLines(after last: LineKey?, _ upTo: SelectText) -> SelectText {
        var condition: SelectText = "x.account = \(number)"
        if last == nil || range.isNewestFirst, let lower = range.lower {
            condition = "\(condition) AND x.effective_at >= \(Timestamp(microseconds: lower).sqlText)"
        }
        if last == nil || !range.isNewestFirst, let upper = range.upper {
            condition = "\(condition) AND x.effective_at < \(Timestamp(microseconds: upper).sqlText)"
        }
        if let last {
            let (at, position, line) = (last.effective.sqlText, last.position, last.line)
            // Not as a comparison of rows: the server finds no range of an index by that.
            condition =
                range.isNewestFirst
                ? """
                \(condition) AND (x.effective_at < \(at) OR (x.effective_at = \(at) AND x.position < \(position))
                OR (x.effective_at = \(at) AND x.position = \(position) AND x.line < \(line)))
                """
                : """
                \(condition) AND (x.effective_at > \(at) OR (x.effective_at = \(at) AND x.position > \(position))
                OR (x.effective_at = \(at) AND x.position = \(position) AND x.line > \(line)))
                """
        }
        let order: SelectText = range.isNewestFirst ? "x.effective_at DESC, x.position DESC, x.line DESC" : "x.effective_at, x.position, x.line"
        return """
            (SELECT 2, x.position, x.line, \(Self.columns) FROM \(table: late) x
             STRAIGHT_JOIN \(table: table) l ON l.account = x.account AND l.position = x.position AND l.line = x.line \(upTo)
             LEFT JOIN entry e ON e.position = x.position WHERE \(condition) ORDER BY \(order) LIMIT \(limit + 1))
            """
    }

    /// Behind a line, in the direction of the pages.
    private func beyond(_ place: LinePlace) -> SelectText {
        // All there are: one range of the index.
        if place == .first, !range.isNewestFirst { return "l.position > 0" }
        return range.isNewestFirst
            ? "(l.position < \(place.position) OR (l.position = \(place.position) AND l.line < \(place.line)))"
            : "(l.position > \(place.position) OR (l.position = \(place.position) AND l.line > \(place.line)))"
    }

    // MARK: - What it found

    private func read(_ statement: SelectText, _ transaction: borrowing LedgerTransaction) throws -> Read? {
        var (head, live): (Basis?, UInt64?)
        var read = Read(basis: Basis(through: 0, proof: []), lines: [], balance: nil)
        read.lines.reserveCapacity(min(limit + 1, 1024))
        var rows = LineRows(account: account)
        try transaction.forEachRow(.select(statement)) { row in
            switch row.uint(0) {
            case 0:
                live = row.uint(3)
                head = Basis(through: row.uint(1) ?? 0, proof: row.bytes(15) ?? [])
            case 3: read.balance = row.decimal(8)
            case 4:
                if head == nil {
                    live = row.uint(16)
                    head = row.bytes(17).flatMap(Basis.init(hashAndThrough:))
                }
                read.lines.append(try rows.line(row))
            default: read.lines.append(try rows.line(row))
            }
        }
        guard let head else {
            // There is no checkpoint. Is there such a generation?
            guard try Generation.readable(AccountLineProjection.definition, transaction) == generation else { return nil }
            return Read(basis: read.basis, lines: [], balance: nil)
        }
        guard live == UInt64(generation) else { return nil }
        if let above = read.lines.first(where: { $0.key.position > head.through }) {
            throw LedgerError(
                .integrity, "line \(above.key.line) at position \(above.key.position) of \(account.path) lies above the checkpoint at "
                    + "\(head.through): run `indelible reconcile`")
        }
        return Read(basis: head, lines: read.lines, balance: read.balance)
    }
}

/// Lines from rows, one after the other: neighbours share their day and their kind.
private struct LineRows {
    let account: Account
    private var effective = RowClock()
    private var recorded = RowClock()
    private var kind: EntryKind = .tombstone

    init(account: Account) { self.account = account }

    mutating func line(_ row: borrowing RowInPlace) throws -> StoredLine {
        let (position, line) = (row.uint(1) ?? 0, row.uint(2) ?? 0)
        guard let counterpart = row.uint(3).flatMap(UInt32.init(exactly:)), let side = row.uint(4), let amount = row.uint(5),
            let status = row.uint(6).flatMap(UInt8.init(exactly:)).flatMap(PostingStatus.init), let late = row.uint(7),
            let balance = row.decimal(8), let effective = effective.microseconds(row.time(9)), let id = row.words(10),
            let recorded = recorded.microseconds(row.time(12))
        else {
            throw LedgerError(
                .integrity, "line \(line) at position \(position) of \(account.path) belongs to no entry: run `indelible reconcile`")
        }
        if !row.isText(11, kind.text) { kind = try EntryKind(row.text(11) ?? "") }
        return StoredLine(
            key: LineKey(effective: Timestamp(microseconds: effective), position: position, line: UInt32(truncatingIfNeeded: line)),
            counterpart: AccountID(counterpart), isCredit: side != 0, amount: amount, status: status, isLate: late != 0, balance: balance,
            entry: EntryID(high: id.0, low: id.1), kind: kind, recordedAt: Timestamp(microseconds: recorded), description: row.text(13),
            reference: row.text(14))
    }
}
