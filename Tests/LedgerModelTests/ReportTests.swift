import Foundation
import LedgerModel
import Testing

/// Reports from balances, without a book.
@Suite struct ReportTests {
    private static let eur = Currency.iso(.eur)!
    private static let jpy = Currency.iso(.jpy)!

    /// `path type debits credits`, a line for each account.
    private static func balances(_ text: String, in currency: Currency = eur, from first: UInt32 = 1) throws -> [Balance] {
        try text.split(separator: "\n").enumerated().map { index, line in
            let words = line.split(separator: " ")
            let account = Account(
                id: AccountID(first + UInt32(index)), path: try AccountPath(String(words[0])), currency: currency,
                type: AccountType(rawValue: String(words[1]))!)
            // What is held is in no report.
            let totals = Totals(debitsPosted: Int128(words[2])!, creditsPosted: Int128(words[3])!, debitsPending: 777, creditsPending: 55)
            return Balance(account: account, totals: totals, through: Position(9))
        }
    }

    private static let text = """
        bank asset 1000 300
        alice liability 100 450
        capital equity 0 200
        fees income 20 190
        rent expense 60 0
        idle asset 5 5
        over asset 0 40
        """

    @Test func `a trial balance has each account on the side on which it stands, and both sides are the same`() throws {
        let balances = try Self.balances(Self.text) + Self.balances("kasse asset 7 0\nyen equity 0 7", in: Self.jpy, from: 50)
        let reports = TrialBalance.of(balances.shuffled())
        #expect(reports.map(\.currency.code.text) == ["EUR", "JPY"])
        let lines = reports[0].lines.map { "\($0.account.path) \($0.debit) \($0.credit)" }
        #expect(lines == ["alice 0 350", "bank 700 0", "capital 0 200", "fees 0 170", "over 0 40", "rent 60 0"])
        #expect(reports[0].debits == 760 && reports[0].credits == 760 && reports[0].isBalanced)
        #expect(reports[1].debits == 7 && reports[1].isBalanced)
        let lame = TrialBalance.of(balances.filter { $0.account.path != "rent" })
        #expect(lame.map(\.isBalanced) == [false, true])
    }

    @Test func `assets are liabilities, equity and what was earned`() throws {
        let sheet = BalanceSheet.of(try Self.balances(Self.text))[0]
        #expect(sheet.assets.total == 660 && sheet.liabilities.total == 350 && sheet.equity.total == 200)
        #expect(sheet.retainedEarnings == 110 && sheet.claims == 660 && sheet.difference == 0)
        #expect(sheet.assets.lines.map { "\($0.account.path) \($0.text)" } == ["bank 7.00", "over -0.40"])
        let lame = BalanceSheet.of(try Self.balances(Self.text).filter { $0.account.path != "alice" })[0]
        #expect(lame.difference == 350)
    }

    @Test func `an income statement has what moved in between`() throws {
        let before = try Self.balances("fees income 20 100\nrent expense 50 0\nbank asset 1 1")
        let after = try Self.balances("fees income 20 190\nrent expense 60 0\nbank asset 900 1\nnew expense 4 0")
        let statement = IncomeStatement.of(before: before, after: after)[0]
        #expect(statement.income.lines.map { "\($0.account.path) \($0.minorUnits)" } == ["fees 90"])
        #expect(statement.expenses.lines.map { "\($0.account.path) \($0.minorUnits)" } == ["new 4", "rent 10"])
        #expect(statement.net == 76)
        // A loss is a negative net.
        #expect(IncomeStatement.of(before: [], after: try Self.balances("rent expense 60 0"))[0].net == -60)
        #expect(IncomeStatement.of(before: before, after: try Self.balances("bank asset 900 1")).isEmpty)
    }

    @Test func `a tree is what is below, and a mixed one has a balance for each type only`() throws {
        let tree: AccountTree = "customers:*"
        let paths: [AccountPath] = ["customers", "customers:a", "customers:a:b", "customers2:a", "shop:customers:a"]
        #expect(paths.filter(tree.contains) == ["customers:a", "customers:a:b"])
        #expect(paths.filter(AccountTree("customers").contains) == ["customers"])
        #expect(paths.filter(AccountTree("*").contains) == paths)
        for text in ["", ":*", "a*", "*:a", "a:**", "a::*"] {
            #expect(throws: LedgerError.self, "\(text)") { try AccountTree(text) }
        }
        let mixed = TreeTotals.of(try Self.balances("a asset 10 3\nb asset 1 0\nc liability 0 6"))[0]
        #expect(mixed.accounts == 3 && mixed.minorUnits == nil)
        #expect(mixed.minorUnits(.asset) == 8 && mixed.minorUnits(.liability) == 6 && mixed.minorUnits(.income) == 0)
        #expect(mixed.totals.debitsPosted == 11 && mixed.totals.creditsPosted == 9)
        let same = TreeTotals.of(try Self.balances("a liability 0 3\nb equity 1 5"))[0]
        #expect(same.minorUnits == 7)
    }

    @Test func `a day begins and ends where its clocks are`() throws {
        let zone = try #require(TimeZone(identifier: "Europe/Berlin"))
        // The clocks go forward on this day.
        let day = try AccountingDay("2026-03-29")
        #expect(try day.beginning(in: zone).description == "2026-03-28T23:00:00Z")
        #expect(try day.lastInstant(in: zone).description == "2026-03-29T21:59:59.999999Z")
        let next = try AccountingDay("2026-03-30")
        #expect(try next.beginning(in: zone) == day.end(in: zone))
    }
}
