/// An account and its posted balance in a report.
public struct ReportLine: Sendable, Hashable {
    public let account: Account
    /// Positive on the account's normal side.
    public let minorUnits: Int128

    public init(account: Account, minorUnits: Int128) {
        self.account = account
        self.minorUnits = minorUnits
    }

    public var text: String { account.currency.format(minorUnits) }
}

/// Lines of one type of account, and their sum.
public struct ReportSection: Sendable, Hashable {
    public let type: AccountType
    /// Accounts whose balance is not 0, by path.
    public let lines: [ReportLine]
    /// In minor units, positive on the type's normal side.
    public let total: Int128

    /// Takes the accounts of one type out of balances of one currency.
    init(_ type: AccountType, _ balances: [Balance]) {
        self.type = type
        lines = balances.filter { $0.account.type == type && $0.minorUnits != 0 }
            .map { ReportLine(account: $0.account, minorUnits: $0.minorUnits) }.sorted { $0.account.path < $1.account.path }
        total = lines.reduce(0) { $0 + $1.minorUnits }
    }
}

/// Every account with its balance on the side on which it stands: the debits and the credits of a currency come to the same.
public struct TrialBalance: Sendable, Hashable {
    public struct Line: Sendable, Hashable {
        public let account: Account
        /// In minor units; one of the two is 0.
        public let debit: Int128
        public let credit: Int128
    }

    public let currency: Currency
    /// Accounts whose balance is not 0, by path.
    public let lines: [Line]
    public let debits: Int128
    public let credits: Int128
    /// A posting is balanced by itself, so this is true of every book that `reconcile` calls clean.
    public var isBalanced: Bool { debits == credits }

    /// One for each currency, by its code.
    public static func of(_ balances: [Balance]) -> [TrialBalance] {
        balances.byCurrency.map { currency, balances in
            let lines = balances.map { balance in
                let net = balance.totals.debitsPosted - balance.totals.creditsPosted
                return Line(account: balance.account, debit: max(net, 0), credit: max(-net, 0))
            }.filter { $0.debit != $0.credit }.sorted { $0.account.path < $1.account.path }
            return TrialBalance(
                currency: currency, lines: lines, debits: lines.reduce(0) { $0 + $1.debit }, credits: lines.reduce(0) { $0 + $1.credit })
        }
    }
}

/// What a book owns and owes in one currency: assets on one side; liabilities, equity and what was earned until then on the other.
public struct BalanceSheet: Sendable, Hashable {
    public let currency: Currency
    public let assets: ReportSection
    public let liabilities: ReportSection
    public let equity: ReportSection
    /// Income less expenses until then, as far as no entry has carried it into equity.
    public let retainedEarnings: Int128
    /// Liabilities, equity and retained earnings.
    public var claims: Int128 { liabilities.total + equity.total + retainedEarnings }
    /// Assets less claims. A posting is balanced by itself, so this is 0 in every book that `reconcile` calls clean.
    public var difference: Int128 { assets.total - claims }

    /// One for each currency, by its code.
    public static func of(_ balances: [Balance]) -> [BalanceSheet] {
        balances.byCurrency.map { currency, balances in
            BalanceSheet(
                currency: currency, assets: ReportSection(.asset, balances), liabilities: ReportSection(.liability, balances),
                equity: ReportSection(.equity, balances),
                retainedEarnings: ReportSection(.income, balances).total - ReportSection(.expense, balances).total)
        }
    }
}

/// What came in and what was spent in one currency over some days.
public struct IncomeStatement: Sendable, Hashable {
    public let currency: Currency
    public let income: ReportSection
    public let expenses: ReportSection
    /// Income less expenses, in minor units.
    public var net: Int128 { income.total - expenses.total }

    /// One for each currency that has accounts of income or expense, by its code.
    /// - Parameters:
    ///   - before: balances before the first day.
    ///   - after: balances of the same state of the book at the end of the last one.
    public static func of(before: [Balance], after: [Balance]) -> [IncomeStatement] {
        let earlier = Dictionary(before.map { ($0.account.id, $0.totals) }) { first, _ in first }
        let moved = after.filter { [.income, .expense].contains($0.account.type) }.map { balance in
            var totals = balance.totals
            totals.add(earlier[balance.account.id] ?? Totals(), times: -1)
            return Balance(account: balance.account, totals: totals, through: balance.through)
        }
        return moved.byCurrency.map { currency, balances in
            IncomeStatement(
                currency: currency, income: ReportSection(.income, balances), expenses: ReportSection(.expense, balances))
        }
    }
}

extension [Balance] {
    fileprivate var byCurrency: [(Currency, [Balance])] {
        Dictionary(grouping: self, by: \.account.currency).sorted { $0.key.code < $1.key.code }.map { ($0.key, $0.value) }
    }
}
