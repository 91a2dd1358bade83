/// What a stream is asked for.
public struct StreamRequest: Sendable {
    public let stream: StreamName
    /// The type that it will be folded into.
    public let type: any Aggregate.Type

    public init(_ stream: StreamName, _ type: any Aggregate.Type) { (self.stream, self.type) = (stream, type) }
}

/// What is stored of a stream: a state to begin with, if there is one, and what came after it.
public struct StreamHistory: Sendable {
    /// A state that folding begins with.
    public enum Baseline: Sendable {
        case none
        /// A state of the type that was asked for, as this program folded it.
        case remembered(any Sendable)
        /// JSON that the type itself has encoded.
        case snapshot(String)
    }

    public let stream: StreamName
    public let baseline: Baseline
    /// Of the baseline; 0 if there is none.
    public let baselineRevision: UInt64
    /// In the journal's order.
    public let events: [StoredEvent]

    public init(stream: StreamName, baseline: Baseline = .none, baselineRevision: UInt64 = 0, events: [StoredEvent]) {
        (self.stream, self.baseline, self.baselineRevision, self.events) = (stream, baseline, baselineRevision, events)
    }

    /// How many have claimed a revision.
    public var revision: UInt64 { events.reduce(baselineRevision) { max($0, $1.revision ?? 0) } }

    /// The state after all of it.
    /// - Throws: `invalidEvent` for what this program cannot read.
    public func folded<A: Aggregate>(_ type: A.Type, _ id: A.ID) throws(LedgerError) -> A {
        var state: A
        switch baseline {
        case .none: state = A(id: id)
        case .remembered(let remembered):
            guard let remembered = remembered as? A else {
                throw LedgerError(.integrity, "\(stream) is remembered as \(Swift.type(of: remembered)), not as \(A.self)")
            }
            state = remembered
        case .snapshot(let json):
            guard let decodable = A.self as? any Decodable.Type, let snapshot = try? EventCodec.decoded(decodable, json) as? A else {
                throw LedgerError(.invalidEvent, "the snapshot of \(stream) is no \(A.self): change the version of its snapshots")
            }
            state = snapshot
        }
        for event in events { try EventCodec.fold(event, into: &state) }
        return state
    }
}

/// How an operation joins a stream.
public struct StreamAppend: Sendable, Hashable {
    /// What has to hold at commit, and what is claimed.
    public enum Rule: Sendable, Hashable {
        case expects(ExpectedRevision)
        /// Claims nothing. It was decided on this revision, and if somebody claimed the next one longer ago than the window (in
        /// microseconds), it is refused. `now` stands for the server's clock.
        case readAt(UInt64, windowMicroseconds: Int64, now: Timestamp?)
        /// Claims the value that the stream is named after, which nobody may have.
        case unclaimed
        /// Gives it back; the holder must be this one.
        case claimed(by: String)
    }

    public let stream: StreamName
    public let rule: Rule
    /// Of the event's payload.
    public let version: Int

    public init(_ stream: StreamName, _ rule: Rule, version: Int = 1) { (self.stream, self.rule, self.version) = (stream, rule, version) }
}

/// One thing that a unit of work is to record.
public struct UnitOperation: Sendable, Hashable {
    /// What is recorded.
    public enum Action: Sendable, Hashable {
        case post(Entry)
        case capture(EntryID, amounts: [Amount]?)
        case void(EntryID)
    }

    public let action: Action
    public let append: StreamAppend?
    /// Its entry is a command that is to be decided.
    public let command: CommandHeader?

    public init(_ action: Action, append: StreamAppend? = nil, command: CommandHeader? = nil) {
        (self.action, self.append, self.command) = (action, append, command)
    }
}

/// Where units of work read and write. The domain knows this protocol; `Ledger` conforms to it.
public protocol UnitStore: Sendable {
    /// What is stored of these streams, in the same order, as of one moment. The number of statements does not depend on how many they are.
    func histories(_ requests: [StreamRequest]) async throws(LedgerError) -> [StreamHistory]
    /// Keeps a state in memory, to begin with the next time. It is never more than that: what came after it is always read.
    func remember<A: Aggregate>(_ state: A, of stream: StreamName, after history: StreamHistory)
    /// Records all operations in order, in one transaction, or none.
    func commit(_ operations: [UnitOperation], _ trace: Trace) async throws(LedgerError) -> [Receipt]
    /// The receipt of an entry, if it stands.
    func receipt(of id: EntryID) async throws(LedgerError) -> Receipt?
    /// Claims the next revision of each stream, calls `body` with what is stored of them and the ids of the entries that have to follow, and
    /// records what it returns, all in one transaction. If it returns nothing, nothing is recorded.
    func exclusively(
        _ requests: [StreamRequest], _ trace: Trace, _ body: @Sendable ([StreamHistory], [EntryID]) throws -> [UnitOperation]
    ) async throws -> [Receipt]
}
