public import LedgerDatabase
public import LedgerModel

/// A book, open for work: post entries, open accounts, read balances.
///
/// ```swift
/// let ledger = Ledger(location)
/// try await ledger.openAccount("customers:alice", in: .eur, type: .liability)
/// let receipt = try await ledger.post(entry)
/// let balance = try await ledger.balance(of: "customers:alice", in: .eur)
/// ```
/// It connects when it is first asked something, as the book's `writer` (a read-only one as `auditor`); its jobs connect as `projector`.
/// Close it at the end with ``close()``.
public struct Ledger: Sendable {
    let database: Database
    let catalog: AccountCatalog
    let commits: GroupCommit
    let balanceMark = BalanceMark()
    let lineMark = AccountLineMark()
    let streams: StreamReader
    let tailMax: UInt64
    let replicaLagMax: Duration
    /// Who answers queries in place of the server that is written to.
    var replica: Replica?
    /// Which side the process is on.
    public let mode: LedgerMode
    /// The server that is written to; of a read-only ledger the one that is read.
    public let location: BookLocation

    /// - Parameters:
    ///   - mode: `.readOnly` for a process that only reads: the role `auditor` is enough for it (`docs/sides.md`).
    ///   - reading: a replica that answers queries. A writer reads there only what callers ask for, never what a write is decided on; a
    ///     read-only ledger asks nothing but this.
    ///   - replicaLagMax: how long a balance ``BalanceTime/atLeast(_:)`` waits until the replica has the entry.
    ///   - connectionsMax: database connections at the most, beside the three on which entries are posted.
    ///   - tailMax: a limit is decided on the projected balances and the entries after them; if those are more than this, it
    ///     is refused as `tailTooLong` instead of read for seconds.
    ///   - snapshots: with which the states of streams begin, if the book has them.
    ///   - streamsRemembered: states of so many streams at the most are kept in memory to begin with; what came after is read each time.
    public init(
        _ location: BookLocation, mode: LedgerMode = .writer, reading: BookLocation? = nil, connectionsMax: Int = 8, tailMax: UInt64 = 5_000_000,
        snapshots: Snapshots? = nil, streamsRemembered: Int = 1000, replicaLagMax: Duration = .seconds(10)
    ) {
        let asked = mode == .readOnly ? reading ?? location : location
        self.location = asked
        self.tailMax = tailMax
        self.mode = mode
        self.replicaLagMax = replicaLagMax
        database = Database(
            asked, role: mode.role, connectionsMax: connectionsMax, calledName: mode == .readOnly && reading != nil ? "the replica \(asked)" : nil)
        catalog = AccountCatalog(database)
        let step = WriteStep(catalog: catalog, memory: LimitMemory(), tailMax: tailMax)
        streams = StreamReader(memory: StreamMemory(streamsRemembered), snapshots: snapshots)
        commits = GroupCommit { GroupWriter(lane: WriteLane(asked, role: mode.role), step: step) }
        if mode == .writer, let reading, reading != location {
            replica = Replica(
                Ledger(location, mode: .readOnly, reading: reading, connectionsMax: connectionsMax, tailMax: tailMax, replicaLagMax: replicaLagMax))
        }
    }

    /// Takes no more posts, answers those that it has, and closes the connections.
    public func close() async {
        await commits.close()
        await database.close()
        await replica?.close()
    }
}

extension LedgerError {
    /// What a database error means to a user of the ledger.
    init(_ error: DatabaseError) {
        switch error.kind {
        case .unreachable: self.init(.unavailable, "no database answers: \(error.message)")
        case .closed: self.init(.unavailable, "the ledger is closed", retry: .never)
        case .connectionLost: self.init(.unavailable, "the database went away: \(error.message)")
        case .outcomeUnknown:
            self.init(
                .outcomeUnknown, "the database went away while it committed, so this may have been done or not: ask again "
                    + "with the same id (\(error.message))")
        case .denied where error.number == 1959:
            self.init(
                .accessDenied, "the database refuses this user, or there is no such book: `indelible init` creates a book, and grants its "
                    + "roles on a private server; `indelible doctor` shows the grants (\(error.message))")
        case .denied:
            self.init(.accessDenied, "the database refuses this user: \(error.message). `indelible doctor` shows the grants")
        case .storageFull:
            self.init(
                .storageFull, "the database has no room left, nothing was written: free space on the server and try again "
                    + "(\(error.message))")
        case .tryAgain, .lockWaitTimeout: self.init(.busy, "the database is busy, nothing was written: \(error.message)")
        case .duplicateKey: self.init(.busy, "others were faster again and again, nothing was written: \(error.message)")
        case .schema: self.init(.schema, "\(error.message). `indelible init` creates or migrates a book")
        case .refusedRow, .other: self.init(.integrity, "the database refused: \(error.message)")
        }
    }

    /// Any error of the layers below as a ``LedgerError``.
    public static func translating(_ error: any Error) -> LedgerError {
        switch error {
        case let error as LedgerError: error
        case let error as DatabaseError: LedgerError(error)
        case is CancellationError: LedgerError(.busy, "cancelled; nothing was written", retry: .sameRequest)
        default: LedgerError(.integrity, "unexpected: \(error)")
        }
    }
}

func translated<T>(_ body: () async throws -> T) async throws(LedgerError) -> T {
    do { return try await body() } catch { throw LedgerError.translating(error) }
}
