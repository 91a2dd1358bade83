import LedgerDatabase
public import LedgerModel

/// Writes the journal out, so that others can read it: hledger and ledger, programs, another book.
///
/// It reads in slices, and no further than the journal is decided: what it writes for a range of positions never changes.
/// It claims nothing, so the role `auditor` is enough.
///
/// ```swift
/// let exporter = Exporter(ledger)
/// let summary = try await exporter.run(.jsonl) { print($0, terminator: "") }
/// ```
public struct Exporter: Sendable {
    public enum Format: String, Sendable, CaseIterable {
        /// Plain-text accounting, as hledger and ledger read it.
        case hledger
        /// A line for each record, in the order of the journal, as `import` reads it.
        case jsonl
        /// A row for each posting, account and currency, in the order of the journal, as `import` reads it.
        case csv
    }

    /// Which day of an entry leads in the form for hledger, which wants days in order.
    public enum Dates: String, Sendable, CaseIterable {
        /// The day from which it counts; entries are sorted by it.
        case effective
        /// The day on which it was recorded, the other as secondary date; entries are in the order of the journal.
        case recorded
    }

    /// What was written.
    public struct Summary: Sendable, Hashable {
        /// Entries, accounts and currencies.
        public var records = 0
        public var from: Position
        /// Every entry from ``from`` up to here was written, and none after it.
        public var through: Position
        /// The journal's last position. Behind ``through`` something is not decided yet, or was not asked for.
        public var head: Position
        /// Over what was written, if it was JSON Lines.
        public var hash: JournalHash?
    }

    /// Positions read at once.
    static let slicePositions: UInt64 = 512

    let ledger: Ledger
    private let dates: Dates

    public init(_ ledger: Ledger, dates: Dates = .effective) {
        self.ledger = ledger
        self.dates = dates
    }

    /// Writes a range of the journal.
    /// - Parameters:
    ///   - from: the first position.
    ///   - to: the last one; nil for everything that is decided.
    ///   - write: takes the next piece of text.
    /// - Throws: ``LedgerError``: `historyUnavailable` if `to` is not decided yet, `integrity` for an entry that contradicts
    ///   itself; and what `write` throws.
    public func run(
        _ format: Format, from: Position = Position(1), to: Position? = nil, write: (String) async throws -> Void
    ) async throws -> Summary {
        if let elsewhere = try await ledger.elsewhere() {
            return try await Exporter(elsewhere, dates: dates).run(format, from: from, to: to, write: write)
        }
        var summary = try await range(from, to)
        let currencies = KnownCurrencies(try await ledger.currencies())
        switch format {
        case .jsonl:
            var hash = JournalHash()
            try await eachSlice(summary, currencies) { records in
                var text = ""
                for record in records {
                    let line = try record.json(currencies).text
                    hash.append(line)
                    text += line + "\n"
                }
                summary.records += records.count
                try await write(text)
            }
            summary.hash = hash
        case .csv:
            try await write(CSVExport.header)
            try await eachSlice(summary, currencies) { records in
                summary.records += records.count
                try await write(try records.map { try CSVExport.rows($0, currencies) }.joined())
            }
        case .hledger:
            var export = HledgerExport(currencies, dates)
            try await write(HledgerExport.header(summary))
            func hand(_ records: [ExportRecord]) async throws {
                summary.records += records.count
                var text = ""
                for record in records { text += try export.text(record) }
                try await write(text)
            }
            switch dates {
            case .recorded: try await eachSlice(summary, currencies) { try await hand($0) }
            case .effective: try await eachSliceByDay(summary, currencies) { try await hand($0) }
            }
        }
        return summary
    }

    /// The hash of a range of the journal: that of the JSON Lines which ``run(_:from:to:write:)`` writes for it.
    ///
    /// Two books with the same facts in the same order have the same hash, whatever their account numbers, gaps and
    /// recording times are.
    public func hash(from: Position = Position(1), to: Position? = nil) async throws -> Summary {
        try await run(.jsonl, from: from, to: to) { _ in }
    }

    // MARK: - Reading

    private func range(_ from: Position, _ to: Position?) async throws(LedgerError) -> Summary {
        try await translated {
            let (head, through) = try await ledger.database.read { transaction in
                let head = try transaction.run(.select("COALESCE(MAX(position), 0) FROM entry"))[0].uint(0)
                // Up to a checkpoint everything is decided.
                var start = Position.zero
                if let live = try Generation.live(of: BalanceProjection.job, transaction)?.number {
                    start = try Checkpoint.newest(
                        job: BalanceProjection.job, generation: live, transaction).through
                }
                return (Position(head), try BalanceReader.decidedPrefix(after: start, upTo: to, transaction))
            }
            if let to, through < to {
                throw LedgerError(
                    .historyUnavailable, "position \(to) is not decided yet: the journal is complete up to \(through)")
            }
            return Summary(from: from, through: through, head: head)
        }
    }

    private func eachSlice(
        _ summary: Summary, _ currencies: KnownCurrencies, _ body: ([ExportRecord]) async throws -> Void
    ) async throws {
        var next = max(1, summary.from.number)
        while next <= summary.through.number {
            let last = min(summary.through.number, next + Self.slicePositions - 1)
            let records = try await records(
                .select("\(JournalRows.columns) WHERE position BETWEEN \(next) AND \(last) ORDER BY position"), currencies)
            if !records.isEmpty { try await body(records) }
            next = last + 1
        }
    }

    /// Accounts and currencies first, then the entries by the day from which they count. Sorting keeps 16 bytes an entry in
    /// memory.
    private func eachSliceByDay(
        _ summary: Summary, _ currencies: KnownCurrencies, _ body: ([ExportRecord]) async throws -> Void
    ) async throws {
        var order: [(day: Int64, position: UInt64)] = []
        var next = max(1, summary.from.number)
        while next <= summary.through.number {
            let last = min(summary.through.number, next + 40 * Self.slicePositions - 1)
            let range: SelectText = "position BETWEEN \(next) AND \(last)"
            let facts = ExportRecord.facts.map { LedgerValue.text($0.text) }
            let declared = try await records(
                .select("\(JournalRows.columns) WHERE \(range) AND kind IN \(list: facts) ORDER BY position"), currencies)
            if !declared.isEmpty { try await body(declared) }
            order += try await translated {
                try await ledger.database.run(
                    .select("position, effective_at FROM entry WHERE \(range) AND id IS NOT NULL AND NOT kind IN \(list: facts)")
                ).map { row in
                    guard let time = Timestamp(sqlText: try row.text(1)) else {
                        throw LedgerError(.integrity, "the entry at position \(try row.uint(0)) has a time that is none")
                    }
                    return (time.dayNumber, try row.uint(0))
                }
            }
            next = last + 1
        }
        order.sort { ($0.day, $0.position) < ($1.day, $1.position) }
        for start in stride(from: 0, to: order.count, by: Int(Self.slicePositions)) {
            let part = order[start..<min(start + Int(Self.slicePositions), order.count)].map(\.position)
            let list = part.map { LedgerValue.uint($0) }
            let found = try await records(
                .select("\(JournalRows.columns) WHERE position IN \(list: list) ORDER BY position"), currencies)
            let byPosition = Dictionary(found.map { ($0.position.number, $0) }, uniquingKeysWith: { first, _ in first })
            try await body(part.compactMap { byPosition[$0] })
        }
    }

    private func records(
        _ statement: InsertOnlySQL, _ currencies: KnownCurrencies
    ) async throws(LedgerError) -> [ExportRecord] {
        try await translated {
            let entries = try await ledger.database.read { try JournalRows.read($0, statement) }.filter { !$0.isTombstone }
            let ids = Set(entries.flatMap(\.postings).flatMap { [$0.debit, $0.credit] })
            let accounts = try await ledger.catalog.accounts(ids)
            return try entries.map { try ExportRecord($0, accounts, currencies) }
        }
    }
}

extension Timestamp {
    /// Days since 1970-01-01.
    fileprivate var dayNumber: Int64 {
        let day: Int64 = 86_400_000_000
        return microseconds / day - (microseconds % day < 0 ? 1 : 0)
    }
}
