public import LedgerDatabase
public import LedgerModel

/// A table of a job, and how two generations of it are compared: what the newest row of each key says as of one position.
///
/// ```swift
/// ComparedTable("card_volume", keys: ["account"], through: "position", values: ["amount"])
/// ```
/// If `through` is one of the keys then every row is a fact of its own, and all rows up to the position are compared.
public struct ComparedTable: Sendable, Hashable {
    let base: StaticString
    public let keys: [LedgerColumn]
    public let through: LedgerColumn
    public let values: [LedgerColumn]
    public let absentIfZero: [LedgerColumn]

    /// - Parameters:
    ///   - base: its name without `_g{generation}`.
    ///   - keys: columns of its primary key, none of them NULL.
    ///   - through: the position through which a row is true.
    ///   - absentIfZero: a row in which all of these are 0 says as much as no row.
    public init(
        _ base: StaticString, keys: [LedgerColumn], through: LedgerColumn, values: [LedgerColumn], absentIfZero: [LedgerColumn] = []
    ) {
        self.absentIfZero = absentIfZero
        self.base = base
        self.keys = keys
        self.through = through
        self.values = values
    }

    public static func == (left: ComparedTable, right: ComparedTable) -> Bool {
        left.base.description == right.base.description && left.keys == right.keys && left.through == right.through
            && left.values == right.values && left.absentIfZero == right.absentIfZero
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(base.description)
        hasher.combine(keys)
        hasher.combine(through)
        hasher.combine(values)
    }
}

/// How a generation of a job differs from what it was compared with.
public struct JobComparison: Sendable, Hashable {
    public enum Other: Sendable, Hashable {
        /// The live generation.
        case live
        case generation(UInt32)
        /// What the server computes from the journal itself, in queries that neither the job nor its readers use.
        case journal
    }

    public let job: String
    public let generation: UInt32
    /// ``Other/live`` as its number.
    public let other: Other
    /// Both were compared as of this position; zero if they have none in common.
    public let through: Position
    /// Accounts, keys or rows that were compared.
    public internal(set) var examined: UInt64 = 0
    /// The first ones.
    public internal(set) var differences: [String] = []
    public internal(set) var differencesTotal: UInt64 = 0

    public var isEqual: Bool { differencesTotal == 0 }
    public var hasNothingInCommon: Bool { through == .zero }

    static let differencesMax = 20

    mutating func found(_ texts: [String], of total: UInt64) {
        differences += texts.prefix(Self.differencesMax - differences.count)
        differencesTotal += total
    }
}

extension Projector {
    /// Compares a generation of a job with another one, or with the journal.
    ///
    /// Balances and account lines are compared as of any position that both have reached; tables of a job of your own as of the newest
    /// position at which both have ended a step (``JobDefinition/grid`` gives them some).
    /// - Parameters:
    ///   - account: only this one. A table without a column `account` cannot be cut to one.
    ///   - position: as of this one, or the last one before it that both have; nil: the newest.
    /// - Throws: `historyUnavailable` for a generation that is not there or a position that it has not reached,
    ///   `invalidEntry` for a job that does not say how it is compared.
    public func compare(
        _ job: String, generation: UInt32, with other: JobComparison.Other = .live, account: AccountID? = nil,
        at position: Position? = nil
    ) async throws(LedgerError) -> JobComparison {
        try await translated {
            let definition = try self.job(job).definition
            return try await database.read { transaction in
                let pair = try GenerationPair(definition, generation, other, position, transaction)
                var result = JobComparison(job: job, generation: generation, other: pair.other, through: pair.through)
                guard pair.through != .zero else { return result }
                switch job {
                case BalanceProjection.job:
                    try BalanceComparison(pair: pair, account: account).run(&result, transaction)
                case AccountLineProjection.definition.name where pair.second == nil:
                    try LineComparison(generation: generation, through: pair.through, account: account).run(&result, transaction)
                case AccountLineProjection.definition.name:
                    for table in LineComparison.tables {
                        try TableComparison(pair: pair, table: table, account: account).run(&result, transaction)
                    }
                default:
                    for table in definition.compared {
                        try TableComparison(pair: pair, table: table, account: account).run(&result, transaction)
                    }
                }
                return result
            }
        }
    }
}

/// A generation, what it is compared with, and as of when.
struct GenerationPair: Sendable {
    let job: String
    let first: UInt32
    /// nil: the journal.
    let second: UInt32?
    let through: Position
    var other: JobComparison.Other { second.map { .generation($0) } ?? .journal }

    init(
        _ definition: JobDefinition, _ first: UInt32, _ other: JobComparison.Other, _ position: Position?,
        _ transaction: borrowing LedgerTransaction
    ) throws {
        job = definition.name
        self.first = first
        let isBuiltIn = [BalanceProjection.job, AccountLineProjection.definition.name].contains(definition.name)
        let name = definition.name
        switch other {
        case .generation(let number): second = number
        case .live:
            guard let live = try Generation.live(of: name, transaction)?.number else {
                throw LedgerError(.historyUnavailable, "“\(name)” has no live generation to compare with")
            }
            second = live
        case .journal:
            guard isBuiltIn else {
                throw LedgerError(
                    .invalidEntry, "only balances and account lines can be computed from the journal by somebody else than their job: "
                        + "compare “\(name)” with another generation")
            }
            second = nil
        }
        guard second != first else { throw LedgerError(.invalidEntry, "generation \(first) of “\(name)” is compared with itself") }
        guard isBuiltIn || !definition.compared.isEmpty else {
            throw LedgerError(.invalidEntry, "the definition of “\(name)” does not say which tables are compared (`compared:`)")
        }
        let ready = Set(try Generation.all(transaction).filter { $0.job == name }.map(\.number))
        for number in [first, second].compactMap({ $0 }) where !ready.contains(number) {
            throw try BookOwner.missing(name, number, transaction)
        }
        var ends: [Position] = []
        for number in [first, second].compactMap({ $0 }) {
            ends.append(try Checkpoint.newest(job: name, generation: number, transaction).through)
        }
        let reached = ends.min() ?? .zero
        if let position, position > reached {
            throw LedgerError(.historyUnavailable, "position \(position) is not projected yet: both are through position \(reached)")
        }
        let wanted = position ?? reached
        if isBuiltIn {
            through = wanted
        } else {
            through = try Self.commonEnd(name, first, second ?? first, atMost: wanted, ends, transaction)
        }
    }

    /// The last position at which both have ended a step. A step begins where the one before it ended.
    private static func commonEnd(
        _ job: String, _ first: UInt32, _ second: UInt32, atMost wanted: Position, _ ends: [Position],
        _ transaction: borrowing LedgerTransaction
    ) throws -> Position {
        if ends.allSatisfy({ $0 == wanted }) { return wanted }
        // Where one of them stands, the other may have passed.
        for (end, other) in [(ends[0], second), (ends[1], first)] where end <= wanted && end == ends.min() {
            let passes = try transaction.run(
                .select("1 FROM checkpoint WHERE job = \(job) AND generation = \(other) AND from_position = \(end.number)"))
            if !passes.isEmpty { return end }
        }
        let rows = try transaction.run(
            .select(
                """
                a.from_position FROM checkpoint a JOIN checkpoint b ON b.job = a.job AND b.generation = \(second)
                AND b.from_position = a.from_position
                WHERE a.job = \(job) AND a.generation = \(first) AND a.from_position <= \(wanted.number)
                ORDER BY a.from_position DESC LIMIT 1
                """))
        return Position(try rows.first?.uint(0) ?? 0)
    }
}
