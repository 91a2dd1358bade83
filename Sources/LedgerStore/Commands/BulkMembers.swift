import LedgerDatabase
import LedgerModel

/// The accounts of a bulk: those of its selection that were open before it. They never become more or less, because an account's opening is an
/// entry, and the position of the bulk says which come before.
struct BulkMembers: Sendable {
    let selection: BulkSelection
    /// Of the bulk.
    let position: Position

    /// The next accounts behind one, by path and currency; of what is selected by balance, all.
    func accounts(after last: Account?, limit: Int, _ transaction: borrowing LedgerTransaction) throws -> [Account] {
        // Ids are derived: the first 16 bytes of the digest of what an account is.
        var text: SelectText = """
            account.id, account.path, account.currency, currency.exponent, account.type, account.floor, account.ceiling
            FROM account STRAIGHT_JOIN currency ON currency.code = account.currency
            STRAIGHT_JOIN entry opened ON opened.position < \(position.number) AND opened.id = UNHEX(LEFT(SHA2(CONCAT('indelible/account/',
             LENGTH(account.path), ':', account.path, '/', LENGTH(account.currency), ':', account.currency), 256), 32))
            WHERE \(isSelected)
            """
        if let last {
            let (path, code) = (last.path.text, last.currency.code.text)
            text = "\(text) AND account.path >= \(path) AND (account.path > \(path) OR account.currency > \(code))"
        }
        return try transaction.run(.select("\(text) ORDER BY account.path, account.currency LIMIT \(limit)")).map(AccountCatalog.account)
    }

    /// Of rows `account`: all that can be said without a balance.
    var isSelected: SelectText {
        var text: SelectText = "TRUE"
        // The paths below a root stand together: behind a colon, and before the character that follows it.
        if let root = selection.accounts.root { text = "\(text) AND account.path > \(root.text + ":") AND account.path < \(root.text + ";")" }
        if let path = selection.accounts.onlyPath { text = "\(text) AND account.path = \(path.text)" }
        if let type = selection.type { text = "\(text) AND account.type = \(type.rawValue)" }
        if let currency = selection.currency { text = "\(text) AND account.currency = \(currency.text)" }
        return text
    }

    /// The accounts with the balances that they had at the bulk; those of another balance than is selected are left out.
    func balances(of accounts: [Account], _ transaction: borrowing LedgerTransaction) throws -> [Balance] {
        guard !accounts.isEmpty else { return [] }
        let found = try BalanceReader(transaction, of: accounts.map(\.id)).totals(at: .position(position))
        return accounts.map { Balance(account: $0, totals: found.totals[$0.id] ?? Totals(), through: found.through) }.filter(selection.contains)
    }
}
