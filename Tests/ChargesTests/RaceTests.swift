import Charges
import Indelible
import IndelibleTesting
import Testing

/// Many at once on one charge, and the same request again.
@Suite struct RaceTests {
    @Test(.timeLimit(.minutes(5))) func `64 at once capture and refund one charge, and it ends right`() async throws {
        try await BookTests.withShop(attemptsMax: 1000) { shop in
            try await shop.charges.authorise("c1", merchant: "bob", amount: eur(64_00))
            let results = try await withThrowingTaskGroup(of: [ChargeError.Code?].self) { group in
                for number in 0..<64 {
                    group.addTask {
                        let captured = try await Self.code { try await shop.charges.capture("c1", eur(60_00)) }
                        let refunded = try await Self.code { try await shop.charges.refund("c1", as: "r\(number)", eur(1_00)) }
                        return [captured, refunded]
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0[0] == nil } == 1)
            #expect(results.count { $0[0] == .alreadyCaptured } == 63)
            // Whoever refunds has captured, or seen that somebody had: there are 60 of them, and 4 find nothing left.
            #expect(results.count { $0[1] == nil } == 60)
            #expect(results.count { $0[1] == .aboveRest } == 4)
            let charge = try await shop.charges.charge("c1")
            #expect(charge.rest == 0 && charge.refunds.amounts.count == 60)
            #expect(try await shop.balance("merchants:bob") == 0)
            #expect(try await shop.balance("acquirer:receivable") == 0)
            #expect(try await shop.count("charge.captured") == 1)
            #expect(try await shop.count("charge.refunded") == 60)
            #expect(try await shop.isClean())
        }
    }

    /// Why it was refused; nil if it was not.
    private static func code(_ body: () async throws -> Charge) async throws -> ChargeError.Code? {
        do {
            _ = try await body()
            return nil
        } catch let error as ChargeError { return error.code }
    }

    /// They ask for the same, which is one thing, or each for another amount, and then one of them is told that it did.
    @Test(.timeLimit(.minutes(2)), arguments: [true, false])
    func `16 at once authorise one charge, and it is authorised once`(_ isSame: Bool) async throws {
        try await BookTests.withShop(attemptsMax: 100) { shop in
            let codes = try await withThrowingTaskGroup(of: ChargeError.Code?.self) { group in
                for number in 0..<16 {
                    let amount = eur(isSame ? 5_00 : 5_00 + Int64(number))
                    group.addTask { try await Self.code { try await shop.charges.authorise("c1", merchant: "bob", amount: amount) } }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.allSatisfy { $0 == nil || $0 == .alreadyAuthorised })
            #expect(isSame ? codes.contains(nil) : codes.count { $0 == nil } == 1)
            #expect(try await shop.count("charge.authorised") == 1)
            let pending = try await shop.book.ledger.balance(of: "merchants:bob", in: .eur).totals.creditsPending
            #expect(Int128(try await shop.charges.charge("c1").authorisation.authorised) == pending)
        }
    }

    @Test(.timeLimit(.minutes(2))) func `the same request with the same key is done once, one after the other and at once`() async throws {
        try await BookTests.withShop(attemptsMax: 100) { shop in
            for _ in 0..<3 { try await shop.charges.authorise("c1", merchant: "bob", amount: eur(10_00), key: "a") }
            for _ in 0..<3 {
                let charge = try await shop.charges.capture("c1", eur(9_00), key: "b")
                #expect(charge.authorisation == .captured(9_00, of: 10_00))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 { group.addTask { try await shop.charges.openDispute("c1", eur(2_00), key: "c") } }
                try await group.waitForAll()
            }
            // The same key for another command is another request.
            try await shop.charges.winDispute("c1", key: "c")
            for _ in 0..<2 { try await shop.payouts.request("p1", merchant: "bob", amount: eur(4_00), key: "a") }
            for _ in 0..<2 { try await shop.payouts.send("p1", key: "b") }
            for kind in ["charge.authorised", "charge.captured", "charge.dispute-opened", "charge.dispute-won", "payout.requested", "payout.sent"]
                as [EntryKind]
            { #expect(try await shop.count(kind) == 1, "\(kind)") }
            #expect(try await shop.balance("merchants:bob") == 5_00)
            #expect(try await shop.isClean())
        }
    }

    @Test(.timeLimit(.minutes(2))) func `a capture and a void at once: one of them`() async throws {
        try await BookTests.withShop(attemptsMax: 100) { shop in
            for number in 0..<8 {
                let id = "c\(number)"
                try await shop.charges.authorise(id, merchant: "bob", amount: eur(1_00))
                async let captured = Self.code { try await shop.charges.capture(id) }
                async let voided = Self.code { try await shop.charges.void(id) }
                let codes = try await [captured, voided]
                let charge = try await shop.charges.charge(id)
                let isCaptured = charge.authorisation.captured > 0
                #expect(codes == (isCaptured ? [nil, .alreadyCaptured] : [.alreadyVoided, nil]))
            }
            let captures = try await shop.count("charge.captured")
            #expect(try await shop.balance("merchants:bob") == Int128(captures) * 1_00)
            #expect(try await shop.count("charge.voided") == 8 - captures)
            #expect(try await shop.isClean())
        }
    }

    /// What came first, and what was decided before that and comes after it.
    @Test(arguments: [("capture", "capture"), ("capture", "void"), ("void", "capture"), ("authorise", "authorise")])
    func `a unit that was decided before somebody changed the charge is told so, whatever else it would end`(
        _ first: String, _ second: String
    ) async throws {
        try await BookTests.withShop { shop in
            if first != "authorise" { try await shop.charges.authorise("c1", merchant: "bob", amount: eur(10_00)) }
            let (early, late) = (shop.units.begin(), shop.units.begin())
            for (unit, command, amount) in [(early, first, eur(9_00)), (late, second, eur(8_00))] {
                let charge = try await unit.charge("c1")
                switch command {
                case "authorise": try charge.apply(charge.state.authorise(merchant: "bob", amount: amount))
                case "capture": try charge.apply(charge.state.capture(amount))
                default: try charge.apply(charge.state.void())
                }
            }
            try await early.commit()
            let before = try await shop.entries().count
            let error = await #expect(throws: LedgerError.self) { try await late.commit() }
            #expect(error?.code == .revisionConflict, "\(String(describing: error))")
            #expect(try await shop.entries().count == before)
        }
    }
}
