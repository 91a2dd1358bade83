import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// `post`: once, whole, and with an answer to everybody who asks.
@Suite struct PostingTests {
    @Test func `a post is done once`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            let accounts = try await book.openAccounts(2)
            var entry = transfer(accounts[0], accounts[1], 1250, id: EntryID(key: "k"))
            entry.description = "first"
            entry.payload = ["order": ["id": 7, "lines": ["a", "b"], "weight": try JSON(parsing: "1.5")]]
            let first = try await ledger.post(entry)
            let second = try await ledger.post(entry)
            #expect(first.position == second.position && first.recordedAt == second.recordedAt)
            #expect(!first.isRepeat && second.isRepeat)
            #expect(try await ledger.balance(of: "a1", in: .eur).text == "-12.50")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `what the server filled in is not content, what the caller gave is`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(3)
            let plain = transfer(accounts[0], accounts[1], 5, id: EntryID(key: "k"))
            let receipt = try await book.ledger.post(plain)
            #expect(try await book.ledger.post(plain).isRepeat)

            var dated = plain
            dated.effectiveAt = try Timestamp("2020-02-02")
            var described = plain
            described.description = "other"
            var more = plain
            more.postings.append(more.postings[0])
            let others: [(String, Entry)] = [
                ("counts from", dated), ("payload", described), ("postings", more),
                ("postings", transfer(accounts[0], accounts[1], 6, id: plain.id)),
                ("postings", transfer(accounts[1], accounts[0], 5, id: plain.id)),
                ("postings", transfer(accounts[0], accounts[2], 5, id: plain.id)),
                ("kind", transfer(accounts[0], accounts[1], 5, id: plain.id, kind: "other")),
            ]
            for (difference, entry) in others {
                let error = await #expect(throws: LedgerError.self) { try await book.ledger.post(entry) }
                #expect(error?.code == .conflict)
                #expect(error?.id == plain.id)
                #expect(error?.standing?.position == receipt.position)
                #expect(error?.message.contains(difference) == true, "\(error?.message ?? "")")
            }
            #expect(try await book.number("SELECT COUNT(*) FROM posting") == 1)
        }
    }

    @Test func `the same request in flight many times is recorded once, and everybody gets the one receipt`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let entries = (0..<5).map { transfer(accounts[0], accounts[1], Int64($0 + 1), id: EntryID(key: "order \($0)")) }
            let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
                for number in 0..<100 { group.addTask { try await book.ledger.post(entries[number % 5]) } }
                return try await group.reduce(into: [Receipt]()) { $0.append($1) }
            }
            for entry in entries {
                let own = receipts.filter { $0.id == entry.id }
                #expect(own.count == 20)
                #expect(Set(own.map(\.position)).count == 1)
                #expect(own.count { !$0.isRepeat } == 1)
            }
            #expect(try await book.number("SELECT COUNT(*) FROM posting") == 5)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a batch stands or falls together, and names the offender`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            let good = (0..<3).map { transfer(accounts[0], accounts[1], 1, id: EntryID(key: "g\($0)")) }
            try await book.ledger.post(good[1])
            let before = try await book.number("SELECT COUNT(*) FROM entry")

            var unknown = good[0]
            unknown.id = EntryID(key: "unknown")
            unknown.postings = [Posting(debit: "nobody", credit: "a0", amount: Amount(minorUnits: 1, .eur))]
            let conflicting = transfer(accounts[0], accounts[1], 2, id: good[1].id)
            let twin = transfer(accounts[0], accounts[1], 9, id: good[0].id)
            for (bad, code): (Entry, LedgerError.Code) in [
                (unknown, .unknownAccount), (conflicting, .conflict), (twin, .conflict),
                (transfer(accounts[0], accounts[1], 0), .invalidAmount),
            ] {
                let error = await #expect(throws: LedgerError.self) { try await book.ledger.post([good[0], good[2], bad]) }
                #expect(error?.code == code)
                #expect(error?.index == 2)
            }
            #expect(try await book.number("SELECT COUNT(*) FROM entry") == before)

            // A repeat inside the batch, one that stands, and new ones.
            let receipts = try await book.ledger.post([good[0], good[1], good[0], good[2]])
            #expect(receipts.map(\.isRepeat) == [false, true, true, false])
            #expect(receipts[0].position == receipts[2].position)
            #expect(try await book.number("SELECT COUNT(*) FROM entry") == before + 2)
        }
    }

    @Test func `an account is opened once, in each currency, and never with another type`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            let ids = try await withThrowingTaskGroup(of: AccountID.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await ledger.openAccount("cash", in: .eur, type: .asset).id }
                }
                return try await group.reduce(into: Set<AccountID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            let other = try await ledger.openAccount("cash", in: .usd, type: .liability)
            #expect(!ids.contains(other.id))
            let error = await #expect(throws: LedgerError.self) {
                try await ledger.openAccount("cash", in: .eur, type: .liability)
            }
            #expect(error?.code == .conflict)
            #expect(try await book.number("SELECT COUNT(*) FROM entry WHERE kind = 'ledger.account-opened'") == 2)
            let unknown = await #expect(throws: LedgerError.self) {
                try await ledger.openAccount("cash", in: try CurrencyCode("XQX"), type: .asset)
            }
            #expect(unknown?.code == .unknownCurrency)
            try await ledger.defineCurrency(try Currency(try CurrencyCode("XQX"), exponent: 8))
            try await ledger.defineCurrency(try Currency(try CurrencyCode("XQX"), exponent: 8))
            let redefined = await #expect(throws: LedgerError.self) {
                try await ledger.defineCurrency(try Currency(try CurrencyCode("XQX"), exponent: 2))
            }
            #expect(redefined?.code == .conflict)
            try await ledger.openAccount("cash", in: try CurrencyCode("XQX"), type: .asset)
        }
    }

    @Test func `accounts whose names differ only in case, accent or trailing letters are different`() async throws {
        try await withBook { book in
            let paths: [AccountPath] = ["a", "A", "á", "a:b", "a:B", "ab", "ß", "ss", "東", "a b"]
            for path in paths { try await book.ledger.openAccount(path, in: .eur, type: .asset) }
            #expect(try await book.ledger.accounts().map(\.path) == paths.sorted())
        }
    }

    @Test func `a path that exists in another currency is a mismatch, not an unknown account`() async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .usd, type: .liability)
            func code(_ debit: AccountPath, _ credit: AccountPath) async -> LedgerError.Code? {
                let entry = Entry(kind: "t", postings: [Posting(debit: debit, credit: credit, amount: Amount(minorUnits: 1, .eur))])
                return await #expect(throws: LedgerError.self) { try await book.ledger.post(entry) }?.code
            }
            #expect(await code("cash", "alice") == .currencyMismatch)
            #expect(await code("cash", "bob") == .unknownAccount)
            // Once it is open, the same ledger sees it: that it was missing is not remembered.
            try await book.ledger.openAccount("bob", in: .eur, type: .liability)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability)
            let entry = Entry(kind: "t", postings: [
                Posting(debit: "cash", credit: "alice", amount: Amount(minorUnits: 1, .eur)),
                Posting(debit: "cash", credit: "bob", amount: Amount(minorUnits: .max, .eur)),
            ])
            try await book.ledger.post(entry)
            #expect(try await book.ledger.balance(of: "cash", in: .eur).minorUnits == Int128(Int64.max) + 1)
        }
    }

    @Test func `an entry is found by its id, position, reference, kind and time`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            var receipts: [Receipt] = []
            for day in 1...9 {
                var entry = transfer(accounts[0], accounts[1], Int64(day), kind: day % 2 == 0 ? "even" : "odd")
                entry.effectiveAt = try Timestamp("2026-01-0\(day)")
                entry.reference = "order-\(day % 3)"
                receipts.append(try await book.ledger.post(entry))
            }
            #expect(try await book.ledger.entry(receipts[4].id)?.position == receipts[4].position)
            #expect(try await book.ledger.entry(at: receipts[4].position)?.id == receipts[4].id)
            #expect(try await book.ledger.entry(EntryID(key: "none")) == nil)
            #expect(try await book.ledger.entry(at: Position(10_000)) == nil)
            func days(_ build: (inout EntryQuery) throws -> Void) async throws -> [Int] {
                var query = EntryQuery()
                try build(&query)
                return try await book.ledger.entries(query).flatMap { $0.postings.map { Int($0.amount) } }
            }
            #expect(try await days { $0.reference = "order-1" } == [1, 4, 7])
            #expect(try await days { $0.kind = "even" } == [2, 4, 6, 8])
            #expect(try await days { $0.effectiveFrom = try Timestamp("2026-01-07") } == [7, 8, 9])
            #expect(try await days { $0.effectiveBefore = try Timestamp("2026-01-03") } == [1, 2])
            #expect(try await days { $0.kind = "odd"; $0.reference = "order-0" } == [3, 9])
            #expect(try await days { $0.kind = "odd"; $0.after = receipts[2].position; $0.limit = 2 } == [5, 7])
        }
    }

    @Test func `positions follow each other in every session's steps`() async throws {
        try await withBook { book in
            let accounts = try await book.openAccounts(2)
            // A cluster gives each node its own residue; positions are then not consecutive within a statement.
            try await TestServer.withOwn(extraOptions: ["--auto_increment_increment=3", "--auto_increment_offset=2"]) { server in
                let other = try await TestBook.make(on: server)
                let own = try await other.openAccounts(2)
                let receipts = try await other.ledger.post((1...5).map { transfer(own[0], own[1], Int64($0)) })
                for (index, receipt) in receipts.enumerated() {
                    #expect(try await other.ledger.entry(at: receipt.position)?.postings.first?.amount == UInt64(index + 1))
                }
                try await other.project()
                #expect(try await other.reconcile().verdict == .clean)
                await other.ledger.close()
            }
            let receipts = try await book.ledger.post((1...5).map { transfer(accounts[0], accounts[1], Int64($0)) })
            for (index, receipt) in receipts.enumerated() {
                #expect(try await book.ledger.entry(at: receipt.position)?.postings.first?.amount == UInt64(index + 1))
            }
        }
    }
}
