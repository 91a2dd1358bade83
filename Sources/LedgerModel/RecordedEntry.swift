/// An entry as the journal tells it to who follows it: with the accounts' paths, and without what only the ledger needs.
public struct RecordedEntry: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    public let kind: EntryKind
    public let effectiveAt: Timestamp
    /// By the server's clock.
    public let recordedAt: Timestamp
    /// The stream that it is of; nil if it is of none.
    public let stream: StreamName?
    /// With `description`, `reference` and `actor`, and without the ledger's own member.
    public let payload: [String: JSON]
    public let postings: [RecordedPosting]
    /// What its unit of work belonged to.
    public let correlation: String?
    /// Of the event's payload; 1 for an entry that is no event.
    public let version: Int

    public var reference: String? { payload["reference"]?.string }
    public var description: String? { payload["description"]?.string }
    public var actor: String? { payload["actor"]?.string }

    /// - Parameter payload: as it is stored, with the ledger's own member.
    /// - Throws: `integrity` for a payload that is no JSON object, `invalidEntry` for a stream that can be none.
    package init(
        id: EntryID, position: Position, kind: EntryKind, effectiveAt: Timestamp, recordedAt: Timestamp, payload: String?, postings: [RecordedPosting]
    ) throws(LedgerError) {
        (self.id, self.position, self.kind, self.effectiveAt, self.recordedAt) = (id, position, kind, effectiveAt, recordedAt)
        self.postings = postings
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

    /// The event that it is; an older version is brought up.
    /// - Throws: `invalidEvent` for one that this program cannot read; what ``DomainEvent/upcast(_:from:)`` throws.
    public func decoded<E: DomainEvent>(_ type: E.Type) throws -> E {
        guard version <= E.version else {
            throw LedgerError(
                .invalidEvent, "\(kind) is stored as version \(version), and this program knows up to \(E.version): a newer one wrote it", id: id)
        }
        var members = payload
        if version < E.version { try E.upcast(&members, from: version) }
        return try EventCodec.decoded(type, JSON.object(members).text)
    }
}

/// A posting of a ``RecordedEntry``.
public struct RecordedPosting: Sendable, Hashable {
    public let debit: AccountPath
    public let credit: AccountPath
    public let amount: Amount
    /// Whether it counts, only holds money, or takes back what was held.
    public let status: PostingStatus

    public init(debit: AccountPath, credit: AccountPath, amount: Amount, status: PostingStatus = .posted) {
        (self.debit, self.credit, self.amount, self.status) = (debit, credit, amount, status)
    }
}
