import Crypto
import Foundation
public import LedgerDatabase
public import LedgerModel

/// Work that follows the journal: entries come in order, each counts exactly once.
///
/// The engine reads what is decided, hands it to a step, and commits the step's rows together with the next checkpoint.
/// Who computes rows of its own tables conforms to ``Projection``, which is simpler.
public protocol Job: Sendable {
    var definition: JobDefinition { get }
    /// Begins a step.
    /// - Parameter previous: the step right before it, if this very worker did it: what that knows is still true. Else nil.
    func begin(after previous: (any JobStep)?) -> any JobStep
    /// Called once by a worker that begins and finds nothing new in the journal: for a job that may have left something undone. It does
    /// nothing unless you say otherwise.
    func resume() async throws
}

extension Job {
    public func resume() async throws {}
}

/// One step of a job: the entries after a checkpoint.
public protocol JobStep: Sendable {
    /// Takes the next entries. No database transaction is open.
    /// - Throws: whatever makes an entry impossible to process; the job stops there and names it.
    mutating func take(_ entries: JournalBatch) throws
    /// Does what has an effect outside of the book, before the step is claimed: it can happen again, so its receiver must
    /// recognise what it has seen.
    /// - Throws: `integrity` (``LedgerError``) for an entry that is at fault, which stops the job there; anything else is tried again.
    func prepare() async throws
    /// Inserts the rows, in the transaction that has claimed the step.
    func write(_ writer: borrowing StepWriter) throws
}

extension JobStep {
    public func prepare() async throws {}
}

/// What a job is: its rows depend on nothing else.
public struct JobDefinition: Sendable, Hashable {
    /// 1 to 40 lower-case letters, digits or `_`, beginning with a letter.
    public let name: String
    /// SHA-256 of name, version and tables. A generation that was made by another one is not continued.
    public let fingerprint: [UInt8]
    /// `CREATE TABLE IF NOT EXISTS name_g{generation} (…);` for each table.
    public let schema: String
    /// Positions in one step at the most.
    public let positionsMax: UInt64
    /// A step does not become smaller than this because steps take long, as long as there is as much to do.
    public let positionsMin: UInt64
    /// What two generations are compared by.
    public let compared: [ComparedTable]

    /// Steps end at multiples of this, so that two generations have checkpoints in common.
    public static let grid: UInt64 = 262_144

    /// A name that cannot be one stops the program.
    /// - Parameters:
    ///   - version: change it whenever the rows would come out otherwise.
    ///   - schema: tables of a generation, in MariaDB's dialect. Their names end in `_g{generation}`.
    ///   - positionsMax: 1 to ``grid``.
    ///   - positionsMin: more than 256 for a job of which a step costs much however few entries it has.
    ///   - compared: the tables that ``Projector/compare(_:generation:with:account:at:)`` looks at. They are no part of the
    ///     fingerprint.
    public init(
        name: String, version: String, schema: String = "", positionsMax: UInt64 = 16_384, positionsMin: UInt64 = 256, compared: [ComparedTable] = []
    ) {
        let isWellFormed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
        precondition(
            (1...40).contains(name.utf8.count) && isWellFormed && name.first!.isLetter,
            "“\(name)” is no name of a job: 1 to 40 lower-case letters, digits or _, a letter first")
        precondition((1...Self.grid).contains(positionsMax), "a step has 1 to \(Self.grid) positions")
        self.name = name
        self.schema = schema
        self.positionsMax = positionsMax
        self.positionsMin = positionsMin
        self.compared = compared
        fingerprint = Array(SHA256.hash(data: Data("\(name)/\(version)\n\(schema)".utf8)))
    }
}

/// What a step may do in its transaction: read the book, and insert into the tables of its generation.
public struct StepWriter: ~Copyable {
    let transaction: LedgerTransaction
    let job: String
    public let generation: UInt32
    /// The step's entries are those after `from`, up to and with `through`.
    public let from: Position
    public let through: Position

    init(_ transaction: borrowing LedgerTransaction, job: String, generation: UInt32, from: Position, through: Position) {
        self.transaction = transaction.rewrapped()
        self.job = job
        self.generation = generation
        self.from = from
        self.through = through
    }

    /// The table `base_g1` of this generation 1.
    public borrowing func table(_ base: StaticString) -> LedgerTable { .generated(base, generation: generation) }

    /// `SELECT` and what follows.
    public borrowing func select(_ rest: SelectText) throws -> Rows { try transaction.run(.select(rest)) }

    /// Inserts rows into a table of this generation.
    public borrowing func insert(into base: StaticString, _ columns: [LedgerColumn], rows: [[LedgerValue]]) throws {
        for start in stride(from: 0, to: rows.count, by: 1000) {
            let chunk = Array(rows[start..<min(start + 1000, rows.count)])
            try transaction.run(.insert(into: table(base), columns, rows: chunk))
        }
    }

    /// Inserts many rows, column by column: faster.
    public borrowing func insert(into base: StaticString, _ columns: [LedgerColumn], values: [ColumnRows.Values]) throws {
        try transaction.insert(ColumnRows(into: table(base), columns, values: values))
    }
}
