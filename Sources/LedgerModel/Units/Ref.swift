import Synchronization

/// An identity with an immutable state: what a unit of work hands out for an aggregate. There is one for each in a unit.
///
/// ``state`` is a value: whoever keeps a copy sees it unchanged when the reference moves on.
public final class Ref<State: Aggregate>: Sendable {
    public let id: State.ID
    public let stream: StreamName
    /// How many had claimed a revision when it was first loaded in this unit. What the unit claims comes after it, however often it is
    /// loaded again.
    public let revision: UInt64

    private let unit: UnitOfWork
    private let current: Mutex<State>

    init(_ id: State.ID, _ stream: StreamName, _ revision: UInt64, _ state: State, _ unit: UnitOfWork) {
        (self.id, self.stream, self.revision, self.unit) = (id, stream, revision, unit)
        current = Mutex(state)
    }

    /// The state with everything that was applied to it in this unit.
    public var state: State { current.withLock { $0 } }

    /// Nothing had claimed a revision when it was loaded.
    public var isNew: Bool { revision == 0 }

    /// Records an event and folds it into the state. It becomes an entry when the unit commits.
    /// - Returns: the state after it.
    /// - Throws: `unitEnded`; `invalidEvent` for one that cannot be stored; what ``Entry/validate()`` throws for its postings.
    @discardableResult
    public func apply<E: DomainEvent>(_ event: E, effectiveAt: Timestamp? = nil) throws(LedgerError) -> State where E.State == State {
        try current.withLock { state throws(LedgerError) in
            try unit.record(event, effectiveAt, of: stream, readAt: revision)
            event.fold(into: &state)
            return state
        }
    }

    /// Records events, in order.
    @discardableResult
    public func apply(_ events: [any DomainEvent<State>]) throws(LedgerError) -> State {
        for event in events { try apply(any: event) }
        return state
    }

    private func apply(any event: some DomainEvent<State>) throws(LedgerError) { try apply(event) }

    /// Makes sure at commit that nobody has claimed a revision since it was loaded, although this unit changes nothing of it.
    ///
    /// It claims the next revision with an entry of its own (`ledger.stream-checked`), so that two units that each look at what the other
    /// changes cannot both go through. With events of the ref's own it adds nothing.
    public func check() throws(LedgerError) { try unit.check(stream, readAt: revision) }
}

extension Ref where State: PlainState {
    /// Replaces the state by what `change` makes of it, if its validator agrees, and records that as one entry. What stays as it was
    /// records nothing.
    /// - Throws: what `change` and ``PlainState/validate(after:)`` throw; then nothing is recorded. `unitEnded`.
    @discardableResult
    public func swap<R>(_ change: (inout State) throws -> R) throws -> R {
        let old = state
        var new = old
        let result = try change(&new)
        guard new != old else { return result }
        try new.validate(after: old)
        try apply(Replaced(new))
        return result
    }
}
