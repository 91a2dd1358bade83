import Charges
import Foundation
import Indelible
import IndelibleTesting
import Testing

/// docs/tutorial/charges-fees.json on charges.
@Suite struct FeeTests {
    @Test(arguments: [true, false]) func `captures, refunds and disputes are charged, whenever the schedule comes`(_ isFirst: Bool) async throws {
        let schedule = try String(contentsOf: repository.appendingPathComponent("docs/tutorial/charges-fees.json"), encoding: .utf8)
        try await BookTests.withShop { shop in
            if isFirst { try await shop.book.ledger.publishFeeSchedule(schedule) }
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(100_00))
            try await shop.charges.capture("c1", eur(80_00))
            try await shop.charges.refund("c1", as: "r1", eur(30_00))
            try await shop.charges.openDispute("c1", eur(20_00))
            try await shop.charges.winDispute("c1")
            try await shop.charges.authorise("c2", merchant: "bob", amount: eur(50_00))
            try await shop.charges.void("c2")
            if !isFirst { try await shop.book.ledger.publishFeeSchedule(schedule) }
            #expect(try await shop.isClean())

            let capture = try await shop.book.ledger.fees(of: .settlement(of: Charge(id: "c1").hold)).fees
            // 1.4 % of what was captured, not of what was held: 1.12, and 0.25.
            #expect(capture.map(\.components.fee) == [1_37])
            let months = try await shop.book.ledger.feeMonths().months
            try #require(months.count == 1)
            #expect(months[0].charged == 3)
            // And 0.10 for the refund, 15.00 for the dispute.
            #expect(months[0].fees == 16_47)
            #expect(months[0].volume == 50_00)
        }
    }
}
