import Foundation
import Indelible
import IndelibleTesting
import Testing

/// What the compiler cannot know: a path is a text, and the book may have another account there.
@Suite struct TemplateRefusalTests {
    private enum Hours: CurrencyType { static let currency = Currency("HOURS", exponent: 2) }
    private enum Days: CurrencyType { static let currency = Currency("HOURS", exponent: 1) }

    private struct Given: EntryTemplate {
        static let kind: EntryKind = "given"
        let move: Move
        var moves: [Move] { move }
        var details: EntryDetails { EntryDetails(id: EntryID(key: "given")) }
    }

    private static let bank: LedgerAccount<Asset, EUR> = "bank"
    private static let alice: LedgerAccount<Liability, EUR> = "alice"

    private func refusal(_ body: () async throws -> Void) async -> LedgerError? {
        await #expect(throws: LedgerError.self) { try await body() }
    }

    private func openBoth(_ ledger: Ledger) async throws {
        try await ledger.open(Self.bank)
        try await ledger.open(Self.alice)
    }

    @Test func `an account that has another type in the book is refused, and nothing is recorded`() async throws {
        let wrong: LedgerAccount<Asset, EUR> = "alice"
        try await withBook { book in
            let ledger = book.ledger
            try await openBoth(ledger)
            let one = Money<EUR>(minorUnits: 1)
            let message = "the account alice in EUR is declared with the type asset; in this book it has the type liability"

            let asked = await refusal { _ = try await ledger.account(of: wrong) }
            #expect(asked?.code == .invalidAccount && asked?.message == message)
            let balance = await refusal { _ = try await ledger.balance(of: wrong) }
            #expect(balance?.message == message)
            // Either side.
            for move in [Move(one, debit: wrong.increased, credit: Self.bank.decreased), Move(one, debit: Self.bank.increased, credit: wrong.decreased)] {
                let posted = await refusal { try await ledger.post(Given(move: move)) }
                #expect(posted?.code == .invalidAccount && posted?.message == message && posted?.id == EntryID(key: "given"))
                #expect(posted?.retry == .never)
                let checked = await refusal { try await ledger.checkAccounts(of: Given(move: move)) }
                #expect(checked?.message == message)
            }
            #expect(try await ledger.entry(EntryID(key: "given")) == nil)
            // An account is opened once, with one type.
            let opened = await refusal { try await ledger.open(wrong) }
            #expect(opened?.code == .conflict)
            try await ledger.post(Given(move: Move(one, debit: Self.bank.increased, credit: Self.alice.increased)))
            #expect(try await ledger.balance(of: Self.alice).text == "0.01")
        }
    }

    @Test func `a currency that has another exponent in the book is refused`() async throws {
        let (hours, days): (LedgerAccount<Asset, Hours>, LedgerAccount<Asset, Days>) = ("time", "time")
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.open(hours)
            try await ledger.open(LedgerAccount<Equity, Hours>("work"))
            let opened = await refusal { try await ledger.open(days) }
            #expect(opened?.code == .conflict)
            let asked = await refusal { _ = try await ledger.account(of: days) }
            #expect(asked?.code == .invalidAccount)
            #expect(asked?.message == "the currency HOURS of time is declared with the exponent 1; in this book it has 2")
            let move = Move(Money<Days>(minorUnits: 5), debit: days.increased, credit: LedgerAccount<Equity, Days>("work").increased)
            let posted = await refusal { try await ledger.post(Given(move: move)) }
            #expect(posted?.code == .invalidAccount)
            #expect(try await ledger.entry(EntryID(key: "given")) == nil)
        }
    }

    @Test func `an account that is not there is named`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await openBoth(ledger)
            let carol: LedgerAccount<Liability, EUR> = "carol"
            let dollars: LedgerAccount<Liability, USD> = "alice"
            #expect(await refusal { _ = try await ledger.account(of: carol) }?.code == .unknownAccount)
            #expect(await refusal { _ = try await ledger.account(of: dollars) }?.code == .currencyMismatch)
            let toCarol = Move(Money<EUR>(minorUnits: 1), debit: Self.bank.increased, credit: carol.increased)
            #expect(await refusal { try await ledger.post(Given(move: toCarol)) }?.code == .unknownAccount)
            let inDollars = Move(Money<USD>(minorUnits: 1), debit: LedgerAccount<Asset, USD>("bank").increased, credit: dollars.increased)
            #expect(await refusal { try await ledger.post(Given(move: inDollars)) }?.code == .currencyMismatch)
            // A path that this program has looked up before it was opened in another currency too.
            try await ledger.open(dollars)
            try await ledger.open(LedgerAccount<Asset, USD>("bank"))
            try await ledger.post(Given(move: inDollars))
            #expect(try await ledger.balance(of: dollars).text == "0.01")
        }
    }

    @Test func `an entry that no book would record is told before its accounts`() async throws {
        try await withBook { book in
            let nowhere: LedgerAccount<Asset, EUR> = "nowhere"
            for units in [0, -5] as [Int64] {
                let move = Move(Money(minorUnits: units), debit: nowhere.increased, credit: Self.bank.decreased)
                #expect(await refusal { try await book.ledger.post(Given(move: move)) }?.code == .invalidAmount)
            }
            let same = Move(Money(minorUnits: 5), debit: nowhere.increased, credit: nowhere.decreased)
            #expect(await refusal { try await book.ledger.post(Given(move: same)) }?.code == .invalidEntry)
            let recorded = try await book.ledger.entry(EntryID(key: "given"))
            #expect(recorded == nil)
        }
    }

    @Test func `an id that stands for another content is a conflict`() async throws {
        try await withBook { book in
            try await openBoth(book.ledger)
            func given(_ units: Int64) -> Given {
                Given(move: Move(Money(minorUnits: units), debit: Self.bank.increased, credit: Self.alice.increased))
            }
            let receipt = try await book.ledger.post(given(5))
            #expect(try await book.ledger.post(given(5)).isRepeat)
            let error = await refusal { try await book.ledger.post(given(6)) }
            #expect(error?.code == .conflict && error?.standing?.position == receipt.position)
            #expect(try await book.ledger.post(given(6), id: EntryID(key: "another")).isRepeat == false)
        }
    }
}
