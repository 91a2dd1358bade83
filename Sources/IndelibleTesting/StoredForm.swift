import Indelible

/// An event as the journal would keep it.
struct StoredForm<State: Aggregate>: Sendable, Equatable, CustomStringConvertible {
    let kind: EntryKind
    let version: Int
    let payload: [String: JSON]
    let movement: Movement

    /// Encodes it as a unit of work does.
    /// - Throws: `invalidEvent`, and what `Entry.validate()` throws.
    init(_ event: some DomainEvent<State>, of id: State.ID) throws {
        let unit = Units(NoStore()).begin()
        defer { unit.rollBack() }
        try unit.append(event, to: id, expecting: .any)
        guard let operation = unit.operations.first, case .post(let entry) = operation.action else {
            throw LedgerError(.integrity, "\(type(of: event).name) became no entry")
        }
        kind = entry.kind
        version = operation.append?.version ?? 1
        movement = try event.movement
        // Through the text, as the database has it.
        guard case .object(let members) = try JSON(parsing: (entry.storedPayload ?? .object([:])).text) else {
            throw LedgerError(.integrity, "the payload of \(kind) is no object")
        }
        payload = members
    }

    /// What somebody is after these events, each of them decoded.
    static func state(of id: State.ID, after forms: [StoredForm]) throws -> State {
        let stream = try State.stream(id)
        let events = forms.enumerated().map { index, form in
            let revision = UInt64(index) + 1
            var members = form.payload
            members[Entry.ownKey] = [
                "stream": .string(stream.text), "revision": .integer(Int64(revision)), "version": .integer(Int64(form.version)),
            ]
            return StoredEvent(
                id: .minted(), position: Position(revision), revision: revision, kind: form.kind, version: form.version,
                payload: JSON.object(members).text)
        }
        return try StreamHistory(stream: stream, events: events).folded(State.self, id)
    }

    // What it does to money follows from the payload.
    static func == (left: StoredForm, right: StoredForm) -> Bool {
        left.kind == right.kind && left.version == right.version && left.payload == right.payload
    }

    var description: String { "\(kind) (version \(version)) \(JSON.object(payload).text)" }

    /// One event a line.
    static func text(_ forms: [StoredForm]) -> String {
        forms.isEmpty ? "no events" : forms.map(\.description).joined(separator: "\n          ")
    }
}

/// A unit of work that is only asked what it would record.
private struct NoStore: UnitStore {
    private static let refusal = LedgerError(.unavailable, "a scenario has no store")

    func histories(_ requests: [StreamRequest]) async throws(LedgerError) -> [StreamHistory] { throw Self.refusal }
    func remember<A: Aggregate>(_ state: A, of stream: StreamName, after history: StreamHistory) {}
    func commit(_ operations: [UnitOperation], _ trace: Trace) async throws(LedgerError) -> [Receipt] { throw Self.refusal }
    func receipt(of id: EntryID) async throws(LedgerError) -> Receipt? { throw Self.refusal }
    func exclusively(
        _ requests: [StreamRequest], _ trace: Trace, _ body: @Sendable ([StreamHistory], [EntryID]) throws -> [UnitOperation]
    ) async throws -> [Receipt] { throw Self.refusal }
}
