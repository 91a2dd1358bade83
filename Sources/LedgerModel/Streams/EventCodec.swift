import Foundation

/// An entry of a stream as it is stored.
public struct StoredEvent: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    /// Which revision it claimed; nil if none.
    public let revision: UInt64?
    public let kind: EntryKind
    public let version: Int
    /// JSON as it is stored, with the ledger's own member.
    public let payload: String

    public init(id: EntryID, position: Position, revision: UInt64?, kind: EntryKind, version: Int, payload: String) {
        (self.id, self.position, self.revision, self.kind, self.version) = (id, position, revision, kind, version)
        self.payload = payload
    }
}

/// Events to entries and back.
enum EventCodec {
    /// The entry that an event becomes, and what it does to money.
    /// - Throws: `invalidEvent` if it is no JSON object, or uses words that are not its own.
    static func entry<E: DomainEvent>(_ event: E, id: EntryID) throws(LedgerError) -> (Entry, Movement) {
        guard E.State.events.contains(where: { $0 == E.self }) else {
            throw LedgerError(.invalidEvent, "\(E.name) is not among the events of \(E.State.category): add it to `\(E.State.self).events`")
        }
        var entry = try entry(event, kind: E.name, id: id)
        let movement: Movement
        do { movement = try event.movement } catch let error as LedgerError { throw error.about(index: nil, id: id) } catch {
            throw LedgerError(.invalidEvent, "what \(E.name) moves cannot be said: \(error)", id: id)
        }
        switch movement {
        case .none, .capture, .void: break
        case .post(let postings): entry.postings = postings
        case .hold(let postings, let expiresAt): (entry.postings, entry.hold) = (postings, Hold(expiresAt: expiresAt))
        }
        return (entry, movement)
    }

    /// The entry that a value becomes: its properties are members of the payload.
    /// - Throws: `invalidEvent` if it is no JSON object, or uses words that are not its own.
    static func entry(_ value: some Encodable, kind: EntryKind, id: EntryID) throws(LedgerError) -> Entry {
        var members: [String: JSON]
        do { members = try encoded(value) } catch {
            throw LedgerError(.invalidEvent, "\(kind) cannot be encoded: \(error)", id: id)
        }
        func take(_ key: String) throws(LedgerError) -> String? {
            switch members.removeValue(forKey: key) {
            case nil, .null?: return nil
            case .string(let text)?: return text
            default: throw LedgerError(.invalidEvent, "“\(key)” of \(kind) is the entry's own, and so a text", id: id)
            }
        }
        var entry = Entry(id: id, kind: kind)
        entry.description = try take("description")
        entry.reference = try take("reference")
        entry.actor = try take("actor")
        entry.payload = members
        return entry
    }

    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp(date).description)
        }
        return encoder
    }()

    private static func encoded(_ value: some Encodable) throws -> [String: JSON] {
        guard case .object(let members) = try JSONDecoder().decode(JSON.self, from: try encoder.encode(value)) else {
            throw LedgerError(.invalidEvent, "it is no JSON object")
        }
        return members
    }

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Timestamp(try decoder.singleValueContainer().decode(String.self)).date
        }
        return decoder
    }()

    static func decoded<T: Decodable>(_ type: T.Type, _ json: String) throws -> T { try decoder.decode(type, from: Data(json.utf8)) }

    /// Folds what is stored into a state.
    /// - Throws: `invalidEvent` for what this program cannot read, naming position, kind and version.
    static func fold<A: Aggregate>(_ stored: StoredEvent, into state: inout A) throws(LedgerError) {
        // Says that somebody has looked at the state and changed nothing.
        if stored.kind == .streamChecked { return }
        guard let type = A.events.first(where: { $0.name == stored.kind }) else {
            throw LedgerError(
                .invalidEvent, "position \(stored.position) of \(A.category) is a \(stored.kind) of version \(stored.version), which `\(A.self).events` does not name",
                id: stored.id)
        }
        do { try fold(type, stored, &state) } catch let error as LedgerError {
            throw LedgerError(error.code, "position \(stored.position), a \(stored.kind) of version \(stored.version): \(error.message)", id: stored.id)
        } catch {
            throw LedgerError(
                .invalidEvent, "position \(stored.position) is a \(stored.kind) of version \(stored.version) that cannot be read: \(error)", id: stored.id)
        }
    }

    private static func fold<E: DomainEvent>(_ type: E.Type, _ stored: StoredEvent, _ state: inout E.State) throws {
        guard stored.version <= E.version else {
            throw LedgerError(
                .invalidEvent, "\(stored.kind) is stored as version \(stored.version), and this program knows up to \(E.version): a newer one wrote it")
        }
        guard stored.version < E.version else { return try decoded(type, stored.payload).fold(into: &state) }
        guard case .object(var members) = try JSON(parsing: stored.payload) else {
            throw LedgerError(.invalidEvent, "the payload of a \(stored.kind) is no JSON object")
        }
        members[Entry.ownKey] = nil
        try E.upcast(&members, from: stored.version)
        try decoded(type, JSON.object(members).text).fold(into: &state)
    }
}

extension StreamHistory {
    /// The state after all of it, as JSON that a snapshot keeps.
    ///
    /// The id of a stream that is folded from its beginning is read from the stream's name, so only types whose id is a text can be kept.
    package func snapshot<A: Aggregate & Codable>(_ type: A.Type) throws -> String {
        let text = String(stream.text.dropFirst(A.category.text.count + 1))
        guard let id = text as? A.ID ?? (A.ID.self as? any LosslessStringConvertible.Type)?.init(text) as? A.ID else {
            throw LedgerError(.invalidEvent, "the id of a \(A.category) cannot be read from “\(text)”: let \(A.ID.self) be LosslessStringConvertible")
        }
        return String(decoding: try EventCodec.encoder.encode(try folded(type, id)), as: UTF8.self)
    }
}
