import Testing

@testable import LedgerModel
@testable import LedgerStore

/// Legs and postings, each from the other.
@Suite struct LegsTests {
    private static let accounts: [AccountPath] = ["a", "b", "c", "d"]
    private static let codes: [CurrencyCode] = [.eur, .usd]

    private func net(_ legs: [Leg]) -> [AccountKey: Int128] {
        var net: [AccountKey: Int128] = [:]
        for leg in legs { net[AccountKey(path: leg.account, currency: leg.currency), default: 0] += Int128(leg.units) }
        return net.filter { $0.value != 0 }
    }

    @Test func `postings have the net effect of their legs`() {
        var random = Seeded("legs to postings")
        for _ in 0..<2_000 {
            var legs = (0..<Int.random(in: 0...9, using: &random)).map { _ in
                Leg(
                    account: Self.accounts.randomElement(using: &random)!, units: Int64.random(in: -5...5, using: &random),
                    currency: Self.codes.randomElement(using: &random)!)
            }.filter { $0.units != 0 }
            for (code, units) in Legs.residuals(legs) { legs.append(Leg(account: "rest", units: Int64(-units), currency: code)) }
            legs.shuffle(using: &random)
            let postings = Legs.postings(legs)
            #expect(net(Legs.legs(postings)) == net(legs), "\(legs)")
            #expect(postings.allSatisfy { $0.debit != $0.credit && $0.amount.minorUnits > 0 })
            #expect(postings.count < max(1, legs.count))
        }
    }

    @Test func `postings come back from their legs`() {
        var random = Seeded("postings to legs")
        for _ in 0..<2_000 {
            let postings = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                let pair = Self.accounts.shuffled(using: &random)
                return Posting(
                    debit: pair[0], credit: pair[1],
                    amount: Amount(minorUnits: Int64.random(in: 1...4, using: &random), Self.codes.randomElement(using: &random)!))
            }
            for creditsFirst in [false, true] {
                #expect(Legs.postings(Legs.legs(postings, creditsFirst: creditsFirst)) == postings, "\(creditsFirst)")
            }
        }
    }

    @Test func `the greatest amounts do not overflow`() {
        let most = Posting(debit: "a", credit: "b", amount: Amount(minorUnits: .max, .eur))
        let other = Posting(debit: "a", credit: "c", amount: Amount(minorUnits: .max, .eur))
        for postings in [[most], [most, most], [most, other], [other, most, other]] {
            #expect(Legs.postings(Legs.legs(postings)) == postings)
        }
    }

    @Test(arguments: ["(a)", "[a]", "!a", "<a>", "%28a", "%", "%25", "%2525", "a", "é", "(\u{301}a"])
    func `a name comes back from its code`(_ name: String) throws {
        let path = try AccountPath(name)
        let encoded = PlainTextName.encoded(path)
        #expect(PlainTextName.decoded(encoded) == path.text)
        #expect(!"([!<".unicodeScalars.contains(encoded.unicodeScalars.first!))
    }
}
