import Indelible
import IndelibleTesting
import Testing

@testable import LedgerStore

/// A fee of one account.
struct ChargeOne: Command {
    static let name: EntryKind = "charge.one"
    let account: AccountPath
    let units: Int64
    var subject: StreamName { get throws { try StreamName("account", account.text) } }
}

/// A fee of all customers of a kind; `unless` is left out.
struct ChargeAll: BulkCommand {
    static let name: EntryKind = "charge.all"
    let units: Int64
    var below = "customers:*"
    var balanceMin: Int64?
    var balanceMax: Int64?
    var unless: AccountPath?
    var selection: BulkSelection {
        get throws { BulkSelection(of: try AccountTree(below), type: .liability, currency: .eur, balanceMin: balanceMin, balanceMax: balanceMax) }
    }

    func command(for member: Balance) -> (any Command)? {
        member.account.path == unless ? nil : ChargeOne(account: member.account.path, units: units)
    }
}

enum BulkSupport {
    static let bulk = CommandHandler(bulk: ChargeAll.self)
    static let single = CommandHandler(for: ChargeOne.self) { command, unit in
        if command.units < 0 { throw CommandRefusal("nobody is charged less than nothing") }
        try unit.post(
            Entry(
                kind: "fee.charged",
                postings: [Posting(debit: command.account, credit: "income:fees", amount: Amount(minorUnits: command.units, .eur))]))
    }
    static let handlers = [bulk, single]

    /// A book that decides commands, with so many customers: `customers:c0001` has 1 cent, `customers:c0002` 2 cents, and so on.
    static func withBook<T>(customers: Int, limits: @Sendable (Int) -> AccountLimits = { _ in .none }, _ body: (TestBook) async throws -> T) async throws -> T {
        try await IndelibleTesting.withBook { book in
            try await BookOwner(book.owner).createCommands()
            try await open(customers, limits, book)
            return try await body(book)
        }
    }

    static func path(_ number: Int) throws -> AccountPath {
        let digits = String(number)
        return try AccountPath("customers:c" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
    }

    static func open(_ count: Int, _ limits: @Sendable (Int) -> AccountLimits, _ book: TestBook) async throws {
        try await book.ledger.openAccount("assets:cash", in: .eur, type: .asset)
        try await book.ledger.openAccount("income:fees", in: .eur, type: .income)
        for start in stride(from: 1, through: count, by: 50) {
            let numbers = start...min(start + 49, count)
            for number in numbers { try await book.ledger.openAccount(try path(number), in: .eur, type: .liability, limits: limits(number)) }
            try await book.ledger.post(
                try numbers.map { number in
                    Entry(
                        id: EntryID(key: "paid-\(number)"), kind: "paid",
                        postings: [Posting(debit: "assets:cash", credit: try path(number), amount: Amount(minorUnits: Int64(number), .eur))])
                })
        }
    }
}

extension TestBook {
    /// Decides everything that waits, as one worker that begins anew.
    func decideBulks(_ handlers: [CommandHandler] = BulkSupport.handlers, pageMax: Int = 1000, on ledger: Ledger? = nil) async throws {
        var processor = CommandProcessor(ledger ?? self.ledger, handlers)
        processor.bulkPageMax = pageMax
        let projector = Projector(location, jobs: [processor])
        do {
            try await projector.catchUp()
            await projector.close()
        } catch {
            await projector.close()
            throw error
        }
    }

    /// The commands for the members of a bulk, in the order of the journal.
    func members(of bulk: EntryID) async throws -> [StoredCommand] {
        try await entries("charge.one").compactMap { try StoredCommand($0) }.filter { $0.header.membership?.bulk == bulk }
    }

    /// Each member has one command, all are done, and the book is clean.
    func expectWhole(_ bulk: EntryID, members count: Int) async throws {
        let members = try await members(of: bulk)
        #expect(members.count == count && Set(members.map { $0.header.membership?.account }).count == count)
        #expect(try await entries("fee.charged").count == count)
        #expect(try await progress(bulk) == "done: \(count) members, \(count) done, 0 refused, 0 retried, 0 resolved, 0 waiting")
        let outcome = try #require(try await ledger.entry(.outcome(of: bulk)))
        #expect(try JSON(parsing: outcome.payload ?? "")["members"] == .integer(Int64(count)))
        try await project()
        #expect(try await reconcile().verdict == .clean)
    }

    func progress(_ bulk: EntryID) async throws -> String {
        let progress = try await ledger.progress(ofBulk: bulk)
        return "\(progress.state): \(progress.members) members, \(progress.done) done, \(progress.refused) refused, \(progress.retried) retried, "
            + "\(progress.resolved) resolved, \(progress.waiting) waiting"
    }
}
