/// One decision over all accounts of a kind: a command that becomes a command for each of them.
///
/// ```swift
/// struct ChargeAll: BulkCommand {
///     static let name: EntryKind = "fee.charge-all"
///     let month: String
///     var selection: BulkSelection { BulkSelection(of: "customers:*", type: .liability, currency: .eur) }
///     func command(for member: Balance) -> (any Command)? { Charge(account: member.account.path, month: month) }
/// }
/// ```
/// It is enqueued like any other command, and its place in the journal fixes the set: its members are the accounts that were open before it, with
/// the balances that they had then. The id of a member's command follows from the bulk's and the account, so the bulk can be expanded again
/// without enqueueing anything twice. Members' commands are decided like those that were sent one by one.
public protocol BulkCommand: Command {
    /// Its members. What is recorded with the command counts: another program, later, comes to the same set.
    var selection: BulkSelection { get throws }
    /// What becomes of a member; nil leaves it out. It may be called several times, so it says the same each time: what it needs is in the bulk and
    /// in the member.
    /// - Parameter member: the account, and its balance as of the bulk's position.
    /// - Throws: whatever makes the bulk impossible to expand; the processor stops at it and names the member.
    func command(for member: Balance) throws -> (any Command)?
}

extension BulkCommand {
    /// Bulks of one name are expanded one after the other.
    public var subject: StreamName { get throws { try StreamName("bulk", Self.name.text) } }
}

/// Which accounts a bulk is about: those to which everything that is said applies.
public struct BulkSelection: Sendable, Hashable {
    public let accounts: AccountTree
    public let type: AccountType?
    public let currency: CurrencyCode?
    /// The least posted balance as of the bulk's position, in minor units on the account's normal side.
    public let balanceMin: Int64?
    /// The greatest one.
    public let balanceMax: Int64?

    /// - Parameters:
    ///   - accounts: `customers:*` is everything below `customers`.
    ///   - balanceMin: in minor units on the account's normal side; nil for no bound.
    ///   - balanceMax: the same.
    public init(
        of accounts: AccountTree, type: AccountType? = nil, currency: CurrencyCode? = nil, balanceMin: Int64? = nil, balanceMax: Int64? = nil
    ) {
        (self.accounts, self.type, self.currency, self.balanceMin, self.balanceMax) = (accounts, type, currency, balanceMin, balanceMax)
    }

    /// Whether an account with this balance is among them.
    public func contains(_ member: Balance) -> Bool {
        let account = member.account
        return accounts.contains(account.path) && type.map { $0 == account.type } ?? true && currency.map { $0 == account.currency.code } ?? true
            && balanceMin.map { member.minorUnits >= Int128($0) } ?? true && balanceMax.map { member.minorUnits <= Int128($0) } ?? true
    }

    /// As the bulk's entry has it.
    package var json: JSON {
        var members: [String: JSON] = ["accounts": .string(accounts.description)]
        members["type"] = type.map { .string($0.rawValue) }
        members["currency"] = currency.map { .string($0.text) }
        members["balance_min"] = balanceMin.map(JSON.integer)
        members["balance_max"] = balanceMax.map(JSON.integer)
        return .object(members)
    }

    /// - Throws: `invalidEntry` for what no ledger writes.
    package init(_ json: JSON) throws(LedgerError) {
        let wrong = LedgerError(.invalidEntry, "“selection” in the header of a command is the selection of a bulk")
        func number(_ key: String) throws(LedgerError) -> Int64? {
            switch json[key] {
            case nil: return nil
            case .integer(let number)?: return number
            default: throw wrong
            }
        }
        let known: Set = ["accounts", "type", "currency", "balance_min", "balance_max"]
        guard case .object(let members) = json, known.isSuperset(of: members.keys), let accounts = members["accounts"]?.string,
            let type = members["type"].map({ $0.string.flatMap(AccountType.init(rawValue:)) }) ?? .some(nil),
            let currency = members["currency"].map({ $0.string }) ?? .some(nil)
        else { throw wrong }
        self.init(
            of: try AccountTree(accounts), type: type, currency: try currency.map { code throws(LedgerError) in try CurrencyCode(code) },
            balanceMin: try number("balance_min"), balanceMax: try number("balance_max"))
    }
}

/// Of which bulk a command is, and for which of its members.
public struct BulkMembership: Sendable, Hashable {
    /// The id of the bulk.
    public let bulk: EntryID
    public let account: AccountPath
    public let currency: CurrencyCode

    public init(bulk: EntryID, account: AccountPath, currency: CurrencyCode) {
        (self.bulk, self.account, self.currency) = (bulk, account, currency)
    }

    /// As the header of a command has it.
    package var json: JSON {
        ["id": .string(bulk.description), "account": .string(account.text), "currency": .string(currency.text)]
    }

    /// - Throws: `invalidEntry` for what no ledger writes.
    package init(_ json: JSON) throws(LedgerError) {
        guard case .object(let members) = json, members.count == 3, let bulk = members["id"]?.string.flatMap(EntryID.init(hex:)),
            let account = members["account"]?.string, let currency = members["currency"]?.string
        else { throw LedgerError(.invalidEntry, "“bulk” in the header of a command names a bulk, an account and its currency") }
        self.init(bulk: bulk, account: try AccountPath(account), currency: try CurrencyCode(currency))
    }
}

extension EntryID {
    /// The id of the command for a member of a bulk: there is one, whoever expands the bulk and how often.
    public static func member(of bulk: EntryID, _ account: AccountPath, in currency: CurrencyCode) -> EntryID {
        derived("bulk-member", bulk.description, account.text, currency.text)
    }
}
