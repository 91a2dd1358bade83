import ArgumentParser
import Indelible

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Open, list and show accounts and their lines; set limits, freeze and close.",
        subcommands: [Open.self, List.self, Show.self, Lines.self, Limit.self, Freeze.self, Close.self, Reopen.self])

    struct Open: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Open an account. Opening it again in the same way does nothing.",
            discussion: """
                Limits are decimals of the currency, on the side on which the account normally stands. Only an account that is \
                opened with a floor (or a ceiling) can have another one later.
                """)
        @Argument(help: "The path, like customers:alice.") var path: String
        @Argument(help: "The currency, like EUR.") var currency: String
        @Option(help: "asset, liability, equity, income or expense.") var type: AccountType
        @Option(parsing: .unconditional, help: "The least balance, like 0 or -500.") var floor: String?
        @Flag(help: "The same as --floor 0.") var noOverdraft = false
        @Option(help: ArgumentHelp("The same as --floor with a minus.", valueName: "amount")) var creditLine: String?
        @Option(parsing: .unconditional, help: "The greatest balance.") var ceiling: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard [floor != nil, noOverdraft, creditLine != nil].count(where: { $0 }) < 2 else {
                throw ValidationError("--floor, --no-overdraft and --credit-line say the same thing: give one of them.")
            }
        }

        func execute() async throws -> ExitStatus {
            let path = try AccountPath(path)
            let code = try CurrencyCode(currency)
            let account = try await book.withLedger { ledger in
                try await ledger.openAccount(path, in: code, type: type, limits: try await limits(code, ledger))
            }
            Table(accounts: [account], output.format).print(output.format)
            return .ok
        }

        private func limits(_ code: CurrencyCode, _ ledger: Ledger) async throws -> AccountLimits {
            let floor = noOverdraft ? "0" : floor
            guard floor != nil || creditLine != nil || ceiling != nil else { return .none }
            guard let known = try await ledger.currencies().first(where: { $0.code == code }) ?? Currency.iso(code) else {
                throw LedgerError(
                    .unknownCurrency, "the book has no currency \(code): define it first (`indelible currency define`)")
            }
            var limits = AccountLimits(
                floor: try floor.map { try known.amount($0).minorUnits }, ceiling: try ceiling.map { try known.amount($0).minorUnits })
            if let creditLine {
                let line = try known.amount(creditLine).minorUnits
                guard line >= 0 else {
                    throw LedgerError(.invalidAmount, "a credit line is not negative: --credit-line \(known.format(-Int128(line)))")
                }
                limits.floor = -line
            }
            return limits
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List the accounts, with the limits that they were opened with.")
        @Argument(help: "Only paths that are this or lie below it.") var path: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let below = try path.map { text throws(LedgerError) in try AccountPath(text) }
            let accounts = try await book.withLedger(role: .auditor) { try await $0.accounts() }
            Table(accounts: accounts.filter { below == nil || $0.path.isWithin(below!) }, output.format).print(output.format)
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Show an account in all its currencies: status, limits, what it has moved, what is held and available.",
            discussion: """
                held_debits and held_credits are pending: money that holds will debit or credit when they are captured. \
                available is the balance less what is held to be drawn.
                """)
        @Argument(help: "The path, like customers:alice.") var path: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let path = try AccountPath(path)
            var table = Table([
                .init("account"), .init("currency"), .init("type"), .init("status"), .init("floor", .right), .init("ceiling", .right),
                .init("debits", .right), .init("credits", .right), .init("held_debits", .right), .init("held_credits", .right),
                .init("balance", .right), .init("available", .right),
            ])
            table.rows = try await book.withLedger(role: .auditor) { ledger in
                var rows: [[String]] = []
                for balance in try await ledger.balances(at: .current) where balance.account.path == path {
                    let currency = balance.account.currency
                    let control = try await ledger.control(of: path, in: currency.code)
                    let totals = balance.totals
                    rows.append(
                        [path.text, currency.code.text, balance.account.type.rawValue, control.status.rawValue]
                            + control.limits.texts(currency)
                            + [totals.debitsPosted, totals.creditsPosted, totals.debitsPending, totals.creditsPending].map(currency.format)
                            + [balance.text, currency.format(balance.available)])
                }
                return rows
            }
            guard !table.rows.isEmpty else { throw LedgerError(.unknownAccount, "there is no account \(path)") }
            table.dropEmpty(["floor", "ceiling"], output.format)
            table.print(output.format)
            return .ok
        }
    }

    struct Limit: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Set the limits of an account that was opened with such limits.",
            discussion: "What is not named stays as it is. A limit that the balance breaks already is refused.")
        @OptionGroup var which: Which
        @Option(parsing: .unconditional, help: "The least balance, like 0 or -500.") var floor: String?
        @Flag(help: "Any balance, however low.") var noFloor = false
        @Option(parsing: .unconditional, help: "The greatest balance.") var ceiling: String?
        @Flag(help: "Any balance, however high.") var noCeiling = false
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard floor != nil || noFloor || ceiling != nil || noCeiling else {
                throw ValidationError("Give --floor, --no-floor, --ceiling or --no-ceiling.")
            }
            guard floor == nil || !noFloor, ceiling == nil || !noCeiling else {
                throw ValidationError("A limit cannot be set and lifted at once.")
            }
        }

        func execute() async throws -> ExitStatus {
            let (path, code) = try which.named()
            let receipt = try await book.withLedger { ledger in
                let currency = try await ledger.account(path, in: code).currency
                var limits = try await ledger.control(of: path, in: code).limits
                if let floor { limits.floor = try currency.amount(floor).minorUnits }
                if let ceiling { limits.ceiling = try currency.amount(ceiling).minorUnits }
                if noFloor { limits.floor = nil }
                if noCeiling { limits.ceiling = nil }
                return try await ledger.setLimits(limits, of: path, in: code, id: EntryID(optionalKey: which.key), actor: which.actor)
            }
            receipt.print(output.format)
            return .ok
        }
    }

    struct Freeze: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Let nothing more be drawn or held from an account; payments in and captures go on.")
        @OptionGroup var which: Which
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions
        func execute() async throws -> ExitStatus { try await which.set(.frozen, book, output) }
    }

    struct Close: Verb {
        static let configuration = CommandConfiguration(abstract: "Close an account that is empty: it takes no posting any more.")
        @OptionGroup var which: Which
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions
        func execute() async throws -> ExitStatus { try await which.set(.closed, book, output) }
    }

    struct Reopen: Verb {
        static let configuration = CommandConfiguration(abstract: "End the freezing or closing of an account.")
        @OptionGroup var which: Which
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions
        func execute() async throws -> ExitStatus { try await which.set(.open, book, output) }
    }

    /// One account, and the entry that tells of a change to it.
    struct Which: ParsableArguments {
        @Argument(help: "The path, like customers:alice.") var path: String
        @Argument(help: "The currency, like EUR.") var currency: String
        @Option(help: "Your own key for the entry; the same key with the same content is recorded once.") var key: String?
        @Option(help: "Who did it.") var actor: String?

        func named() throws -> (AccountPath, CurrencyCode) { (try AccountPath(path), try CurrencyCode(currency)) }

        func set(_ status: AccountStatus, _ book: BookOptions, _ output: OutputOptions) async throws -> ExitStatus {
            let (path, code) = try named()
            let receipt = try await book.withLedger { ledger in
                try await ledger.setStatus(status, of: path, in: code, id: EntryID(optionalKey: key), actor: actor)
            }
            receipt.print(output.format)
            return .ok
        }
    }
}

extension Table {
    init(accounts: [Account], _ format: OutputFormat) {
        self.init([.init("account"), .init("currency"), .init("type"), .init("floor", .right), .init("ceiling", .right)])
        rows = accounts.map { [$0.path.text, $0.currency.code.text, $0.type.rawValue] + $0.openingLimits.texts($0.currency) }
        dropEmpty(["floor", "ceiling"], format)
    }
}

extension AccountLimits {
    /// Floor and ceiling as decimals; empty for none.
    func texts(_ currency: Currency) -> [String] {
        [floor, ceiling].map { limit in limit.map { currency.format(Int128($0)) } ?? "" }
    }
}

extension AccountPath {
    /// True for the path itself and for every path below it.
    func isWithin(_ other: AccountPath) -> Bool { text == other.text || text.hasPrefix(other.text + ":") }
}
