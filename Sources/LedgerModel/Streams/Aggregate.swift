/// One thing with a history of its own: a pure Swift type that folds events and decides commands.
///
/// ```swift
/// struct Story: Aggregate {
///     static let category: StreamCategory = "story"
///     static var events: [any DomainEvent<Story>.Type] { [StoryOpened.self, CommentAdded.self, StoryClosed.self] }
///
///     let id: String
///     var comments: [String] = []
///     var isClosed = false
///     init(id: String) { self.id = id }
///
///     func comment(_ text: String, by author: String) throws -> CommentAdded {
///         guard !isClosed else { throw StoryError.closed }
///         return CommentAdded(author: author, text: text)
///     }
/// }
/// ```
/// A command is a method that looks at the state and returns events, or throws. Nothing here knows a database.
public protocol Aggregate: Sendable {
    /// Its `description` is the second part of the stream's name.
    associatedtype ID: Sendable & Hashable & CustomStringConvertible = String
    /// The first part of its streams' names. It never changes; the type may be renamed.
    static var category: StreamCategory { get }
    /// All its events, also those that are no longer recorded: what is in the stream has to be read.
    static var events: [any DomainEvent<Self>.Type] { get }
    /// What it is before anything has happened.
    init(id: ID)
}

extension Aggregate {
    /// The name of the stream of one.
    /// - Throws: `invalidEntry` for an id that can be none.
    public static func stream(_ id: ID) throws(LedgerError) -> StreamName { try StreamName(category, id.description) }
}

/// An aggregate whose state is kept as it is: each change records the whole new state as one event.
///
/// For things that have attributes and no history to decide by, such as a profile. ``Ref/swap(_:)`` changes it.
/// ```swift
/// struct Profile: PlainState {
///     static let category: StreamCategory = "profile"
///     static let name: EntryKind = "profile.saved"
///     let id: String
///     var email = ""
///     init(id: String) { self.id = id }
///     func validate(after old: Profile) throws { guard email.contains("@") else { throw ProfileError.noEmail } }
/// }
/// ```
public protocol PlainState: Aggregate, Codable, Equatable {
    /// The kind of the entries that keep it.
    static var name: EntryKind { get }
    /// Counts up when the payload changes; 1 unless you say otherwise.
    static var version: Int { get }
    /// Makes the payload of an older version one of this version.
    static func upcast(_ payload: inout [String: JSON], from version: Int) throws
    /// Refuses a state that may not follow an older one.
    func validate(after old: Self) throws
}

extension PlainState {
    public static var events: [any DomainEvent<Self>.Type] { [Replaced<Self>.self] }
    public static var version: Int { 1 }
    public static func upcast(_ payload: inout [String: JSON], from version: Int) throws {
        throw LedgerError(.invalidEvent, "\(name) is stored as version \(version), which this program cannot read: add it to `upcast`")
    }
    public func validate(after old: Self) throws {}
}

/// A plain state has become another: what ``Ref/swap(_:)`` records.
public struct Replaced<State: PlainState>: DomainEvent {
    public let state: State
    public init(_ state: State) { self.state = state }

    public static var name: EntryKind { State.name }
    public static var version: Int { State.version }
    public static func upcast(_ payload: inout [String: JSON], from version: Int) throws { try State.upcast(&payload, from: version) }
    public func fold(into state: inout State) { state = self.state }

    public init(from decoder: any Decoder) throws { state = try State(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try state.encode(to: encoder) }
}
