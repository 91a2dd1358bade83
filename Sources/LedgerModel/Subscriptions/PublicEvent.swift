/// What others are told of an entry: an event by the rules of CloudEvents 1.0, in words that are not the book's own.
///
/// Kinds and payloads of entries are internal: they change with the program that writes them. A public event is a promise, so a ``Translator`` makes it of
/// an entry, member by member.
///
/// Source: CloudEvents 1.0.2, JSON event format, and its extensions `sequence` and `correlationid`.
public struct PublicEvent: Sendable, Hashable, Codable {
    /// Of the entry, so it is the same however often it is told. With `source` it is unique.
    public let id: String
    /// Whose events these are: a URI reference, such as `/books/main`.
    public let source: String
    /// `com.example.account-opened.v1`: with a version, for what is promised once stays.
    public let type: String
    /// What it is about; nil for nothing in particular.
    public let subject: String?
    /// When the entry counts.
    public let time: Timestamp
    public let data: [String: JSON]
    /// The entry's position, padded with zeros so that texts are ordered as positions are.
    public let sequence: String
    public let correlation: String?

    /// - Parameter entry: that it is of.
    public init(of entry: RecordedEntry, source: String, type: String, subject: String?, data: [String: JSON]) {
        (id, self.source, self.type, self.subject, self.data) = (entry.id.description, source, type, subject, data)
        (time, correlation) = (entry.effectiveAt, entry.correlation)
        let digits = String(entry.position.number)
        sequence = String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    /// The entry's position, as `sequence` says it; nil if that is no number.
    public var position: Position? { UInt64(sequence).map { Position($0) } }

    /// As an `application/cloudevents+json` document, its members in order of their names.
    public var json: String {
        var members: [String: JSON] = [
            "specversion": "1.0", "id": .string(id), "source": .string(source), "type": .string(type), "time": .string(time.description),
            "datacontenttype": "application/json", "data": .object(data), "sequence": .string(sequence),
        ]
        members["subject"] = subject.map { .string($0) }
        members["correlationid"] = correlation.map { .string($0) }
        return JSON.object(members).text
    }

    /// Reads what ``json`` prints.
    /// - Throws: `invalidEvent` for anything that is no such event, saying what is missing.
    public init(parsing text: String) throws(LedgerError) {
        let document = try JSON(parsing: text)
        func member(_ name: String) throws(LedgerError) -> String {
            guard let text = document[name]?.string, !text.isEmpty else { throw LedgerError(.invalidEvent, "a public event says its “\(name)”, a text") }
            return text
        }
        guard try member("specversion") == "1.0" else { throw LedgerError(.invalidEvent, "this is no event of CloudEvents 1.0") }
        guard case .object(let data)? = document["data"] else { throw LedgerError(.invalidEvent, "the “data” of a public event is an object") }
        (id, source, type) = (try member("id"), try member("source"), try member("type"))
        (time, sequence) = (try Timestamp(try member("time")), try member("sequence"))
        (subject, correlation, self.data) = (document["subject"]?.string, document["correlationid"]?.string, data)
    }

    public init(from decoder: any Decoder) throws {
        let json = try JSON(from: decoder)
        try self.init(parsing: json.text)
    }

    public func encode(to encoder: any Encoder) throws { try JSON(parsing: json).encode(to: encoder) }
}

/// Makes public events of entries; what it has no translation for is nobody's business.
///
/// ```swift
/// let translator = Translator(source: "/books/main", [
///     .event(PaymentReceived.self, to: "com.example.payment-received.v1", subject: { event, _ in event.order }) { event, _ in
///         ["order": .string(event.order), "minorUnits": .integer(event.units)]
///     },
/// ])
/// ```
public struct Translator: Sendable {
    public let source: String
    private let translations: [EntryKind: Translation]

    /// Two translations of one kind stop the program.
    public init(source: String, _ translations: [Translation]) {
        var byKind: [EntryKind: Translation] = [:]
        for translation in translations {
            precondition(byKind.updateValue(translation, forKey: translation.kind) == nil, "\(translation.kind) has two translations")
        }
        (self.source, self.translations) = (source, byKind)
    }

    /// Of the entries that it translates.
    public var kinds: Set<EntryKind> { Set(translations.keys) }

    /// The public event of an entry; nil if there is none.
    /// - Throws: `integrity` for an entry that cannot be read, saying which: nothing but its translation is at fault.
    public func event(of entry: RecordedEntry) throws(LedgerError) -> PublicEvent? {
        guard let translation = translations[entry.kind] else { return nil }
        do {
            guard let (subject, data) = try translation.translate(entry) else { return nil }
            return PublicEvent(of: entry, source: source, type: translation.type, subject: subject, data: data)
        } catch {
            throw LedgerError(.integrity, "the \(entry.kind) at position \(entry.position) cannot be translated: \(error)", id: entry.id)
        }
    }
}

/// How entries of one kind are told to others.
public struct Translation: Sendable {
    public let kind: EntryKind
    /// Of the public event.
    public let type: String
    let translate: @Sendable (RecordedEntry) throws -> (subject: String?, data: [String: JSON])?

    /// Of typed events.
    /// - Parameters:
    ///   - type: of the public event.
    ///   - subject: what it is about.
    ///   - data: what is told; nil: nothing, of this one.
    public static func event<E: DomainEvent>(
        _ event: E.Type, to type: String, subject: @escaping @Sendable (E, RecordedEntry) throws -> String? = { _, _ in nil },
        data: @escaping @Sendable (E, RecordedEntry) throws -> [String: JSON]?
    ) -> Translation {
        Translation(kind: E.name, type: type) { entry in
            let event = try entry.decoded(E.self)
            return try data(event, entry).map { (try subject(event, entry), $0) }
        }
    }

    /// Of entries of a kind, the ledger's own among them.
    public static func entry(
        _ kind: EntryKind, to type: String, subject: @escaping @Sendable (RecordedEntry) throws -> String? = { _ in nil },
        data: @escaping @Sendable (RecordedEntry) throws -> [String: JSON]?
    ) -> Translation {
        Translation(kind: kind, type: type) { entry in try data(entry).map { (try subject(entry), $0) } }
    }
}
