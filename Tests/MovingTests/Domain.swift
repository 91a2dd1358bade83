import LedgerModel

// The new domain: pure Swift types that fold events and decide commands. It imports no database.

struct Refusal: Error, Equatable {
    let reason: String
}

/// A customer's account with its withdrawals. The money is in the ledger's postings; the balance here is what the events say.
struct BankAccount: Aggregate {
    static let category: StreamCategory = "account"
    static var events: [any DomainEvent<BankAccount>.Type] { [OpeningBalance.self, Moved.self, Deposited.self, Withdrawn.self] }

    let id: String
    /// In cents.
    private(set) var balance: Int64 = 0
    private(set) var withdrawals: [Withdrawn] = []

    init(id: String) { self.id = id }

    func deposit(_ amount: Int64) -> Deposited { Deposited(account: id, amount: amount) }

    func withdraw(_ amount: Int64, for purpose: String) throws -> Withdrawn {
        guard amount <= balance else { throw Refusal(reason: "\(amount - balance) cents are missing") }
        return Withdrawn(account: id, amount: amount, purpose: purpose)
    }

    /// The account in the ledger. Ids are digits.
    static func path(_ id: String) -> AccountPath { AccountPath(stringLiteral: "customers:\(id)") }

    /// A deposit credits the customer, a withdrawal debits; nothing moves nothing.
    static func movement(_ amount: Int64, _ id: String, against other: AccountPath = "bank") -> Movement {
        if amount > 0 { return .post([Posting(debit: other, credit: path(id), amount: Amount(minorUnits: amount, .eur))]) }
        return amount == 0 ? .none : .post([Posting(debit: path(id), credit: other, amount: Amount(minorUnits: -amount, .eur))])
    }

    struct Deposited: DomainEvent {
        static let name: EntryKind = "account.deposited"
        let account: String
        let amount: Int64

        func fold(into state: inout BankAccount) { state.balance += amount }
        var movement: Movement { BankAccount.movement(amount, account) }
    }

    struct Withdrawn: DomainEvent, Equatable {
        static let name: EntryKind = "account.withdrawn"
        let account: String
        let amount: Int64
        let purpose: String

        func fold(into state: inout BankAccount) {
            state.balance -= amount
            state.withdrawals.append(self)
        }

        var movement: Movement { BankAccount.movement(-amount, account) }
    }
}

// What comes from the old tables.
extension BankAccount {
    /// What the account had when the ledger began.
    struct OpeningBalance: DomainEvent {
        static let name: EntryKind = "account.opening-balance"
        let account: String
        /// In cents; less than 0 if it was overdrawn.
        let amount: Int64

        func fold(into state: inout BankAccount) { state.balance += amount }
        var movement: Movement { BankAccount.movement(amount, account, against: "opening-balances") }
        var identity: EventIdentity { .once(EntryID(key: "opening balance: \(account)")) }
    }

    /// A row of the old table of movements. Its id follows from the row's, so it happens once, whoever records it.
    struct Moved: DomainEvent {
        static let name: EntryKind = "account.moved"
        let account: String
        /// In cents; more than 0 for a deposit.
        let amount: Int64
        let row: Int64

        func fold(into state: inout BankAccount) { state.balance += amount }
        var movement: Movement { BankAccount.movement(amount, account) }
        var identity: EventIdentity { .once(Self.id(row)) }
        static func id(_ row: Int64) -> EntryID { EntryID(key: "movement: \(row)") }
    }
}

/// A charge that two flows tell of: one computes its fee, the other processes an event, the capture.
struct Charge: Aggregate {
    static let category: StreamCategory = "charge"
    static var events: [any DomainEvent<Charge>.Type] { [Authorised.self, FeeComputed.self, Captured.self] }

    let id: String
    private(set) var amount: Int64 = 0
    private(set) var fee: Int64?
    private(set) var isCaptured = false

    init(id: String) { self.id = id }

    /// 1.4 % and 25 cents, of whole euros.
    func computeFee() -> FeeComputed { FeeComputed(fee: amount * 140 / 10_000 + 25) }

    struct Authorised: DomainEvent {
        static let name: EntryKind = "charge.authorised"
        let amount: Int64
        func fold(into state: inout Charge) { state.amount = amount }
    }

    struct FeeComputed: DomainEvent {
        static let name: EntryKind = "charge.fee-computed"
        let fee: Int64
        func fold(into state: inout Charge) { state.fee = fee }
    }

    struct Captured: DomainEvent {
        static let name: EntryKind = "charge.captured"
        func fold(into state: inout Charge) { state.isCaptured = true }
    }
}

struct Story: Aggregate {
    static let category: StreamCategory = "story"
    static var events: [any DomainEvent<Story>.Type] { [Published.self, Retitled.self] }

    let id: String
    private(set) var author: String?
    private(set) var title = ""

    init(id: String) { self.id = id }

    func publish(_ title: String, by author: String) throws -> Published {
        guard self.author == nil else { throw Refusal(reason: "it is published") }
        return Published(author: author, title: title)
    }

    struct Published: DomainEvent {
        static let name: EntryKind = "story.published"
        let author: String
        let title: String
        func fold(into state: inout Story) { (state.author, state.title) = (author, title) }
    }

    struct Retitled: DomainEvent {
        static let name: EntryKind = "story.retitled"
        let title: String
        func fold(into state: inout Story) { state.title = title }
    }
}

struct Member: Aggregate {
    static let category: StreamCategory = "member"
    static var events: [any DomainEvent<Member>.Type] { [StoryCounted.self] }
    static let storiesMax = 100

    let id: String
    private(set) var stories = 0

    init(id: String) { self.id = id }

    func countStory() throws -> StoryCounted {
        guard stories < Self.storiesMax else { throw Refusal(reason: "a member has at most \(Self.storiesMax) stories") }
        return StoryCounted()
    }

    struct StoryCounted: DomainEvent {
        static let name: EntryKind = "member.story-counted"
        func fold(into state: inout Member) { state.stories += 1 }
    }
}

/// What a member tells about itself: attributes without a history to decide by.
struct Profile: PlainState {
    static let category: StreamCategory = "profile"
    static let name: EntryKind = "profile.saved"

    let id: String
    var name = ""
    var email = ""

    init(id: String) { self.id = id }

    func validate(after old: Profile) throws {
        guard email.contains("@") else { throw Refusal(reason: "a profile has an e-mail address") }
    }
}
