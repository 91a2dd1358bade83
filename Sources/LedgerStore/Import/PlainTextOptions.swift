public import LedgerModel

/// How the journals of plain-text accounting (hledger, ledger, beancount) are read.
public struct PlainTextOptions: Sendable {
    /// What an entry whose commodities do not balance by themselves is booked through; nil: such an entry is refused.
    public var conversionAccount: AccountPath?
    /// The type of accounts whose first segment tells none; nil: they are refused.
    public var defaultType: AccountType?
    /// The type of accounts whose first segment is this (`Vermögen`), before what ``type(of:)`` knows by itself.
    public var accountTypes: [String: AccountType] = [:]
    /// The currency that a commodity becomes; the empty text stands for amounts without one. Others keep their name.
    public var commodities: [String: CurrencyCode] = [:]

    public init() {}

    /// The type of an account by its first segment, as hledger guesses it: `assets`, `liabilities` (`debts`), `equity`,
    /// `income` (`revenues`), `expenses`, in the singular too, in any case.
    public func type(of path: AccountPath) -> AccountType? {
        let first = path.text.prefix { $0 != ":" }
        if let type = accountTypes[String(first)] { return type }
        switch first.lowercased() {
        case "asset", "assets": return .asset
        case "liability", "liabilities", "debt", "debts": return .liability
        case "equity": return .equity
        case "income", "incomes", "revenue", "revenues": return .income
        case "expense", "expenses": return .expense
        default: return defaultType
        }
    }

    /// The currency of a commodity.
    func code(_ commodity: String) throws(LedgerError) -> CurrencyCode {
        if let code = commodities[commodity] { return code }
        guard !commodity.isEmpty else {
            throw LedgerError(.invalidCurrency, "the amount has no commodity: --commodity =CODE gives it one")
        }
        do { return try CurrencyCode(commodity) } catch {
            throw LedgerError(.invalidCurrency, "\(error.message); --commodity \"\(commodity)=CODE\" gives it one")
        }
    }
}

/// An amount as `hledger print -O csv` writes it: digits with at most one mark, the decimal mark.
struct PlainTextAmount {
    let isNegative: Bool
    let whole: Substring
    let decimals: Substring

    /// - Throws: `invalidAmount`, for two marks too: nobody knows which of them is the decimal mark.
    init(_ text: String) throws(LedgerError) {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "." || $0 == "," }
        isNegative = text.hasPrefix("-")
        whole = parts[0]
        decimals = parts.count == 2 ? parts[1] : ""
        let isGrouped = decimals.contains { $0 == "." || $0 == "," }
        guard !isGrouped else {
            throw LedgerError(.invalidAmount, "“\(text)” has two marks: hledger writes one, before the decimals, and no digit groups")
        }
        guard !whole.isEmpty, (whole + decimals).utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw LedgerError(.invalidAmount, "“\(text)” is no amount: digits, with one mark before the decimals")
        }
    }

    var isZero: Bool { (whole + decimals).allSatisfy { $0 == "0" } }

    /// How many decimals carry a digit that is not a zero at the end.
    var significant: Int { decimals.reversed().drop { $0 == "0" }.count }

    /// The same number without zeros that say nothing.
    var canonical: String {
        let whole = whole.drop { $0 == "0" }
        let number = (whole.isEmpty ? "0" : whole) + (significant > 0 ? "." : "") + decimals.prefix(significant)
        return isNegative && !isZero ? "-" + number : String(number)
    }
}

/// How many decimals the commodities of files need.
struct PlainTextSurvey {
    /// Zeros at the end count up to here: `$1000.00` has cents, and 18 zeros would leave no room for the number.
    static let paddingMax = 8

    private(set) var exponents: [CurrencyCode: Int] = [:]
    /// In the order of the files.
    private(set) var order: [CurrencyCode] = []

    /// Reads all files of plain text among these; rows that are wrong say nothing here.
    init(_ files: [[UInt8]], _ options: PlainTextOptions) {
        for bytes in files where PlainTextImport.recognises(bytes) {
            guard var rows = try? CSVRows(bytes, keyColumn: { _ in "txnidx" }) else { continue }
            while let row = rows.nextRow() {
                guard row.problem == nil, let amount = try? PlainTextAmount(row.fields["amount"]), !amount.isZero,
                    let code = try? options.code(row.fields["commodity"])
                else { continue }
                if exponents[code] == nil { order.append(code) }
                let decimals = max(amount.significant, min(amount.decimals.count, Self.paddingMax))
                exponents[code] = max(exponents[code] ?? 0, decimals)
            }
        }
    }
}

/// What a file of plain text is read with: fixed before its first record, so that it reads the same twice.
struct PlainTextContext {
    let options: PlainTextOptions
    /// The book's, those of files before this one, and those that are defined for it.
    private(set) var currencies: KnownCurrencies
    /// To be defined before the first entry.
    private(set) var defined: [Currency] = []
    /// Accounts that are open already.
    let accounts: Set<AccountKey>

    init(
        _ options: PlainTextOptions, _ survey: PlainTextSurvey, _ currencies: KnownCurrencies, _ accounts: Set<AccountKey>
    ) {
        self.options = options
        self.accounts = accounts
        self.currencies = currencies
        for code in survey.order where !currencies.knows(code) {
            // More decimals than a currency can have: its amounts are refused where they stand.
            let exponent = min(survey.exponents[code] ?? 0, Currency.exponentMax)
            guard let currency = try? Currency(code, exponent: exponent) else { continue }
            defined.append(currency)
            try? self.currencies.define(currency)
        }
    }
}
