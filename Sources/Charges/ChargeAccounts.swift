public import LedgerModel

/// The accounts between which charges and payouts move money. Set what is called otherwise in your book.
public struct ChargeAccounts: Sendable, Hashable {
    /// What the acquirer owes for cards that were charged: an asset.
    public var receivable: AccountPath
    /// What is withheld while a dispute is open: a liability.
    public var disputes: AccountPath
    /// Where payouts come from: an asset.
    public var bank: AccountPath
    /// Below it each merchant has an account, `merchants:bob`: liabilities.
    public var merchants: AccountPath

    public init(
        receivable: AccountPath = "acquirer:receivable", disputes: AccountPath = "disputes", bank: AccountPath = "bank",
        merchants: AccountPath = "merchants"
    ) {
        (self.receivable, self.disputes, self.bank, self.merchants) = (receivable, disputes, bank, merchants)
    }

    /// Those that belong to one merchant's charges.
    /// - Throws: `invalidMerchant` unless the name can be one segment of a path.
    public func of(merchant: String) throws(ChargeError) -> MerchantAccounts {
        do {
            guard !merchant.contains(":") else { throw LedgerError(.invalidAccount, "it has a :") }
            return MerchantAccounts(
                merchant: try AccountPath("\(merchants):\(merchant)"), receivable: receivable, disputes: disputes, bank: bank)
        } catch {
            throw ChargeError(.invalidMerchant, "“\(merchant)” can be no merchant: the name is a segment of an account's path. \(error)")
        }
    }
}

/// The accounts of one charge or payout. They are kept with it, so that a book whose accounts are renamed goes on with those it began with.
public struct MerchantAccounts: Sendable, Hashable, Codable {
    /// The merchant's own.
    public let merchant: AccountPath
    public let receivable: AccountPath
    public let disputes: AccountPath
    public let bank: AccountPath

    public init(merchant: AccountPath, receivable: AccountPath, disputes: AccountPath, bank: AccountPath) {
        (self.merchant, self.receivable, self.disputes, self.bank) = (merchant, receivable, disputes, bank)
    }
}
