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
        var entries: [JournalEntry]
        /// A position that a transaction holds and has not committed.
        var inFlight: Position?
    }

    /// The entries after `start`, up to and with `end`, as far as they are decided.
    /// - Throws: `integrity` if an entry contradicts itself or a gap is too long to be one.
    func slice(after start: Position, through end: Position) async throws -> Slice {
        var end = end.number
        var inFlight: Position?
        var refused = 0
        while end > start.number {
            let view = try await view(after: start.number, through: end)
            if view.missing.isEmpty {
                for entry in view.entries { try Self.check(entry) }
                return Slice(entries: view.entries, inFlight: inFlight)
            }
            switch try await claim(view.missing) {
            case .granted:
                // Each is now somebody's entry or a tombstone; the next look shows it.
                refused += 1
                guard refused < 100 else {
                    throw LedgerError(
                        .integrity, "position \(view.missing[0]) is missing from the journal after it was claimed")
                }
            case .tryAgain: continue
            case .inFlight(let position):
                inFlight = Position(position)
                end = position - 1
            }
        }
        return Slice(entries: [], inFlight: inFlight)
    }

    private struct View: Sendable {
        let entries: [JournalEntry]
        let missing: [UInt64]
    }

    /// One snapshot: what is visible, and which positions below the highest visible one are not.
    private func view(after start: UInt64, through end: UInt64) async throws -> View {
        try await database.read { transaction in
            guard let bounds = try transaction.run(
                .select("MIN(position), MAX(position) FROM entry WHERE position > \(start)")
            ).first, !bounds.isNull(0) else { return View(entries: [], missing: []) }
            let next = try bounds.uint(0)
            guard next - start - 1 <= Self.gapMax else {
                throw LedgerError(
                    .integrity, "after position \(start) the next entry is at \(next): a gap of more than \(Self.gapMax) "
                        + "positions is not a transaction in flight. Somebody wrote a position by hand; find out who before "
                        + "the jobs go on")
            }
            let last = min(end, try bounds.uint(1))
            let entries = try JournalRows.read(
                transaction,
                .select("\(JournalRows.columns) WHERE position > \(start) AND position <= \(last) ORDER BY position"))
            var missing: [UInt64] = []
            var expected = start + 1
            for entry in entries {
                missing += expected..<entry.position.number
                expected = entry.position.number + 1
            }
            if expected <= last { missing += expected...last }
            return View(entries: entries, missing: missing)
        }
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

    private static func check(_ entry: JournalEntry) throws {
        guard entry.postings.count == Int(entry.lines) else {
            throw LedgerError(
                .integrity, "the entry at position \(entry.position) was recorded with \(entry.lines) postings and has "
                    + "\(entry.postings.count): somebody added or removed some. The jobs stop here until that is explained")
        }
    }
}
