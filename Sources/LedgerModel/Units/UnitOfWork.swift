import Synchronization

/// The domain's transaction: gathers what is to be recorded and records all of it at once, or nothing.
///
/// ```swift
/// let unit = units.begin()
/// let story = try await unit.load(Story.self, "42")
/// try story.apply(story.state.comment("Well said", by: "bob"))
/// try await unit.commit()
/// ```
/// No database transaction is open while your code runs (but for `Units.exclusively`). At the end the streams' next revisions are claimed; if somebody has been faster,
/// nothing is recorded, and it takes a new unit with what is there now (``Units/run(_:attemptsMax:correlation:causation:_:)`` does that).
/// After its end, whichever, a unit takes nothing more.
public final class UnitOfWork: Sendable {
    /// What events claim.
    public enum Mode: Sendable, Hashable {
        /// Every event claims the next revision of its stream.
        case optimistic
        /// Events claim nothing, so they conflict with nobody: for facts that commute. What was decided on a state that somebody has
        /// changed since is recorded all the same for so long, by the server's clock, and refused later. That is for how long a comment may
        /// come in after its story was closed.
        case relaxed(window: Duration)
    }

    /// Everything that the unit records has it.
    public let trace: Trace
    public let mode: Mode
    private let store: any UnitStore
    private let clock: (any LedgerClock)?
    private let key: String?

    private struct Log {
        var end: String?
        /// Why it can only be rolled back.
        var failure: String?
        /// By stream: the identity map.
        var refs: [StreamName: any Sendable] = [:]
        var operations: [UnitOperation] = []
        /// How many revisions of a stream the unit itself claims.
        var claims: [StreamName: UInt64] = [:]
        /// Streams that must still be at the revision at which they were read.
        var checks: [(stream: StreamName, revision: UInt64)] = []
        /// Revisions after these are claimed already, for entries with these ids.
        var claimed: [StreamName: (id: EntryID, revision: UInt64)] = [:]
        var receipts: [Receipt] = []
    }

    private let log = Mutex(Log())

    /// - Parameter trace: with the unit's own name.
    init(_ store: any UnitStore, _ mode: Mode, _ trace: Trace, key: String? = nil, clock: (any LedgerClock)?) {
        (self.store, self.mode, self.trace, self.key, self.clock) = (store, mode, trace, key, clock)
    }

    @TaskLocal static var bound: UnitOfWork?

    /// The unit that this task works in, until that ends; it follows the task through its calls and children, and not into `Task.detached`.
    public static var current: UnitOfWork? { bound.flatMap { $0.isOpen ? $0 : nil } }

    /// Runs `body` with this unit as ``current``. It neither commits nor rolls back.
    public func perform<T>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T) async rethrows -> T {
        try await Self.$bound.withValue(self, operation: body)
    }

    /// It was neither committed nor rolled back.
    public var isOpen: Bool { log.withLock { $0.end == nil } }

    /// Of everything that it has recorded, in order; empty before the commit.
    public var receipts: [Receipt] { log.withLock { $0.receipts } }

    /// What is to be recorded, in order.
    public var operations: [UnitOperation] { log.withLock { $0.operations } }

    // MARK: - Reading

    /// The aggregate with this id; one that has no history yet is new. The same reference each time.
    /// - Throws: `invalidEvent` for a history that this program cannot read, `unitEnded`.
    public func load<A: Aggregate>(_ type: A.Type, _ id: A.ID) async throws(LedgerError) -> Ref<A> { try await preload(type, [id])[0] }

    /// Many at once, in the same order, with as many statements as for one.
    @discardableResult
    public func preload<A: Aggregate>(_ type: A.Type, _ ids: [A.ID]) async throws(LedgerError) -> [Ref<A>] {
        var missing: [(id: A.ID, stream: StreamName)] = []
        var asked: Set<StreamName> = []
        for id in ids {
            let stream = try A.stream(id)
            if try known(type, stream) == nil, asked.insert(stream).inserted { missing.append((id, stream)) }
        }
        if !missing.isEmpty {
            let histories = try await store.histories(missing.map { StreamRequest($0.stream, type) })
            for ((id, _), history) in zip(missing, histories) { try attach(type, id, history) }
        }
        var refs: [Ref<A>] = []
        for id in ids {
            guard let ref = try known(type, try A.stream(id)) else { preconditionFailure("what was loaded is known") }
            refs.append(ref)
        }
        return refs
    }

    /// An aggregate that was loaded before, without asking the database: for closures that cannot wait.
    /// - Throws: `invalidEntry` if it was not.
    public func loaded<A: Aggregate>(_ type: A.Type, _ id: A.ID) throws(LedgerError) -> Ref<A> {
        let stream = try A.stream(id)
        guard let ref = try known(type, stream) else { throw LedgerError(.invalidEntry, "\(stream) was not loaded in this unit") }
        return ref
    }

    private func known<A: Aggregate>(_ type: A.Type, _ stream: StreamName) throws(LedgerError) -> Ref<A>? {
        try log.withLock { log throws(LedgerError) in
            try Self.checkOpen(log)
            guard let known = log.refs[stream] else { return nil }
            guard let ref = known as? Ref<A> else {
                throw LedgerError(.invalidEntry, "\(stream) was loaded as another type than \(A.self) in this unit")
            }
            return ref
        }
    }

    /// The first one wins: what was captured then is what is claimed.
    func attach<A: Aggregate>(_ type: A.Type, _ id: A.ID, _ history: StreamHistory) throws(LedgerError) {
        let state = try history.folded(type, id)
        store.remember(state, of: history.stream, after: history)
        let ref = Ref(id, history.stream, history.revision, state, self)
        try log.withLock { log throws(LedgerError) in
            try Self.checkOpen(log)
            if log.refs[history.stream] == nil { log.refs[history.stream] = ref }
        }
    }

    // MARK: - Recording

    func record<E: DomainEvent>(
        _ event: E, _ effectiveAt: Timestamp?, of stream: StreamName, readAt revision: UInt64
    ) throws(LedgerError) {
        try log.withLock { log throws(LedgerError) in
            let rule: StreamAppend.Rule
            switch mode {
            case .optimistic:
                if event.identity != .new, let claimed = log.claimed.removeValue(forKey: stream) {
                    // The revision that is claimed already belongs to another id.
                    log.operations.append(Self.checked(stream, revision, claimed.id))
                    log.claims[stream, default: 0] += 1
                }
                rule = .expects(.exact(revision + log.claims[stream, default: 0]))
            case .relaxed(let window):
                rule = .readAt(revision, windowMicroseconds: window.microseconds, now: nil)
            }
            try append(event, effectiveAt, stream, rule, &log)
            if mode == .optimistic { log.claims[stream, default: 0] += 1 }
        }
    }

    /// Records an event of an aggregate that is not loaded.
    /// - Throws: `invalidEntry` if it is loaded in this unit (apply the event to its reference), and as ``Ref/apply(_:effectiveAt:)``.
    public func append<E: DomainEvent>(
        _ event: E, to id: E.State.ID, expecting expected: ExpectedRevision, effectiveAt: Timestamp? = nil
    ) throws(LedgerError) {
        let stream = try E.State.stream(id)
        try log.withLock { log throws(LedgerError) in
            guard log.refs[stream] == nil else {
                throw LedgerError(.invalidEntry, "\(stream) is loaded in this unit: apply the event to its reference")
            }
            try append(event, effectiveAt, stream, .expects(expected), &log)
            switch expected {
            case .exact, .none: log.claims[stream, default: 0] += 1
            case .exists, .any: break
            }
        }
    }

    private func append<E: DomainEvent>(
        _ event: E, _ effectiveAt: Timestamp?, _ stream: StreamName, _ rule: StreamAppend.Rule, _ log: inout Log
    ) throws(LedgerError) {
        try Self.checkOpen(log)
        var (entry, movement) = try EventCodec.entry(event, id: event.identity.id ?? log.claimed.removeValue(forKey: stream)?.id ?? .minted())
        entry.effectiveAt = effectiveAt
        try entry.validate()
        log.operations.append(UnitOperation(.post(entry), append: StreamAppend(stream, rule, version: E.version)))
        switch movement {
        case .capture(let hold, let amounts): log.operations.append(UnitOperation(.capture(hold, amounts: amounts)))
        case .void(let hold): log.operations.append(UnitOperation(.void(hold)))
        case .none, .post, .hold: break
        }
    }

    func check(_ stream: StreamName, readAt revision: UInt64) throws(LedgerError) {
        try log.withLock { log throws(LedgerError) in
            try Self.checkOpen(log)
            if !log.checks.contains(where: { $0.stream == stream }) { log.checks.append((stream, revision)) }
        }
    }

    private static func checked(_ stream: StreamName, _ revision: UInt64, _ id: EntryID = .minted()) -> UnitOperation {
        UnitOperation(.post(Entry(id: id, kind: .streamChecked)), append: StreamAppend(stream, .expects(.exact(revision))))
    }

    /// Records an entry of no stream.
    public func post(_ entry: Entry) throws(LedgerError) {
        try entry.validate()
        try add(UnitOperation(.post(entry)))
    }

    /// Captures a hold; see `Ledger.capture`.
    public func capture(_ hold: EntryID, amounts: [Amount]? = nil) throws(LedgerError) { try add(UnitOperation(.capture(hold, amounts: amounts))) }

    /// Voids a hold.
    public func void(_ hold: EntryID) throws(LedgerError) { try add(UnitOperation(.void(hold))) }

    /// Claims a value that only one may have: an e-mail address, an IBAN. The commit throws `claimTaken` if it is somebody's.
    /// - Parameters:
    ///   - scope: what kind of value: values of different kinds do not meet.
    ///   - value: compared byte by byte: bring it into one spelling first.
    ///   - holder: whose it is, such as the name of a stream. Who has it cannot claim it again.
    /// - Throws: `invalidEntry` for a value that is empty or too long.
    public func claim(_ scope: StreamCategory, _ value: String, for holder: String) throws(LedgerError) {
        try add(Self.claim(.claimed, scope, value, holder, .unclaimed))
    }

    /// Gives a claimed value back; then anybody may claim it. The commit throws `claimTaken` if it is not the holder's.
    public func release(_ scope: StreamCategory, _ value: String, of holder: String) throws(LedgerError) {
        try add(Self.claim(.claimReleased, scope, value, holder, .claimed(by: holder)))
    }

    private static func claim(
        _ kind: EntryKind, _ scope: StreamCategory, _ value: String, _ holder: String, _ rule: StreamAppend.Rule
    ) throws(LedgerError) -> UnitOperation {
        guard !value.isEmpty else { throw LedgerError(.invalidEntry, "an empty \(scope) cannot be claimed or released") }
        let stream = try StreamName(.claims, "\(scope):\(value)")
        let entry = Entry(kind: kind, payload: ["holder": .string(holder)])
        return UnitOperation(.post(entry), append: StreamAppend(stream, rule))
    }

    func add(_ operation: UnitOperation) throws(LedgerError) {
        try log.withLock { log throws(LedgerError) in
            try Self.checkOpen(log)
            log.operations.append(operation)
        }
    }

    /// When something is sent from here.
    var now: SentTime { clock.map { SentTime($0.now()) } ?? .now() }

    private static func checkOpen(_ log: Log) throws(LedgerError) {
        if let end = log.end { throw LedgerError(.unitEnded, "the unit of work was \(end): begin another") }
    }

    // MARK: - Ending

    /// Records everything in one transaction, or nothing. The unit ends either way.
    /// - Returns: receipts in the order of the operations.
    /// - Throws: `revisionConflict` if somebody has claimed a revision since it was loaded, `claimTaken`, `unitEnded`, and what
    ///   `Ledger.post` throws.
    @discardableResult
    public func commit() async throws(LedgerError) -> [Receipt] {
        let operations = try end()
        if operations.isEmpty { return [] }
        do throws(LedgerError) {
            let receipts = try await store.commit(operations, trace)
            recorded(receipts)
            return receipts
        } catch {
            let end = error.code == .outcomeUnknown ? "sent, and whether it is recorded is not known" : "refused, and nothing of it is recorded"
            log.withLock { $0.end = end }
            throw error
        }
    }

    /// Forgets everything. A unit that has ended stays as it is.
    public func rollBack() {
        log.withLock { log in
            guard log.end == nil else { return }
            log.end = "rolled back"
            log.refs = [:]
            log.operations = []
        }
    }

    /// The next revision of a stream is claimed already, for an entry with this id.
    func holds(_ stream: StreamName, _ revision: UInt64, for id: EntryID) { log.withLock { $0.claimed[stream] = (id, revision) } }

    func recorded(_ receipts: [Receipt]) { log.withLock { $0.receipts = receipts } }

    /// A part of it failed: it can only be rolled back.
    func fail(_ reason: String) { log.withLock { $0.failure = $0.failure ?? reason } }

    /// Takes nothing more, and returns what is to be recorded.
    func end() throws(LedgerError) -> [UnitOperation] {
        try log.withLock { log throws(LedgerError) in
            try Self.checkOpen(log)
            log.refs = [:]
            if let failure = log.failure {
                log.end = "rolled back"
                throw LedgerError(.unitEnded, "a part of the unit of work failed, so all of it is rolled back: \(failure)")
            }
            log.end = "committed"
            for check in log.checks where log.claims[check.stream] == nil {
                log.operations.append(Self.checked(check.stream, check.revision, log.claimed.removeValue(forKey: check.stream)?.id ?? .minted()))
            }
            if let now = clock?.now() { for index in log.operations.indices { log.operations[index] = log.operations[index].at(now) } }
            if log.operations.isEmpty { return [] }
            // What is claimed has to stand.
            for (stream, claimed) in log.claimed.sorted(by: { $0.key < $1.key }) {
                log.operations.append(Self.checked(stream, claimed.revision, claimed.id))
            }
            if let key { log.operations.append(UnitOperation(.post(Entry(id: Self.id(ofKey: key), kind: .unitDone, payload: ["key": .string(key)])))) }
            return log.operations
        }
    }

    static func id(ofKey key: String) -> EntryID { .derived("unit", key) }
}
