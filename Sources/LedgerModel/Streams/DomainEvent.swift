/// Something that happened to an aggregate: a Codable value that becomes an entry of its stream as it is.
///
/// ```swift
/// struct CommentAdded: DomainEvent {
///     static let name: EntryKind = "story.comment-added"
///     let author: String
///     let text: String
///     func fold(into story: inout Story) { story.comments.append(text) }
/// }
/// ```
/// Its properties become members of the entry's payload, and its ``name`` the entry's kind; the name of the Swift type is stored nowhere.
/// Properties called `description`, `reference` or `actor` are those of the entry, so they are texts; `ledger` is the ledger's own word.
public protocol DomainEvent<State>: Codable, Sendable {
    associatedtype State: Aggregate

    /// How it is stored. It never changes; the type may be renamed.
    static var name: EntryKind { get }
    /// Counts up when the payload changes; 1 unless you say otherwise.
    static var version: Int { get }
    /// Makes the payload of an older version one of this version.
    ///
    /// Only called for versions before ``version``, and only once for each event: handle each older version you ever stored.
    static func upcast(_ payload: inout [String: JSON], from version: Int) throws
    /// Changes the state to what it is after this. It refuses nothing: it has happened.
    func fold(into state: inout State)
    /// What it does to money; nothing unless you say otherwise. Whatever it throws refuses the event.
    var movement: Movement { get throws }
    /// Whether it can happen once; a new one each time unless you say otherwise.
    var identity: EventIdentity { get }
}

extension DomainEvent {
    public static var version: Int { 1 }
    public static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
        throw LedgerError(.invalidEvent, "\(name) is stored as version \(version), which this program cannot read: add it to `upcast`")
    }
    public var movement: Movement { .none }
    public var identity: EventIdentity { .new }
}

/// The id of the entry that an event becomes.
public enum EventIdentity: Sendable, Hashable {
    case new
    /// An id that follows from what the event is (``EntryID/derived(_:_:)``): so it can happen once, whoever is first.
    case once(EntryID)

    var id: EntryID? { if case .once(let id) = self { id } else { nil } }
}

/// What an event does to money.
public enum Movement: Sendable, Hashable {
    case none
    /// The event's entry has these postings.
    case post([Posting])
    /// The event's entry is a hold: its postings are pending until it is captured, voided or expires.
    case hold([Posting], expiresAt: Timestamp? = nil)
    /// Behind the event's entry stands one that captures a hold: all of it, or so much of each posting.
    case capture(EntryID, amounts: [Amount]? = nil)
    /// Behind the event's entry stands one that voids a hold.
    case void(EntryID)
}
