import Foundation
import Indelible
import IndelibleTesting
import Testing

/// The ends of time and of numbers, and books that are carried over.
@Suite struct FeeEdgeTests {
    @Test(arguments: ["UTC", "Pacific/Auckland", "America/New_York"])
    func `the first and the last months have fees like any other`(zone: String) async throws {
        try await withBook { shared in
            let book = try await TestBook.make(on: shared.server, timeZone: zone)
            try await FeeTests.open(book)
            let prices = #"{"tiers": {"by": "volume", "mode": "whole", "steps": [{"from": "0", "basis_points": 1000}, {"from": "10.00", "basis_points": 100}]}}"#
            try await book.ledger.publishFeeSchedule(FeeTests.schedule(from: "1000-01-01T00:00:00Z", prices: prices))
            for (key, time) in [("first", "1000-01-01T00:00:00Z"), ("last", "9999-12-31T23:59:59.999999Z"), ("before", "9999-12-31T10:00:00Z")] {
                try await book.ledger.post(try FeeTests.charge(key, "shops:a", 10_00, time))
                try await book.project()
            }
            #expect(try await FeeTests.fee("first", book) == 100)
            #expect(try await FeeTests.fee("before", book) == 100)
            #expect(try await FeeTests.fee("last", book) == 10)
            try await book.ledger.publishFeeSchedule(FeeTests.schedule(2, from: "9999-12-31T00:00:00Z", prices: #"{"basis_points": 500}"#))
            try await book.project()
            #expect(try await FeeTests.fee("last", book) == 50)
            #expect(try await FeeTests.fee("first", book) == 100)
            await book.ledger.close()
        }
    }

    @Test func `whatever an entry moves, and a schedule says, has a fee`() async throws {
        try await withBook { book in
            try await FeeTests.open(book)
            try await book.ledger.publishFeeSchedule(FeeTests.schedule(prices: #"{"basis_points": 10000, "fixed": "92233720368547758.07"}"#))
            var entry = try FeeTests.charge("huge", "shops:a", .max, "2026-01-10")
            entry.postings += entry.postings
            try await book.ledger.post(entry)
            try await book.project()
            #expect(try await FeeTests.fee("huge", book) == 3 * Int128(Int64.max))
            let refused = try await book.ledger.assessFees(for: AccountingMonth(year: 2026, month: 1)).refused
            #expect(refused.map(\.error.code) == [.invalidAmount])
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `an export has schedules and fees, and the book that imports it comes to the same`() async throws {
        try await withBook { book in
            try await FeeTests.open(book)
            try await book.ledger.publishFeeSchedule(FeeTests.schedule(prices: #"{"basis_points": "12.5", "fixed": "0.10"}"#), actor: "ops:nina")
            try await book.ledger.post([try FeeTests.charge("one", "shops:a", 10_00, "2026-01-10"), try FeeTests.charge("two", "shops:b", 20_00, "2026-01-11")])
            try await book.project()
            let month = AccountingMonth(year: 2026, month: 1)
            _ = try await book.ledger.assessFees(for: month, actor: "ops:nina")
            try await book.project()
            var text = ""
            _ = try await Exporter(book.ledger).run(.jsonl) { text += $0 }
            let other = try await TestBook.make(on: book.server)
            let summary = try await Importer(other.ledger).run([Importer.File(name: "export.jsonl", format: .jsonl, bytes: Array(text.utf8))])
            #expect(summary.problems.isEmpty, "\(summary.problems)")
            try await other.project()
            let (before, after) = (try await book.ledger.feeMonths().months, try await other.ledger.feeMonths().months)
            #expect(before.map(\.fees) == after.map(\.fees) && after.map(\.due) == [0, 0])
            #expect(try await other.ledger.assessFees(for: month).posted.isEmpty)
            #expect(try await other.ledger.feeSchedules().map(\.schedule) == book.ledger.feeSchedules().map(\.schedule))
            var again = ""
            _ = try await Exporter(other.ledger).run(.jsonl) { again += $0 }
            #expect(again == text)
            #expect(try await Importer(other.ledger).run([Importer.File(name: "export.jsonl", format: .jsonl, bytes: Array(text.utf8))]).entriesPosted == 0)
            #expect(try await other.reconcile().verdict == .clean)
            await other.ledger.close()
        }
    }

    @Test func `a version is published once, by however many`() async throws {
        try await withBook { book in
            try await FeeTests.open(book)
            let document = FeeTests.schedule(prices: #"{"basis_points": 100}"#)
            let location = book.location
            let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let ledger = Ledger(location)
                        let receipt = try await ledger.publishFeeSchedule(document)
                        await ledger.close()
                        return receipt
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(receipts.map(\.position)).count == 1)
            #expect(receipts.count(where: { !$0.isRepeat }) == 1)
            let other = await #expect(throws: LedgerError.self) {
                try await book.ledger.publishFeeSchedule(FeeTests.schedule(prices: #"{"basis_points": 101}"#))
            }
            #expect(other?.code == .conflict && other?.standing?.position == receipts[0].position)
            #expect(try await book.ledger.feeSchedules().count == 1)
        }
    }
}
