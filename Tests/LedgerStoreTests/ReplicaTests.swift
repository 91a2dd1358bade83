import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import Replication
import Testing

/// A writer with a replica: queries are answered there, and nothing that is decided rests on it. The replica is a real one.
@Suite(.serialized) struct ReplicaTests {
    static func paid(_ units: Int64, id: EntryID = .minted()) -> Entry {
        Entry(id: id, kind: "deposit", postings: [Posting(debit: "bank", credit: "alice", amount: Amount(minorUnits: units, .eur))])
    }

    static func drawn(_ units: Int64) -> Entry {
        Entry(kind: "payment", postings: [Posting(debit: "alice", credit: "bank", amount: Amount(minorUnits: units, .eur))])
    }

    /// `bank`, and `alice` who has 100 and may not overdraw; the replica has it all.
    static func withAlice<T>(_ body: (Replicated, Ledger) async throws -> T) async throws -> T {
        try await Replicated.with { both in
            let ledger = Ledger(both.book.location, reading: both.replica, replicaLagMax: .milliseconds(300))
            try await ledger.openAccount("bank", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(paid(100))
            try await both.book.project()
            try await both.catchUp()
            do {
                let result = try await body(both, ledger)
                await ledger.close()
                return result
            } catch {
                await ledger.close()
                throw error
            }
        }
    }

    @Test func `queries are answered by the replica, and writes are decided on the primary`() async throws {
        try await Self.withAlice { both, ledger in
            #expect(try await ledger.balance(of: "alice", in: .eur).minorUnits == 100)
            // The ledger sends the replica nothing that writes, not even something that would be refused.
            let sent = try await both.statementsOnReplica { try await Self.lag(both, ledger) }
            let verbs = Set(sent.map { $0.trimmingCharacters(in: .whitespacesAndNewlines).prefix { $0.isLetter }.uppercased() })
            #expect(sent.count > 30 && verbs.isSubset(of: ["SELECT", "SET", "START", "COMMIT", "ROLLBACK"]), "\(verbs)")
        }
    }

    private static func lag(_ both: Replicated, _ ledger: Ledger) async throws {
        try await both.stall()
        let drawn = try await ledger.post(drawn(90))
        try await both.book.project()
        try await checkOld(ledger, drawn)

        // The replica shows 100; 10 are left.
        let refused = await #expect(throws: LedgerError.self) { try await ledger.post(Self.drawn(50)) }
        #expect(refused?.code == .limitExceeded && refused?.shortfall?.balance == 10, "\(String(describing: refused))")
        let again = try await ledger.post(paid(1, id: EntryID(key: "again")))
        let repeated = try await ledger.post(paid(1, id: EntryID(key: "again")))
        #expect(repeated.isRepeat && repeated.position == again.position)
        // An account that the replica does not know takes postings, and is not found by queries.
        try await ledger.openAccount("bob", in: .eur, type: .liability)
        try await ledger.openAccount("bob", in: .eur, type: .liability)
        var entry = paid(7)
        entry.postings = [Posting(debit: "bank", credit: "bob", amount: Amount(minorUnits: 7, .eur))]
        let toBob = try await ledger.post(entry)
        let unknown = await #expect(throws: LedgerError.self) { try await ledger.balance(of: "bob", in: .eur) }
        #expect(unknown?.code == .unknownAccount)
        #expect(try await ledger.closedBefore() == nil)
        try await ledger.closePeriod(through: AccountingDay("2020-01-01"))
        #expect(try await ledger.closedBefore() == nil)
        #expect(try await ledger.primary.closedBefore() != nil)

        async let waited = ledger.balance(of: "bob", in: .eur, at: .atLeast(toBob))
        try await Task.sleep(for: .milliseconds(50))
        try await both.resume()
        #expect(try await waited.minorUnits == 7)
        try await both.catchUp()
        #expect(try await ledger.balance(of: "alice", in: .eur).minorUnits == 11)
    }

    /// What queries say while the replica does not have an entry.
    private static func checkOld(_ ledger: Ledger, _ receipt: Receipt) async throws {
        let old = try await ledger.balance(of: "alice", in: .eur)
        #expect(old.minorUnits == 100 && old.through.number == receipt.position.number - 1)
        #expect(try await ledger.primary.balance(of: "alice", in: .eur).minorUnits == 10)
        #expect(try await ledger.balances().first { $0.account.path == "alice" }?.minorUnits == 100)
        try await ledger.primary.wait(for: receipt)
        let job = await #expect(throws: LedgerError.self) { try await ledger.wait(for: receipt, timeout: .milliseconds(50)) }
        #expect(job?.code == .jobBehind)
        #expect(try await ledger.entry(receipt.id) == nil)
        #expect(try await ledger.primary.entry(receipt.id)?.position == receipt.position)
        #expect(try await ledger.receipt(of: receipt.id)?.position == receipt.position)
        #expect(try await Exporter(ledger).hash().through == old.through)
        let behind = await #expect(throws: LedgerError.self) { try await ledger.balance(of: "alice", in: .eur, at: .atLeast(receipt)) }
        #expect(behind?.code == .replicaBehind && behind?.retry == .afterBackoff && behind?.id == receipt.id)
        #expect(behind?.message.contains("up to position \(old.through) after 0.3 seconds, and the entry at position \(receipt.position)") == true, "\(behind?.message ?? "")")
        // Another entry than the receipt says is not waited for.
        let other = Receipt(id: .minted(), position: old.through, recordedAt: receipt.recordedAt, isRepeat: false)
        let missing = await #expect(throws: LedgerError.self) { try await ledger.balance(of: "alice", in: .eur, at: .atLeast(other)) }
        #expect(missing?.code == .historyUnavailable)
    }

    @Test func `a replica of another book, and one that has gone, are told by name; writing goes on`() async throws {
        try await Self.withAlice { both, ledger in
            let other = try await TestBook.make(on: both.book.server)
            let wrong = Ledger(both.book.location, reading: other.location)
            for _ in 0..<2 {
                let error = await #expect(throws: LedgerError.self) { try await wrong.balance(of: "alice", in: .eur) }
                #expect(error?.code == .unavailable && error?.retry == .never)
                #expect(error?.message.contains("\(other.name)") == true && error?.message.contains("is no replica of") == true, "\(error?.message ?? "")")
            }
            try await wrong.post(Self.paid(1))
            await wrong.close()
            await other.ledger.close()

            #expect(try await ledger.accounts().count == 2)
            try await both.catchUp()
            try await both.replicaServer.stop()
            let gone = await #expect(throws: LedgerError.self) { try await ledger.balance(of: "alice", in: .eur) }
            #expect(gone?.code == .unavailable && gone?.retry == .sameRequest)
            #expect(gone?.message.contains("the replica \(both.replica)") == true, "\(gone?.message ?? "")")
            try await ledger.post(Self.drawn(100))
            #expect(try await ledger.primary.balance(of: "alice", in: .eur).minorUnits == 1)
        }
    }
}
