import Foundation
import IndelibleTesting
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// The order of refusals of `docs/limits-and-holds.md`: who breaks two rules is told the first.
@Suite struct PrecedenceTests {
    private enum Answer: Equatable, CustomStringConvertible {
        case receipt(isRepeat: Bool)
        case refused(LedgerError.Code)

        var description: String {
            switch self {
            case .receipt(let isRepeat): isRepeat ? "the first receipt" : "a receipt"
            case .refused(let code): code.rawValue
            }
        }
    }

    private typealias Moves = [(from: AccountPath, to: AccountPath, amount: Int64)]

    private static func entry(
        _ moves: Moves, id: EntryID = .minted(), at time: String? = nil, expires: String? = nil, in code: CurrencyCode = .eur
    ) -> Entry {
        Entry(
            id: id, kind: "moved", effectiveAt: time.flatMap { try? Timestamp($0) },
            postings: moves.map { Posting(debit: $0.from, credit: $0.to, amount: Amount(minorUnits: $0.amount, code)) },
            hold: expires.flatMap { try? Timestamp($0) }.map { Hold(expiresAt: $0) })
    }

    private static let stands = EntryID(key: "stands")
    private static let unstorable = Timestamp(microseconds: .min)
    private static let (closed, over) = ("2020-01-15", "2020-01-01")

    /// `alice` and `bob` may not be overdrawn and have 100 each; `ice` is frozen with 100, `shut` is closed, `dollars` is in USD; the
    /// book is closed through January 2020, and `stands` moved 1 from alice to cash.
    private static let table: [(breaks: String, entry: Entry, answer: Answer)] = [
        // 1 before 2
        ("no amount, unknown account", entry([("nobody", "cash", 0)]), .refused(.invalidAmount)),
        ("one account twice, unknown account", entry([("nobody", "nobody", 1)]), .refused(.invalidEntry)),
        ("no time that can be kept, unknown account", {
            var late = entry([("nobody", "cash", 1)])
            late.effectiveAt = unstorable
            return late
        }(), .refused(.invalidTime)),
        ("no amount, the id stands", entry([("alice", "cash", 0)], id: stands), .refused(.invalidAmount)),
        // Within 2: in the order of the postings.
        ("unknown account, other currency", entry([("nobody", "cash", 1), ("dollars", "cash", 1)]), .refused(.unknownAccount)),
        ("other currency, unknown account", entry([("dollars", "cash", 1), ("nobody", "cash", 1)]), .refused(.currencyMismatch)),
        // 2 before 3
        ("unknown account, the id stands", entry([("nobody", "cash", 1)], id: stands), .refused(.unknownAccount)),
        ("other currency, the id stands", entry([("dollars", "cash", 1)], id: stands), .refused(.currencyMismatch)),
        // 3 before 4, and before all others
        ("the id stands for something else, closed period", entry([("alice", "cash", 2)], id: stands, at: closed), .refused(.conflict)),
        ("the id stands for something else, closed account", entry([("alice", "shut", 1)], id: stands), .refused(.conflict)),
        ("the id stands for something else, frozen account", entry([("ice", "cash", 1)], id: stands), .refused(.conflict)),
        ("the id stands for something else, over from the start", entry([("alice", "cash", 1)], id: stands, expires: over), .refused(.conflict)),
        ("the id stands for something else, too much", entry([("alice", "cash", 1000)], id: stands), .refused(.conflict)),
        ("the id stands for the same", entry([("alice", "cash", 1)], id: stands), .receipt(isRepeat: true)),
        // 4 before 5
        ("closed period, closed account", entry([("alice", "shut", 1)], at: closed), .refused(.periodClosed)),
        ("closed period, frozen account", entry([("ice", "cash", 1)], at: closed), .refused(.periodClosed)),
        ("closed period, over from the start", entry([("alice", "cash", 1)], at: closed, expires: over), .refused(.periodClosed)),
        ("closed period, too much", entry([("alice", "cash", 1000)], at: closed), .refused(.periodClosed)),
        // 5 before 6
        ("frozen account, closed account", entry([("ice", "cash", 1), ("cash", "shut", 1)]), .refused(.accountClosed)),
        ("closed account, over from the start", entry([("alice", "shut", 1)], expires: over), .refused(.accountClosed)),
        ("closed account, too much", entry([("shut", "cash", 1)]), .refused(.accountClosed)),
        // 6 before 7
        ("frozen account, over from the start", entry([("ice", "cash", 1)], expires: over), .refused(.accountFrozen)),
        ("frozen account, too much", entry([("ice", "cash", 1000)]), .refused(.accountFrozen)),
        // 7 before 8
        ("over from the start, too much", entry([("alice", "cash", 1000)], expires: over), .refused(.invalidTime)),
        // 8
        ("too much", entry([("alice", "cash", 1000)]), .refused(.limitExceeded)),
        ("nothing", entry([("alice", "cash", 1)]), .receipt(isRepeat: false)),
    ]

    private static func answer(_ body: () async throws -> Receipt) async -> (Answer, LedgerError?) {
        do { return (.receipt(isRepeat: try await body().isRepeat), nil) } catch {
            let error = LedgerError.translating(error)
            return (.refused(error.code), error)
        }
    }

    private static func withTable(_ body: (TestBook) async throws -> Void) async throws {
        try await withBook { book in
            let ledger = book.ledger
            try await ledger.openAccount("cash", in: .eur, type: .asset)
            try await ledger.openAccount("dollars", in: CurrencyCode("USD"), type: .asset)
            for path: AccountPath in ["alice", "bob", "ice", "shut"] {
                try await ledger.openAccount(path, in: .eur, type: .liability, limits: .noOverdraft)
                if path != "shut" { try await ledger.post(entry([("cash", path, 101)])) }
            }
            try await ledger.post(entry([("alice", "cash", 1)], id: stands))
            try await ledger.post(entry([("bob", "cash", 1)]))
            try await ledger.setStatus(.frozen, of: "ice", in: .eur)
            try await ledger.setStatus(.closed, of: "shut", in: .eur)
            try await ledger.closePeriod(through: try AccountingDay("2020-01-31"))
            try await body(book)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `who breaks two rules is told the first`() async throws {
        try await Self.withTable { book in
            for row in Self.table {
                #expect(await Self.answer { try await book.ledger.post(row.entry) }.0 == row.answer, "\(row.breaks)")
            }
        }
    }

    @Test func `a preview and a transaction of the caller's own keep the same order`() async throws {
        try await Self.withTable { book in
            let (ledger, other) = (Ledger(book.location), Database(book.location, role: .writer, connectionsMax: 1))
            struct RolledBack: Error {}
            for row in Self.table {
                let within = await Self.answer {
                    let receipt = try await other.write { transaction in
                        let receipt = try ledger.post(row.entry, in: transaction)
                        guard receipt.isRepeat else { throw RolledBack() }
                        return receipt
                    }
                    return receipt
                }
                if row.answer == .receipt(isRepeat: false) {
                    #expect(within.1?.message.contains("RolledBack") == true, "\(row.breaks)")
                } else {
                    #expect(within.0 == row.answer, "\(row.breaks)")
                }
                guard case .refused(let code) = row.answer else { continue }
                let preview = await #expect(throws: LedgerError.self) { try await ledger.preview([row.entry]) }
                #expect(preview?.code == code, "\(row.breaks)")
            }
            await ledger.close()
            await other.close()
        }
    }

    @Test func `of two accounts with too little the one of the first posting is told`() async throws {
        try await Self.withTable { book in
            for pair: [AccountPath] in [["alice", "bob"], ["bob", "alice"]] {
                let (_, error) = await Self.answer { try await book.ledger.post(Self.entry([(pair[0], "cash", 500), (pair[1], "cash", 500)])) }
                #expect(error?.code == .limitExceeded && error?.shortfall?.account == pair[0])
            }
        }
    }

    @Test func `in a batch what can be seen comes first, then the accounts, then entry by entry`() async throws {
        try await Self.withTable { book in
            let (short, shut) = (Self.entry([("alice", "cash", 1000)]), Self.entry([("alice", "shut", 1)]))
            let (unknown, invalid) = (Self.entry([("nobody", "cash", 1)]), Self.entry([("alice", "cash", 0)]))
            let conflict = Self.entry([("alice", "cash", 7)], id: Self.stands)
            let batches: [(batch: [Entry], code: LedgerError.Code, index: Int)] = [
                ([short, unknown, invalid], .invalidAmount, 2), ([short, unknown, conflict], .unknownAccount, 1),
                ([short, conflict, shut], .limitExceeded, 0), ([conflict, short], .conflict, 0), ([shut, short], .accountClosed, 0),
            ]
            for (batch, code, index) in batches {
                let error = await #expect(throws: LedgerError.self) { try await book.ledger.post(batch) }
                #expect(error?.code == code && error?.index == index && error?.id == batch[index].id)
            }
        }
    }

    @Test func `what settles a hold has its own order`() async throws {
        try await Self.withTable { book in
            let ledger = book.ledger
            let expiresAt = Timestamp(microseconds: Timestamp(.now).microseconds + 1_500_000)
            func hold(_ path: AccountPath) async throws -> EntryID {
                try await ledger.post(LimitTests.drawn(path, 10, hold: Hold(expiresAt: expiresAt))).id
            }
            let (settled, open) = (try await hold("alice"), try await hold("bob"))
            try await ledger.capture(settled)
            try await ledger.setStatus(.frozen, of: "bob", in: .eur)
            try await RegressionTests.sleep(until: expiresAt.microseconds + 10_000)
            let (one, more) = ([Amount(minorUnits: 10, .eur)], [Amount(minorUnits: 11, .eur)])
            let table: [(breaks: String, answer: Answer, ask: () async throws -> Receipt)] = [
                ("not there", .refused(.unknownEntry), { try await ledger.capture(EntryID(key: "nobody"), amounts: more) }),
                ("no hold, more than is held", .refused(.notAHold), { try await ledger.capture(Self.stands, amounts: [Amount(minorUnits: 5, .eur)]) }),
                ("more than is held, settled, over", .refused(.invalidAmount), { try await ledger.capture(settled, amounts: more) }),
                ("settled in another way, over", .refused(.holdSettled), { try await ledger.void(settled) }),
                ("settled in the same way, over", .receipt(isRepeat: true), { try await ledger.capture(settled, amounts: one) }),
                ("more than is held, over", .refused(.invalidAmount), { try await ledger.capture(open, amounts: more) }),
                // Freezing does not concern what settles a hold.
                ("over, frozen", .refused(.holdExpired), { try await ledger.capture(open) }),
                ("not reversible, frozen", .refused(.notReversible), { try await ledger.reverse(open) }),
            ]
            for row in table { #expect(await Self.answer(row.ask).0 == row.answer, "\(row.breaks)") }
        }
    }
}
