/// What kind of fact an entry is: `order.paid`, `payout.sent`. Kinds that begin with `ledger.` are the library's own.
public struct EntryKind: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    public let text: String
    public static let charactersMax = 64

    /// - Throws: `invalidEntry` unless the text has 1 to 64 characters of `a`–`z`, `0`–`9`, `.`, `_`, `-`.
    public init(_ text: String) throws(LedgerError) {
        let isWellFormed = text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || ".-_".utf8.contains($0)
        }
        guard (1...Self.charactersMax).contains(text.utf8.count), isWellFormed else {
            throw LedgerError(
                .invalidEntry,
                "“\(text)” is no kind of entry: 1 to \(Self.charactersMax) characters of a-z 0-9 . _ -")
        }
        self.text = text
    }

    /// A kind written in the program. Anything that ``init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) {
        do { try self.init(value) } catch { preconditionFailure(error.message) }
    }

    public var isReserved: Bool { text.hasPrefix("ledger.") }
    public var description: String { text }

    /// An entry that only occupies a position nobody will ever use.
    public static let tombstone: EntryKind = "ledger.tombstone"
    public static let accountOpened: EntryKind = "ledger.account-opened"
    public static let currencyDefined: EntryKind = "ledger.currency-defined"
    public static let limitsSet: EntryKind = "ledger.limits-set"
    public static let statusSet: EntryKind = "ledger.status-set"
    public static let periodClosed: EntryKind = "ledger.period-closed"
    public static let holdCaptured: EntryKind = "ledger.hold-captured"
    public static let holdVoided: EntryKind = "ledger.hold-voided"
    public static let holdExpired: EntryKind = "ledger.hold-expired"
    public static let reversed: EntryKind = "ledger.reversed"
    public static let feeSchedulePublished: EntryKind = "ledger.fee-schedule-published"
    public static let feesAssessed: EntryKind = "ledger.fees-assessed"
    /// Somebody looked at a stream and decided to change nothing of it.
    public static let streamChecked: EntryKind = "ledger.stream-checked"
    public static let claimed: EntryKind = "ledger.claimed"
    public static let claimReleased: EntryKind = "ledger.claim-released"
    /// A unit of work that has a key is done.
    public static let unitDone: EntryKind = "ledger.unit-done"
    /// A process has taken an input.
    public static let processStep: EntryKind = "ledger.process-step"
    public static let timerSet: EntryKind = "ledger.timer-set"
    public static let timerCancelled: EntryKind = "ledger.timer-cancelled"
    public static let timerFired: EntryKind = "ledger.timer-fired"
    /// The outcome of a command: what its handler recorded stands beside it.
    public static let commandDone: EntryKind = "ledger.command-done"
    /// The outcome of a command that a handler or a slot has refused.
    public static let commandRefused: EntryKind = "ledger.command-refused"
    /// Somebody has settled a command by hand.
    public static let commandResolved: EntryKind = "ledger.command-resolved"
}

/// One movement: an amount that is debited to one account and credited to another. Both are in the amount's currency, so a
/// posting is balanced by itself.
public struct Posting: Sendable, Hashable {
    public let debit: AccountPath
    public let credit: AccountPath
    /// More than zero.
    public let amount: Amount

    public init(debit: AccountPath, credit: AccountPath, amount: Amount) {
        self.debit = debit
        self.credit = credit
        self.amount = amount
    }
}

/// Terms of an entry that holds money instead of moving it: its postings are pending until one later entry settles them.
public struct Hold: Sendable, Hashable {
    /// The hold ends at this instant by itself, by the server's clock; nil: only by capture or void.
    public var expiresAt: Timestamp?

    public init(expiresAt: Timestamp? = nil) { self.expiresAt = expiresAt }

    /// The name of ``expiresAt`` in a hold's payload.
    public static let expiresAtKey = "expires_at"
}

/// What becomes of an entry that counts in a period that is closed.
public enum Backdating: String, Sendable, Hashable {
    case refuse
    /// It counts from the first instant that is not closed; its payload keeps the time that was asked for.
    case redate

    /// The name of the time that was asked for in the payload of an entry that was re-dated.
    public static let redatedFromKey = "redated_from"
}

/// A journal entry to be posted: a fact, with the postings that move money because of it. All of it is recorded, or
/// nothing.
///
/// ```swift
/// let entry = Entry(
///     id: EntryID(key: "order-1001"), kind: "order.paid", reference: "order-1001",
///     postings: [Posting(debit: "customers:alice", credit: "merchants:bob", amount: try eur.amount("12.50"))])
/// ```
public struct Entry: Sendable, Hashable {
    /// Who posts the same id and content again gets the first receipt.
    public var id: EntryID
    public var kind: EntryKind
    /// When it counts; nil: when it is recorded.
    public var effectiveAt: Timestamp?
    public var description: String?
    /// Your own name for what this is about; `find` looks for it.
    public var reference: String?
    /// Who did it.
    public var actor: String?
    /// Whatever else the kind carries. `description`, `reference` and `actor` have their own places.
    public var payload: [String: JSON]
    public var postings: [Posting]
    /// If set, the postings only hold their amounts.
    public var hold: Hold?
    public var backdating = Backdating.refuse

    /// The member of a stored payload that is the ledger's own: stream, revision and version of an event, and where the entry came from.
    public static let ownKey = "ledger"
    public static let postingsMax = 10_000
    public static let payloadBytesMax = 65_536

    public init(
        id: EntryID = .minted(), kind: EntryKind, effectiveAt: Timestamp? = nil, description: String? = nil,
        reference: String? = nil, actor: String? = nil, payload: [String: JSON] = [:], postings: [Posting] = [],
        hold: Hold? = nil, backdating: Backdating = .refuse
    ) {
        self.id = id
        self.kind = kind
        self.effectiveAt = effectiveAt
        self.description = description
        self.reference = reference
        self.actor = actor
        self.payload = payload
        self.postings = postings
        self.hold = hold
        self.backdating = backdating
    }

    /// The payload as it is stored: one object with description, reference and actor in it, and when it expires; nil if it
    /// would be empty.
    public var storedPayload: JSON? {
        if payload.isEmpty, description == nil, reference == nil, actor == nil, hold?.expiresAt == nil { return nil }
        var members = payload
        if let expiresAt = hold?.expiresAt { members[Hold.expiresAtKey] = .string(expiresAt.description) }
        for (key, value) in [("description", description), ("reference", reference), ("actor", actor)] {
            if let value { members[key] = .string(value) }
        }
        return .object(members)
    }

    /// Checks everything that can be checked without the book.
    /// - Throws: `invalidEntry`, `invalidTime` or `invalidAmount`, naming the posting.
    public func validate() throws(LedgerError) {
        guard !kind.isReserved else {
            throw LedgerError(.invalidEntry, "the kind \(kind) is reserved for the ledger itself", id: id)
        }
        guard postings.count <= Self.postingsMax else {
            throw LedgerError(
                .invalidEntry, "\(postings.count) postings; an entry has at most \(Self.postingsMax): split it",
                id: id)
        }
        if let effectiveAt, !effectiveAt.isStorable {
            throw LedgerError(
                .invalidTime, "it counts from \(effectiveAt); the book keeps the years 1000 to 9999", id: id)
        }
        if !payload.isEmpty {
            if payload[Self.ownKey] != nil { throw LedgerError(.invalidEntry, "“\(Self.ownKey)” in a payload is the ledger's own word", id: id) }
            for key in ["description", "reference", "actor"] where payload[key] != nil {
                throw LedgerError(.invalidEntry, "“\(key)” is a field of the entry, not of its payload", id: id)
            }
            for key in [hold == nil ? nil : Hold.expiresAtKey, Backdating.redatedFromKey] {
                guard let key, payload[key] != nil else { continue }
                throw LedgerError(.invalidEntry, "“\(key)” in a payload is the ledger's own word", id: id)
            }
        }
        if let hold {
            guard !postings.isEmpty else { throw LedgerError(.invalidEntry, "a hold holds something: it has no posting", id: id) }
            if let expiresAt = hold.expiresAt, !expiresAt.isStorable {
                throw LedgerError(.invalidTime, "it expires at \(expiresAt); the book keeps the years 1000 to 9999", id: id)
            }
        }
        for (index, posting) in postings.enumerated() {
            let place = postings.count == 1 ? "" : "posting \(index + 1): "
            guard posting.amount.minorUnits > 0 else {
                throw LedgerError(
                    .invalidAmount,
                    "\(place)the amount is \(posting.amount.minorUnits) minor units of \(posting.amount.currency); "
                        + "it must be more than 0 (to move money the other way, swap debit and credit)", id: id)
            }
            guard posting.debit != posting.credit else {
                throw LedgerError(
                    .invalidEntry, "\(place)debit and credit are the same account, \(posting.debit)", id: id)
            }
        }
        // 6 bytes is the most that one byte of UTF-8 takes in JSON; the names of the fields take less than 64.
        let roughBytes = [description, reference, actor].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        if !payload.isEmpty || roughBytes * 6 + 64 > Self.payloadBytesMax,
            let bytes = storedPayload?.text.utf8.count, bytes > Self.payloadBytesMax
        {
            throw LedgerError(
                .invalidEntry, "the payload has \(bytes) bytes; at most \(Self.payloadBytesMax) are kept", id: id)
        }
    }
}
