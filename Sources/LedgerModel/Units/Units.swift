import Synchronization

/// Begins units of work. The domain holds this value and knows nothing of what stands behind it.
///
/// ```swift
/// let units = Units(ledger)
/// try await units.run { unit in
///     let story = try await unit.load(Story.self, "42")
///     let member = try await unit.load(Member.self, "bob")
///     try story.apply(story.state.publish())
///     try member.apply(member.state.countStory())
/// }
/// ```
/// One stream a unit is the usual case, and conflicts least; more are possible, and stand or fall together.
public struct Units: Sendable {
    let store: any UnitStore
    let clock: (any LedgerClock)?

    /// - Parameter clock: in place of the server's, for tests.
    public init(_ store: any UnitStore, clock: (any LedgerClock)? = nil) { (self.store, self.clock) = (store, clock) }

    /// Begins a unit, which you commit or roll back. One that is dropped is rolled back.
    /// - Parameters:
    ///   - correlation: what it belongs to; nil: what holds for this task.
    ///   - causation: what it follows from; nil: what holds for this task.
    public func begin(
        _ mode: UnitOfWork.Mode = .optimistic, correlation: String? = nil, causation: String? = nil
    ) -> UnitOfWork { begin(mode, correlation, causation, key: nil) }

    private func begin(_ mode: UnitOfWork.Mode, _ correlation: String?, _ causation: String?, key: String?) -> UnitOfWork {
        UnitOfWork(store, mode, Self.trace(correlation, causation), key: key, clock: clock)
    }

    /// Of a new unit.
    private static func trace(_ correlation: String?, _ causation: String?) -> Trace {
        var trace = Trace.current
        if let correlation { trace.correlation = String(correlation.prefix(Trace.charactersMax)) }
        if let causation { trace.causation = String(causation.prefix(Trace.charactersMax)) }
        trace.unit = EntryID.minted().description
        return trace
    }

    /// Runs `body` with a unit and commits it; if somebody else was faster, runs it again with another unit, on what is there now.
    ///
    /// `body` may run several times, so it changes nothing but through the unit. If it throws, nothing is recorded. A `run` inside of it is a unit of
    /// its own, which is recorded by itself and each time: a part joins with ``join(attemptsMax:isolation:_:)``.
    /// - Parameter attemptsMax: how often at the most; then the conflict is thrown.
    /// - Throws: what `body` throws, and what ``UnitOfWork/commit()`` throws.
    @discardableResult
    public func run<T>(
        _ mode: UnitOfWork.Mode = .optimistic, attemptsMax: Int = 10, correlation: String? = nil, causation: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (UnitOfWork) async throws -> T
    ) async throws -> T {
        try await attempts(attemptsMax) {
            let unit = begin(mode, correlation, causation, key: nil)
            let result = try await Self.inside(unit, body)
            try await unit.commit()
            return result
        }
    }

    /// What became of a unit that has a key.
    public enum Outcome<T> {
        case done(T, [Receipt])
        /// It was done before, and `body` was not run: the receipt of the entry that says so.
        case repeated(Receipt)
    }

    /// Runs `body` with a unit once for a key, however often it is asked, from wherever: the request of somebody who may ask again.
    ///
    /// An entry (`ledger.unit-done`) whose id follows from the key is recorded with the others.
    @discardableResult
    public func runOnce<T>(
        key: String, _ mode: UnitOfWork.Mode = .optimistic, attemptsMax: Int = 10, correlation: String? = nil, causation: String? = nil,
        isolation: isolated (any Actor)? = #isolation, _ body: (UnitOfWork) async throws -> T
    ) async throws -> Outcome<T> {
        let id = UnitOfWork.id(ofKey: key)
        return try await attempts(attemptsMax) {
            if let receipt = try await store.receipt(of: id) { return .repeated(receipt) }
            let unit = begin(mode, correlation, causation, key: key)
            do {
                let result = try await Self.inside(unit, body)
                return .done(result, try await unit.commit())
            } catch {
                // What is refused may be refused because this very request was done meanwhile.
                if let receipt = (try? await store.receipt(of: id)) ?? nil { return .repeated(receipt) }
                throw error
            }
        }
    }

    /// Runs `body` in the unit that this task works in, or if there is none in one of its own, which is committed.
    ///
    /// A body that throws makes the whole unit one that can only be rolled back, also where the error is caught outside.
    @discardableResult
    public func join<T>(
        attemptsMax: Int = 10, isolation: isolated (any Actor)? = #isolation, _ body: (UnitOfWork) async throws -> T
    ) async throws -> T {
        guard let current = UnitOfWork.current else { return try await run(attemptsMax: attemptsMax, body) }
        do { return try await body(current) } catch {
            current.fail("\(error)")
            throw error
        }
    }

    /// An aggregate that is to be claimed and loaded.
    public struct Claim: Sendable {
        let request: StreamRequest
        let attach: @Sendable (UnitOfWork, StreamHistory) throws -> Void

        /// - Throws: `invalidEntry` for an id that can be none.
        public init<A: Aggregate>(_ type: A.Type, _ id: A.ID) throws(LedgerError) {
            request = StreamRequest(try A.stream(id), type)
            attach = { unit, history in try unit.attach(type, id, history) }
        }
    }

    /// Runs `body` with aggregates that are claimed first: nobody else can be faster any more, and whoever comes waits.
    ///
    /// For streams that many want at once. A database transaction is open meanwhile, so `body` cannot wait for anything: it gets what is
    /// claimed with ``UnitOfWork/loaded(_:_:)``. Keep it short.
    /// - Throws: `busy` if others are faster again and again; `outcomeUnknown` if the database went away at COMMIT and did not come back; what
    ///   `body` throws, and what ``UnitOfWork/commit()`` throws.
    @discardableResult
    public func exclusively<T: Sendable>(
        _ claims: [Claim], correlation: String? = nil, causation: String? = nil, _ body: @Sendable (UnitOfWork) throws -> T
    ) async throws -> T {
        var unique: [Claim] = []
        for claim in claims where !unique.contains(where: { $0.request.stream == claim.request.stream }) { unique.append(claim) }
        let trace = Self.trace(correlation, causation)
        let done = Mutex<(UnitOfWork, T)?>(nil)
        let asked = unique
        let receipts = try await store.exclusively(asked.map(\.request), trace) { histories, ids in
            let unit = UnitOfWork(store, .optimistic, trace, clock: clock)
            for ((claim, history), id) in zip(zip(asked, histories), ids) {
                try claim.attach(unit, history)
                unit.holds(history.stream, history.revision, for: id)
            }
            do {
                let result = try UnitOfWork.$bound.withValue(unit) { try body(unit) }
                done.withLock { $0 = (unit, result) }
                return try unit.end()
            } catch {
                unit.rollBack()
                throw error
            }
        }
        guard let (unit, result) = done.withLock({ $0 }) else { throw LedgerError(.integrity, "a unit of work was recorded without having run") }
        unit.recorded(receipts)
        return result
    }

    // MARK: - Attempts

    private static func inside<T>(
        _ unit: UnitOfWork, isolation: isolated (any Actor)? = #isolation, _ body: (UnitOfWork) async throws -> T
    ) async throws -> T {
        do { return try await unit.perform { try await body(unit) } } catch {
            unit.rollBack()
            throw error
        }
    }

    private func attempts<T>(
        _ max: Int, isolation: isolated (any Actor)? = #isolation, _ attempt: () async throws -> T
    ) async throws -> T {
        var count = 0
        while true {
            count += 1
            do { return try await attempt() } catch let error as LedgerError where error.code == .revisionConflict && count < max {
                // Those who met do not meet again at the same moment.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...min(50_000, 500 << min(count, 7)))))
            }
        }
    }
}
