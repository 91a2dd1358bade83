import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import OrdersTutorial

/// A process that only reads: it refuses to record before it connects, and what it reads needs no more than the role `auditor`.
@Suite struct ReadOnlyTests {
    typealias Write = @Sendable (Ledger) async throws -> Void

    private static let entry = Entry(
        kind: "sale", postings: [Posting(debit: "bank", credit: "deposits", amount: Amount(minorUnits: 1, .eur))])

    /// By the name of the function; nothing answers at this address.
    static let writes: [(name: String, write: Write)] = [
        ("post", { try await $0.post(entry) }), ("post", { try await $0.post([entry, entry]) }),
        ("post", { try $0.post(entry, in: Silent()) }), ("post", { try $0.post([entry], in: Silent()) }),
        ("post", { try await $0.post(TemplateBookTests.OrderPaid(order: "1", price: Money(minorUnits: 5), fee: .zero, merchant: "merchants:bob")) }),
        ("capture", { try await $0.capture(.minted()) }), ("void", { try await $0.void(.minted()) }), ("expireHolds", { try await $0.expireHolds() }),
        ("reverse", { try await $0.reverse(.minted()) }),
        ("openAccount", { try await $0.openAccount("a", in: .eur, type: .asset) }), ("defineCurrency", { try await $0.defineCurrency(.iso(.eur)!) }),
        ("open", { try await $0.open(TemplateBookTests.Chart.clearing) }),
        ("setLimits", { try await $0.setLimits(.none, of: "a", in: .eur) }), ("setStatus", { try await $0.setStatus(.frozen, of: "a", in: .eur) }),
        ("closePeriod", { try await $0.closePeriod(through: AccountingDay("2020-01-01")) }),
        ("publishFeeSchedule", { try await $0.publishFeeSchedule("{}") }), ("assessFees", { _ = try await $0.assessFees(for: AccountingMonth("2020-01")) }),
        ("enqueue", { try await $0.enqueue(ReserveName(member: "a", name: "b")) }),
        ("enqueue", { try $0.enqueue(ReserveName(member: "a", name: "b"), in: Silent()) }),
        ("retry", { try await $0.retry(command: .minted()) }), ("resolve", { try await $0.resolve(command: .minted(), actor: "a", reason: "b") }),
        ("commit", { ledger in
            let unit = Units(ledger).begin()
            try unit.append(StoryOpened(title: "One"), to: "1", expecting: .any)
            try await unit.commit()
        }),
        ("exclusively", { try await Units($0).exclusively([Units.Claim(Story.self, "1")]) { _ in } }),
        ("fireDue", { try await TimerRunner($0).fireDue() }),
        ("run", { _ = try await Importer($0).run([]) }),
    ]

    /// A database that must not be asked.
    private struct Silent: SQLExecutor {
        func run(_ statement: InsertOnlySQL) throws(DatabaseError) -> Rows { throw DatabaseError(kind: .other, message: "it was asked") }
    }

    private static func nowhere() throws -> BookLocation {
        try BookLocation(server: .socket(path: "/nowhere/at.sock"), book: "book", user: "nobody")
    }

    @Test func `everything that records is refused before anything is asked`() async throws {
        let ledger = Ledger(try Self.nowhere(), mode: .readOnly)
        for (name, write) in Self.writes {
            let error = await #expect(throws: LedgerError.self, "\(name)") { try await write(ledger) }
            #expect(error?.code == .readOnly && error?.retry == .never, "\(name): \(error?.message ?? "")")
        }
        let told = try #require(await #expect(throws: LedgerError.self) { try await ledger.post(Self.entry) })
        #expect(told.message.hasPrefix("this process is read-only") && told.message.contains("INDELIBLE_MODE=writer") && told.id == Self.entry.id)
        await ledger.close()
    }

    /// The canary: at that address a ledger that may write fails at something else.
    @Test func `in the mode writer the same calls get as far as the server`() async throws {
        let ledger = Ledger(try Self.nowhere())
        for (name, write) in Self.writes where name != "run" {
            let error = await #expect(throws: LedgerError.self, "\(name)") { try await write(ledger) }
            #expect(error?.code != .readOnly, "\(name)")
        }
        await ledger.close()
    }

    @Test func `jobs are refused too`() async throws {
        let projector = Projector(try Self.nowhere(), mode: .readOnly)
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await projector.step() }, { _ = try await projector.catchUp() }, { try await projector.run() },
            { _ = try await projector.pause("balance") }, { _ = try await projector.resume("balance") }, { _ = try await projector.retry("balance") },
        ]
        for call in calls {
            let error = await #expect(throws: LedgerError.self) { try await call() }
            #expect(error?.code == .readOnly)
        }
        await projector.close()
    }

    /// What records has a result that may be dropped; nothing that only reads has.
    @Test func `no function that records is missing above`() throws {
        let known = Set(Self.writes.map(\.name))
        var found: Set<String> = []
        let folder = repository.appendingPathComponent("Sources/LedgerStore")
        for path in try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap({ $0 as? String }) where path.hasSuffix(".swift") {
            // Jobs and their owners have no ledger's mode.
            if path.hasPrefix("Jobs/") { continue }
            let text = try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
            found.formUnion(text.matches(of: /@discardableResult\s+public func (\w+)/).map { String($0.1) })
            found.formUnion(text.matches(of: /public func (\w+)[^{]*-> \[?Receipt\]? \{/).map { String($0.1) })
        }
        #expect(found.count > 15)
        #expect(found.subtracting(known).subtracting(["createCommands", "create", "receipt"]) == [])
    }

    @Test func `a mode is one of two words`() throws {
        #expect(try LedgerMode(parsing: "writer") == .writer)
        #expect(try LedgerMode(parsing: "read-only") == .readOnly)
        let error = #expect(throws: LedgerError.self) { try LedgerMode(parsing: "readonly") }
        #expect(error?.message == "“readonly” is no mode: write writer or read-only")
    }

    // MARK: - What an auditor reads

    struct Known: Sendable {
        let receipt: Receipt
        let command: EntryID
    }

    /// Whether it reads what it should.
    typealias Read = @Sendable (Ledger, Known) async throws -> Bool

    static let times: [(name: String, time: @Sendable (Known) -> BalanceTime)] = [
        ("projected", { _ in .projected }), ("current", { _ in .current }), ("atLeast", { .atLeast($0.receipt) }),
        ("position", { .position($0.receipt.position) }), ("recorded", { .recorded($0.receipt.recordedAt) }),
        ("effective", { .effective($0.receipt.recordedAt) }), ("day", { .day(AccountingDay(of: $0.receipt.recordedAt, in: .gmt)) }),
    ]

    static let reads: [(name: String, read: Read)] = [
        ("balances", { ledger, _ in try await ledger.balances().count == 2 }),
        ("history", { ledger, _ in try await ledger.balanceHistory(of: "bank", in: .eur).last?.minorUnits == 500 }),
        ("totals", { ledger, _ in try await ledger.totals(of: "*").count == 1 }),
        ("lines", { ledger, _ in try await ledger.accountLines(of: "bank", in: .eur).lines.count == 2 }),
        ("entry", { ledger, known in try await ledger.entry(known.receipt.id)?.position == known.receipt.position }),
        ("position", { ledger, known in try await ledger.entry(at: known.receipt.position)?.id == known.receipt.id }),
        ("entries", { ledger, _ in try await ledger.entries(EntryQuery()).count > 8 }),
        ("following", { ledger, known in
            for try await entry in ledger.entries(after: .zero) where entry.id == known.receipt.id { return true }
            return false
        }),
        ("holds", { ledger, _ in try await ledger.outstandingHolds().count == 1 }),
        ("receipt", { ledger, known in try await ledger.receipt(of: known.receipt.id)?.position == known.receipt.position }),
        ("accounts", { ledger, _ in try await ledger.accounts().count == 2 }),
        ("currencies", { ledger, _ in try await ledger.currencies().count == 1 }),
        ("control", { ledger, _ in try await ledger.control(of: "bank", in: .eur).status == .open }),
        ("period", { ledger, _ in try await ledger.closedBefore() == nil }),
        ("trial balance", { ledger, _ in try await ledger.trialBalance().count == 1 }),
        ("reports", { ledger, known in
            let day = AccountingDay(of: known.receipt.recordedAt, in: try await ledger.timeZone())
            _ = try await ledger.incomeStatement(from: day, to: day)
            return try await ledger.balanceSheet(asOf: day).count == 1
        }),
        ("fee months", { ledger, _ in try await ledger.feeMonths().months.isEmpty }),
        ("fees", { ledger, known in try await ledger.fees(of: known.receipt.id).fees.isEmpty }),
        ("fee schedules", { ledger, _ in try await ledger.feeSchedules().isEmpty }),
        ("outcome", { ledger, known in try await ledger.outcome(of: known.command).isDecided }),
        ("commands", { ledger, _ in try await ledger.commands().count == 1 }),
        ("process", { ledger, _ in try await ledger.process(OrderPayment.self, "1001").timers == ["payment"] }),
        ("processes", { ledger, _ in try await ledger.processes().count == 1 }),
        ("process history", { ledger, _ in try await ledger.processHistory(OrderPayment.name, "1001")?.isEmpty == false }),
        ("a unit that looks", { ledger, _ in try await Units(ledger).begin().load(Story.self, "1").state.title == "One" }),
        ("preview", { ledger, _ in try await ledger.preview([Entry(kind: "sale", postings: entry.postings)]).count == 1 }),
        ("hledger", { ledger, _ in try await Exporter(ledger).run(.hledger) { _ in }.records > 8 }),
        ("JSON Lines", { ledger, _ in try await Exporter(ledger).run(.jsonl) { _ in }.records > 8 }),
        ("CSV", { ledger, _ in try await Exporter(ledger).run(.csv) { _ in }.records > 2 }),
        ("waiting", { ledger, known in
            try await ledger.wait(for: known.receipt)
            return true
        }),
    ]

    @Test func `the role auditor is enough for everything that reads, and nothing but SELECT is sent`() async throws {
        try await ProcessRouterTests.withProcesses { book, router in
            let known = try await Self.fill(book, router)
            // From here on the login has one role.
            try await Self.leaveOnlyAuditor(book)
            let refused = await #expect(throws: LedgerError.self) { try await Ledger(book.location).post(Self.entry) }
            #expect(refused?.code == .accessDenied, "the login may still write: this proves nothing")
            let count = try await book.countingStatements { try await Self.readAll(book, known) }
            let verbs = Set(count.statements.map { $0.trimmingCharacters(in: .whitespacesAndNewlines).prefix { $0.isLetter }.uppercased() })
            #expect(count.selects > 50 && verbs.isSubset(of: ["SELECT", "SET", "START", "COMMIT", "ROLLBACK"]), "\(verbs)")
        }
    }

    private static func leaveOnlyAuditor(_ book: TestBook) async throws {
        try await book.withOwner { connection in
            for role in [BookRole.writer, .projector] {
                try await connection.execute(unprepared: "REVOKE '\(role.name(book: book.name))' FROM '\(book.location.user)'@localhost")
            }
        }
    }

    private static func readAll(_ book: TestBook, _ known: Known) async throws {
        let ledger = Ledger(book.location, mode: .readOnly)
        for (name, time) in times { #expect(try await ledger.balance(of: "bank", in: .eur, at: time(known)).minorUnits == 500, "\(name)") }
        for (name, read) in reads { #expect(try await read(ledger, known), "\(name)") }
        await ledger.close()
        #expect(try await book.reconcile().verdict == .clean)
        let projector = Projector(book.location, mode: .readOnly)
        let states = try await projector.status()
        #expect(states.count >= 5 && states.contains { $0.generation.job == "balance" && $0.state == .caughtUp })
        #expect(try await projector.compare("balance", generation: 1, with: .journal).isEqual)
        await projector.close()
    }

    /// A book with something of everything.
    static func fill(_ book: TestBook, _ router: ProcessRouter<OrderPayment>) async throws -> Known {
        let ledger = book.ledger
        try await ProcessRouterTests.tell(.placed, of: "1001", ledger)
        try await Units(ledger).run { try $0.append(StoryOpened(title: "One"), to: "1", expecting: .none) }
        var held = Self.entry
        held.hold = Hold()
        try await ledger.post(held)
        let command = EntryID.minted()
        try await ledger.enqueue(ReserveName(member: "ann", name: "annie"), id: command)
        try await BookOwner(book.owner).createCommands()
        let sale = Entry(kind: "sale", postings: [Posting(debit: "bank", credit: "deposits", amount: Amount(minorUnits: 500, .eur))])
        let jobs: [any Job] = Projector.builtIn + [router, Timers(), CommandProcessor(ledger, CommandSupport.handlers)]
        let projector = Projector(book.location, jobs: jobs)
        try await projector.catchUp()
        let receipt = try await ledger.post(sale)
        try await projector.catchUp()
        await projector.close()
        return Known(receipt: receipt, command: command)
    }
}
