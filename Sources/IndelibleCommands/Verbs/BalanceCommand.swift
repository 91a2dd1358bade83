import ArgumentParser
import Indelible

struct BalanceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "balance", abstract: "Print balances, their totals, and the history of one.",
        discussion: """
            \(TimeOptions.discussion)

            'customers:*' prints the accounts below customers and behind them what they stand at together: a line for each \
            currency and type of account. '*' are all accounts.

            A column `available` (the balance less what is held to be drawn) is there when something is held or limited.
            """)

    @Argument(help: "Only paths that are this or lie below it; with :* those below it, and their totals.") var path: String?
    @Option(help: "Only this currency.") var currency: String?
    @OptionGroup var when: TimeOptions
    @Flag(help: "Also accounts that never moved.") var all = false
    @Flag(help: "What one account had moved, row by row of the projection.") var history = false
    @Option(help: ArgumentHelp("With --history: rows after this position.", valueName: "position")) var after: UInt64 = 0
    @Option(help: "With --history: at most so many rows.") var limit = 100
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !history || path != nil && currency != nil else {
            throw ValidationError("--history is of one account: give its path and --currency.")
        }
        guard !history || [when.at, when.asOf, when.recorded].allSatisfy({ $0 == nil }) else {
            throw ValidationError("--history has all times: use --after and --limit.")
        }
    }

    func execute() async throws -> ExitStatus {
        let code = try currency.map { text throws(LedgerError) in try CurrencyCode(text) }
        if history, let path, let code { return try await printHistory(try AccountPath(path), code) }
        let isTree = path.map { $0 == "*" || $0.hasSuffix(":*") } ?? false
        let tree = isTree ? try AccountTree(path ?? "*") : nil
        let below = isTree ? nil : try path.map { text throws(LedgerError) in try AccountPath(text) }
        let balances = try await book.withLedger(role: .auditor) { ledger in
            try await ledger.balances(at: try await when.time(ledger)) { account in
                (below == nil || account.path.isWithin(below!)) && (tree?.contains(account.path) ?? true)
                    && (code == nil || account.currency.code == code)
            }
        }
        if let path, balances.isEmpty {
            throw LedgerError(.unknownAccount, "there is no account \(path)" + (code.map { " in \($0)" } ?? ""))
        }
        let shown = balances.filter { all || below != nil || $0.totals != Totals() }
        let isAvailableOfUse = output.format != .table || shown.contains { $0.account.isLimited || $0.available != $0.minorUnits }
        var table = Table([
            .init("account"), .init("balance", .right), .init("available", .right), .init("currency"), .init("type"),
            .number("through"),
        ])
        func add(_ name: String, _ totals: Totals, _ currency: Currency, _ type: AccountType, _ through: Position) {
            table.rows.append([
                name, currency.format(totals.balance(type)), isAvailableOfUse ? currency.format(totals.available(type)) : "",
                currency.code.text, type.rawValue, through.description,
            ])
        }
        for balance in shown {
            add(balance.account.path.text, balance.totals, balance.account.currency, balance.account.type, balance.through)
        }
        if let tree {
            for sum in TreeTotals.of(balances) {
                for type in AccountType.allCases {
                    if let totals = sum.byType[type] { add(tree.description, totals, sum.currency, type, sum.through) }
                }
            }
        }
        table.dropEmpty(["available"], output.format)
        table.print(output.format)
        return .ok
    }

    private func printHistory(_ path: AccountPath, _ code: CurrencyCode) async throws -> ExitStatus {
        let rows = try await book.withLedger(role: .auditor) { ledger in
            try await ledger.balanceHistory(of: path, in: code, after: Position(after), limit: limit)
        }
        var table = Table([
            .number("through"), .init("debits", .right), .init("credits", .right), .init("held_debits", .right),
            .init("held_credits", .right), .init("balance", .right), .init("currency"),
        ])
        table.rows = rows.map { row in
            let (totals, currency) = (row.totals, row.account.currency)
            return [row.through.description]
                + [totals.debitsPosted, totals.creditsPosted, totals.debitsPending, totals.creditsPending].map(currency.format)
                + [row.text, currency.code.text]
        }
        table.print(output.format)
        return .ok
    }
}
