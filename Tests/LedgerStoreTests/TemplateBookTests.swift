import Foundation
import Indelible
import IndelibleTesting
import Testing

/// The code of docs/templates.md: compiled and run here, and the document has exactly this.
extension TemplateBookTests {
    typealias Payable = LedgerAccount<Liability, EUR>

    enum Chart {
        static let clearing: LedgerAccount<Asset, EUR> = "processor:clearing"
        static let fees: LedgerAccount<Income, EUR> = "income:fees"
        static let costs: LedgerAccount<Expense, EUR> = "expense:processor"
        static func merchant(_ name: String) throws -> Payable { try Payable("merchants:\(name)") }
    }

    struct OrderPaid: EntryTemplate {
        static let kind: EntryKind = "order.paid"
        let order: String
        let price: Money<EUR>
        let fee: Money<EUR>
        let merchant: Payable

        var moves: [Move] {
            Move(price, debit: Chart.clearing.increased, credit: merchant.increased)
            if fee > .zero {
                Move(fee, debit: merchant.decreased, credit: Chart.fees.increased)
            }
        }
        var details: EntryDetails { EntryDetails(id: EntryID(key: "order-\(order)"), reference: order) }
    }

    enum Points: CurrencyType { static let currency = Currency("POINTS", exponent: 0) }

    enum Receivable: AccountKind {
        typealias Normal = DebitNormal
        static let type = AccountType.asset
    }

    struct InvoiceSent: EntryTemplate {
        static let kind: EntryKind = "invoice.sent"
        let lines: [Money<EUR>]
        let customer: LedgerAccount<Receivable, EUR>

        var moves: [Move] {
            for line in lines { Move(line, debit: customer.increased, credit: Chart.fees.increased) }
        }
    }

    struct Deposit<C: CurrencyType>: EntryTemplate {
        static var kind: EntryKind { "deposit.received" }
        let amount: Money<C>
        let bank: LedgerAccount<Asset, C>
        let wallet: LedgerAccount<Liability, C>

        var moves: [Move] { Move(amount, debit: bank.increased, credit: wallet.increased) }
    }

    /// What happens to one customer.
    struct Customer: Aggregate {
        static let category: StreamCategory = "customer"
        static var events: [any DomainEvent<Customer>.Type] { [Topped.self] }
        let id: String
        var topped = Money<EUR>.zero
        init(id: String) { self.id = id }

        /// What may not fit is refused here, before it has happened.
        func top(_ amount: Money<EUR>) throws -> Topped {
            Topped(amount: amount, wallet: try Chart.merchant(id), total: try topped + amount)
        }
    }

    struct Topped: DomainEvent {
        static let name: EntryKind = "customer.topped"
        let amount: Money<EUR>
        let wallet: Payable
        let total: Money<EUR>
        func fold(into customer: inout Customer) { customer.topped = total }

        var movement: Movement {
            .post { Move(amount, debit: Chart.clearing.increased, credit: wallet.increased) }
        }
    }

    struct Given: EntryTemplate {
        static let kind: EntryKind = "given"
        let all: [Move]
        var held = false
        var moves: [Move] { for move in all { move } }
        var details: EntryDetails { EntryDetails(description: "given", payload: ["count": .integer(Int64(all.count))], hold: held ? Hold() : nil) }
    }
}

@Suite struct TemplateBookTests {
    @Test func `the code of the document does what it says`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            let bob = try Chart.merchant("bob")
            try await ledger.open(Chart.clearing)
            try await ledger.open(Chart.fees)
            try await ledger.open(bob, limits: .noOverdraft)
            let paid = OrderPaid(order: "1001", price: try Money("12.50"), fee: try Money("0.38"), merchant: bob)
            let receipt = try await ledger.post(paid)
            let again = try await ledger.post(paid)  // the same receipt: the id follows from the order
            let balance = try await ledger.balance(of: bob)
            print(balance.text, again.position == receipt.position)  // 12.12 true

            #expect(balance.text == "12.12" && again.isRepeat && again.position == receipt.position)
            #expect(try await ledger.balance(of: Chart.fees).text == "0.38")
            #expect(try await ledger.balance(of: Chart.clearing, at: .atLeast(receipt)).text == "12.50")
            let stored = try #require(try await ledger.entry(EntryID(key: "order-1001")))
            #expect(stored.kind == "order.paid" && stored.lines == 2)
            #expect(try JSON(parsing: stored.payload ?? "")["reference"]?.string == "1001")

            // Opened with a floor of 0, in the account's own currency and type.
            let back = Given(all: [Move(try Money("12.13"), debit: bob.decreased, credit: Chart.clearing.decreased)])
            let error = await #expect(throws: LedgerError.self) { try await ledger.post(back) }
            #expect(error?.code == .limitExceeded && error?.shortfall?.shortfall == 1)

            // The same another way: in a batch, with what no template says.
            let entry = Entry(paid, id: EntryID(key: "o-2"), effectiveAt: try Timestamp("2026-03-01"), actor: "eve")
            try await ledger.checkAccounts(of: paid)
            try await ledger.post([entry, Entry(Deposit(amount: try Money("1"), bank: Chart.clearing, wallet: bob))])
            #expect(try await ledger.balance(of: bob).text == "25.24")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `moves of an event and templates are recorded by a unit of work`() async throws {
        let topped = try Customer(id: "bob").top(Money("3"))
        let posting = Posting(debit: "processor:clearing", credit: "merchants:bob", amount: Amount(minorUnits: 300, .eur))
        #expect(topped.movement == .post([posting]))
        try await withBook { book in
            let (ledger, bob, units) = (book.ledger, try Chart.merchant("bob"), Units(book.ledger))
            try await ledger.open(Chart.clearing)
            try await ledger.open(bob)
            for _ in 1...2 {
                try await units.run { unit in
                    let customer = try await unit.load(Customer.self, "bob")
                    try customer.apply(customer.state.top(Money("3")))
                    try unit.post(Entry(Given(all: [Move(try Money("0.5"), debit: bob.decreased, credit: Chart.clearing.decreased)])))
                }
            }
            #expect(try await ledger.balance(of: bob).text == "5.00")
            // Read back from the payload, where money is a whole number and an account its path.
            let other = Ledger(book.location)
            let customer = try await Units(other).begin().load(Customer.self, "bob")
            #expect(customer.state.topped == Money(minorUnits: 600))
            await other.close()
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)

            // Nothing of a unit is recorded if one of its templates is refused.
            let error = await #expect(throws: LedgerError.self) {
                try await units.run { unit in
                    let customer = try await unit.load(Customer.self, "bob")
                    try customer.apply(customer.state.top(Money("3")))
                    try unit.post(Entry(Given(all: [Move(try Money("1"), debit: bob.decreased, credit: Chart.fees.increased)])))
                }
            }
            #expect(error?.code == .unknownAccount)
            #expect(try await ledger.balance(of: bob).text == "5.00")
        }
    }

    /// Increases an account of this kind by 5 and decreases it by 2; the other account takes the other sides.
    private func turn<Kind>(
        _ kind: Kind.Type, _ ledger: Ledger, _ up: (LedgerAccount<Kind, Points>, LedgerAccount<Equity, Points>) -> Move,
        _ down: (LedgerAccount<Kind, Points>, LedgerAccount<Equity, Points>) -> Move
    ) async throws -> [String] {
        let account = try LedgerAccount<Kind, Points>("of:\(Kind.self)")
        let opened = try await ledger.open(account)
        #expect(opened.type == Kind.type && opened.currency == Points.currency)
        #expect(try await ledger.account(of: account) == opened)
        try await ledger.post(Given(all: [up(account, "other")]))
        let grown = try await ledger.balance(of: account).text
        try await ledger.post(Given(all: [down(account, "other")]))
        return [grown, try await ledger.balance(of: account).text]
    }

    @Test func `what is increased has more in the book, whatever its kind`() async throws {
        let (five, two) = (Money<Points>(minorUnits: 5), Money<Points>(minorUnits: 2))
        try await withBook { book in
            let ledger = book.ledger
            // A currency of one's own is defined by its first account.
            try await ledger.open(LedgerAccount<Equity, Points>("other"))
            #expect(try await ledger.currencies().contains(Points.currency))
            let turned = [
                try await turn(
                    Asset.self, ledger, { Move(five, debit: $0.increased, credit: $1.credit) }, { Move(two, debit: $1.debit, credit: $0.decreased) }),
                try await turn(
                    Expense.self, ledger, { Move(five, debit: $0.increased, credit: $1.credit) }, { Move(two, debit: $1.debit, credit: $0.decreased) }),
                try await turn(
                    Liability.self, ledger, { Move(five, debit: $1.debit, credit: $0.increased) }, { Move(two, debit: $0.decreased, credit: $1.credit) }),
                try await turn(
                    Equity.self, ledger, { Move(five, debit: $1.debit, credit: $0.increased) }, { Move(two, debit: $0.decreased, credit: $1.credit) }),
                try await turn(
                    Income.self, ledger, { Move(five, debit: $1.debit, credit: $0.increased) }, { Move(two, debit: $0.decreased, credit: $1.credit) }),
                try await turn(
                    Receivable.self, ledger, { Move(five, debit: $0.increased, credit: $1.credit) }, { Move(two, debit: $1.debit, credit: $0.decreased) }),
            ]
            #expect(turned == Array(repeating: ["5", "3"], count: 6))
            #expect(try await ledger.balance(of: LedgerAccount<Equity, Points>("other")).text == "0")
        }
    }

    @Test func `a template may hold`() async throws {
        try await withBook { book in
            let (ledger, bob) = (book.ledger, try Chart.merchant("bob"))
            try await ledger.open(Chart.clearing)
            try await ledger.open(bob)
            let hold = Given(all: [Move(try Money("8"), debit: Chart.clearing.increased, credit: bob.increased)], held: true)
            let receipt = try await ledger.post(hold, id: EntryID(key: "hold-1"))
            #expect(try await ledger.balance(of: bob).text == "0.00")
            try await ledger.capture(receipt.id, amounts: [try Money<EUR>("5").amount])
            #expect(try await ledger.balance(of: bob).text == "5.00")
        }
    }

    @Test func `the document has this code`() throws {
        try expectCode(of: "docs/templates.md", in: "Tests/LedgerStoreTests/TemplateBookTests.swift", atLeast: 50)
    }
}
