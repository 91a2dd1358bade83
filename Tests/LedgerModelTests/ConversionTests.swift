import LedgerModel
import Testing

@Suite struct ConversionTests {
    static let eur = Currency.iso(.eur)!
    static let usd = Currency.iso(.usd)!
    static let jpy = Currency.iso(.jpy)!

    static func conversion(_ rounding: Rounding = .halfEven) throws -> Conversion {
        try Conversion(of: eur.amount("100.00"), from: eur, to: usd, at: ExchangeRate("1.08345"), rounding: rounding)
    }

    @Test func `what is received follows from amount, rate and rounding`() throws {
        // 108.345
        let received = try RoundingTests.columns.map { try Self.usd.format(Self.conversion($0).received) }
        #expect(received == ["108.34", "108.35", "108.34", "108.35", "108.34", "108.35"])
        #expect(try Self.conversion().given == Self.eur.amount("100.00"))
        let unsaid = try Conversion(of: Self.eur.amount("100.00"), from: Self.eur, to: Self.usd, at: ExchangeRate("1.08345"))
        #expect(unsaid == (try Self.conversion(.halfEven)))
    }

    @Test func `it is kept as texts`() throws {
        #expect(
            try Self.conversion(.halfUp).json.text
                == #"{"from":"EUR","given":"100.00","rate":"1.08345","received":"108.35","rounding":"half-up","to":"USD"}"#)
        let yen = try Conversion(of: Self.eur.amount("10.01"), from: Self.eur, to: Self.jpy, at: ExchangeRate("161.270"))
        #expect(
            yen.json.text
                == #"{"from":"EUR","given":"10.01","rate":"161.27","received":"1614","rounding":"half-even","to":"JPY"}"#)
    }

    @Test func `what is kept is enough to reckon it again`() throws {
        var random = Seeded("conversion kept")
        for _ in 0..<500 {
            let amount = Amount(minorUnits: Int64.random(in: 1...1_000_000_000, using: &random), .eur)
            let rate = try ExchangeRate("\(Int.random(in: 1...300, using: &random)).\(Int.random(in: 0...99_999, using: &random))")
            let made = try Conversion(
                of: amount, from: Self.eur, to: Self.jpy, at: rate, rounding: Rounding.allCases.randomElement(using: &random)!)
            let kept = try JSON(parsing: made.json.text)
            func text(_ key: String) throws -> String { try #require(kept[key]?.string) }
            let from = try #require(Currency.iso(CurrencyCode(text("from"))))
            let to = try #require(Currency.iso(CurrencyCode(text("to"))))
            let again = try Conversion(
                of: from.amount(text("given")), from: from, to: to, at: ExchangeRate(text("rate")),
                rounding: #require(Rounding(rawValue: text("rounding"))))
            #expect(again == made)
            #expect(try to.amount(text("received")) == made.received)
        }
    }

    @Test func `what is no conversion is refused with the reason`() throws {
        let (eur, usd, jpy) = (Self.eur, Self.usd, Self.jpy)
        let rows: [(String, Currency, Currency, String, LedgerError.Code, String)] = [
            ("100.00", eur, eur, "1", .currencyMismatch, "a conversion is between two currencies; both are EUR"),
            ("0.00", eur, usd, "1", .invalidAmount, "a conversion of 0.00 EUR; the amount must be more than 0"),
            ("-1.00", eur, usd, "1", .invalidAmount, "a conversion of -1.00 EUR; the amount must be more than 0"),
            ("0.01", eur, jpy, "40", .invalidAmount, "0.01 EUR at 40 is 0 JPY (half-even): nothing would be received"),
            (
                "92233720368547758.07", eur, usd, "1.1", .invalidAmount,
                "92233720368547758.07 EUR at 1.1 does not fit into 64 bits of minor units of USD"
            ),
        ]
        for (amount, from, to, rate, code, message) in rows {
            let error = #expect(throws: LedgerError.self) {
                try Conversion(of: from.amount(amount), from: from, to: to, at: ExchangeRate(rate))
            }
            #expect(error?.code == code, "\(message)")
            #expect(error?.message == message)
        }
        let error = #expect(throws: LedgerError.self) {
            try Conversion(of: usd.amount("1.00"), from: eur, to: usd, at: ExchangeRate("1"))
        }
        #expect(error?.code == .currencyMismatch)
    }
}

@Suite struct ConversionEntryTests {
    static func entry(from payer: AccountPath, to receiver: AccountPath, payerSide: Side = .debit) throws -> Entry {
        try Entry.conversion(
            ConversionTests.conversion(), id: EntryID(key: "fx-1"), kind: "wallet.converted", from: payer, through: "conversion",
            to: receiver, payerSide: payerSide)
    }

    /// Each account's posted balance in minor units, positive on the normal side of its type.
    static func balances(_ entry: Entry, _ types: [AccountPath: AccountType]) throws -> [String: Int128] {
        var totals: [String: (Totals, AccountType)] = [:]
        for posting in entry.postings {
            for (path, side) in [(posting.debit, Side.debit), (posting.credit, .credit)] {
                let type = try #require(types[path])
                totals["\(path) \(posting.amount.currency)", default: (Totals(), type)].0.add(side, posting.amount.minorUnits, .posted)
            }
        }
        return totals.mapValues { $0.balance($1) }
    }

    @Test func `one entry has two postings, each in one currency, and keeps the rate`() throws {
        let entry = try Self.entry(from: "customers:alice", to: "merchants:bob")
        #expect(
            entry.postings == [
                Posting(debit: "customers:alice", credit: "conversion", amount: Amount(minorUnits: 100_00, .eur)),
                Posting(debit: "conversion", credit: "merchants:bob", amount: Amount(minorUnits: 108_34, .usd)),
            ])
        #expect(
            entry.storedPayload?.text
                == #"{"conversion":{"from":"EUR","given":"100.00","rate":"1.08345","received":"108.34","rounding":"half-even","to":"USD"}}"#)
        #expect(entry.id == EntryID(key: "fx-1"))
        try entry.validate()
    }

    @Test func `between liabilities the payer has less and the receiver more`() throws {
        // One wallet with two currencies is two accounts of one path.
        let types: [AccountPath: AccountType] = ["customers:alice": .liability, "conversion": .equity]
        let entry = try Self.entry(from: "customers:alice", to: "customers:alice")
        try entry.validate()
        #expect(
            try Self.balances(entry, types) == [
                "customers:alice EUR": -100_00, "conversion EUR": 100_00, "conversion USD": -108_34, "customers:alice USD": 108_34,
            ])
    }

    @Test func `from an asset to a liability it is a deposit, the other way round a withdrawal`() throws {
        let types: [AccountPath: AccountType] = ["bank": .asset, "conversion": .equity, "customers:alice": .liability]
        #expect(
            try Self.balances(Self.entry(from: "bank", to: "customers:alice"), types) == [
                "bank EUR": 100_00, "conversion EUR": 100_00, "conversion USD": -108_34, "customers:alice USD": 108_34,
            ])
        #expect(
            try Self.balances(Self.entry(from: "customers:alice", to: "bank"), types) == [
                "customers:alice EUR": -100_00, "conversion EUR": 100_00, "conversion USD": -108_34, "bank USD": -108_34,
            ])
    }

    @Test func `between assets it is so with the sides swapped`() throws {
        let types: [AccountPath: AccountType] = ["bank": .asset, "conversion": .equity]
        let entry = try Self.entry(from: "bank", to: "bank", payerSide: .credit)
        try entry.validate()
        #expect(
            entry.postings == [
                Posting(debit: "conversion", credit: "bank", amount: Amount(minorUnits: 100_00, .eur)),
                Posting(debit: "bank", credit: "conversion", amount: Amount(minorUnits: 108_34, .usd)),
            ])
        #expect(
            try Self.balances(entry, types) == [
                "bank EUR": -100_00, "conversion EUR": -100_00, "conversion USD": 108_34, "bank USD": 108_34,
            ])
    }

    @Test func `everything else of an entry is passed on`() throws {
        let entry = try Entry.conversion(
            ConversionTests.conversion(), id: EntryID(key: "k"), kind: "a.b", effectiveAt: Timestamp("2026-01-31"), description: "d",
            reference: "r", actor: "x", payload: ["source": "ECB"], from: "a", through: "c", to: "b")
        var bare = try Entry.conversion(ConversionTests.conversion(), id: EntryID(key: "k"), kind: "a.b", from: "a", through: "c", to: "b")
        bare.effectiveAt = try Timestamp("2026-01-31")
        (bare.description, bare.reference, bare.actor) = ("d", "r", "x")
        bare.payload["source"] = "ECB"
        #expect(entry == bare)
        #expect(entry.payload.keys.sorted() == ["conversion", "source"])
    }

    @Test func `the conversion's place in the payload is its own`() throws {
        let error = #expect(throws: LedgerError.self) {
            try Entry.conversion(
                ConversionTests.conversion(), id: EntryID(key: "k"), kind: "a.b", payload: ["conversion": 1], from: "a", through: "c", to: "b")
        }
        #expect(error?.code == .invalidEntry)
        #expect(error?.message == "“conversion” is where the payload keeps the conversion")
        #expect(error?.id == EntryID(key: "k"))
    }

    @Test func `an account that would pay itself is refused as in any entry`() throws {
        let error = #expect(throws: LedgerError.self) { try Self.entry(from: "conversion", to: "b").validate() }
        #expect(error?.code == .invalidEntry)
        #expect(error?.message == "posting 1: debit and credit are the same account, conversion")
    }
}
