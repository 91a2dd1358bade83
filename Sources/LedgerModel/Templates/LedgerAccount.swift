/// What kind of account it is, as a type: `Asset`, `Liability`, `Equity`, `Income`, `Expense`, or one of your own.
///
/// Kinds of your own keep apart what has one type: who asks for a `Receivable` does not get a bank account.
/// ```swift
/// enum Receivable: AccountKind {
///     typealias Normal = DebitNormal
///     static let type = AccountType.asset
/// }
/// ```
public protocol AccountKind: Sendable {
    /// `DebitNormal` or `CreditNormal`: the normal side of ``type``.
    associatedtype Normal: NormalSide
    /// The type with which such accounts are opened.
    static var type: AccountType { get }
}

/// The side that makes an account grow, as a type.
public protocol NormalSide: Sendable {
    /// `debit` or `credit`.
    static var side: Side { get }
}

/// Accounts that grow by debits: assets and expenses.
public enum DebitNormal: NormalSide {
    /// `debit`.
    public static let side = Side.debit
}

/// Accounts that grow by credits: liabilities, equity and income.
public enum CreditNormal: NormalSide {
    /// `credit`.
    public static let side = Side.credit
}

/// What you have: bank accounts, receivables.
public enum Asset: AccountKind {
    /// Debits make it grow.
    public typealias Normal = DebitNormal
    /// `asset`.
    public static let type = AccountType.asset
}

/// What you owe: customers' wallets, payables.
public enum Liability: AccountKind {
    /// Credits make it grow.
    public typealias Normal = CreditNormal
    /// `liability`.
    public static let type = AccountType.liability
}

/// What belongs to the owners.
public enum Equity: AccountKind {
    /// Credits make it grow.
    public typealias Normal = CreditNormal
    /// `equity`.
    public static let type = AccountType.equity
}

/// What you earn.
public enum Income: AccountKind {
    /// Credits make it grow.
    public typealias Normal = CreditNormal
    /// `income`.
    public static let type = AccountType.income
}

/// What you spend.
public enum Expense: AccountKind {
    /// Debits make it grow.
    public typealias Normal = DebitNormal
    /// `expense`.
    public static let type = AccountType.expense
}

/// An account whose type and currency the compiler knows.
///
/// ```swift
/// let bank: LedgerAccount<Asset, EUR> = "bank"
/// let alice = try LedgerAccount<Liability, EUR>("customers:\(name)")
/// ```
/// It is a name, and opens nothing: `Ledger.open` does, and `Ledger.account(of:)` compares it with the book's. It is encoded as its path.
public struct LedgerAccount<Kind: AccountKind, C: CurrencyType>: Sendable, Hashable {
    /// Its name in the book.
    public let path: AccountPath

    /// An account with this path. A kind whose `Normal` is not the normal side of its `type` stops the program.
    public init(_ path: AccountPath) {
        precondition(Kind.type.normalSide == Kind.Normal.side, "\(Kind.self) says another normal side than \(Kind.type.rawValue) has")
        self.path = path
    }

    /// Reads a path that is only known while the program runs.
    /// - Throws: `invalidAccount`, naming the path and what is wrong with it.
    public init(_ text: String) throws(LedgerError) { self.init(try AccountPath(text)) }

    /// The type to open it with.
    public var type: AccountType { Kind.type }
    /// The currency to open it in.
    public var currency: Currency { C.currency }

    /// It is debited, whatever that does to its balance.
    public var debit: DebitSide<C> { DebitSide(path, type) }
    /// It is credited, whatever that does to its balance.
    public var credit: CreditSide<C> { CreditSide(path, type) }
}

extension LedgerAccount where Kind.Normal == DebitNormal {
    /// Its balance grows: an asset or an expense is debited.
    public var increased: DebitSide<C> { debit }
    /// Its balance shrinks: an asset or an expense is credited.
    public var decreased: CreditSide<C> { credit }
}

extension LedgerAccount where Kind.Normal == CreditNormal {
    /// Its balance grows: a liability, equity or income is credited.
    public var increased: CreditSide<C> { credit }
    /// Its balance shrinks: a liability, equity or income is debited.
    public var decreased: DebitSide<C> { debit }
}

extension LedgerAccount: ExpressibleByStringLiteral, CustomStringConvertible {
    /// A path written in the program. Anything that ``AccountPath/init(_:)`` refuses stops the program.
    public init(stringLiteral value: String) { self.init(AccountPath(stringLiteral: value)) }

    /// The path.
    public var description: String { path.text }
}

extension LedgerAccount: Codable {
    /// Reads a path.
    /// - Throws: `invalidAccount` for a text that is no path, `DecodingError` for what is no text.
    public init(from decoder: any Decoder) throws { try self.init(decoder.singleValueContainer().decode(String.self)) }

    /// Writes the path.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(path.text)
    }
}

/// An account on the debit side of a ``Move``. Only a ``LedgerAccount`` gives one.
public struct DebitSide<C: CurrencyType>: Sendable, Hashable {
    /// The path of the account.
    public let account: AccountPath
    /// The type that it is declared with.
    public let type: AccountType

    init(_ account: AccountPath, _ type: AccountType) { (self.account, self.type) = (account, type) }
}

/// An account on the credit side of a ``Move``. Only a ``LedgerAccount`` gives one.
public struct CreditSide<C: CurrencyType>: Sendable, Hashable {
    /// The path of the account.
    public let account: AccountPath
    /// The type that it is declared with.
    public let type: AccountType

    init(_ account: AccountPath, _ type: AccountType) { (self.account, self.type) = (account, type) }
}
