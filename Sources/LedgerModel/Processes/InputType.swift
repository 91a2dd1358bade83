/// An entry that a process takes as an input.
public struct InputEntry: Sendable, Hashable {
    public let id: EntryID
    public let kind: EntryKind
    public let effectiveAt: Timestamp
    public let recordedAt: Timestamp
    /// The stream that it is of; nil if it is of none.
    public let stream: StreamName?
    /// With `description`, `reference` and `actor`, and without the ledger's own member.
    public let payload: [String: JSON]
    public let postings: [Posting]
    /// What its unit of work belonged to.
    public let correlation: String?
    /// Of the event's payload; 1 for an entry that is no event.
    let version: Int

    public var reference: String? { payload["reference"]?.string }
    public var description: String? { payload["description"]?.string }
    public var actor: String? { payload["actor"]?.string }

    /// - Parameters:
    ///   - payload: as it is stored, with the ledger's own member.
    ///   - postings: with the accounts' paths.
    /// - Throws: `integrity` for a payload that is no JSON object, `invalidEntry` for a stream that can be none.
    package init(
        id: EntryID, kind: EntryKind, effectiveAt: Timestamp, recordedAt: Timestamp, payload: String?, postings: [Posting]
    ) throws(LedgerError) {
        (self.id, self.kind, self.effectiveAt, self.recordedAt, self.postings) = (id, kind, effectiveAt, recordedAt, postings)
        var members: [String: JSON] = [:]
        if let payload {
            guard case .object(let stored) = try JSON(parsing: payload) else {
                throw LedgerError(.integrity, "the payload of the entry \(id) is no JSON object", id: id)
            }
            members = stored
        }
        let own = members.removeValue(forKey: Entry.ownKey)
        stream = try own?["stream"]?.string.map { text throws(LedgerError) in try StreamName(parsing: text) }
        correlation = own?["correlation"]?.string
        if case .integer(let number)? = own?["version"] { version = Int(clamping: number) } else { version = 1 }
        self.payload = members
    }
}

/// One kind of input of a process: which entries it is, which process each is for, and what the process makes of it.
public struct InputType<Process: ProcessManager>: Sendable {
    /// Of the entries.
    public let kind: EntryKind
    /// The timer whose firing it is; nil for entries of others.
    public let timer: String?
    /// The id of the process that an entry is for; nil: for none.
    package let process: @Sendable (InputEntry) throws -> String?
    package let input: @Sendable (InputEntry) throws -> Process.Input

    /// A typed event of another stream.
    /// - Parameters:
    ///   - correlation: the id of the process that it is for; nil: for none.
    ///   - make: the input that it is.
    public static func event<E: DomainEvent>(
        _ type: E.Type, for correlation: @escaping @Sendable (E, InputEntry) throws -> String?,
        as make: @escaping @Sendable (E) throws -> Process.Input
    ) -> InputType {
        InputType(
            kind: E.name, timer: nil, process: { try correlation(try $0.event(type), $0) }, input: { try make(try $0.event(type)) })
    }

    /// Entries of a kind, such as those that somebody posts.
    public static func entry(
        _ kind: EntryKind, for correlation: @escaping @Sendable (InputEntry) throws -> String?,
        as make: @escaping @Sendable (InputEntry) throws -> Process.Input
    ) -> InputType {
        InputType(kind: kind, timer: nil, process: correlation, input: make)
    }

    /// The firing of a timer that the process itself has started.
    public static func timer(_ name: String, as input: Process.Input) -> InputType {
        InputType(
            kind: .timerFired, timer: name,
            process: { entry in
                guard entry.payload["timer"]?.string == name, let stream = entry.stream?.text, stream.hasPrefix(StreamName.prefix(of: Process.name))
                else { return nil }
                return String(stream.dropFirst(StreamName.prefix(of: Process.name).count))
            },
            input: { _ in input })
    }
}

extension InputEntry {
    /// The event that it is.
    /// - Throws: `invalidEvent` for one that this program cannot read.
    func event<E: DomainEvent>(_ type: E.Type) throws -> E {
        guard version <= E.version else {
            throw LedgerError(
                .invalidEvent, "\(kind) is stored as version \(version), and this program knows up to \(E.version): a newer one wrote it", id: id)
        }
        var members = payload
        if version < E.version { try E.upcast(&members, from: version) }
        return try EventCodec.decoded(type, JSON.object(members).text)
    }
}

extension ProcessManager {
    /// The process that an entry is for, and what it makes of it: the first of its ``inputs`` that fits; one for each process.
    /// - Throws: whatever makes the entry unreadable.
    package static func inputs(of entry: InputEntry) throws -> [(id: String, input: Input)] {
        var found: [(id: String, input: Input)] = []
        for type in inputs where type.kind == entry.kind {
            guard let id = try type.process(entry), !found.contains(where: { $0.id == id }) else { continue }
            found.append((id, try type.input(entry)))
        }
        return found
    }
}
