import Foundation
import LedgerModel
import Testing

private enum Points: CurrencyType { static let currency = Currency("POINTS", exponent: 0) }
private enum Receivable: AccountKind {
    typealias Normal = DebitNormal
    static let type = AccountType.asset
}

private struct OrderPaid: EntryTemplate, Codable, Hashable {
    static let kind: EntryKind = "order.paid"
    let order: String
    let price: Money<EUR>
    let fee: Money<EUR>
    let merchant: LedgerAccount<Liability, EUR>

    static let clearing: LedgerAccount<Asset, EUR> = "clearing"
    static let fees: LedgerAccount<Income, EUR> = "income:fees"

    var moves: [Move] {
        Move(price, debit: Self.clearing.increased, credit: merchant.increased)
        if fee > .zero { Move(fee, debit: merchant.decreased, credit: Self.fees.increased) }
    }
    var details: EntryDetails { EntryDetails(id: EntryID(key: "order-\(order)"), reference: order) }
}

/// Every form that a builder may have.
private struct Branches: EntryTemplate {
    static let kind: EntryKind = "branches"
    let number: Int
    var moves: [Move] {
        for n in 1...max(1, number) { Move(Money<Points>(minorUnits: Int64(n)), debit: a.debit, credit: b.credit) }
        if number > 2 {
            Move(Money<Points>(minorUnits: 30), debit: a.debit, credit: b.credit)
        } else {
            Move(Money<Points>(minorUnits: 40), debit: a.debit, credit: b.credit)
        }
        switch number {
        case 1: Move(Money<Points>(minorUnits: 51), debit: a.debit, credit: b.credit)
        case 2: Move(Money<EUR>(minorUnits: 52), debit: LedgerAccount<Asset, EUR>("a").debit, credit: LedgerAccount<Asset, EUR>("b").credit)
        default: if number == 3 { Move(Money<Points>(minorUnits: 53), debit: a.debit, credit: b.credit) }
        }
    }
    private var a: LedgerAccount<Asset, Points> { "a" }
    private var b: LedgerAccount<Equity, Points> { "b" }
}

private struct Noted: EntryTemplate {
    static let kind: EntryKind = "noted"
    // These are its own, and none of the entry's fields.
    let description: Int
    let reference: String
    var moves: [Move] {}
}

private struct Deposit<C: CurrencyType>: EntryTemplate {
    static var kind: EntryKind { "deposit.received" }
    let amount: Money<C>
    let bank: LedgerAccount<Asset, C> = "bank"
    let wallet: LedgerAccount<Liability, C> = "alice"
    var moves: [Move] { Move(amount, debit: bank.increased, credit: wallet.increased) }
    var details: EntryDetails {
        EntryDetails(description: "a deposit", payload: ["method": "card"], hold: Hold(expiresAt: Timestamp(microseconds: 0)))
    }
}

@Suite struct TemplateTests {
    private static func order(_ price: String = "12.50", fee: String = "0.38") throws -> OrderPaid {
        OrderPaid(order: "1001", price: try Money(price), fee: try Money(fee), merchant: "merchants:bob")
    }

    @Test func `a template becomes an entry`() throws {
        let entry = Entry(try Self.order(), effectiveAt: try Timestamp("2026-03-01"), actor: "eve")
        let expected = Entry(
            id: EntryID(key: "order-1001"), kind: "order.paid", effectiveAt: try Timestamp("2026-03-01"), reference: "1001", actor: "eve",
            postings: [
                Posting(debit: "clearing", credit: "merchants:bob", amount: Amount(minorUnits: 12_50, .eur)),
                Posting(debit: "merchants:bob", credit: "income:fees", amount: Amount(minorUnits: 38, .eur)),
            ])
        #expect(entry == expected)
        try entry.validate()
        #expect(Entry(try Self.order(), id: EntryID(key: "other")).id == EntryID(key: "other"))
        #expect(Entry(try Self.order(fee: "0")).postings == Array(expected.postings.prefix(1)))
    }

    @Test func `a template of any currency has what its details say`() throws {
        let entry = Entry(Deposit(amount: Money<Points>(minorUnits: 7)), backdating: .redate)
        let posting = Posting(debit: "bank", credit: "alice", amount: Amount(minorUnits: 7, Points.currency.code))
        #expect(
            entry == Entry(
                id: entry.id, kind: "deposit.received", description: "a deposit", payload: ["method": "card"], postings: [posting],
                hold: Hold(expiresAt: Timestamp(microseconds: 0)), backdating: .redate))
        #expect(entry.id.isMinted)
        #expect(Entry(Deposit(amount: Money<JPY>(minorUnits: 7))).postings[0].amount == Amount(minorUnits: 7, .jpy))
    }

    @Test func `properties of a template are not taken for fields of the entry`() {
        let entry = Entry(Noted(description: 1, reference: "x"))
        #expect(entry == Entry(id: entry.id, kind: "noted"))
    }

    @Test(arguments: [(0, [1, 40]), (1, [1, 40, 51]), (2, [1, 2, 40, 52]), (3, [1, 2, 3, 30, 53]), (4, [1, 2, 3, 4, 30])] as [(Int, [Int64])])
    func `moves are gathered in order`(_ number: Int, _ amounts: [Int64]) {
        #expect(Branches(number: number).postings.map(\.amount.minorUnits) == amounts)
    }

    @Test func `an amount of nothing, or less, is refused as in every entry`() throws {
        for (price, place) in [("0", ""), ("-1", "")] {
            let error = #expect(throws: LedgerError.self) { try Entry(Self.order(price, fee: "0")).validate() }
            #expect(error?.code == .invalidAmount, "\(price)\(place)")
        }
        let same = Move(Money<EUR>(minorUnits: 1), debit: OrderPaid.clearing.debit, credit: OrderPaid.clearing.credit)
        #expect(throws: LedgerError.self) { try Entry(kind: "same", postings: [same.posting]).validate() }
    }

    @Test func `parameters are kept as JSON and read back`() throws {
        let order = try Self.order()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(order), as: UTF8.self)
        #expect(text == #"{"fee":38,"merchant":"merchants:bob","order":"1001","price":1250}"#)
        #expect(try JSONDecoder().decode(OrderPaid.self, from: Data(text.utf8)) == order)
        for bad in ["1.5", #""1250""#, "9223372036854775808", "null"] {
            let text = text.replacing("1250", with: bad)
            #expect(throws: DecodingError.self, "\(bad)") { try JSONDecoder().decode(OrderPaid.self, from: Data(text.utf8)) }
        }
        let path = text.replacing("merchants:bob", with: "merchants::bob")
        #expect(throws: (any Error).self) { try JSONDecoder().decode(OrderPaid.self, from: Data(path.utf8)) }
    }

    @Test func `a movement of an event is made of moves`() throws {
        let order = try Self.order()
        let posting = order.postings[0]
        let (clearing, merchant) = (OrderPaid.clearing, order.merchant)
        #expect(Movement.post { Move(order.price, debit: clearing.increased, credit: merchant.increased) } == .post([posting]))
        let until = Timestamp(microseconds: 5)
        #expect(
            Movement.hold(expiresAt: until) { Move(order.price, debit: clearing.increased, credit: merchant.increased) }
                == .hold([posting], expiresAt: until))
        #expect(Movement.post(order.postings) == .post(Entry(order).postings))
    }
}

@Suite struct SideTests {
    static func side<C>(_ side: DebitSide<C>) -> (Side, AccountPath, AccountType) { (.debit, side.account, side.type) }
    static func side<C>(_ side: CreditSide<C>) -> (Side, AccountPath, AccountType) { (.credit, side.account, side.type) }

    @Test func `each kind grows on its side`() throws {
        let asset: LedgerAccount<Asset, EUR> = "asset"
        let liability: LedgerAccount<Liability, EUR> = "liability"
        let equity: LedgerAccount<Equity, EUR> = "equity"
        let income: LedgerAccount<Income, EUR> = "income"
        let expense: LedgerAccount<Expense, EUR> = "expense"
        let own: LedgerAccount<Receivable, EUR> = "asset"
        let sides = [
            "asset": [Self.side(asset.increased), Self.side(asset.decreased), Self.side(asset.debit), Self.side(asset.credit)],
            "liability": [Self.side(liability.increased), Self.side(liability.decreased), Self.side(liability.debit), Self.side(liability.credit)],
            "equity": [Self.side(equity.increased), Self.side(equity.decreased), Self.side(equity.debit), Self.side(equity.credit)],
            "income": [Self.side(income.increased), Self.side(income.decreased), Self.side(income.debit), Self.side(income.credit)],
            "expense": [Self.side(expense.increased), Self.side(expense.decreased), Self.side(expense.debit), Self.side(expense.credit)],
            "own": [Self.side(own.increased), Self.side(own.decreased), Self.side(own.debit), Self.side(own.credit)],
        ]
        let table = """
            kind      type       increased decreased
            asset     asset      debit     credit
            liability liability  credit    debit
            equity    equity     credit    debit
            income    income     credit    debit
            expense   expense    debit     credit
            own       asset      debit     credit
            """
        for row in table.split(separator: "\n").dropFirst() {
            let cells = row.split(separator: " ").map(String.init)
            let found = try #require(sides[cells[0]])
            #expect(found.map(\.0.rawValue) == [cells[2], cells[3], "debit", "credit"], "\(row)")
            #expect(found.allSatisfy { $0.1.text == cells[1] && $0.2.rawValue == cells[1] }, "\(row)")
            // The same as without types.
            #expect(AccountType(rawValue: cells[1])?.normalSide.rawValue == cells[2])
        }
    }

    @Test func `an account has what it is opened with`() throws {
        let account = try LedgerAccount<Expense, JPY>("costs:\(7)")
        #expect(account.path == "costs:7" && account.type == .expense && account.currency == Currency.iso(.jpy))
        #expect("\(account)" == "costs:7")
        #expect(account == "costs:7" && account == LedgerAccount(AccountPath("costs:7")))
        let error = #expect(throws: LedgerError.self) { try LedgerAccount<Expense, JPY>("costs:\("")") }
        #expect(error?.code == .invalidAccount)
    }

    @Test func `the given currencies are those of ISO 4217`() {
        for currency in [EUR.currency, USD.currency, JPY.currency] { #expect(Currency.iso(currency.code) == currency) }
        #expect(Points.currency.code.text == "POINTS" && Points.currency.exponent == 0)
    }

    @Test func `what a program declares wrong stops it`() async {
        await #expect(processExitsWith: .failure) { _ = Currency("no code", exponent: 2) }
        await #expect(processExitsWith: .failure) { _ = Currency("EUR", exponent: 19) }
        await #expect(processExitsWith: .failure) { let account: LedgerAccount<Asset, EUR> = "a::b"; print(account) }
        await #expect(processExitsWith: .failure) {
            // A kind that says it grows on the side on which it does not.
            enum Wrong: AccountKind {
                typealias Normal = CreditNormal
                static let type = AccountType.asset
            }
            print(LedgerAccount<Wrong, EUR>(AccountPath("a")))
        }
        await #expect(processExitsWith: .success) { let account: LedgerAccount<Receivable, EUR> = "a:b"; print(account) }
    }

    /// Sides of one currency, and by how much each changes the balance of its account for one unit.
    private struct Sides<C: CurrencyType> {
        let debits: [(DebitSide<C>, Int128)]
        let credits: [(CreditSide<C>, Int128)]

        init() {
            let assets: [LedgerAccount<Asset, C>] = ["bank", "cash"]
            let expenses: [LedgerAccount<Expense, C>] = ["costs"]
            let liabilities: [LedgerAccount<Liability, C>] = ["alice", "bob"]
            let equities: [LedgerAccount<Equity, C>] = ["capital"]
            let incomes: [LedgerAccount<Income, C>] = ["fees"]
            debits =
                assets.map { ($0.increased, 1) } + expenses.map { ($0.increased, 1) } + liabilities.map { ($0.decreased, -1) }
                + equities.map { ($0.decreased, -1) } + incomes.map { ($0.decreased, -1) }
            credits =
                assets.map { ($0.decreased, -1) } + expenses.map { ($0.decreased, -1) } + liabilities.map { ($0.increased, 1) }
                + equities.map { ($0.increased, 1) } + incomes.map { ($0.increased, 1) }
        }

        /// A move, and what it does to the two balances.
        func move(_ random: inout Seeded) -> (Move, [(AccountPath, Int128)]) {
            while true {
                let (debit, credit) = (debits.randomElement(using: &random)!, credits.randomElement(using: &random)!)
                guard debit.0.account != credit.0.account else { continue }
                let units = random.integer() + 1
                return (
                    Move(Money<C>(minorUnits: units), debit: debit.0, credit: credit.0),
                    [(debit.0.account, debit.1 * Int128(units)), (credit.0.account, credit.1 * Int128(units))]
                )
            }
        }
    }

    private struct Moved: EntryTemplate {
        static let kind: EntryKind = "moved"
        let all: [Move]
        var moves: [Move] { for move in all { move } }
    }

    @Test func `random moves balance in each currency, and change balances as they say`() throws {
        var random = Seeded("random moves")
        let (eur, points) = (Sides<EUR>(), Sides<Points>())
        for _ in 0..<300 {
            var expected: [String: Int128] = [:]
            let template = Moved(all: (0..<Int.random(in: 1...40, using: &random)).map { _ in
                let isEUR = Bool.random(using: &random)
                let (move, changes) = isEUR ? eur.move(&random) : points.move(&random)
                #expect(move.currency == (isEUR ? EUR.currency : Points.currency))
                for (path, change) in changes { expected["\(path) \(move.currency)", default: 0] += change }
                return move
            })
            let entry = Entry(template)
            try entry.validate()
            #expect(entry.postings.count == template.all.count)

            // By the postings, and the declared types.
            var (balances, net): ([String: Int128], [String: Int128]) = ([:], [:])
            for (move, posting) in zip(template.all, entry.postings) {
                let (code, units) = (posting.amount.currency.text, Int128(posting.amount.minorUnits))
                for (path, type, side) in [(posting.debit, move.debitType, Side.debit), (posting.credit, move.creditType, .credit)] {
                    balances["\(path) \(code)", default: 0] += type.normalSide == side ? units : -units
                    net[code, default: 0] += side == .debit ? units : -units
                }
            }
            #expect(balances == expected)
            #expect(net.values.allSatisfy { $0 == 0 })
        }
    }
}
