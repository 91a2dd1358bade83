import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

/// Posting within a transaction of the application's own, on a connection that is none of the library's (``TextExecutor``), and on
/// the library's. Only what every user can see is used here.
@Suite struct ExecutorTests {
    private struct RolledBack: Error {}

    private static func moved(_ debit: AccountPath, _ credit: AccountPath, _ minorUnits: Int64, id: EntryID = .minted()) -> Entry {
        Entry(
            id: id, kind: "moved", description: "O'Neil \\ “?”\n",
            postings: [Posting(debit: debit, credit: credit, amount: Amount(minorUnits: minorUnits, .eur))])
    }

    /// A book with `cash` and `alice`, who may not overdraw and has so much; it is clean in the end.
    private static func withAlice(paid: Int64, _ body: (TestBook) async throws -> Void) async throws {
        try await withBook { book in
            try await book.ledger.openAccount("cash", in: .eur, type: .asset)
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            if paid > 0 { try await book.ledger.post(moved("cash", "alice", paid)) }
            try await body(book)
            try await book.project()
            let result = try await book.reconcile()
            #expect(result.verdict == .clean, "\(result.checks.flatMap(\.findings))")
        }
    }

    /// What was thrown; nil if nothing was.
    static func refusal(_ body: () throws -> some Any) -> LedgerError? {
        do {
            _ = try body()
            return nil
        } catch { return LedgerError.translating(error) }
    }

    // MARK: - Together with the application's rows

    @Test func `an entry and a row of the application stand together, or neither does`() async throws {
        try await Self.withAlice(paid: 100) { book in
            let ledger = book.ledger
            try await TextExecutor.withOwner(book) { owner in
                try owner.query("CREATE DATABASE \(book.name)_app")
                try owner.query("CREATE TABLE \(book.name)_app.invoice (number INT PRIMARY KEY, entry BINARY(16)) ENGINE = InnoDB")
                try owner.query("GRANT SELECT, INSERT ON \(book.name)_app.* TO '\(book.location.user)'@'localhost'")
            }
            let (kept, dropped) = (Self.moved("alice", "cash", 60), Self.moved("alice", "cash", 30))
            let receipts = try await TextExecutor.with(book) { own in
                func pay(_ entry: Entry, _ invoice: Int, rollsBack: Bool) throws -> Receipt {
                    var receipt: Receipt?
                    do {
                        try own.transaction {
                            try own.query("INSERT INTO \(book.name)_app.invoice VALUES (\(invoice), x'\(entry.id)')")
                            receipt = try ledger.post(entry, in: own)
                            if rollsBack { throw RolledBack() }
                        }
                    } catch is RolledBack {}
                    return try #require(receipt)
                }
                return [
                    try pay(kept, 1, rollsBack: false), try pay(dropped, 2, rollsBack: true), try pay(dropped, 3, rollsBack: false),
                    try pay(Self.moved("cash", "alice", 5), 4, rollsBack: true),
                ]
            }
            #expect(Set(receipts.map(\.position)).count == 4 && receipts.allSatisfy { !$0.isRepeat })
            #expect(try await ledger.entry(at: receipts[0].position)?.id == kept.id)
            #expect(try await ledger.entry(at: receipts[0].position)?.payload == kept.storedPayload?.text)
            #expect(try await ledger.entry(dropped.id)?.position == receipts[2].position)
            #expect(try await ledger.balance(of: "alice", in: .eur).available == 10)
            let rows = try await TextExecutor.withOwner(book) { owner in
                try owner.query("SELECT number, e.position FROM \(book.name)_app.invoice JOIN entry e ON e.id = entry ORDER BY number").map {
                    [try $0.uint(0), try $0.uint(1)]
                }
            }
            #expect(rows == [[1, receipts[0].position.number], [3, receipts[2].position.number]])
            // What was rolled back has left its positions to nobody, whatever is posted next.
            try await ledger.post(Self.moved("cash", "alice", 1))
            try await book.project()
            #expect(try await ledger.entry(at: receipts[1].position)?.kind == .tombstone)
            #expect(try await ledger.entry(at: receipts[3].position)?.kind == .tombstone)
        }
    }

    @Test func `the same id again gets the first receipt, and other content is a conflict`() async throws {
        try await Self.withAlice(paid: 100) { book in
            let ledger = book.ledger
            let draw = Self.moved("alice", "cash", 60, id: EntryID(key: "draw"))
            let first = try await TextExecutor.with(book) { own in
                try own.transaction {
                    let first = try ledger.post(draw, in: own)
                    // Also before it is committed; and there would be no room for it twice.
                    let again = try ledger.post(draw, in: own)
                    #expect(again.isRepeat && again.position == first.position && again.recordedAt == first.recordedAt)
                    return first
                }
            }
            let (again, conflict) = try await TextExecutor.with(book) { own in
                let again = try own.transaction { try ledger.post(draw, in: own) }
                let conflict = Self.refusal {
                    try own.transaction { try ledger.post(Self.moved("alice", "cash", 61, id: draw.id), in: own) }
                }
                return (again, conflict)
            }
            #expect(again.isRepeat && again.position == first.position && again.recordedAt == first.recordedAt)
            #expect(conflict?.code == .conflict && conflict?.standing?.position == first.position && conflict?.id == draw.id)
            let outside = try await ledger.post(draw)
            #expect(outside.isRepeat && outside.position == first.position)
        }
    }

    @Test func `the same id in flight elsewhere is busy, and then a repeat`() async throws {
        try await Self.withAlice(paid: 0) { book in
            let ledger = book.ledger
            let payment = Self.moved("cash", "alice", 1, id: EntryID(key: "in flight"))
            let (posted, asked) = (Gate(), Gate())
            async let first = TextExecutor.with(book) { own in
                try own.transaction {
                    let receipt = try ledger.post(payment, in: own)
                    posted.open()
                    asked.wait()
                    Thread.sleep(forTimeInterval: 0.2)
                    return receipt
                }
            }
            let second = try await TextExecutor.with(book) { own in
                posted.wait()
                let busy = Self.refusal {
                    try own.transaction {
                        asked.open()
                        return try ledger.post(payment, in: own)
                    }
                }
                #expect(busy?.code == .busy && busy?.retry == .afterBackoff, "\(String(describing: busy))")
                return try own.transaction { try ledger.post(payment, in: own) }
            }
            #expect(try await first.position == second.position && second.isRepeat)
        }
    }

    @Test func `an account that the transaction itself has opened is there, for as long as the transaction stands`() async throws {
        try await Self.withAlice(paid: 0) { book in
            let ledger = book.ledger
            @Sendable func open(_ path: AccountPath, _ own: TextExecutor) throws {
                try own.run(
                    .insert(
                        into: .account, ["path", "currency", "type", "floor"],
                        rows: [[.text(path.text), .text("EUR"), .text("liability"), .int(0)]]))
                let payload: JSON = ["account": .string(path.text), "currency": "EUR", "type": "liability", "floor": 0]
                try own.run(
                    .insert(
                        into: .entry, ["id", "kind", "payload"],
                        rows: [[
                            .bytes(EntryID.derived("account", path.text, "EUR").bytes), .text(EntryKind.accountOpened.text), .text(payload.text),
                        ]]))
            }
            try await TextExecutor.with(book) { own in
                try own.transaction {
                    try open("new", own)
                    try ledger.post([Self.moved("cash", "new", 100), Self.moved("new", "cash", 60)], in: own)
                }
                let refused = Self.refusal {
                    try own.transaction { try ledger.post(Self.moved("new", "cash", 41), in: own) }
                }
                #expect(refused?.code == .limitExceeded && refused?.shortfall?.balance == 40)
                let rolledBack = Self.refusal {
                    try own.transaction {
                        try open("gone", own)
                        try ledger.post(Self.moved("cash", "gone", 1), in: own)
                        throw RolledBack()
                    }
                }
                #expect(rolledBack?.message.contains("RolledBack") == true)
                let unknown = Self.refusal {
                    try own.transaction { try ledger.post(Self.moved("cash", "gone", 1), in: own) }
                }
                #expect(unknown?.code == .unknownAccount)
            }
            let unknown = await #expect(throws: LedgerError.self) { try await ledger.post(Self.moved("cash", "gone", 1)) }
            #expect(unknown?.code == .unknownAccount)
            #expect(try await ledger.balance(of: "new", in: .eur).available == 40)
        }
    }

    @Test func `without a transaction, or with one that reads what is not committed, nothing is posted`() async throws {
        try await Self.withAlice(paid: 0) { book in
            let ledger = book.ledger
            let payment = Self.moved("cash", "alice", 1)
            try await TextExecutor.with(book) { own in
                let alone = Self.refusal { try ledger.post(payment, in: own) }
                #expect(alone?.code == .invalidEntry && alone?.message.contains("no transaction") == true && alone?.id == payment.id)
                let uncommitted = Self.refusal {
                    try own.transaction("READ UNCOMMITTED") { try ledger.post(payment, in: own) }
                }
                #expect(uncommitted?.code == .invalidEntry && uncommitted?.message.contains("READ COMMITTED") == true)
            }
            #expect(try await ledger.entry(payment.id) == nil)
        }
    }

    // MARK: - The library's own connection

    @Test func `the library's own transactions do the same`() async throws {
        try await Self.withAlice(paid: 1000) { book in
            let ledger = book.ledger
            let database = Database(book.location, role: .writer, connectionsMax: 8)
            let (kept, dropped) = (Self.moved("alice", "cash", 100), Self.moved("alice", "cash", 200))
            let receipts = try await database.write { try ledger.post([kept, Self.moved("cash", "alice", 100)], in: $0) }
            #expect(try await ledger.entry(at: receipts[0].position)?.id == kept.id)
            await #expect(throws: RolledBack.self) {
                try await database.write { transaction in
                    try ledger.post(dropped, in: transaction)
                    throw RolledBack()
                }
            }
            #expect(try await ledger.entry(dropped.id) == nil)
            let alone = await #expect(throws: LedgerError.self) { try await database.autocommit { try ledger.post(dropped, in: $0) } }
            #expect(alone?.code == .invalidEntry)
            // Eight at once draw all there is, and each is answered.
            let results = await race(8) { _ in
                while true {
                    do {
                        return try await database.write { try ledger.post(Self.moved("alice", "cash", 150), in: $0) }
                    } catch let error as LedgerError where error.code == .busy {}
                }
            }
            #expect(results.receipts.count == 6 && results.errors.count == 2)
            #expect(results.errors.allSatisfy { $0.code == .limitExceeded && $0.shortfall?.balance == 100 })
            await database.close()
        }
    }
}

/// Closed until somebody opens it. Whoever waits blocks its thread.
final class Gate: Sendable {
    private let condition = NSCondition()
    private let isOpen = Mutex(false)

    func open() {
        isOpen.withLock { $0 = true }
        condition.withLock { condition.broadcast() }
    }

    func wait() {
        condition.lock()
        while !isOpen.withLock({ $0 }) { condition.wait() }
        condition.unlock()
    }
}
