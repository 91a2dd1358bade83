import Foundation
import IndelibleTesting
import MariaDBDriver
import Testing

@testable import LedgerModel
@testable import LedgerStore

/// Limits, freezing and closing: who is refused, and with what figures.
@Suite struct LimitTests {
    static func paid(_ path: AccountPath, _ minorUnits: Int64, id: EntryID = .minted(), hold: Hold? = nil) -> Entry {
        Entry(
            id: id, kind: "paid", postings: [Posting(debit: "cash", credit: path, amount: Amount(minorUnits: minorUnits, .eur))],
            hold: hold)
    }

    static func drawn(_ path: AccountPath, _ minorUnits: Int64, id: EntryID = .minted(), hold: Hold? = nil) -> Entry {
        Entry(
            id: id, kind: "drawn", postings: [Posting(debit: path, credit: "cash", amount: Amount(minorUnits: minorUnits, .eur))],
            hold: hold)
    }

    @Test func `a draw below the floor is refused with balance, limit and shortfall`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(Self.paid("alice", 1000))
            try await ledger.post(Self.drawn("alice", 600))
            let refused = await #expect(throws: LedgerError.self) { try await ledger.post(Self.drawn("alice", 500)) }
            #expect(refused?.code == .limitExceeded)
            #expect(
                refused?.shortfall
                    == Shortfall(account: "alice", currency: .eur, bound: .floor, limit: 0, balance: 400, shortfall: 100))
            try await ledger.post(Self.drawn("alice", 400))
            let balance = try await ledger.balance(of: "alice", in: .eur)
            #expect(balance.available == 0)
        }
    }

    @Test func `six holds of 1,000 on 5,000: five are placed`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(Self.paid("alice", 5000))
            let placed = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<6 {
                    group.addTask { (try? await ledger.post(Self.drawn("alice", 1000, hold: Hold()))) != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(placed == 5)
            let balance = try await ledger.balance(of: "alice", in: .eur)
            #expect(balance.available == 0 && balance.minorUnits == 5000 && balance.totals.debitsPending == 5000)
            try await book.project()
            let projected = try await ledger.balance(of: "alice", in: .eur, at: .projected)
            #expect(projected.totals == balance.totals)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a hold is captured in part, and the rest is free`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(Self.paid("alice", 100))
            let hold = try await ledger.post(Self.drawn("alice", 100, hold: Hold()))
            let first = try await ledger.capture(hold.id, amounts: [Amount(minorUnits: 30, .eur)])
            let again = try await ledger.capture(hold.id, amounts: [Amount(minorUnits: 30, .eur)])
            #expect(again.position == first.position && again.isRepeat)
            let void = await #expect(throws: LedgerError.self) { try await ledger.void(hold.id) }
            #expect(void?.code == .holdSettled && void?.standing?.position == first.position)
            let balance = try await ledger.balance(of: "alice", in: .eur)
            #expect(balance.available == 70 && balance.totals.debitsPending == 0 && balance.minorUnits == 70)
            try await ledger.post(Self.drawn("alice", 70))
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `an expired hold gives its room back before any entry says so`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(Self.paid("alice", 100))
            let now = Timestamp(.now)
            let hold = try await ledger.post(
                Self.drawn("alice", 80, hold: Hold(expiresAt: Timestamp(microseconds: now.microseconds + 400_000))))
            let early = await #expect(throws: LedgerError.self) { try await ledger.post(Self.drawn("alice", 50)) }
            #expect(early?.code == .limitExceeded && early?.shortfall?.balance == 20)
            try await Task.sleep(for: .milliseconds(500))
            #expect(try await ledger.balance(of: "alice", in: .eur).available == 100)
            let late = await #expect(throws: LedgerError.self) { try await ledger.capture(hold.id) }
            #expect(late?.code == .holdExpired)
            try await ledger.post(Self.drawn("alice", 50))
            let settled = try #require(try await ledger.entry(.settlement(of: hold.id)))
            #expect(settled.kind == .holdExpired)
            let void = await #expect(throws: LedgerError.self) { try await ledger.void(hold.id) }
            #expect(void?.code == .holdSettled)
            #expect(try await ledger.balance(of: "alice", in: .eur).available == 50)
        }
    }

    @Test func `an account is frozen, thawed, emptied and closed`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.post(Self.paid("alice", 100))
            try await ledger.setStatus(.frozen, of: "alice", in: .eur)
            let frozen = await #expect(throws: LedgerError.self) { try await ledger.post(Self.drawn("alice", 1)) }
            #expect(frozen?.code == .accountFrozen)
            try await ledger.post(Self.paid("alice", 1))
            let full = await #expect(throws: LedgerError.self) { try await ledger.setStatus(.closed, of: "alice", in: .eur) }
            #expect(full?.code == .accountNotEmpty)
            try await ledger.setStatus(.open, of: "alice", in: .eur)
            let draw = Self.drawn("alice", 101)
            let receipt = try await ledger.post(draw)
            try await ledger.setStatus(.closed, of: "alice", in: .eur)
            for entry in [Self.paid("alice", 1), Self.drawn("alice", 1)] {
                let closed = await #expect(throws: LedgerError.self) { try await ledger.post(entry) }
                #expect(closed?.code == .accountClosed)
            }
            // What is recorded stays recorded, whatever came after it.
            let again = try await ledger.post(draw)
            #expect(again.isRepeat && again.position == receipt.position)
            let reversal = await #expect(throws: LedgerError.self) { try await ledger.reverse(draw.id) }
            #expect(reversal?.code == .accountClosed)
        }
    }

    @Test func `a limit is changed only where there is one, and not below what stands`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            try await ledger.setLimits(.creditLine(50), of: "alice", in: .eur)
            try await ledger.post(Self.drawn("alice", 50))
            let refused = await #expect(throws: LedgerError.self) { try await ledger.post(Self.drawn("alice", 1)) }
            #expect(refused?.shortfall?.limit == -50)
            let back = await #expect(throws: LedgerError.self) { try await ledger.setLimits(.noOverdraft, of: "alice", in: .eur) }
            #expect(back?.code == .limitExceeded && back?.shortfall?.shortfall == 50)
            let other = await #expect(throws: LedgerError.self) { try await ledger.setLimits(.noOverdraft, of: "cash", in: .eur) }
            #expect(other?.code == .invalidEntry)
            try await ledger.setLimits(.none, of: "alice", in: .eur)
            try await ledger.post(Self.drawn("alice", 1_000_000))
        }
    }

    @Test func `an account is not opened with limits that are broken from the start`() async throws {
        try await withBook { book in
            for limits in [AccountLimits(floor: 1), AccountLimits(ceiling: -1), AccountLimits(floor: 100, ceiling: 200)] {
                let refused = await #expect(throws: LedgerError.self) {
                    try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: limits)
                }
                #expect(refused?.code == .invalidEntry)
            }
            try await book.ledger.openAccount("alice", in: .eur, type: .liability, limits: AccountLimits(floor: 0, ceiling: 0))
            #expect(try await book.number("SELECT COUNT(*) FROM account") == 1)
        }
    }

    @Test func `a preview reckons like a post and writes nothing`() async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("alice", in: .eur, type: .liability, limits: .noOverdraft)
            let before = try await book.number("SELECT COALESCE(MAX(position), 0) FROM entry")
            let preview = try await ledger.preview([Self.paid("alice", 100), Self.drawn("alice", 30)])
            #expect(preview.map { $0.balances.map(\.minorUnits) } == [[100, 100], [70, 70]])
            let refused = await #expect(throws: LedgerError.self) {
                try await ledger.preview([Self.paid("alice", 100), Self.drawn("alice", 130)])
            }
            #expect(refused?.code == .limitExceeded && refused?.index == 1)
            #expect(try await book.number("SELECT COALESCE(MAX(position), 0) FROM entry") == before)
            #expect(try await book.number("SELECT COUNT(*) FROM account_claim") == 0)
        }
    }
}
