import Charges
import Indelible
import IndelibleTesting
import Testing

/// Every command of a charge, and every refusal: given, when, then.
@Suite struct ChargeTests {
    // MARK: - Authorise

    @Test func `a charge is authorised with a hold`() {
        let outcome = Given.new.when { try $0.authorise(merchant: "bob", amount: eur(100_00)) }.then(Given.authorised)
        outcome.thenState { charge in
            #expect(charge.authorisation == .held(100_00))
            #expect(charge.terms == Charge.Terms(merchant: "bob", amount: eur(100_00), accounts: Given.accounts))
            #expect(charge.rest == 0)
        }
        #expect(outcome.movements == [.hold([Posting(debit: "acquirer:receivable", credit: "merchants:bob", amount: eur(100_00))])])
    }

    @Test func `the accounts are those that are asked for, and the charge stays with them`() {
        let accounts = ChargeAccounts(receivable: "a", disputes: "b", bank: "c", merchants: "d:e")
        let own = MerchantAccounts(merchant: "d:e:bob", receivable: "a", disputes: "b", bank: "c")
        let authorised = ChargeAuthorised(charge: "c1", merchant: "bob", amount: eur(1), accounts: own)
        Given.new.when { try $0.authorise(merchant: "bob", amount: eur(1), accounts: accounts) }.then(authorised)
        let captured = Given.new.given(authorised, ChargeCaptured(charge: "c1", amount: eur(1)))
        let posting = Posting(debit: "d:e:bob", credit: "a", amount: eur(1))
        captured.when { try $0.refund("r1") }.then(ChargeRefunded(charge: "c1", refund: "r1", posting: posting))
    }

    @Test func `a charge is authorised once, for more than nothing, for a merchant that can be one`() {
        for given in [Given.held, Given.captured, Given.voided] {
            given.when { try $0.authorise(merchant: "bob", amount: eur(1)) }.thenRefuses(
                .alreadyAuthorised, "charge c1: 0.01 EUR cannot be authorised, it was authorised before: for another payment make another charge")
        }
        for amount in [0, -1, .min] as [Int64] {
            Given.new.when { try $0.authorise(merchant: "bob", amount: eur(amount)) }.thenRefuses(.notPositive)
        }
        for merchant in ["", "a:b", " bob", "b*b"] {
            Given.new.when { try $0.authorise(merchant: merchant, amount: eur(1)) }.thenRefuses(.invalidMerchant)
        }
    }

    @Test func `the entry that holds the money has an id that follows from the charge`() {
        #expect(Given.authorised.identity == .once(Charge(id: "c1").hold))
        #expect(Charge(id: "c1").hold != Charge(id: "c2").hold)
        #expect(Charge(id: "p").hold != Payout(id: "p").hold)
    }

    // MARK: - Capture and void

    @Test func `all that is held is captured, or a part of it, once`() {
        Given.held.when { try $0.capture() }.then(ChargeCaptured(charge: "c1", amount: eur(100_00)))
        let part = Given.held.when { try $0.capture(eur(80_00)) }.then(ChargeCaptured(charge: "c1", amount: eur(80_00)))
        part.thenState { #expect($0.authorisation == .captured(80_00, of: 100_00)) }
        part.thenState { #expect($0.rest == 80_00) }
        #expect(part.movements == [.capture(Charge(id: "c1").hold, amounts: [eur(80_00)])])
        Given.captured.when { try $0.capture(eur(20_00)) }.thenRefuses(
            .alreadyCaptured,
            "charge c1: 20.00 EUR cannot be captured, 80.00 EUR of it were captured before, and what was not was released: "
                + "refund it, or make another charge")
    }

    @Test func `a capture that cannot be is refused`() {
        Given.new.when { try $0.capture() }.thenRefuses(
            .notAuthorised, "charge c1: cannot be captured, it is not authorised: authorise it first")
        Given.new.when { try $0.capture(eur(1)) }.thenRefuses(.notAuthorised)
        Given.held.when { try $0.capture(eur(100_01)) }.thenRefuses(
            .aboveHold, "charge c1: 100.01 EUR cannot be captured, only 100.00 EUR are held: capture at most that")
        Given.held.when { try $0.capture(eur(0)) }.thenRefuses(.notPositive)
        Given.held.when { try $0.capture(Amount(minorUnits: 1, .usd)) }.thenRefuses(
            .wrongCurrency, "charge c1: 0.01 USD cannot be captured, the charge is in EUR: ask for an amount in it")
        Given.voided.when { try $0.capture() }.thenRefuses(.alreadyVoided)
    }

    @Test func `what is held is voided, once`() {
        let outcome = Given.held.when { try $0.void() }.then(ChargeVoided(charge: "c1"))
        outcome.thenState { #expect($0.authorisation == .voided(100_00)) }
        #expect(outcome.movements == [.void(Charge(id: "c1").hold)])
        Given.new.when { try $0.void() }.thenRefuses(.notAuthorised)
        Given.captured.when { try $0.void() }.thenRefuses(.alreadyCaptured)
        Given.voided.when { try $0.void() }.thenRefuses(
            .alreadyVoided, "charge c1: 100.00 EUR cannot be voided, it was voided: make another charge")
    }

    // MARK: - Refunds

    @Test func `what was captured is refunded in parts, and the rest at last`() {
        let one = Given.captured.when { try $0.refund("r1", eur(30_00), reason: "too late") }
        one.then(Given.refunded("r1", 30_00, reason: "too late")).thenState { #expect($0.rest == 50_00) }
        #expect(one.movements == [.post([Posting(debit: "merchants:bob", credit: "acquirer:receivable", amount: eur(30_00))])])
        let after = Given.captured.given(Given.refunded("r1", 30_00))
        after.when { try $0.refund("r2") }.then(Given.refunded("r2", 50_00)).thenState { #expect($0.rest == 0) }
    }

    @Test func `the same refund again is nothing new`() {
        let after = Given.captured.given(Given.refunded("r1", 30_00))
        after.when { try $0.refund("r1", eur(30_00)) }.thenNothing()
        after.when { try $0.refund("r1") }.thenNothing()
        // Also when nothing is left.
        Given.captured.given(Given.refunded("r1", 80_00)).when { try $0.refund("r1") }.thenNothing()
    }

    @Test func `a refund that cannot be is refused`() {
        for given in [Given.new, Given.held, Given.voided] { given.when { try $0.refund("r1", eur(1)) }.thenRefuses(.notCaptured) }
        let after = Given.captured.given(Given.refunded("r1", 30_00))
        after.when { try $0.refund("r2", eur(50_01)) }.thenRefuses(
            .aboveRest,
            "charge c1: 50.01 EUR cannot be refunded as “r2”, 50.00 EUR are left of the 80.00 EUR that were captured (30.00 EUR were "
                + "refunded, 0.00 EUR are withheld or lost by a dispute): ask for at most 50.00 EUR")
        after.when { try $0.refund("r1", eur(30_01)) }.thenRefuses(.refundDiffers)
        after.when { try $0.refund("r2", eur(0)) }.thenRefuses(.notPositive)
        after.when { try $0.refund("r2", Amount(minorUnits: 1, .jpy)) }.thenRefuses(.wrongCurrency)
        after.given(Given.refunded("r2", 50_00)).when { try $0.refund("r3") }.thenRefuses(.aboveRest)
    }

    // MARK: - Disputes

    @Test func `what is left is disputed, and withheld until the dispute is won`() {
        let refunded = Given.captured.given(Given.refunded("r1", 30_00))
        let opened = refunded.when { try $0.openDispute(reason: "not mine") }
        opened.thenState { #expect($0.rest == 0) }
        #expect(opened.movements == [.post([Posting(debit: "merchants:bob", credit: "disputes", amount: eur(50_00))])])
        let open = refunded.given(Given.disputed(50_00))
        open.when { try $0.winDispute() }.then(Given.won(50_00)).thenState { charge in
            #expect(charge.rest == 50_00)
            #expect(charge.dispute == .won(50_00))
        }
    }

    @Test func `a dispute that is lost goes back to the acquirer`() {
        let open = Given.captured.given(Given.disputed(20_00))
        let lost = open.when { try $0.loseDispute() }.then(Given.lost(20_00))
        lost.thenState { #expect($0.rest == 60_00) }
        #expect(lost.movements == [.post([Posting(debit: "disputes", credit: "acquirer:receivable", amount: eur(20_00))])])
    }

    @Test func `refunds and a dispute are together never more than what was captured`() {
        let open = Given.captured.given(Given.refunded("r1", 30_00), Given.disputed(40_00))
        for given in [open, open.given(Given.lost(40_00))] {
            given.when { try $0.refund("r2", eur(10_01)) }.thenRefuses(.aboveRest)
            given.when { try $0.refund("r2", eur(10_00)) }.then(Given.refunded("r2", 10_00))
        }
        open.given(Given.won(40_00)).when { try $0.refund("r2") }.then(Given.refunded("r2", 50_00))
        Given.captured.given(Given.refunded("r1", 30_00)).when { try $0.openDispute(eur(50_01)) }.thenRefuses(.aboveRest)
    }

    @Test func `a dispute that cannot be is refused`() {
        for given in [Given.new, Given.held, Given.voided] {
            given.when { try $0.openDispute() }.thenRefuses(.notCaptured)
            given.when { try $0.winDispute() }.thenRefuses(.notCaptured)
            given.when { try $0.loseDispute() }.thenRefuses(.notCaptured)
        }
        Given.captured.when { try $0.winDispute() }.thenRefuses(.noDispute)
        Given.captured.when { try $0.loseDispute() }.thenRefuses(.noDispute)
        Given.captured.when { try $0.openDispute(Amount(minorUnits: 1, .usd)) }.thenRefuses(.wrongCurrency)
        let open = Given.captured.given(Given.disputed(80_00))
        open.when { try $0.openDispute() }.thenRefuses(.disputeIsOpen)
        open.given(Given.won(80_00)).when { try $0.openDispute() }.thenRefuses(
            .disputeHasEnded, "charge c1: 80.00 EUR cannot be disputed, its dispute of 80.00 EUR has ended, and there is one a charge")
        open.given(Given.lost(80_00)).when { try $0.loseDispute() }.thenRefuses(.disputeHasEnded)
        Given.captured.given(Given.refunded("r1", 80_00)).when { try $0.openDispute() }.thenRefuses(.aboveRest)
    }

    @Test func `an amount of a currency that is not of ISO 4217 is told in minor units`() {
        let points = try? CurrencyCode("POINTS")
        let given = Given.new.given(
            ChargeAuthorised(charge: "c1", merchant: "bob", amount: Amount(minorUnits: 5, points ?? .eur), accounts: Given.accounts))
        given.when { try $0.capture(Amount(minorUnits: 6, points ?? .eur)) }.thenRefuses(
            .aboveHold,
            "charge c1: 6 minor units of POINTS cannot be captured, only 5 minor units of POINTS are held: capture at most that")
    }
}
