import Indelible
import IndelibleTesting

/// A story with comments, for tests of streams and units of work.
struct Story: Aggregate, Codable, Equatable {
    static let category: StreamCategory = "story"
    static var events: [any DomainEvent<Story>.Type] { [StoryOpened.self, CommentAdded.self, StoryClosed.self] }

    let id: String
    var title: String?
    var comments: [String] = []
    var isClosed = false

    init(id: String) { self.id = id }

    enum Refusal: Error, Equatable { case closed, notOpened }

    func comment(_ text: String) throws -> CommentAdded {
        guard title != nil else { throw Refusal.notOpened }
        guard !isClosed else { throw Refusal.closed }
        return CommentAdded(text: text)
    }
}

struct StoryOpened: DomainEvent {
    static let name: EntryKind = "story.opened"
    let title: String
    func fold(into story: inout Story) { story.title = title }
}

struct CommentAdded: DomainEvent {
    static let name: EntryKind = "story.comment-added"
    let text: String
    func fold(into story: inout Story) { story.comments.append(text) }
}

struct StoryClosed: DomainEvent {
    static let name: EntryKind = "story.closed"
    func fold(into story: inout Story) { story.isClosed = true }
}

/// A member and how many stories of theirs there are.
struct Member: PlainState {
    static let category: StreamCategory = "member"
    static let name: EntryKind = "member.saved"

    let id: String
    var email = ""
    var stories = 0

    init(id: String) { self.id = id }

    enum Refusal: Error, Equatable { case noEmail, fewerStories }

    func validate(after old: Member) throws {
        guard email.contains("@") else { throw Refusal.noEmail }
        guard stories >= old.stories else { throw Refusal.fewerStories }
    }
}

/// A wallet: an event of it moves money.
struct Wallet: Aggregate, Equatable {
    static let category: StreamCategory = "wallet"
    static var events: [any DomainEvent<Wallet>.Type] { [WalletPaid.self, WalletReserved.self, WalletSettled.self, WalletFreed.self] }

    let id: String
    var paid: Int64 = 0
    var reserved: Int64 = 0
    init(id: String) { self.id = id }

    static func posting(_ units: Int64) -> Posting {
        Posting(debit: "customers:alice", credit: "merchants:bob", amount: Amount(minorUnits: units, .eur))
    }
}

struct WalletPaid: DomainEvent {
    static let name: EntryKind = "wallet.paid"
    let units: Int64
    var description: String?
    var movement: Movement { .post([Wallet.posting(units)]) }
    func fold(into wallet: inout Wallet) { wallet.paid += units }
}

struct WalletReserved: DomainEvent {
    static let name: EntryKind = "wallet.reserved"
    let wallet: String
    let units: Int64
    var movement: Movement { .hold([Wallet.posting(units)]) }
    var identity: EventIdentity { .once(.derived("wallet-hold", wallet)) }
    func fold(into wallet: inout Wallet) { wallet.reserved += units }
}

struct WalletSettled: DomainEvent {
    static let name: EntryKind = "wallet.settled"
    let wallet: String
    let units: Int64
    var movement: Movement { .capture(.derived("wallet-hold", wallet), amounts: [Amount(minorUnits: units, .eur)]) }
    func fold(into wallet: inout Wallet) {
        wallet.paid += units
        wallet.reserved = 0
    }
}

struct WalletFreed: DomainEvent {
    static let name: EntryKind = "wallet.freed"
    let wallet: String
    var movement: Movement { .void(.derived("wallet-hold", wallet)) }
    func fold(into wallet: inout Wallet) { wallet.reserved = 0 }
}

extension TestBook {
    func entries(_ kind: EntryKind) async throws -> [JournalEntry] {
        var query = EntryQuery()
        query.kind = kind
        query.limit = 100_000
        return try await ledger.entries(query)
    }
}
