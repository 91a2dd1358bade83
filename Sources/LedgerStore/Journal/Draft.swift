import LedgerDatabase
import LedgerModel

/// An entry with its accounts found, ready to be decided and inserted.
struct Draft: Sendable {
    /// What never changes of it, in one object: drafts are passed on by the thousand.
    private final class Content: Sendable {
        let id: EntryID
        let kind: EntryKind
        let payload: JSON?
        let payloadText: String?
        let postings: [JournalPosting]
        let limited: [Effect]

        init(_ id: EntryID, _ kind: EntryKind, _ payload: JSON?, _ postings: [JournalPosting], _ limited: [Effect]) {
            (self.id, self.kind, self.postings, self.limited) = (id, kind, postings, limited)
            self.payload = payload
            payloadText = payload?.text
        }
    }

    private var content: Content
    var index = 0
    var effectiveAt: Timestamp?
    /// Its postings are pending.
    var hold: Hold?
    /// It settles this hold.
    var settles: Settlement?
    var backdating = Backdating.refuse
    /// It tells of what another book has recorded: the clock was looked at then.
    var isHistory = false
    /// What it refers to stands here: its own position comes later.
    var refersTo = Position.zero
    /// Where it comes from and which stream it is of; no part of what it says.
    var origin: Origin? { didSet { refreshText() } }
    /// Of a unit of work, which is done as a whole.
    var isOfUnit = false
    /// The payload with what ``origin`` adds.
    private var ownText: String?

    var id: EntryID { content.id }
    var kind: EntryKind { content.kind }
    var payload: JSON? { content.payload }
    /// As it is stored.
    var payloadText: String? { ownText ?? content.payloadText }
    var postings: [JournalPosting] { content.postings }
    /// What it moves on accounts that are limited.
    var limited: [Effect] { content.limited }

    /// The net of all its postings on one account.
    struct Effect: Sendable {
        let account: AccountID
        let change: Totals
        /// Less can be drawn after it.
        let draws: Bool
        /// Less can be paid in after it.
        let pays: Bool
        /// It may turn somebody's yes into a no, so it claims the account's next revision.
        let claims: Bool

        init(_ account: Account, _ change: Totals) {
            self.account = account.id
            self.change = change
            draws = change.available(account.type) < 0
            pays = change.expected(account.type) > 0
            claims = account.openingLimits.floor != nil && draws || account.openingLimits.ceiling != nil && pays
        }
    }

    struct Settlement: Sendable {
        let hold: EntryID
        let expiresAt: Timestamp?
        let isExpiry: Bool
    }

    init(
        id: EntryID, kind: EntryKind, effectiveAt: Timestamp? = nil, payload: JSON?, postings: [JournalPosting],
        account: (AccountID) -> Account?
    ) {
        let accounts = postings.flatMap { [$0.debit, $0.credit] }.compactMap(account)
        self.init(
            id: id, kind: kind, effectiveAt: effectiveAt, payload: payload, postings: postings,
            limited: accounts.filter(\.isLimited))
    }

    /// - Parameter limited: the accounts of the postings that have limits.
    init(
        id: EntryID, kind: EntryKind, effectiveAt: Timestamp? = nil, payload: JSON?, postings: [JournalPosting],
        limited: [Account]
    ) {
        content = Content(id, kind, payload, postings, limited.isEmpty ? [] : Self.effects(postings, limited))
        self.effectiveAt = effectiveAt
    }

    var claims: Bool { limited.contains { $0.claims } || origin?.claims == true }

    private mutating func refreshText() { ownText = origin?.json.map { own in content.payload.with(Entry.ownKey, own).text } }

    /// Lets it count later than was asked, and says so.
    mutating func redate(to time: Timestamp, from asked: Timestamp) {
        effectiveAt = time
        var members: [String: JSON] = [:]
        if case .object(let given) = payload { members = given }
        members[Backdating.redatedFromKey] = .string(asked.description)
        content = Content(id, kind, .object(members), postings, limited)
        refreshText()
    }

    /// What postings move on these accounts, in the order in which they first touch them.
    static func effects(_ postings: [JournalPosting], _ accounts: [Account]) -> [Effect] {
        if postings.count == 1, let posting = postings.first {
            // One posting touches an account on one side.
            return accounts.filter { $0.id == posting.debit || $0.id == posting.credit }.map { account in
                var change = Totals()
                change.add(posting.debit == account.id ? .debit : .credit, posting.amount, posting.status)
                return Effect(account, change)
            }
        }
        let distinct = Dictionary(accounts.map { ($0.id, $0) }) { first, _ in first }
        var places: [AccountID: Int] = [:]
        var moved: [(account: Account, change: Totals)] = []
        for posting in postings {
            for (side, id) in [(Side.debit, posting.debit), (.credit, posting.credit)] {
                guard let account = distinct[id] else { continue }
                let place = places[id] ?? moved.count
                if place == moved.count {
                    places[id] = place
                    moved.append((account, Totals()))
                }
                moved[place].change.add(side, posting.amount, posting.status)
            }
        }
        return moved.map { Effect($0.account, $0.change) }
    }
}

// MARK: - The same content

extension Draft {
    func hasSameContent(as other: Draft) -> Bool {
        kind == other.kind && effectiveAt == other.effectiveAt && payload == other.payload && postings == other.postings
            && origin?.append?.stream == other.origin?.append?.stream && origin?.command?.selection == other.origin?.command?.selection
    }

    /// What this asks for and what stands, where they differ; nil if they do not.
    func difference(from standing: JournalEntry) -> String? {
        if kind != standing.kind { return "its kind is \(standing.kind), asked: \(kind)" }
        if postings != standing.postings {
            return "its postings are \(Self.text(standing.postings)), asked: \(Self.text(postings)) (minor units)"
        }
        if effectiveAt == nil || effectiveAt == standing.effectiveAt, standing.payload == payloadText { return nil }
        var stands = standing.payload.flatMap { try? JSON(parsing: $0) }
        var countsFrom = standing.effectiveAt
        if case .object(var members) = stands {
            if let asked = members.removeValue(forKey: Backdating.redatedFromKey)?.string { countsFrom = (try? Timestamp(asked)) ?? countsFrom }
            let own = members.removeValue(forKey: Entry.ownKey)
            stands = members.isEmpty ? nil : .object(members)
            if let difference = Origin.difference(own, origin) { return difference }
        } else if let difference = Origin.difference(nil, origin) { return difference }
        if let effectiveAt, effectiveAt != countsFrom { return "it counts from \(countsFrom), asked: \(effectiveAt)" }
        return stands == payload ? nil : "its payload is \(standing.payload ?? "none"), asked: \(payloadText ?? "none")"
    }

    private static func text(_ postings: [JournalPosting]) -> String {
        if postings.isEmpty { return "none" }
        return postings.prefix(5).map { posting in
            let word = [PostingStatus.posted: "", .pending: " pending", .released: " released"][posting.status] ?? ""
            return "\(posting.amount)\(word) debit account \(posting.debit.number) credit account \(posting.credit.number)"
        }.joined(separator: ", ") + (postings.count > 5 ? ", …" : "")
    }

    /// The error for an id that stands for something else.
    func conflict(with standing: JournalEntry) -> LedgerError? {
        guard let difference = difference(from: standing) else { return nil }
        let receipt = standing.receipt(isRepeat: true)
        if let settles {
            return LedgerError(
                .holdSettled, "the hold \(settles.hold) is settled: \(standing.kind.settlementWord) at position "
                    + "\(standing.position), recorded \(standing.recordedAt)", index: index, id: id, standing: receipt)
        }
        return LedgerError(
            .conflict, "the id \(id) stands for another entry, at position \(standing.position), recorded "
                + "\(standing.recordedAt): \(difference). Use another id for another entry",
            index: index, id: id, standing: receipt)
    }
}

extension EntryKind {
    fileprivate var settlementWord: String {
        switch self {
        case .holdCaptured: "captured"
        case .holdVoided: "voided"
        case .holdExpired: "expired"
        default: "ended by \(self)"
        }
    }
}

extension JournalEntry {
    func receipt(isRepeat: Bool) -> Receipt {
        guard let id else { preconditionFailure("a tombstone has no receipt") }
        return Receipt(id: id, position: position, recordedAt: recordedAt, isRepeat: isRepeat)
    }
}
