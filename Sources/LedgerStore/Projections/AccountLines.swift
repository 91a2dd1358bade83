import LedgerDatabase
public import LedgerModel

/// A line of an account's history: one side of one posting.
public struct AccountLine: Sendable, Hashable {
    /// Of the entry.
    public let position: Position
    /// Which of the entry's postings it is, from 1.
    public let line: UInt32
    public let entry: EntryID
    public let kind: EntryKind
    /// Of the entry's payload.
    public let description: String?
    public let reference: String?
    /// When it counts.
    public let effectiveAt: Timestamp
    /// When it was known.
    public let recordedAt: Timestamp
    /// The account on the other side.
    public let counterpart: AccountPath
    public let side: Side
    /// Minor units of the account's currency, more than 0.
    public let amount: UInt64
    /// Only what is posted moves the balance.
    public let status: PostingStatus
    /// The posted balance with this line and all before it in the page's order, in minor units, positive on the account's normal side.
    public let balance: Int128

    /// The amount, if the account is debited.
    public var debit: UInt64? { side == .debit ? amount : nil }
    /// The amount, if the account is credited.
    public var credit: UInt64? { side == .credit ? amount : nil }
}

/// A page of an account's history.
public struct AccountLinePage: Sendable {
    public let account: Account
    public let range: AccountLineRange
    /// From the oldest on, or from the newest, as the range says.
    public let lines: [AccountLine]
    /// The posted balance before the oldest line of the page, in minor units, positive on the account's normal side. The same as
    /// ``closing`` if there is no line.
    public let opening: Int128
    /// The posted balance after the newest line of the page.
    public let closing: Int128
    /// The page is exact as of this position: nothing above it is in it, and nothing up to it is missing.
    public let through: Position
    /// Where the next page goes on; nil if this is the last.
    public let next: AccountLineCursor?
}

extension Ledger {
    /// A page of an account's history, with the balance after each line.
    ///
    /// ```swift
    /// var page = try await ledger.accountLines(of: "customers:alice", in: .eur, .positions(newestFirst: true))
    /// while let next = page.next { page = try await ledger.accountLines(of: "customers:alice", in: .eur, after: next) }
    /// ```
    /// Lines are as old as the job `account_line`; ``AccountLinePage/through`` says how old. A page costs what its lines cost, however long
    /// the history is. Only the first page of a range by time that does not begin at the account's beginning (or end) costs more: it
    /// looks for the balance there.
    /// - Parameters:
    ///   - range: which lines in which order; nil for all in the journal's order, or those of the cursor.
    ///   - cursor: the ``AccountLinePage/next`` of the page before.
    ///   - limit: lines at the most; less than 1 counts as 1, more than ``AccountLines/limitMax`` as that.
    /// - Throws: `unknownAccount`, `currencyMismatch`; `invalidCursor`; `schema` if the book has no live generation of the lines that this
    ///   program can read.
    public func accountLines(
        of path: AccountPath, in code: CurrencyCode, _ range: AccountLineRange? = nil, after cursor: AccountLineCursor? = nil,
        limit: Int = 50
    ) async throws(LedgerError) -> AccountLinePage {
        let account = try await account(path, in: code)
        let lines = AccountLines(account: account, limit: min(max(limit, 1), AccountLines.limitMax))
        // Without a transaction: what lies below a checkpoint never changes.
        return try await translated { try await database.autocommit { try lines.page(range, cursor, $0) } }
    }
}

/// Reads pages of account lines.
public struct AccountLines: Sendable {
    /// Lines of a page at the most.
    public static let limitMax = 10_000

    let account: Account
    let limit: Int

    /// What a page is read from.
    private struct Basis {
        let generation: UInt32
        let through: UInt64
        let proof: [UInt8]
        var table: LedgerTable { AccountLineProjection.table(generation) }
    }

    func page(
        _ asked: AccountLineRange?, _ cursor: AccountLineCursor?, _ transaction: borrowing LedgerTransaction
    ) throws -> AccountLinePage {
        let basis = try basis(cursor, transaction)
        let range = cursor?.place.range ?? asked ?? .positions()
        guard asked ?? range == range else {
            throw LedgerError(.invalidCursor, "the cursor belongs to another range of lines: give the range of its first page, or none")
        }
        let selection = Selection(account: account.id.number, through: basis.through, range: range)
        let rows = try read(selection, cursor?.place.last, basis, transaction)
        var lines: [AccountLine] = []
        var paths: [String: AccountPath] = [:]
        var last: LineKey?
        // Posted debits less posted credits, at the side of the page from which it is read.
        var running: Int128 = 0
        if range.order == .effective { running = try cursor?.place.balance ?? start(selection, basis, transaction) }
        let start = running
        for row in rows.prefix(limit) {
            let change = try Self.change(row)
            if range.order == .position { running = try row.decimal(5) } else if !range.isNewestFirst { running += change }
            lines.append(try line(row, normal(running), &paths))
            if range.order == .effective, range.isNewestFirst { running -= change }
            last = LineKey(effective: lines[lines.count - 1].effectiveAt, position: try row.uint(0), line: lines[lines.count - 1].line)
        }
        let (oldest, newest) = range.isNewestFirst ? (lines.count - 1, 0) : (0, lines.count - 1)
        var ends = (opening: normal(start), closing: normal(start))
        if lines.isEmpty {
            if range.order == .position {
                let balance = normal(try balance(before: selection.emptyEnd, basis, transaction))
                ends = (balance, balance)
            }
        } else {
            ends = (lines[oldest].balance - normal(try Self.change(rows[oldest])), lines[newest].balance)
        }
        var next: AccountLineCursor?
        if rows.count > limit, let last {
            let place = AccountLineCursor.Place(
                range: range, account: account.id.number, generation: basis.generation, through: basis.through, last: last,
                balance: range.order == .effective ? running : 0)
            next = AccountLineCursor(place, proof: basis.proof)
        }
        return AccountLinePage(
            account: account, range: range, lines: lines, opening: ends.opening, closing: ends.closing,
            through: Position(basis.through), next: next)
    }

    /// On the account's normal side.
    private func normal(_ debitsLessCredits: Int128) -> Int128 {
        account.type.normalSide == .debit ? debitsLessCredits : -debitsLessCredits
    }

    /// The live generation and its newest checkpoint, or the one of the cursor.
    private func basis(_ cursor: AccountLineCursor?, _ transaction: borrowing LedgerTransaction) throws -> Basis {
        let definition = AccountLineProjection.definition
        let job = definition.name
        let row = try transaction.run(
            .select(
                """
                g.generation, g.fingerprint, c.through_position, c.hash FROM generation g
                LEFT JOIN checkpoint c ON c.job = g.job AND c.generation = g.generation AND c.from_position =
                (SELECT MAX(x.from_position) FROM checkpoint x WHERE x.job = g.job AND x.generation = g.generation
                 AND x.from_position < \(cursor?.place.through ?? .max))
                WHERE g.job = \(job) AND g.generation = (SELECT generation FROM live WHERE job = \(job) ORDER BY sequence DESC LIMIT 1)
                """)
        ).first
        guard let row, try row.bytes(1) == definition.fingerprint, let generation = UInt32(exactly: try row.uint(0)) else {
            // Says why.
            _ = try Generation.readable(definition, transaction)
            throw LedgerError(.busy, "the generation of the account lines was switched just now: ask again")
        }
        let through = row.isNull(2) ? 0 : try row.uint(2)
        let basis = Basis(generation: generation, through: through, proof: row.isNull(3) ? [] : try row.bytes(3))
        guard let cursor else { return basis }
        guard cursor.place.account == account.id.number else {
            throw LedgerError(.invalidCursor, "the cursor is not one of \(account.path) in \(account.currency): begin with the first page")
        }
        guard cursor.place.generation == generation else {
            throw LedgerError(
                .invalidCursor, "the cursor is one of generation \(cursor.place.generation) of the account lines, or of another book, and "
                    + "generation \(generation) is read now: begin with the first page")
        }
        guard cursor.place.through == through, cursor.isMade(with: basis.proof) else {
            throw LedgerError(.invalidCursor, "the cursor is damaged, or another book gave it: begin with the first page")
        }
        return basis
    }

    // MARK: - Rows

    private func read(
        _ selection: Selection, _ last: LineKey?, _ basis: Basis, _ transaction: borrowing LedgerTransaction
    ) throws -> Rows {
        try transaction.run(
            .select(
                """
                l.position, l.line, l.side, l.amount, l.status, l.balance, l.effective_at, e.id, e.kind, e.recorded_at,
                JSON_VALUE(e.payload, '$.description'), JSON_VALUE(e.payload, '$.reference'), a.path
                FROM \(table: basis.table) l LEFT JOIN entry e ON e.position = l.position LEFT JOIN account a ON a.id = l.counterpart
                WHERE \(selection.condition(after: last)) ORDER BY \(selection.sorting) LIMIT \(limit + 1)
                """))
    }

    private static func change(_ row: Row) throws -> Int128 {
        guard try row.uint(4) == PostingStatus.posted.rawValue else { return 0 }
        return try row.uint(2) == 0 ? Int128(row.uint(3)) : -Int128(row.uint(3))
    }

    private func line(_ row: Row, _ balance: Int128, _ paths: inout [String: AccountPath]) throws -> AccountLine {
        guard let line = UInt32(exactly: try row.uint(1)), let status = UInt8(exactly: try row.uint(4)).flatMap(PostingStatus.init),
            let effectiveAt = Timestamp(sqlText: try row.text(6)), let id = try row.optionalBytes(7), !row.isNull(12),
            let recordedAt = Timestamp(sqlText: try row.text(9))
        else {
            throw LedgerError(
                .integrity, "line \(try row.uint(1)) at position \(try row.uint(0)) of \(account.path) belongs to no entry: run `indelible reconcile`")
        }
        let counterpart = try row.text(12)
        let path = try paths[counterpart] ?? AccountPath(counterpart)
        paths[counterpart] = path
        return AccountLine(
            position: Position(try row.uint(0)), line: line, entry: try EntryID(bytes: id), kind: try EntryKind(try row.text(8)),
            description: try row.optionalText(10), reference: try row.optionalText(11), effectiveAt: effectiveAt, recordedAt: recordedAt,
            counterpart: path, side: try row.uint(2) == 0 ? .debit : .credit, amount: try row.uint(3),
            status: status, balance: balance)
    }

    // MARK: - Balances where a page begins

    /// The balance of the lines below a position.
    private func balance(before position: UInt64, _ basis: Basis, _ transaction: borrowing LedgerTransaction) throws -> Int128 {
        let rows = try transaction.run(
            .select(
                """
                balance FROM \(table: basis.table) WHERE account = \(account.id.number) AND position < \(position)
                AND position <= \(basis.through) ORDER BY position DESC, line DESC LIMIT 1
                """))
        return try rows.first?.decimal(0) ?? 0
    }

    /// The balance where the first page of a range by time begins.
    private func start(_ selection: Selection, _ basis: Basis, _ transaction: borrowing LedgerTransaction) throws -> Int128 {
        let bound = selection.range.isNewestFirst ? selection.range.upper : selection.range.lower
        guard let bound else { return selection.range.isNewestFirst ? try balance(before: .max, basis, transaction) : 0 }
        return try balance(before: Timestamp(microseconds: bound), basis, transaction)
    }

    /// The balance of the lines that count before an instant.
    ///
    /// The balance at some position, plus the lines above it that count before the instant, less those up to it that count later. With a
    /// position near which the order by time passes the instant both are few, and the server finds them by the shorter of the
    /// two indexes. Right with any position.
    private func balance(before instant: Timestamp, _ basis: Basis, _ transaction: borrowing LedgerTransaction) throws -> Int128 {
        let (account, time) = (account.id.number, instant.sqlText)
        let near = try transaction.run(
            .select(
                """
                position FROM \(table: basis.table) WHERE account = \(account) AND effective_at < \(time) AND position <= \(basis.through)
                ORDER BY effective_at DESC, position DESC, line DESC LIMIT 15
                """)
        ).map { try $0.uint(0) }.sorted()
        guard !near.isEmpty else { return 0 }
        // One that was recorded long after it counts does not lead astray.
        let split = near[near.count / 2]
        let sums: SelectText = """
            SELECT SUM(IF(status = 0 AND side = 0, amount, 0)) AS debits, SUM(IF(status = 0 AND side = 1, amount, 0)) AS credits
            FROM \(table: basis.table) WHERE account = \(account)
            """
        let row = try transaction.run(
            .select(
                """
                earlier.debits, earlier.credits, later.debits, later.credits FROM
                (\(sums) AND position > \(split) AND position <= \(basis.through) AND effective_at < \(time)) earlier,
                (\(sums) AND position <= \(split) AND effective_at >= \(time)) later
                """))[0]
        return try balance(before: split + 1, basis, transaction) + row.decimal(0) - row.decimal(1) - row.decimal(2) + row.decimal(3)
    }

    /// The lines of a range as conditions.
    private struct Selection {
        let account: UInt32
        let through: UInt64
        let range: AccountLineRange

        /// Of those that come after a line in the range's order.
        func condition(after last: LineKey?) -> SelectText {
            var text: SelectText = "l.account = \(account) AND l.position <= \(through)"
            // Where the last page ended is within the range already.
            if last == nil || range.isNewestFirst, let lower = range.lower {
                switch range.order {
                case .position: text = "\(text) AND l.position >= \(UInt64(clamping: lower))"
                case .effective: text = "\(text) AND l.effective_at >= \(Timestamp(microseconds: lower).sqlText)"
                }
            }
            if last == nil || !range.isNewestFirst, let upper = range.upper {
                switch range.order {
                case .position: text = "\(text) AND l.position < \(UInt64(clamping: upper))"
                case .effective: text = "\(text) AND l.effective_at < \(Timestamp(microseconds: upper).sqlText)"
                }
            }
            guard let last else { return text }
            let (at, position, line) = (last.effective.sqlText, last.position, last.line)
            // Not as a comparison of rows: the server finds no range of an index by that.
            switch (range.order, range.isNewestFirst) {
            case (.position, false): return "\(text) AND (l.position > \(position) OR (l.position = \(position) AND l.line > \(line)))"
            case (.position, true): return "\(text) AND (l.position < \(position) OR (l.position = \(position) AND l.line < \(line)))"
            case (.effective, false):
                return """
                    \(text) AND (l.effective_at > \(at) OR (l.effective_at = \(at) AND l.position > \(position))
                    OR (l.effective_at = \(at) AND l.position = \(position) AND l.line > \(line)))
                    """
            case (.effective, true):
                return """
                    \(text) AND (l.effective_at < \(at) OR (l.effective_at = \(at) AND l.position < \(position))
                    OR (l.effective_at = \(at) AND l.position = \(position) AND l.line < \(line)))
                    """
            }
        }

        var sorting: SelectText {
            switch (range.order, range.isNewestFirst) {
            case (.position, false): "l.position, l.line"
            case (.position, true): "l.position DESC, l.line DESC"
            case (.effective, false): "l.effective_at, l.position, l.line"
            case (.effective, true): "l.effective_at DESC, l.position DESC, l.line DESC"
            }
        }

        /// Below which position the balance of a range of positions without lines is found.
        var emptyEnd: UInt64 { (range.lower ?? range.upper).map { UInt64(clamping: $0) } ?? .max }
    }
}
