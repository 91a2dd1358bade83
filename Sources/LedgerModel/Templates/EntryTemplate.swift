/// A posting that the compiler has checked: one debit and one credit, both in the currency of the money.
///
/// ```swift
/// Move(price, debit: bank.increased, credit: customer.increased)
/// ```
/// Money that comes from nowhere, two debits or two currencies do not compile.
public struct Move: Sendable, Hashable {
    /// The same without its types, as an ``Entry`` has it.
    public let posting: Posting
    /// The currency as the program declares it.
    public let currency: Currency
    /// The type that the debited account is declared with.
    public let debitType: AccountType
    /// The type that the credited account is declared with.
    public let creditType: AccountType

    /// Debits one account and credits another.
    /// - Parameter money: more than zero; ``Entry/validate()`` refuses anything else.
    public init<C>(_ money: Money<C>, debit: DebitSide<C>, credit: CreditSide<C>) {
        posting = Posting(debit: debit.account, credit: credit.account, amount: money.amount)
        (currency, debitType, creditType) = (C.currency, debit.type, credit.type)
    }
}

/// Gathers moves; `if`, `switch` and `for` are allowed between them.
@resultBuilder public enum MovesBuilder {
    /// One move.
    public static func buildExpression(_ move: Move) -> [Move] { [move] }
    /// One after the other.
    public static func buildBlock(_ parts: [Move]...) -> [Move] { parts.flatMap(\.self) }
    /// An `if` without `else`.
    public static func buildOptional(_ part: [Move]?) -> [Move] { part ?? [] }
    /// An `if` with `else`, or a `switch`.
    public static func buildEither(first part: [Move]) -> [Move] { part }
    /// An `if` with `else`, or a `switch`.
    public static func buildEither(second part: [Move]) -> [Move] { part }
    /// A `for`.
    public static func buildArray(_ parts: [[Move]]) -> [Move] { parts.flatMap(\.self) }
    /// An `if #available`.
    public static func buildLimitedAvailability(_ part: [Move]) -> [Move] { part }
}

/// A kind of entry, declared once: its parameters are the properties of the type, and what it does to money are its moves.
///
/// ```swift
/// struct OrderPaid: EntryTemplate {
///     static let kind: EntryKind = "order.paid"
///     let order: String
///     let price: Money<EUR>
///     let customer: LedgerAccount<Liability, EUR>
///     let merchant: LedgerAccount<Liability, EUR>
///
///     var moves: [Move] { Move(price, debit: customer.decreased, credit: merchant.increased) }
///     var details: EntryDetails { EntryDetails(id: EntryID(key: "order-\(order)"), reference: order) }
/// }
/// ```
/// Its moves follow from its parameters, so they cannot fail: what has to be reckoned is a parameter, or reckoned by an initializer.
public protocol EntryTemplate: Sendable {
    /// The kind of the entries that are made of it. It never changes; the type may be renamed.
    static var kind: EntryKind { get }
    /// Its postings, in order; none for a fact that moves no money.
    @MovesBuilder var moves: [Move] { get }
    /// What else the entry says; nothing unless you say otherwise.
    var details: EntryDetails { get }
}

extension EntryTemplate {
    /// Nothing.
    public var details: EntryDetails { EntryDetails() }

    /// Of all its moves, in order.
    public var postings: [Posting] { moves.map(\.posting) }
}

/// What an entry says beside its kind and postings.
///
/// They are one value, and no properties of a template: a template may have a `description` of its own.
public struct EntryDetails: Sendable, Hashable {
    /// An id that follows from what it is, so that it can happen once; nil for a new one.
    public var id: EntryID?
    /// For people to read.
    public var description: String?
    /// Your own name for what this is about; `find` looks for it.
    public var reference: String?
    /// Whatever else the kind carries.
    public var payload: [String: JSON]
    /// If set, the postings only hold their amounts.
    public var hold: Hold?

    /// Each of them is left out unless you say it.
    public init(
        id: EntryID? = nil, description: String? = nil, reference: String? = nil, payload: [String: JSON] = [:], hold: Hold? = nil
    ) {
        (self.id, self.description, self.reference, self.payload, self.hold) = (id, description, reference, payload, hold)
    }
}

extension Entry {
    /// The entry of a template.
    /// - Parameters:
    ///   - id: nil: the template's, and if it has none a new one.
    ///   - effectiveAt: when it counts; nil: when it is recorded.
    ///   - actor: who did it.
    public init(
        _ template: some EntryTemplate, id: EntryID? = nil, effectiveAt: Timestamp? = nil, actor: String? = nil, backdating: Backdating = .refuse
    ) {
        let details = template.details
        self.init(
            id: id ?? details.id ?? .minted(), kind: type(of: template).kind, effectiveAt: effectiveAt, description: details.description,
            reference: details.reference, actor: actor, payload: details.payload, postings: template.postings, hold: details.hold,
            backdating: backdating)
    }
}

extension Movement {
    /// The event's entry has the postings of these moves.
    /// ```swift
    /// var movement: Movement { .post { Move(price, debit: customer.decreased, credit: merchant.increased) } }
    /// ```
    public static func post(@MovesBuilder moves: () -> [Move]) -> Movement { .post(moves().map(\.posting)) }

    /// The event's entry is a hold of these moves: they are pending until it is captured, voided or expires.
    public static func hold(expiresAt: Timestamp? = nil, @MovesBuilder moves: () -> [Move]) -> Movement {
        .hold(moves().map(\.posting), expiresAt: expiresAt)
    }
}
