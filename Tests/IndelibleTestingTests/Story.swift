import Indelible

/// The aggregate that scenarios are tried on.
struct Story: Aggregate {
    static let category: StreamCategory = "story"
    static var events: [any DomainEvent<Story>.Type] { [StoryOpened.self, CommentAdded.self, StoryClosed.self, Broken.self] }

    let id: String
    var title = ""
    var comments: [String] = []
    var isClosed = false
    init(id: String) { self.id = id }

    func open(_ title: String) -> StoryOpened? { self.title == title ? nil : StoryOpened(title: title) }

    func comment(_ text: String, by author: String) throws -> CommentAdded {
        guard !isClosed else { throw StoryError.closed(id) }
        return CommentAdded(actor: author, text: text)
    }

    func close(saying text: String, by author: String) throws -> [any DomainEvent<Story>] {
        [try comment(text, by: author), StoryClosed(fine: Amount(minorUnits: 5_00, .eur))]
    }
}

enum StoryError: Error, Equatable { case closed(String), other }

struct StoryOpened: DomainEvent {
    static let name: EntryKind = "story.opened"
    let title: String
    func fold(into story: inout Story) { story.title = title }
}

struct CommentAdded: DomainEvent {
    static let name: EntryKind = "story.comment-added"
    let actor: String
    let text: String
    func fold(into story: inout Story) { story.comments.append(text) }
}

struct StoryClosed: DomainEvent {
    static let name: EntryKind = "story.closed"
    let fine: Amount
    func fold(into story: inout Story) { story.isClosed = true }
    var movement: Movement { .post([Posting(debit: "members:bob", credit: "fines", amount: fine)]) }
}

/// Stored in a form that it does not read again.
struct Broken: DomainEvent {
    static let name: EntryKind = "story.broken"
    var text = ""
    init() {}
    init(from decoder: any Decoder) throws { throw LedgerError(.invalidEvent, "unreadable") }
    func encode(to encoder: any Encoder) throws { try ["text": text].encode(to: encoder) }
    func fold(into story: inout Story) {}
}

/// Not among the events of a story.
struct Unnamed: DomainEvent {
    static let name: EntryKind = "story.unnamed"
    func fold(into story: inout Story) {}
}

struct Profile: PlainState {
    static let category: StreamCategory = "profile"
    static let name: EntryKind = "profile.saved"
    let id: String
    var email = ""
    init(id: String) { self.id = id }
    func validate(after old: Profile) throws { guard email.contains("@") else { throw StoryError.other } }
}
