import Charges
import Indelible
import IndelibleTesting
import Testing

/// Every command of a payout, and every refusal: given, when, then.
@Suite struct PayoutTests {
    private let new = Scenario(Payout.self, "p1")
    private let request = PayoutRequested(payout: "p1", merchant: "bob", amount: eur(50_00), accounts: Given.accounts)
    private var requested: Scenario<Payout> { new.given(request) }

    @Test func `a payout is requested with a hold on the merchant's balance`() {
        let outcome = new.when { try $0.request(merchant: "bob", amount: eur(50_00)) }.then(request)
        outcome.thenState { payout in
            #expect(payout.status == .requested)
            #expect(payout.amount == eur(50_00))
            #expect(payout.merchant == "bob")
        }
        #expect(outcome.movements == [.hold([Posting(debit: "merchants:bob", credit: "bank", amount: eur(50_00))])])
        #expect(request.identity == .once(Payout(id: "p1").hold))
    }

    @Test func `it is sent, or it fails, once`() {
        let sent = requested.when { try $0.send(reference: "SEPA-7") }.then(PayoutSent(payout: "p1", reference: "SEPA-7"))
        #expect(sent.movements == [.capture(Payout(id: "p1").hold)])
        let failed = requested.when { try $0.fail(reason: "no such account") }.then(PayoutFailed(payout: "p1", description: "no such account"))
        #expect(failed.movements == [.void(Payout(id: "p1").hold)])
        requested.given(PayoutSent(payout: "p1")).when { try $0.fail() }.thenRefuses(
            .alreadySent, "payout p1: 50.00 EUR cannot be called failed, it was sent before")
        requested.given(PayoutFailed(payout: "p1")).when { try $0.send() }.thenRefuses(
            .alreadyFailed, "payout p1: 50.00 EUR cannot be sent, it has failed: request another one")
    }

    @Test func `what cannot be is refused`() {
        new.when { try $0.send() }.thenRefuses(.notRequested, "payout p1: cannot be sent, it is not requested: request it first")
        new.when { try $0.fail() }.thenRefuses(.notRequested)
        new.when { try $0.request(merchant: "bob", amount: eur(0)) }.thenRefuses(.notPositive)
        new.when { try $0.request(merchant: "a:b", amount: eur(1)) }.thenRefuses(.invalidMerchant)
        requested.when { try $0.request(merchant: "bob", amount: eur(50_00)) }.thenRefuses(.alreadyRequested)
    }
}
