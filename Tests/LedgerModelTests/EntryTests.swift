import LedgerModel
import Testing

@Suite struct EntryKindTests {
    @Test func `a kind has 1 to 64 characters of a-z 0-9 . _ -`() throws {
        for text in ["a", "order.paid", "order-paid_2", "0", ".", String(repeating: "k", count: 64)] {
            #expect(try EntryKind(text).text == text)
        }
        for text in ["", "Order", "order paid", "order:paid", "é", "a\n", "a|b", "a\0", String(repeating: "k", count: 65)] {
            let error = #expect(throws: LedgerError.self, "\(text.debugDescription)") { try EntryKind(text) }
            #expect(error?.code == .invalidEntry)
        }
    }

    @Test func `kinds that begin with ledger. are the library's own`() {
        for kind in [EntryKind.tombstone, .accountOpened, .currencyDefined, "ledger.", "ledger.anything"] as [EntryKind] {
            #expect(kind.isReserved, "\(kind)")
        }
        for kind in ["ledger", "ledger-x", "ledgers.x", "my.ledger.x"] as [EntryKind] { #expect(!kind.isReserved, "\(kind)") }
    }
}

@Suite struct EntryTests {
    static func posting(_ amount: Int64 = 100, debit: AccountPath = "a", credit: AccountPath = "b") -> Posting {
        Posting(debit: debit, credit: credit, amount: Amount(minorUnits: amount, .eur))
    }

    static func entry(_ change: (inout Entry) -> Void) -> Entry {
        var entry = Entry(id: EntryID(key: "k"), kind: "order.paid", postings: [posting()])
        change(&entry)
        return entry
    }

    @Test func `good entries pass`() throws {
        let changes: [(inout Entry) -> Void] = [
            { _ in },
            { $0.postings = [] },
            { $0.postings = [Self.posting(1), Self.posting(.max), Self.posting(2, debit: "b", credit: "a")] },
            { $0.postings = Array(repeating: Self.posting(), count: Entry.postingsMax) },
            { $0.payload = ["note": "x", "nested": ["description": "y"]] },
            { $0.effectiveAt = Timestamp(sqlText: "1000-01-01 00:00:00") },
            { $0.effectiveAt = Timestamp(sqlText: "9999-12-31 23:59:59.999999") },
        ]
        for change in changes { try Self.entry(change).validate() }
    }

    @Test func `each refusal has its code and says where`() throws {
        let rows: [(code: LedgerError.Code, says: String, change: (inout Entry) -> Void)] = [
            (.invalidEntry, "the kind ledger.x is reserved", { $0.kind = "ledger.x" }),
            (.invalidEntry, "10001 postings", { $0.postings = Array(repeating: Self.posting(), count: 10_001) }),
            (.invalidEntry, "“description” is a field", { $0.payload = ["description": "x"] }),
            (.invalidEntry, "“reference” is a field", { $0.payload = ["reference": "x"] }),
            (.invalidEntry, "“actor” is a field", { $0.payload = ["actor": .null] }),
            (.invalidAmount, "the amount is 0 minor units of EUR", { $0.postings = [Self.posting(0)] }),
            (.invalidAmount, "the amount is -1 minor units", { $0.postings = [Self.posting(-1)] }),
            (.invalidAmount, "posting 2: the amount is 0", { $0.postings = [Self.posting(), Self.posting(0)] }),
            (.invalidEntry, "debit and credit are the same account, a", { $0.postings = [Self.posting(debit: "a", credit: "a")] }),
            (
                .invalidEntry, "posting 3: debit and credit are the same",
                { $0.postings = [Self.posting(), Self.posting(), Self.posting(debit: "é", credit: "e\u{301}")] }
            ),
            (.invalidTime, "years 1000 to 9999", { $0.effectiveAt = Timestamp(microseconds: .max) }),
            (.invalidTime, "years 1000 to 9999", { $0.effectiveAt = Timestamp(microseconds: .min) }),
            (.invalidTime, "0999-12-31T23:59:59.999999Z", { $0.effectiveAt = Timestamp(microseconds: -30_610_224_000_000_001) }),
            (.invalidTime, "10000-01-01T00:00:00Z", { $0.effectiveAt = Timestamp(microseconds: 253_402_300_800_000_000) }),
            (.invalidEntry, "the payload has", { $0.payload = ["x": .string(String(repeating: "x", count: 65_536))] }),
            (.invalidEntry, "the payload has", { $0.description = String(repeating: "x", count: 65_536) }),
        ]
        for row in rows {
            let entry = Self.entry(row.change)
            let error = #expect(throws: LedgerError.self, "\(row.says)") { try entry.validate() }
            #expect(error?.code == row.code, "\(row.says)")
            #expect(error?.message.contains(row.says) == true, "\(error?.message ?? "")")
            #expect(error?.id == entry.id)
            #expect(error?.retry == .never)
        }
    }

    @Test func `the first refusal is the one that is named`() {
        let entry = Self.entry {
            $0.kind = "ledger.x"
            $0.postings = [Self.posting(0, debit: "a", credit: "a")]
        }
        #expect(throws: LedgerError.self) { try entry.validate() }
        let error = #expect(throws: LedgerError.self) { try Self.entry { $0.postings = [Self.posting(0, debit: "a", credit: "a")] }.validate() }
        #expect(error?.code == .invalidAmount)
    }

    @Test func `the limit of the payload is exact, whatever it is made of`() throws {
        // One control character is six bytes of JSON.
        for (character, width) in [("x", 1), ("\u{1}", 6), ("é", 2), ("\"", 2)] {
            for count in (Entry.payloadBytesMax / width - 60)...(Entry.payloadBytesMax / width + 1) {
                let entry = Self.entry { $0.description = String(repeating: character, count: count) }
                let bytes = count * width + #"{"description":""}"#.utf8.count
                if bytes > Entry.payloadBytesMax {
                    #expect(throws: LedgerError.self, "\(bytes) bytes") { try entry.validate() }
                } else {
                    #expect(throws: Never.self, "\(bytes) bytes") { try entry.validate() }
                }
            }
        }
    }

    @Test func `what is stored holds the entry's own fields beside the payload`() {
        #expect(Self.entry { _ in }.storedPayload == nil)
        let entry = Self.entry {
            $0.description = "d"
            $0.reference = ""
            $0.actor = "ops:nina"
            $0.payload = ["note": 7]
        }
        #expect(entry.storedPayload?.text == #"{"actor":"ops:nina","description":"d","note":7,"reference":""}"#)
    }
}
