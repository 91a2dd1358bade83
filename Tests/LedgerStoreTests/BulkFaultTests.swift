import Indelible
import IndelibleTesting
import LocalMariaDB
import LossyProxy
import Synchronization
import Testing

@testable import LedgerStore

/// Bulks that are expanded twice, by several at once, or by somebody who does not come to the end.
@Suite(.serialized) struct BulkFaultTests {
    private static let id = EntryID(key: "fees")

    @Test func `what is expanded twice enqueues nothing twice`() async throws {
        try await BulkSupport.withBook(customers: 10) { book in
            try await book.ledger.enqueue(ChargeAll(units: 1), id: Self.id)
            let (command, _) = try await book.ledger.command(Self.id)
            let members = BulkMembers(selection: try #require(command.header.selection), position: command.position)
            for pageMax in [4, 3, 1000] {
                let expansion = BulkExpansion(ledger: book.ledger, command: command, bulk: ChargeAll(units: 1), members: members, pageMax: pageMax)
                #expect(try await expansion.run() == 10)
                #expect(try await book.members(of: Self.id).count == 10)
            }
            try await book.decideBulks()
            try await book.expectWhole(Self.id, members: 10)
            // By now it is decided: nobody expands it any more.
            let late = BulkExpansion(ledger: book.ledger, command: command, bulk: ChargeAll(units: 1), members: members, pageMax: 4)
            #expect(try await late.run() == nil)
        }
    }

    @Test func `several processors at once enqueue each member once`() async throws {
        try await BulkSupport.withBook(customers: 40) { book in
            try await book.ledger.enqueue(ChargeAll(units: 1), id: Self.id)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 { group.addTask { try await book.decideBulks(pageMax: 3 + number) } }
                try await group.waitForAll()
            }
            try await book.expectWhole(Self.id, members: 40)
        }
    }

    @Test func `a bulk that fails at a member stops the job, is named, and goes on where it was`() async throws {
        try await BulkSupport.withBook(customers: 10) { book in
            try await book.ledger.enqueue(Failing(units: 1), id: Self.id)
            for member in 1...10 {
                Failing.at.withLock { [path = try BulkSupport.path(member)] in $0 = path }
                let error = await #expect(throws: LedgerError.self) { try await book.decideBulks([CommandHandler(bulk: Failing.self)], pageMax: 3) }
                let message = error?.message ?? ""
                #expect(error?.code == .integrity && message.contains("\(Self.id)") && message.contains("its member customers:c"))
                #expect(try await book.ledger.outcome(of: Self.id) == .undecided)
                // Whole pages stand, and nothing of the one that failed.
                #expect(try await book.members(of: Self.id).count == (member - 1) / 3 * 3)
            }
            try await book.decideBulks(pageMax: 3)
            try await book.expectWhole(Self.id, members: 10)
        }
    }

    /// ``ChargeAll`` that fails at one member.
    private struct Failing: BulkCommand {
        struct Broken: Error {}
        static let name: EntryKind = "charge.all"
        /// Of one test at a time: the suite is serialized.
        static let at = Mutex<AccountPath?>(nil)
        let units: Int64
        var below = "customers:*"
        var selection: BulkSelection { BulkSelection(of: "customers:*", type: .liability, currency: .eur) }

        func command(for member: Balance) throws -> (any Command)? {
            if member.account.path == Self.at.withLock({ $0 }) { throw Broken() }
            return ChargeOne(account: member.account.path, units: units)
        }
    }

    @Test func `who has a command keeps it when the program says otherwise by then`() async throws {
        try await BulkSupport.withBook(customers: 10) { book in
            try await book.ledger.enqueue(Failing(units: 1), id: Self.id)
            Failing.at.withLock { $0 = "customers:c0008" }
            await #expect(throws: LedgerError.self) { try await book.decideBulks([CommandHandler(bulk: Failing.self)], pageMax: 3) }
            let before = try await book.members(of: Self.id)
            #expect(before.count == 6)
            // Of the others only the last one, and everybody for more.
            try await book.decideBulks([CommandHandler(bulk: Sparing.self), BulkSupport.single], pageMax: 4)
            let after = try await book.members(of: Self.id)
            #expect(Array(after.prefix(6)) == before && after.last?.header.membership?.account == "customers:c0010")
            try await book.expectWhole(Self.id, members: 7)
            #expect(try await book.ledger.balance(of: "income:fees", in: .eur).minorUnits == 6 + 5)
        }
    }

    /// ``ChargeAll`` by another program: the last one only, for 5 cents.
    private struct Sparing: BulkCommand {
        static let name: EntryKind = "charge.all"
        var selection: BulkSelection { BulkSelection(of: "nobody") }
        func command(for member: Balance) -> (any Command)? {
            member.account.path == "customers:c0010" ? ChargeOne(account: member.account.path, units: 5) : nil
        }
    }

    @Test(.timeLimit(.minutes(5))) func `whoever is cut off at any COMMIT is finished by the next one`() async throws {
        var isCut = true
        var cuts = 0
        while isCut {
            cuts += 1
            isCut = try await Self.cutOff(at: cuts)
        }
        // Ten members in pages of three: four pages are read and written, then there is the outcome.
        #expect(cuts > 9, "it was cut off \(cuts - 1) times")
    }

    /// Expands a bulk over a link that breaks for good at a COMMIT, and then over a good one.
    /// - Returns: false if there were not so many COMMITs.
    private static func cutOff(at commit: Int) async throws -> Bool {
        try await BulkSupport.withBook(customers: 10) { book in
            try await book.ledger.enqueue(ChargeAll(units: 1), id: id)
            let link = Link()
            let proxy = try LossyProxy(to: book.server.socketPath) { number in
                if number >= commit { link.cut() }
                return number >= commit
            }
            link.proxy.withLock { $0 = proxy }
            let ledger = Ledger(
                try BookLocation(
                    server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            // Who is cut off after the outcome does not notice.
            do { try await book.decideBulks([BulkSupport.bulk], pageMax: 3, on: ledger) } catch let error as LedgerError { #expect(error.code != .integrity, "\(error)") }
            await ledger.close()
            link.cut()
            try await book.decideBulks(pageMax: 3)
            try await book.expectWhole(id, members: 10)
            return proxy.lost > 0
        }
    }

    /// Stops its proxy, once.
    private final class Link: Sendable {
        let proxy = Mutex<LossyProxy?>(nil)
        func cut() {
            let proxy = proxy.withLock { proxy in
                defer { proxy = nil }
                return proxy
            }
            proxy?.stop()
        }
    }

    @Test func `answers that are lost enqueue nothing twice, and lose nobody`() async throws {
        try await BulkSupport.withBook(customers: 20) { book in
            try await book.ledger.enqueue(ChargeAll(units: 1), id: Self.id)
            let proxy = try LossyProxy(to: book.server.socketPath) { $0 % 2 == 1 }
            let ledger = Ledger(
                try BookLocation(
                    server: .socket(path: proxy.socketPath), book: book.name, user: book.location.user, password: Secret(book.password)))
            try await book.decideBulks(pageMax: 2, on: ledger)
            await ledger.close()
            proxy.stop()
            #expect(proxy.lost >= 10, "\(proxy.lost) of \(proxy.committed) answers were lost")
            try await book.expectWhole(Self.id, members: 20)
        }
    }
}
