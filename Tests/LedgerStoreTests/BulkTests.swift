import Indelible
import IndelibleTesting
import Testing

/// Commands for all accounts of a kind.
@Suite struct BulkTests {
    @Test func `a bulk becomes a command for each account that was open before it`() async throws {
        try await BulkSupport.withBook(customers: 7) { book in
            let ledger = book.ledger
            // Another currency, another type, another branch, and a path that only begins alike.
            for (path, currency, type) in [
                ("customers:Zoë 東", .eur, .liability), ("customers:c0001", .usd, .liability), ("customers:fund", .eur, .asset), ("merchants:m", .eur, .liability), ("customers2:x", .eur, .liability),
            ] as [(AccountPath, CurrencyCode, AccountType)] { try await ledger.openAccount(path, in: currency, type: type) }
            let (id, sentAt) = (EntryID(key: "fees-2025-11"), try SentTime("2025-12-01T00:00:00.000+01:00"))
            let receipt = try await Trace.withCorrelation("december") {
                try await ledger.enqueue(ChargeAll(units: 5, unless: "customers:c0003"), id: id, sentAt: sentAt)
            }
            try await ledger.openAccount("customers:c0008", in: .eur, type: .liability)
            #expect(try await book.progress(id) == "waiting: 0 members, 0 done, 0 refused, 0 retried, 0 resolved, 0 waiting")
            try await book.decideBulks([BulkSupport.bulk], pageMax: 2)
            #expect(try await book.progress(id) == "done: 7 members, 0 done, 0 refused, 0 retried, 0 resolved, 7 waiting")

            let own = try JSON(parsing: try #require(try await ledger.entry(id)?.payload))["ledger"]?["command"]
            #expect(own?["selection"] == ["accounts": "customers:*", "type": "liability", "currency": "EUR"] && own?["subject"] == "bulk:charge.all")
            let members = try await book.members(of: id)
            // By path, byte by byte.
            #expect(members.map { $0.header.membership?.account.text } == ["customers:Zoë 東"] + [1, 2, 4, 5, 6, 7].map { "customers:c000\($0)" })
            let first = try #require(members.dropFirst().first)
            #expect(first.id == .member(of: id, "customers:c0001", in: .eur) && first.position > receipt.position)
            #expect(first.trace == Trace(correlation: "december", causation: id.description) && first.header.sentAt == sentAt)
            #expect(first.header.subject.text == "account:customers:c0001")
            #expect(try JSON(parsing: first.payload)["account"] == "customers:c0001")

            try await book.decideBulks()
            try await book.expectWhole(id, members: 7)
            #expect(try await ledger.progress(ofBulk: id).isOver)
        }
    }

    @Test func `balances are those of the bulk's position, and both bounds belong to the range`() async throws {
        try await BulkSupport.withBook(customers: 9) { book in
            let ledger = book.ledger
            let id = EntryID(key: "rich")
            try await ledger.enqueue(ChargeAll(units: 1, balanceMin: 3, balanceMax: 6), id: id)
            // What comes after it makes nobody a member, and takes nobody out. The projection passes it before the bulk is expanded.
            for (from, to) in [("customers:c0004", "customers:c0001"), ("customers:c0009", "customers:c0002")] as [(AccountPath, AccountPath)] {
                try await ledger.post(
                    Entry(kind: "transfer", postings: [Posting(debit: from, credit: to, amount: Amount(minorUnits: 4, .eur))]))
            }
            try await book.project()
            try await book.decideBulks(pageMax: 4)
            #expect(try await book.members(of: id).compactMap { $0.header.membership?.account.text } == [3, 4, 5, 6].map { "customers:c000\($0)" })
            let one = EntryID(key: "one")
            try await ledger.enqueue(ChargeAll(units: 1, below: "customers:c0009"), id: one)
            let none = EntryID(key: "none")
            try await ledger.enqueue(ChargeAll(units: 1, below: "customers:c0009:*"), id: none)
            let all = EntryID(key: "all")
            try await ledger.enqueue(ChargeAll(units: 1, below: "*", balanceMin: 6), id: all)
            try await book.decideBulks(pageMax: 3)
            #expect(try await book.members(of: one).count == 1)
            #expect(try await book.members(of: none).isEmpty)
            #expect(try await ledger.progress(ofBulk: none).isOver)
            // The second has got 4, the sixth has paid 1, and of the ninth 5 are left.
            #expect(try await book.members(of: all).compactMap { $0.header.membership?.account.text } == ["customers:c0002", "customers:c0007", "customers:c0008"])
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `who is refused stops no other, and is a dead letter like any other`() async throws {
        try await BulkSupport.withBook(customers: 9, limits: { $0 < 4 ? .noOverdraft : .none }) { book in
            let (ledger, id) = (book.ledger, EntryID(key: "fees"))
            try await ledger.enqueue(ChargeAll(units: 3), id: id)
            try await book.decideBulks()
            #expect(try await book.progress(id) == "done: 9 members, 7 done, 2 refused, 0 retried, 0 resolved, 0 waiting")
            var query = CommandQuery()
            (query.bulk, query.state) = (id, .refused)
            let refused = try await ledger.commands(query)
            #expect(refused.map(\.subject.text) == ["account:customers:c0001", "account:customers:c0002"])
            guard case .refused(let why) = try await ledger.outcome(of: refused[0].id) else { throw TestProblem("it is not refused") }
            #expect(why.code == .limitExceeded)

            try await ledger.resolve(command: refused[0].id, actor: "eve", reason: "let go")
            let again = try await ledger.retry(command: refused[1].id)
            #expect(try await book.progress(id) == "done: 9 members, 7 done, 0 refused, 1 retried, 1 resolved, 0 waiting")
            #expect(try await ledger.commands(query).isEmpty)
            query.state = .waiting
            #expect(try await ledger.commands(query).map(\.id) == [again.id])
            try await book.decideBulks()
            query.state = .refused
            #expect(try await ledger.commands(query).map(\.id) == [again.id])
            query.state = nil
            #expect(try await ledger.commands(query).count == 10)
            let notRefused = await #expect(throws: LedgerError.self) { try await ledger.retry(command: id) }
            #expect(notRefused?.code == .notRefused)
            let noBulk = await #expect(throws: LedgerError.self) { try await ledger.progress(ofBulk: again.id) }
            #expect(noBulk?.code == .unknownEntry && noBulk?.message.contains("is no bulk") == true)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `the same bulk again is the same, and another one under its id is a conflict`() async throws {
        try await BulkSupport.withBook(customers: 3) { book in
            let (ledger, id) = (book.ledger, EntryID(key: "fees"))
            let first = try await ledger.enqueue(ChargeAll(units: 1), id: id)
            let again = try await ledger.enqueue(ChargeAll(units: 1), id: id)
            #expect(again.isRepeat && again.position == first.position)
            for other in [ChargeAll(units: 2), ChargeAll(units: 1, balanceMin: 2)] {
                let error = await #expect(throws: LedgerError.self) { try await ledger.enqueue(other, id: id) }
                #expect(error?.code == .conflict && error?.standing?.position == first.position)
            }
            // The properties are the same, and the members others: another version of the program.
            let wider = await #expect(throws: LedgerError.self) { try await ledger.enqueue(Wider(units: 1, below: "customers:*"), id: id) }
            #expect(wider?.code == .conflict && wider?.message.contains("it is a bulk over") == true)
            try await book.decideBulks()
            try await book.expectWhole(id, members: 3)
        }
    }

    /// ``ChargeAll`` with the same name and properties, for everybody.
    private struct Wider: BulkCommand {
        static let name: EntryKind = "charge.all"
        let units: Int64
        let below: String
        var selection: BulkSelection { BulkSelection(of: "*") }
        func command(for member: Balance) -> (any Command)? { nil }
    }

    @Test func `the members are those that were recorded, also if the program says others by now`() async throws {
        try await BulkSupport.withBook(customers: 3) { book in
            let id = EntryID(key: "fees")
            try await book.ledger.enqueue(Wider(units: 1, below: "nobody"), id: id)
            try await book.decideBulks([BulkSupport.bulk])
            // Everybody, with the cash and the income.
            #expect(try await book.members(of: id).count == 5)
        }
    }

    @Test func `a bulk can be enqueued by a handler, in a transaction of one's own, and by a bulk`() async throws {
        try await BulkSupport.withBook(customers: 3) { book in
            let ids = ["handler", "transaction"].map { EntryID(key: $0) }
            let handler = CommandHandler(for: ChargeOne.self) { _, unit in try unit.enqueue(ChargeAll(units: 1), id: ids[0]) }
            try await book.ledger.enqueue(ChargeOne(account: "customers:c0001", units: 1))
            try await book.decideBulks([handler])
            try await TextExecutor.with(book) { executor in
                try executor.query("START TRANSACTION")
                try book.ledger.enqueue(ChargeAll(units: 1), id: ids[1], in: executor)
                try executor.query("COMMIT")
            }
            try await book.ledger.enqueue(Regions(), id: EntryID(key: "regions"))
            try await book.decideBulks([BulkSupport.bulk, CommandHandler(bulk: Regions.self)])
            for id in ids + [.member(of: EntryID(key: "regions"), "income:fees", in: .eur)] {
                #expect(try await book.progress(id) == "done: 3 members, 0 done, 0 refused, 0 retried, 0 resolved, 3 waiting")
            }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    /// A bulk of bulks: one for each account of income.
    private struct Regions: BulkCommand {
        static let name: EntryKind = "charge.regions"
        var selection: BulkSelection { BulkSelection(of: "*", type: .income) }
        func command(for member: Balance) -> (any Command)? { ChargeAll(units: 1) }
    }

    @Test func `a bulk that is settled by hand is not expanded any further`() async throws {
        try await BulkSupport.withBook(customers: 5) { book in
            let id = EntryID(key: "fees")
            try await book.ledger.enqueue(ChargeAll(units: 1), id: id)
            try await book.ledger.resolve(command: id, actor: "eve", reason: "a mistake")
            try await book.decideBulks()
            #expect(try await book.progress(id) == "resolved: 0 members, 0 done, 0 refused, 0 retried, 0 resolved, 0 waiting")
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a handler that does not fit stops the job, and its message says what to do`() async throws {
        try await BulkSupport.withBook(customers: 2) { book in
            let id = EntryID(key: "fees")
            try await book.ledger.enqueue(ChargeAll(units: 1), id: id)
            let plain = CommandHandler(for: ChargeAll.self) { _, _ in }
            let error = await #expect(throws: LedgerError.self) { try await book.decideBulks([plain, BulkSupport.single]) }
            #expect(error?.code == .integrity && error?.message.contains("its handler is `CommandHandler(bulk:)`") == true)
            #expect(try await book.ledger.outcome(of: id) == .undecided)
            try await book.decideBulks()
            try await book.expectWhole(id, members: 2)
        }
    }

    @Test func `a bulk and its members are exported and imported as they are`() async throws {
        try await BulkSupport.withBook(customers: 4, limits: { $0 < 2 ? .noOverdraft : .none }) { book in
            let id = EntryID(key: "fees")
            try await book.ledger.enqueue(ChargeAll(units: 2, balanceMax: 3), id: id)
            try await book.decideBulks()
            var text = ""
            _ = try await Exporter(book.ledger).run(.jsonl) { text += $0 }
            try await withBook { other in
                let summary = try await Importer(other.ledger).run([file(text, "export.jsonl")])
                #expect(summary.problems.isEmpty, "\(summary.problems)")
                let (exported, imported) = (try await book.progress(id), try await other.progress(id))
                #expect(imported == exported && imported.hasPrefix("done: 3 members, 2 done, 1 refused"))
                try await other.project()
                #expect(try await other.reconcile().verdict == .clean)
            }
        }
    }
}
