import Foundation
import Testing

/// Entries that a program cannot declare: money from nowhere, two debits, currencies that meet. Each piece stands behind the
/// declarations of docs/templates.md.
@Suite struct TemplateCompilerTests {
    typealias Piece = CompilerTests.Piece

    private static let document = (try? String(contentsOfFile: Repository.root + "/docs/templates.md", encoding: .utf8)) ?? ""

    /// The code of the document, block by block.
    private static let blocks = document.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }

    private static func block(_ number: Int) -> String { blocks.indices.contains(number) ? blocks[number] : "" }

    /// What the pieces speak of.
    private static let prelude =
        block(0) + """

            let price = Money<EUR>(minorUnits: 12_50)
            let dollars = Money<USD>(minorUnits: 13_00)
            let dollarBank: LedgerAccount<Asset, USD> = "bank"
            let bob: Payable = "merchants:bob"

            """

    private static func piece(_ what: String, _ text: String, _ error: String? = nil) -> Piece {
        .init(what, "Indelible", prelude + text, error)
    }

    private static func template(_ members: String) -> String { "struct Template: EntryTemplate { \(members) }" }
    private static let kind = #"static let kind: EntryKind = "template"; "#

    static let good: [Piece] = [
        piece("a move", "let move = Move(price, debit: Chart.clearing.increased, credit: bob.increased)"),
        piece("sides by name", "let move = Move(price, debit: bob.debit, credit: Chart.clearing.credit)"),
        piece("every kind on its two sides", """
            let equity: LedgerAccount<Equity, EUR> = "capital"
            let debits: [DebitSide<EUR>] = [
                Chart.clearing.increased, Chart.costs.increased, bob.decreased, Chart.fees.decreased, equity.decreased,
            ]
            let credits: [CreditSide<EUR>] = [
                Chart.clearing.decreased, Chart.costs.decreased, bob.increased, Chart.fees.increased, equity.increased,
            ]
            """),
        piece("a template", template(kind + "var moves: [Move] { Move(price, debit: bob.debit, credit: Chart.fees.credit) }")),
        piece("moves of several currencies, each in one", template(
            kind + """
                var moves: [Move] {
                    Move(price, debit: Chart.clearing.increased, credit: bob.increased)
                    Move(dollars, debit: dollarBank.increased, credit: LedgerAccount<Equity, USD>("capital").increased)
                }
                """)),
        piece("money that is reckoned with", "func f() throws(LedgerError) -> Money<EUR> { try price + price * 2 - .zero }"),
        piece("a template on a book", """
            func f(_ ledger: Ledger) async throws(LedgerError) {
                try await ledger.open(bob)
                try await ledger.post(OrderPaid(order: "1", price: price, fee: .zero, merchant: bob))
                _ = try await ledger.account(of: bob)
            }
            """),
        // The document itself: its declarations, what it does on a book, and what it says of events.
        piece(
            "the code of the document",
            """
            func f(_ ledger: Ledger) async throws {
            \(block(1))
            }
            \(block(2)) \(block(3))
            struct Topped { let amount: Money<EUR>, wallet: Payable
            \(block(4))
            }
            """),
    ]

    private static let noConformance = "type 'Template' does not conform to protocol 'EntryTemplate'"
    private static let noCredit = "cannot convert value of type 'DebitSide<EUR>' to expected argument type 'CreditSide<EUR>'"
    private static let noDebit = "cannot convert value of type 'CreditSide<EUR>' to expected argument type 'DebitSide<EUR>'"

    /// Moves that do not balance.
    static let moves: [Piece] = [
        piece("money from nowhere", "let move = Move(price, credit: bob.increased)", "missing argument for parameter 'debit' in call"),
        piece("money to nowhere", "let move = Move(price, debit: Chart.clearing.increased)", "missing argument for parameter 'credit' in call"),
        piece("two assets that grow", "let move = Move(price, debit: Chart.clearing.increased, credit: Chart.costs.increased)", noCredit),
        piece("two debits by name", "let move = Move(price, debit: Chart.clearing.debit, credit: bob.debit)", noCredit),
        piece("two credits", "let move = Move(price, debit: Chart.clearing.decreased, credit: bob.increased)", noDebit),
        piece("a liability on the wrong side", "let move = Move(price, debit: bob.increased, credit: Chart.clearing.increased)", noDebit),
        piece("a side that was kept", "let side: CreditSide<EUR> = bob.decreased", "cannot convert value of type 'DebitSide<EUR>'"),
        piece(
            "two currencies", "let move = Move(price, debit: Chart.clearing.increased, credit: dollarBank.decreased)",
            "cannot convert value of type 'CreditSide<USD>' to expected argument type 'CreditSide<EUR>'"),
        piece(
            "money of another currency", "let move = Move(dollars, debit: Chart.clearing.increased, credit: bob.increased)",
            "cannot convert value of type 'DebitSide<EUR>' to expected argument type 'DebitSide<USD>'"),
        piece(
            "accounts without sides", "let move = Move(price, debit: Chart.clearing, credit: bob)",
            "cannot convert value of type 'LedgerAccount<Asset, EUR>' to expected argument type 'DebitSide<EUR>'"),
        piece(
            "accounts by text", #"let move = Move(price, debit: "bank", credit: "merchants:bob")"#,
            "cannot convert value of type 'String' to expected argument type 'DebitSide<EUR>'"),
        piece(
            "a side made by hand", #"let side = DebitSide<EUR>("bank", .asset)"#,
            "'DebitSide<C>' initializer is inaccessible due to 'internal' protection level"),
    ]

    /// Money that is none, or meets another currency.
    static let money: [Piece] = [
        piece("a sum of two currencies", "func f() throws { _ = try price + dollars }", "cannot convert value of type 'Money<USD>'"),
        piece("a difference of two currencies", "func f() throws { _ = try price - dollars }", "cannot convert value of type 'Money<USD>'"),
        piece("a comparison of two currencies", "let less = price < dollars", "binary operator '<' cannot be applied"),
        piece("a sum that may not fit", "func f() { _ = price + price }", "call can throw, but it is not marked with 'try'"),
        piece("a whole number as money", "let money: Money<EUR> = 12", "cannot convert value of type 'Int' to specified type 'Money<EUR>'"),
        piece("a decimal as money", "let money: Money<EUR> = 12.50", "cannot convert value of type 'Double' to specified type 'Money<EUR>'"),
        piece("a text as money", #"let money: Money<EUR> = "12.50""#, "cannot convert value of type 'String' to specified type 'Money<EUR>'"),
        piece("floating-point minor units", "let money = Money<EUR>(minorUnits: 12.5)", "cannot convert value of type 'Double' to expected"),
        piece("floating-point money", "func f() throws { _ = try price * 1.5 }", "cannot be applied to operands of type 'Money<EUR>' and 'Double'"),
        piece("money of no currency", "let money = Money(minorUnits: 12)", "generic parameter 'C' could not be inferred"),
    ]

    /// Templates, and what they are given.
    static let templates: [Piece] = [
        piece("a template without a kind", template("var moves: [Move] {}"), noConformance),
        piece("a kind that is a text", template(#"static let kind = "template"; var moves: [Move] {}"#), noConformance),
        piece("a template without moves", template(kind), noConformance),
        piece("postings in place of moves", template(kind + "var moves: [Posting] { [] }"), noConformance),
        piece(
            "a posting among moves",
            template(kind + #"var moves: [Move] { Posting(debit: "a", credit: "b", amount: price.amount) }"#),
            "cannot convert value of type 'Posting' to expected argument type 'Move'"),
        piece("money among moves", template(kind + "var moves: [Move] { price }"), "cannot convert value of type 'Money<EUR>' to expected"),
        piece(
            "a move that can fail",
            template(kind + "var moves: [Move] { Move(try price + price, debit: bob.debit, credit: Chart.fees.credit) }"),
            "errors thrown from here are not handled"),
        piece(
            "money of another currency for a template", #"let paid = OrderPaid(order: "1", price: dollars, fee: .zero, merchant: bob)"#,
            "cannot convert value of type 'Money<USD>' to expected argument type 'Money<EUR>'"),
        piece(
            "an asset for a liability", #"let paid = OrderPaid(order: "1", price: price, fee: .zero, merchant: Chart.clearing)"#,
            "cannot convert value of type 'LedgerAccount<Asset, EUR>' to expected argument type 'Payable'"),
        piece(
            "a whole number for a template", #"let paid = OrderPaid(order: "1", price: 1250, fee: .zero, merchant: bob)"#,
            "cannot convert value of type 'Int' to expected argument type 'Money<EUR>'"),
        piece(
            "a parameter that is missing", #"let paid = OrderPaid(order: "1", price: price, merchant: bob)"#,
            "missing argument for parameter 'fee' in call"),
        piece(
            "an account as an entry", "let entry = Entry(bob)",
            "requires that 'Payable' (aka 'LedgerAccount<Liability, EUR>') conform to 'EntryTemplate'"),
        piece(
            "a kind of account without a side",
            "enum Odd: AccountKind { static let type = AccountType.asset }", "type 'Odd' does not conform to protocol 'AccountKind'"),
        piece(
            "a receivable that is a bank account",
            block(2) + "let sent = InvoiceSent(lines: [price], customer: Chart.clearing)",
            "cannot convert value of type 'LedgerAccount<Asset, EUR>' to expected argument type 'LedgerAccount<Receivable, EUR>'"),
        piece(
            "a posting in an event's movement",
            #"let movement = Movement.post { Posting(debit: "a", credit: "b", amount: price.amount) }"#,
            "cannot convert value of type 'Posting' to expected argument type 'Move'"),
    ]

    /// The rows of the document's table of what does not compile.
    static let documented: [Piece] = {
        let part = document.components(separatedBy: "## What does not compile").dropFirst().first?.components(separatedBy: "\n## ")[0] ?? ""
        return part.matches(of: /\| `(.*)` \| (.*) \|/).map { row in
            piece("\(row.1)", "func f() throws { _ = \(row.1) }", String(row.2))
        }
    }()

    @Test(arguments: good) func `what should compile does`(_ piece: Piece) async throws {
        let result = try await CompilerTests.compile(piece)
        #expect(result.status == 0, "\(result.output)")
    }

    @Test(arguments: moves + money + templates) func `what must not compile does not`(_ piece: Piece) async throws {
        try await CompilerTests.refuses(piece)
    }

    @Test(arguments: documented) func `what the document refuses does not compile`(_ piece: Piece) async throws {
        try await CompilerTests.refuses(piece)
    }

    @Test func `the document has rows and blocks`() {
        #expect(Self.documented.count >= 8)
        #expect(Self.blocks.count == 5)
    }
}
