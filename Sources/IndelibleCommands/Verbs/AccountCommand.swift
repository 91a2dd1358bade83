import ArgumentParser
import Indelible

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Open, list and show accounts.",
        subcommands: [Open.self, List.self, Show.self])

    struct Open: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Open an account. Opening it again with the same type does nothing.")
        @Argument(help: "The path, like customers:alice.") var path: String
        @Argument(help: "The currency, like EUR.") var currency: String
        @Option(help: "asset, liability, equity, income or expense.") var type: AccountType
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let path = try AccountPath(path)
            let currency = try CurrencyCode(currency)
            let account = try await book.withLedger { try await $0.openAccount(path, in: currency, type: type) }
            Table(accounts: [account]).print(output.format)
            return .ok
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List the accounts.")
        @Argument(help: "Only paths that are this or lie below it.") var path: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let below = try path.map { text throws(LedgerError) in try AccountPath(text) }
            let accounts = try await book.withLedger(role: .auditor) { try await $0.accounts() }
            Table(accounts: accounts.filter { below == nil || $0.path.isWithin(below!) }).print(output.format)
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Show an account in all its currencies, with what it has moved.")
        @Argument(help: "The path, like customers:alice.") var path: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let path = try AccountPath(path)
            let balances = try await book.withLedger(role: .auditor) { try await $0.balances(at: .current) }
                .filter { $0.account.path == path }
            guard !balances.isEmpty else { throw LedgerError(.unknownAccount, "there is no account \(path)") }
            var table = Table([
                .init("account"), .init("currency"), .init("type"), .init("debits", .right), .init("credits", .right),
                .init("balance", .right),
            ])
            for balance in balances {
                let currency = balance.account.currency
                table.rows.append([
                    balance.account.path.text, currency.code.text, balance.account.type.rawValue,
                    currency.format(balance.totals.debitsPosted), currency.format(balance.totals.creditsPosted), balance.text,
                ])
            }
            table.print(output.format)
            return .ok
        }
    }
}

extension Table {
    init(accounts: [Account]) {
        self.init([.init("account"), .init("currency"), .init("type")])
        rows = accounts.map { [$0.path.text, $0.currency.code.text, $0.type.rawValue] }
    }
}

extension AccountPath {
    /// True for the path itself and for every path below it.
    func isWithin(_ other: AccountPath) -> Bool { text == other.text || text.hasPrefix(other.text + ":") }
}
