public import LedgerModel

extension Ledger {
    /// Every account with its posted balance as a debit or a credit, for each currency.
    /// - Throws: what ``balance(of:in:at:)`` does for that time.
    public func trialBalance(at time: BalanceTime = .current) async throws(LedgerError) -> [TrialBalance] {
        TrialBalance.of(try await balances(at: time))
    }

    /// Assets, liabilities, equity and what was earned until then, for each currency.
    /// - Parameter day: its end, in the book's time zone, by when entries count.
    public func balanceSheet(asOf day: AccountingDay) async throws(LedgerError) -> [BalanceSheet] {
        BalanceSheet.of(try await balances(at: .day(day)))
    }

    /// Income, expenses and the difference over some accounting days, for each currency, by when entries count.
    /// - Parameters:
    ///   - from: the first day.
    ///   - to: the last day, which belongs to it.
    /// - Throws: `invalidTime` if the last day is before the first.
    public func incomeStatement(from: AccountingDay, to: AccountingDay) async throws(LedgerError) -> [IncomeStatement] {
        guard from <= to else { throw LedgerError(.invalidTime, "the last day, \(to), is before the first, \(from)") }
        let zone = try await timeZone()
        let before = Timestamp(microseconds: try from.beginning(in: zone).microseconds - 1)
        // Of one state of the book: what is posted meanwhile is in both or in neither.
        let balances = try await balances(at: [.effective(before), .day(to)])
        return IncomeStatement.of(before: balances[0], after: balances[1])
    }
}
