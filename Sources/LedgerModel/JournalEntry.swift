/// A place in the journal's order: 1, 2, 3 …
public struct Position: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (left: Position, right: Position) -> Bool { left.number < right.number }
    public var description: String { String(number) }
    /// Before the first entry.
    public static let zero = Position(0)
}

/// What a post returns: the entry is recorded, here and then.
public struct Receipt: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    /// By the server's clock.
    public let recordedAt: Timestamp
    /// True if this very request had been recorded before; the position and time are those of the first.
    public let isRepeat: Bool

    public init(id: EntryID, position: Position, recordedAt: Timestamp, isRepeat: Bool) {
        self.id = id
        self.position = position
        self.recordedAt = recordedAt
        self.isRepeat = isRepeat
    }
}

/// Whether a posting counts, only holds money until a later entry settles it, or ends what was held.
public enum PostingStatus: UInt8, Sendable, Hashable {
    case posted = 0
    case pending = 1
    /// Takes a pending posting back: same accounts and amount. It belongs to the entry that settles the hold.
    case released = 2
}

/// A posting as the journal holds it.
public struct JournalPosting: Sendable, Hashable {
    /// From 1.
    public let line: UInt32
    public let debit: AccountID
    public let credit: AccountID
    /// Minor units of the accounts' currency.
    public let amount: UInt64
    public let status: PostingStatus

    public init(line: UInt32, debit: AccountID, credit: AccountID, amount: UInt64, status: PostingStatus) {
        self.line = line
        self.debit = debit
        self.credit = credit
        self.amount = amount
        self.status = status
    }
}

/// An entry as the journal holds it.
public struct JournalEntry: Sendable, Hashable {
    public let position: Position
    /// nil for a tombstone.
    public let id: EntryID?
    public let kind: EntryKind
    /// How many postings were recorded with it.
    public let lines: UInt32
    public let effectiveAt: Timestamp
    public let recordedAt: Timestamp
    /// JSON as it is stored.
    public let payload: String?
    public let postings: [JournalPosting]

    public init(
        position: Position, id: EntryID?, kind: EntryKind, lines: UInt32, effectiveAt: Timestamp,
        recordedAt: Timestamp, payload: String?, postings: [JournalPosting]
    ) {
        self.position = position
        self.id = id
        self.kind = kind
        self.lines = lines
        self.effectiveAt = effectiveAt
        self.recordedAt = recordedAt
        self.payload = payload
        self.postings = postings
    }

    public var isTombstone: Bool { id == nil }
}
