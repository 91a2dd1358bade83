/// Something that is to be decided later, once: a Codable value that becomes an entry of the journal, as it is.
///
/// ```swift
/// struct ReserveName: Command {
///     static let name: EntryKind = "name.reserve"
///     let member: String
///     let name: String
///     var subject: StreamName { get throws { try StreamName("member", member) } }
/// }
/// ```
/// A command is self-contained: everything that its decision rests on is in it, and deciding it loads nothing. What cannot be known when it is
/// sent (whether a name is still free) is decided by a slot that only one can have: a claim, an id, a revision.
///
/// Properties called `description`, `reference` or `actor` are those of the entry, so they are texts; `ledger` is the ledger's own word.
public protocol Command: Codable, Sendable {
    /// How it is stored: the kind of its entry. It never changes; the type may be renamed.
    static var name: EntryKind { get }
    /// Counts up when the payload changes; 1 unless you say otherwise.
    static var version: Int { get }
    /// Makes the payload of an older version one of this version. Only called for versions before ``version``.
    static func upcast(_ payload: inout [String: JSON], from version: Int) throws
    /// What it is about. Commands of one subject are decided one after the other, never in parallel.
    var subject: StreamName { get throws }
    /// Higher first, among those that wait together; 0 unless you say otherwise.
    var priority: Int { get }
}

extension Command {
    public static var version: Int { 1 }
    public static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
        throw LedgerError(.invalidEvent, "\(name) is stored as version \(version), which this program cannot read: add it to `upcast`")
    }
    public var priority: Int { 0 }
}

/// What a handler throws to refuse a command. The reason is recorded with the refusal.
public struct CommandRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { reason }
}

/// What a command's entry says of it beside its payload: the member `command` of the ledger's own member.
public struct CommandHeader: Sendable, Hashable {
    public let subject: StreamName
    public let priority: Int
    /// By the sender's clock. When it was recorded is the entry's own time.
    public let sentAt: SentTime
    /// Of the payload.
    public let version: Int
    /// The refused command that this one is again.
    public let retries: EntryID?
    /// It is a bulk, of these members.
    public let selection: BulkSelection?
    /// It is for a member of a bulk.
    public let membership: BulkMembership?

    public init(
        subject: StreamName, priority: Int = 0, sentAt: SentTime, version: Int = 1, retries: EntryID? = nil, selection: BulkSelection? = nil,
        membership: BulkMembership? = nil
    ) {
        (self.subject, self.priority, self.sentAt, self.version, self.retries) = (subject, priority, sentAt, version, retries)
        (self.selection, self.membership) = (selection, membership)
    }

    package static let key = "command"
    /// Of the selection of a bulk, in the header.
    package static let selectionKey = "selection"

    /// As a payload has it; the version stands beside it.
    package var json: JSON {
        var members: [String: JSON] = [
            "subject": .string(subject.text), "priority": .integer(Int64(priority)), "sent_at": .string(sentAt.text),
        ]
        members["retries"] = retries.map { .string($0.description) }
        members[Self.selectionKey] = selection?.json
        members["bulk"] = membership?.json
        return .object(members)
    }

    /// - Throws: `invalidEntry` for what no ledger writes.
    package init(_ json: JSON, version: Int) throws(LedgerError) {
        let known: Set = ["subject", "priority", "sent_at", "retries", Self.selectionKey, "bulk"]
        guard case .object(let members) = json, known.isSuperset(of: members.keys),
            let subject = members["subject"]?.string, case .integer(let priority)? = members["priority"], let sentAt = members["sent_at"]?.string,
            let retries = members["retries"].map({ $0.string.flatMap(EntryID.init(hex:)) }) ?? .some(nil)
        else { throw LedgerError(.invalidEntry, "“\(Self.key)” in the payload's member “\(Entry.ownKey)” is the header of a command") }
        self.init(
            subject: try StreamName(parsing: subject), priority: Int(priority), sentAt: try SentTime(sentAt), version: version, retries: retries,
            selection: try members[Self.selectionKey].map { json throws(LedgerError) in try BulkSelection(json) },
            membership: try members["bulk"].map { json throws(LedgerError) in try BulkMembership(json) })
    }
}

extension CommandHeader {
    /// Whether this is decided before another that waits with it.
    public func ranks(at position: Position, before other: CommandHeader, at otherPosition: Position) -> Bool {
        if priority != other.priority { return priority > other.priority }
        if sentAt.timestamp != other.sentAt.timestamp { return sentAt.timestamp < other.sentAt.timestamp }
        return position < otherPosition
    }
}

extension EntryID {
    /// The id of a command's outcome: there is one, whoever decides.
    public static func outcome(of command: EntryID) -> EntryID { derived("outcome", command.description) }
    /// The id of the entry with which somebody settles a refused command by hand.
    public static func resolution(of command: EntryID) -> EntryID { derived("resolution", command.description) }
    /// The id of the command that does a refused one again.
    public static func retry(of command: EntryID) -> EntryID { derived("retry", command.description) }
}
