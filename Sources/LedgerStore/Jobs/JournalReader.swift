import LedgerDatabase
import LedgerModel

/// Reads the journal in order, up to the high-water mark and no further.
///
/// A missing position below the highest visible one is in flight or dead, and is decided by claiming it: a tombstone is
/// inserted there, and the primary key answers. So what this hands out is exact, no reader blocks a writer, and there is no
/// timer. (`docs/architecture.md`, “The journal's order”.)
struct JournalReader: Sendable {
    /// Reads.
    let database: Database
    /// Claims: its connections do not wait for locks.
    let claimer: Database

    /// A run of missing positions longer than this is not a matter of writers in flight.
    static let gapMax: UInt64 = 10_000_000
    private static let claimRowsMax = 1000

    /// Entries right after a position, and where the reading had to stop.
    struct Slice: Sendable {
        /// One goes on where the one before it ends.
        var batches: [JournalBatch] = []
        /// The last position.
        var through: Position
        /// A position that a transaction holds and has not committed.
        var inFlight: Position?
        /// Nothing more was decided.
        var isEnd = false
    }

    /// Positions that are read at once; more of them cost memory and gain nothing.
    static let positionsPerRead: UInt64 = 16_384

    /// The entries after `start`, up to and with `end`, as far as they are decided.
    /// - Throws: `integrity` if an entry contradicts itself or a gap is too long to be one.
    func slice(after start: Position, through end: Position) async throws -> Slice {
        var slice = Slice(through: start)
        let wanted = end.number
        var end = wanted
        var claimed = 0
        while slice.through.number < end {
            let batch = try await read(after: slice.through.number, through: end)
            if !batch.isEmpty {
                slice.batches.append(batch)
                claimed = 0
            }
            slice.through = batch.through
            let reached = slice.through.number
            guard reached < end, let next = try await nextVisible(after: reached) else { break }
            guard next - reached - 1 <= Self.gapMax else {
                throw LedgerError(
                    .integrity, "after position \(reached) the next entry is at \(next): a gap of more than \(Self.gapMax) "
                        + "positions is not a transaction in flight. Somebody wrote a position by hand; find out who before "
                        + "the jobs go on")
            }
            guard next > reached + 1 else { continue }
            switch try await claim(Array(reached + 1...min(next - 1, end))) {
            case .granted:
                // Each is now somebody's entry or a tombstone; the next look shows it.
                claimed += 1
                guard claimed < 100 else {
                    throw LedgerError(.integrity, "position \(reached + 1) is missing from the journal after it was claimed")
                }
            case .tryAgain: continue
            case .inFlight(let position):
                slice.inFlight = Position(position)
                end = position - 1
            }
        }
        slice.isEnd = slice.through.number < wanted
        return slice
    }

    /// The entries that follow without a gap.
    private func read(after start: UInt64, through end: UInt64) async throws -> JournalBatch {
        try await database.autocommit { try Self.read(after: start, through: end, $0) }
    }

    /// The entries that follow without a gap, of what the transaction sees.
    static func read(after start: UInt64, through end: UInt64, _ transaction: borrowing LedgerTransaction) throws -> JournalBatch {
        var batch = JournalBatch(after: Position(start))
        batch.reserve(Int(min(end - start, 16_384)))
        var clock = RowClock()
        var kind: EntryKind = .tombstone
        var next = start + 1
        try transaction.forEachRow(
            .select("\(JournalRows.columns) WHERE position > \(start) AND position <= \(end) ORDER BY position")
        ) { row in
            let position = row.uint(0) ?? 0
            // Behind a gap: read again when it is decided.
            guard position == next else { return }
            next += 1
            if !row.isText(2, kind.text) { kind = try EntryKind(row.text(2) ?? "") }
            guard let effective = clock.microseconds(row.time(4)), let recorded = clock.microseconds(row.time(5)) else {
                throw LedgerError(.integrity, "the entry at position \(position) has a time that is none")
            }
            batch.append(
                id: row.words(1).map { EntryID(high: $0, low: $1) }, kind: kind, lines: UInt32(truncatingIfNeeded: row.uint(3) ?? 0),
                effective: effective, recorded: recorded, payload: row.text(6))
        }
        // An entry that is visible means that its postings are.
        let last = start + UInt64(batch.appended)
        try transaction.forEachRow(
            .select("\(JournalRows.postingColumns) WHERE position > \(start) AND position <= \(last) ORDER BY position, line")
        ) { row in
            let position = row.uint(0) ?? 0
            guard let line = row.uint(1), let debit = row.uint(2).flatMap(UInt32.init(exactly:)),
                let credit = row.uint(3).flatMap(UInt32.init(exactly:)), let amount = row.uint(4),
                let status = row.uint(5).flatMap(UInt8.init(exactly:)).flatMap(PostingStatus.init)
            else { throw LedgerError(.integrity, "a posting of position \(position) cannot be one") }
            try batch.append(
                JournalPosting(
                    line: UInt32(truncatingIfNeeded: line), debit: AccountID(debit), credit: AccountID(credit), amount: amount,
                    status: status), at: position)
        }
        try batch.finish()
        return batch
    }

    private func nextVisible(after position: UInt64) async throws -> UInt64? {
        let row = try await database.run(.select("MIN(position) FROM entry WHERE position > \(position)"))[0]
        return row.isNull(0) ? nil : try row.uint(0)
    }

    private enum Claim { case granted, tryAgain, inFlight(UInt64) }

    /// Claims positions for nobody, all in one statement; if one of them is in flight, one by one up to it.
    private func claim(_ positions: [UInt64]) async throws -> Claim {
        var start = 0
        while start < positions.count {
            let chunk = Array(positions[start..<min(start + Self.claimRowsMax, positions.count)])
            do { try await insertTombstones(chunk) } catch let error as DatabaseError {
                guard error.kind == .lockWaitTimeout else { return try Self.claimAgain(error) }
                for position in chunk {
                    do { try await insertTombstones([position]) } catch let error as DatabaseError {
                        return error.kind == .lockWaitTimeout ? .inFlight(position) : try Self.claimAgain(error)
                    }
                }
            }
            start += chunk.count
        }
        return .granted
    }

    private static func claimAgain(_ error: DatabaseError) throws -> Claim {
        guard error.kind == .tryAgain else { throw error }
        return .tryAgain
    }

    private func insertTombstones(_ positions: [UInt64]) async throws {
        try await claimer.run(.tombstones(at: positions, kind: EntryKind.tombstone.text))
    }
}

/// Times of rows as microseconds since 1970: those of one day share its midnight.
struct RowClock {
    private var day = (0, 0, 0)
    private var midnight: Int64?

    mutating func microseconds(_ time: CivilTime?) -> Int64? {
        guard let time else { return nil }
        if day != (time.year, time.month, time.day) {
            day = (time.year, time.month, time.day)
            midnight = Timestamp.midnight(year: time.year, month: time.month, day: time.day)
        }
        return midnight.map { $0 + Int64((time.hour * 60 + time.minute) * 60 + time.second) * 1_000_000 + Int64(time.microsecond) }
    }
}
