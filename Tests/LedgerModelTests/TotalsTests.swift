import LedgerModel
import Testing

@Suite struct TotalsTests {
    @Test func `each side and status has its own sum`() {
        var totals = Totals()
        totals.add(.debit, UInt64(1), .posted)
        totals.add(.credit, UInt64(20), .posted)
        totals.add(.debit, UInt64(300), .pending)
        totals.add(.credit, UInt64(4000), .pending)
        totals.add(.credit, UInt64(5), .posted)
        #expect(totals == Totals(debitsPosted: 1, creditsPosted: 25, debitsPending: 300, creditsPending: 4000))
        let twice = totals + totals
        #expect(twice == Totals(debitsPosted: 2, creditsPosted: 50, debitsPending: 600, creditsPending: 8000))
        #expect(totals + Totals() == totals)
    }

    @Test func `a balance is positive on the normal side and leaves pending out`() {
        let totals = Totals(debitsPosted: 100, creditsPosted: 30, debitsPending: 7, creditsPending: 9)
        let balances = Dictionary(uniqueKeysWithValues: AccountType.allCases.map { ($0.rawValue, totals.balance($0)) })
        #expect(balances == ["asset": 70, "expense": 70, "liability": -70, "equity": -70, "income": -70])
    }

    @Test func `sums go beyond 64 bits`() {
        var totals = Totals()
        for _ in 0..<4 { totals.add(.debit, UInt64.max, .posted) }
        #expect(totals.debitsPosted == Int128(UInt64.max) * 4)
        #expect(totals.balance(.liability) == Int128(UInt64.max) * -4)
    }

    @Test func `a balance is printed in its currency`() throws {
        let account = Account(
            id: AccountID(1), path: "customers:alice", currency: try #require(Currency.iso(.eur)), type: .liability)
        let balance = Balance(
            account: account, totals: Totals(debitsPosted: 1255, creditsPosted: 1250, debitsPending: 0, creditsPending: 0),
            through: Position(3))
        #expect(balance.minorUnits == -5)
        #expect(balance.text == "-0.05")
    }
}
