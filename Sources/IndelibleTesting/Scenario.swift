public import Indelible
import Testing

/// What an aggregate does, told as given, when and then. It is pure: no database is asked.
///
/// ```swift
/// Scenario(Story.self, "42")
///     .given(StoryOpened(title: "Rain"))
///     .when { try $0.comment("Well said", by: "bob") }
///     .then(CommentAdded(author: "bob", text: "Well said"))
/// ```
/// Events go through the form in which they are stored and back, both those that are given and those that the command returns, so what
/// is tested is what would stand in the journal. Two events are the same if name, version and payload are.
///
/// What is not as told is an issue of the test that runs, at the line that tells it; so it belongs into a test of Swift Testing.
public struct Scenario<State: Aggregate>: Sendable {
    let id: State.ID
    let history: [StoredForm<State>]
    /// What it is after the history; nil if that cannot be read, which is an issue already.
    let state: State?

    /// One with this id that has no history yet.
    public init(_ type: State.Type = State.self, _ id: State.ID) {
        (self.id, history, state) = (id, [], State(id: id))
    }

    private init(_ id: State.ID, _ history: [StoredForm<State>], _ state: State?) { (self.id, self.history, self.state) = (id, history, state) }

    /// What has happened to it, in order, after what was given before.
    public func given(
        _ events: any DomainEvent<State>..., fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) -> Scenario {
        do {
            let history = try self.history + events.map { try StoredForm($0, of: id) }
            return Scenario(id, history, try StoredForm.state(of: id, after: history))
        } catch {
            report(
                "\(State.category) \(id): what is given cannot be stored and read: \(error)",
                SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
            return Scenario(id, self.history, nil)
        }
    }

    /// Runs a command that returns one event, or nil for nothing.
    public func when(_ command: (State) throws -> (any DomainEvent<State>)?) -> ScenarioOutcome<State> {
        outcome { try command($0).map { [$0] } ?? [] }
    }

    /// Runs a command that returns events in order.
    public func when(_ command: (State) throws -> [any DomainEvent<State>]) -> ScenarioOutcome<State> { outcome(command) }

    private func outcome(_ command: (State) throws -> [any DomainEvent<State>]) -> ScenarioOutcome<State> {
        guard let state else { return ScenarioOutcome(self, .broken) }
        let events: [any DomainEvent<State>]
        do { events = try command(state) } catch { return ScenarioOutcome(self, .threw(error)) }
        do {
            let recorded = try events.map { try StoredForm($0, of: id) }
            return ScenarioOutcome(self, .recorded(recorded, try StoredForm.state(of: id, after: history + recorded)))
        } catch { return ScenarioOutcome(self, .unreadable(error)) }
    }
}

extension Scenario where State: PlainState {
    /// Changes a plain state, as `Ref.swap` does: what stays as it was records nothing, and the validator may refuse.
    public func whenSwapped(_ change: (inout State) throws -> Void) -> ScenarioOutcome<State> {
        outcome { old in
            var new = old
            try change(&new)
            guard new != old else { return [] }
            try new.validate(after: old)
            return [Replaced(new)]
        }
    }
}

/// What came of a command. Every `then` looks at another side of it; a command that threw and was not expected to is an issue.
public struct ScenarioOutcome<State: Aggregate>: Sendable {
    enum Result: Sendable {
        case recorded([StoredForm<State>], State)
        case threw(any Error)
        /// Its events cannot be stored, or not be read again.
        case unreadable(any Error)
        /// What was given was wrong already, and that was told.
        case broken
    }

    let scenario: Scenario<State>
    let result: Result
    /// The error was expected.
    private var isRefusalExpected = false

    init(_ scenario: Scenario<State>, _ result: Result) { (self.scenario, self.result) = (scenario, result) }

    /// What the events do to money, one for each, in order; empty if there are none.
    public var movements: [Movement] {
        if case .recorded(let forms, _) = result { forms.map(\.movement) } else { [] }
    }

    /// The command records exactly these events, in this order.
    @discardableResult
    public func then(
        _ expected: any DomainEvent<State>..., fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) -> ScenarioOutcome {
        thenRecorded(expected, SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
        return self
    }

    /// The command throws nothing and records nothing.
    @discardableResult
    public func thenNothing(
        fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) -> ScenarioOutcome {
        thenRecorded([], SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
        return self
    }

    /// The command throws exactly this.
    @discardableResult
    public func thenThrows<E: Error & Equatable>(
        _ expected: E, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) -> ScenarioOutcome {
        thenThrown(
            "\(E.self): \(expected)", SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
        ) { ($0 as? E) == expected }
    }

    /// The command throws an error of this type, for which `matches` is true.
    @discardableResult
    public func thenThrows<E: Error>(
        _ type: E.Type, _ matches: (E) -> Bool = { _ in true },
        fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column
    ) -> ScenarioOutcome {
        thenThrown(
            "a fitting \(E.self)", SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column)
        ) { ($0 as? E).map(matches) == true }
    }

    /// Looks at the state after the events; after a refusal that was expected it is what was given.
    @discardableResult
    public func thenState(
        fileID: String = #fileID, filePath: String = #filePath, line: Int = #line, column: Int = #column, _ look: (State) throws -> Void
    ) rethrows -> ScenarioOutcome {
        switch result {
        case .recorded(_, let state): try look(state)
        case .threw where isRefusalExpected: if let state = scenario.state { try look(state) }
        case .threw, .unreadable, .broken:
            record("there is a state to look at", SourceLocation(fileID: fileID, filePath: filePath, line: line, column: column))
        }
        return self
    }

    private func thenRecorded(_ expected: [any DomainEvent<State>], _ location: SourceLocation) {
        let forms: [StoredForm<State>]
        do { forms = try expected.map { try StoredForm($0, of: scenario.id) } } catch {
            report("\(State.category) \(scenario.id): what is expected cannot be stored: \(error)", location)
            return
        }
        if case .recorded(let actual, _) = result, actual == forms { return }
        record(StoredForm.text(forms), location)
    }

    private func thenThrown(_ expected: String, _ location: SourceLocation, _ matches: (any Error) -> Bool) -> ScenarioOutcome {
        guard case .threw(let error) = result, matches(error) else {
            record("it throws \(expected)", location)
            return self
        }
        var settled = self
        settled.isRefusalExpected = true
        return settled
    }

    private func record(_ expected: String, _ location: SourceLocation) {
        let actual: String
        switch result {
        case .broken: return
        case .recorded(let forms, _): actual = StoredForm.text(forms)
        case .threw(let error): actual = "it throws \(type(of: error)): \(error)"
        case .unreadable(let error): actual = "its events cannot be stored and read: \(error)"
        }
        report(
            """
            \(State.category) \(scenario.id) does not do what is told
            given:    \(StoredForm.text(scenario.history))
            expected: \(expected)
            actual:   \(actual)
            """, location)
    }
}

/// As it is: a comment's own interpolation would put texts into quotes.
private func report(_ text: String, _ location: SourceLocation) { Issue.record(Comment(rawValue: text), sourceLocation: location) }
