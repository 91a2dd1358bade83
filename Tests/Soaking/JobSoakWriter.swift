import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver

/// Posts at random: transfers of now, of the past and of the future, entries with many lines, batches, holds and their ends; and
/// takes positions that it gives up, or commits late.
struct JobSoakWriter {
    /// The first is in every other posting.
    static let paths: [AccountPath] = (0..<12).map { AccountPath(stringLiteral: "open:\($0)") }
    private static let day: Int64 = 86_400_000_000

    private let ledger: Ledger
    private let notes: JobSoakNotes
    private let restMilliseconds: Int
    private let connection: MariaDBConnection
    private let ids: [AccountPath: UInt32]
    private var random: SoakRandom
    private var holds: [(id: EntryID, postings: [Posting])] = []

    init(_ soak: JobSoak, _ number: Int, _ notes: JobSoakNotes) async throws {
        (ledger, self.notes, restMilliseconds) = (soak.book.ledger, notes, soak.options.restMilliseconds)
        random = SoakRandom(soak.options.seed, 2, UInt64(number))
        connection = try await JobProof.connect(soak.book)
        var ids: [AccountPath: UInt32] = [:]
        for row in try await connection.query("SELECT id, path FROM account") {
            if case .uint(let id) = row[0], case .text(let path) = row[1] { ids[try AccountPath(path)] = UInt32(id) }
        }
        self.ids = ids
    }

    mutating func run() async throws {
        while !notes.isOver {
            switch Int.random(in: 0..<100, using: &random) {
            case ..<50: try await post([transfer(1)])
            case ..<58: try await post([transfer(Int.random(in: 2...40, using: &random))])
            case ..<66: try await post((0..<Int.random(in: 2...20, using: &random)).map { _ in transfer(1) })
            case ..<76: try await hold()
            case ..<86: try await endHold()
            case ..<95: try await inPerson(commits: false)
            default: try await inPerson(commits: true)
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...restMilliseconds, using: &random)))
        }
        await connection.close()
    }

    private mutating func posting() -> Posting {
        let first = Bool.random(using: &random) ? 0 : Int.random(in: 0..<Self.paths.count, using: &random)
        let second = (first + Int.random(in: 1..<Self.paths.count, using: &random)) % Self.paths.count
        let isDebit = Bool.random(using: &random)
        return Posting(
            debit: Self.paths[isDebit ? first : second], credit: Self.paths[isDebit ? second : first],
            amount: Amount(minorUnits: Int64.random(in: 1...10_000, using: &random), .eur))
    }

    private mutating func transfer(_ lines: Int) -> Entry {
        var entry = Entry(kind: "soak.job", postings: (0..<lines).map { _ in posting() })
        if Int.random(in: 0..<4, using: &random) == 0 {
            let days = Int64.random(in: -400...30, using: &random)
            entry.effectiveAt = Timestamp(microseconds: Timestamp(Date()).microseconds + days * Self.day)
        }
        return entry
    }

    private func post(_ entries: [Entry]) async throws {
        let postings = entries.flatMap(\.postings)
        notes.begin(postings)
        notes.done(postings, try await ledger.post(entries))
    }

    private mutating func hold() async throws {
        var entry = transfer(Int.random(in: 1...3, using: &random))
        entry.hold = Hold()
        // What it holds is not posted.
        notes.done([], [try await ledger.post(entry)])
        holds.append((entry.id, entry.postings))
    }

    /// Captures all or a part of it, or voids it.
    private mutating func endHold() async throws {
        guard let index = holds.indices.randomElement(using: &random) else { return }
        let (id, postings) = holds.remove(at: index)
        if Int.random(in: 0..<3, using: &random) == 0 { return notes.done([], [try await ledger.void(id)]) }
        let captured = postings.map { posting in
            let units = Int64.random(in: 1...posting.amount.minorUnits, using: &random)
            return Posting(debit: posting.debit, credit: posting.credit, amount: Amount(minorUnits: units, .eur))
        }
        notes.begin(captured)
        notes.done(captured, [try await ledger.capture(id, amounts: captured.map(\.amount))])
    }

    /// Takes a position in a transaction of its own, and after a while commits it or gives it up.
    private mutating func inPerson(commits: Bool) async throws {
        let one = posting()
        let id = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        let pause = Duration.milliseconds(Int.random(in: 0...60, using: &random))
        guard let debit = ids[one.debit], let credit = ids[one.credit] else { return }
        if commits { notes.begin([one]) }
        do {
            try await connection.execute(unprepared: "START TRANSACTION")
            let entry = try await connection.query("INSERT INTO entry (id, kind, `lines`) VALUES (\(id), 'soak.late', 1)")
            let position = entry.lastInsertID
            _ = try await connection.query(
                """
                INSERT INTO posting (position, line, debit, credit, amount, status) VALUES (\(position), 1, \(debit), \(credit), \
                \(one.amount.minorUnits), 0)
                """)
            try await Task.sleep(for: pause)
            try await connection.execute(unprepared: commits ? "COMMIT" : "ROLLBACK")
            if commits { notes.done([one], 1) } else { notes.note { $0.rolledBack += 1 } }
        } catch let error as MariaDBError {
            // A worker had given the position up already: then nothing was inserted.
            guard error.isDuplicateKey else { throw error }
            try await connection.execute(unprepared: "ROLLBACK")
            notes.note { $0.rolledBack += 1 }
        }
    }
}
