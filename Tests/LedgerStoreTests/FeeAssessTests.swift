import Foundation
import Indelible
import IndelibleTesting
import Testing

/// Posting a month's fees: once, whoever runs, and without those who are refused.
@Suite struct FeeAssessTests {
    private static let month = AccountingMonth(year: 2026, month: 1)

    /// A book in which so many shops are charged 1.00 each; shops may not be overdrawn.
    private static func open(_ book: TestBook, shops: Int) async throws {
        try await book.ledger.openAccount("clearing", in: .eur, type: .asset)
        try await book.ledger.openAccount("fees", in: .eur, type: .income)
        try await book.ledger.publishFeeSchedule(FeeTests.schedule(prices: #"{"fixed": "1.00"}"#))
        for shop in 0..<shops {
            try await book.ledger.openAccount(try AccountPath("shops:s\(shop)"), in: .eur, type: .liability, limits: .noOverdraft)
        }
        try await book.ledger.post((0..<shops).map { try FeeTests.charge("charge \($0)", try AccountPath("shops:s\($0)"), 10_00, "2026-01-10") })
        try await book.project()
    }

    @Test func `who is refused is told, and the others go on`() async throws {
        try await withBook { book in
            try await Self.open(book, shops: 20)
            // Three have nothing left, one is frozen.
            for shop in 0..<3 {
                try await book.ledger.post(
                    Entry(kind: "payout", postings: [Posting(debit: try AccountPath("shops:s\(shop)"), credit: "clearing", amount: Amount(minorUnits: 9_50, .eur))]))
            }
            try await book.ledger.setStatus(.frozen, of: "shops:s7", in: .eur)
            try await book.project()
            let first = try await book.ledger.assessFees(for: Self.month, actor: "ops:nina")
            #expect(first.posted.count == 16)
            #expect(Set(first.refused.map { "\($0.item.account.path) \($0.error.code)" }) == [
                "shops:s0 limitExceeded", "shops:s1 limitExceeded", "shops:s2 limitExceeded", "shops:s7 accountFrozen",
            ])
            try await book.project()
            // They are due still, and nobody else is.
            try await book.ledger.setStatus(.open, of: "shops:s7", in: .eur)
            try await book.project()
            let second = try await book.ledger.assessFees(for: Self.month)
            #expect(second.posted.map(\.item.account.path) == ["shops:s7"])
            #expect(second.refused.count == 3 && second.settled == 16)
            try await book.project()
            #expect(try await book.ledger.balance(of: "fees", in: .eur).minorUnits == 17_00)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `two at once, while charges go on, post nothing twice`() async throws {
        try await withBook { book in
            try await Self.open(book, shops: 100)
            for round in 0..<3 {
                try await book.ledger.post((0..<50).map { try FeeTests.charge("more \(round) \($0)", try AccountPath("shops:s\($0)"), 10_00, "2026-01-20") })
                try await withThrowingTaskGroup(of: Void.self) { group in
                    let location = book.location
                    for worker in 0..<3 {
                        group.addTask {
                            let ledger = Ledger(location)
                            _ = try await ledger.assessFees(for: Self.month, actor: "worker \(worker)")
                            await ledger.close()
                        }
                    }
                    group.addTask {
                        let projector = Projector(location)
                        for _ in 0..<40 {
                            try await projector.catchUp(["fee"])
                            try await Task.sleep(for: .milliseconds(10))
                        }
                        await projector.close()
                    }
                    try await group.waitForAll()
                }
            }
            try await book.project()
            _ = try await book.ledger.assessFees(for: Self.month)
            try await book.project()
            let months = try await book.ledger.feeMonths().months
            #expect(months.count == 100)
            #expect(months.allSatisfy { $0.due == 0 })
            #expect(months.reduce(0) { $0 + $1.fees } == 250_00)
            #expect(try await book.ledger.balance(of: "fees", in: .eur).minorUnits == 250_00)
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a month that has not ended, a projector that is behind, an income account that is not there`() async throws {
        try await withBook { book in
            try await Self.open(book, shops: 1)
            let next = AccountingMonth(of: Timestamp(Date()), in: .gmt)
            let early = await #expect(throws: LedgerError.self) { try await book.ledger.assessFees(for: next) }
            #expect(early?.code == .invalidTime)
            try await book.ledger.post(try FeeTests.charge("late", "shops:s0", 10_00, "2026-01-11"))
            let behind = await #expect(throws: LedgerError.self) { try await book.ledger.assessFees(for: Self.month, timeout: .milliseconds(20)) }
            #expect(behind?.code == .jobBehind)
            #expect(try await book.ledger.balance(of: "fees", in: .eur).minorUnits == 0)
            let elsewhere = FeeTests.schedule(2, prices: #"{"fixed": "1.00"}"#).replacing("\"fees\"", with: "\"income:nowhere\"")
            let refused = await #expect(throws: LedgerError.self) { try await book.ledger.publishFeeSchedule(elsewhere) }
            #expect(refused?.code == .unknownAccount)
            #expect(refused?.message.contains("rules[0].prices.EUR") == true)
        }
    }

    @Test func `a closed book takes the fees from its first open instant on`() async throws {
        try await withBook { book in
            try await Self.open(book, shops: 1)
            try await book.ledger.closePeriod(through: try AccountingDay("2026-02-28"))
            try await book.project()
            let posted = try await book.ledger.assessFees(for: Self.month).posted
            let entry = try #require(try await book.ledger.entry(posted[0].receipt.id))
            #expect(entry.effectiveAt == (try Timestamp("2026-03-01")))
            #expect(entry.payload?.contains("2026-01-31T23:59:59.999999Z") == true)
            try await book.project()
            #expect(try await book.ledger.assessFees(for: Self.month).posted.isEmpty)
            #expect(try await book.ledger.feeMonths().months.map(\.due) == [0])
        }
    }
}
