import LedgerModel

/// One side of a movement, as plain-text accounting writes it: a debit is positive, a credit negative.
struct Leg: Hashable {
    let account: AccountPath
    /// Minor units of the currency.
    let units: Int64
    let currency: CurrencyCode
}

/// Legs and postings, each from the other.
///
/// A posting becomes two legs; neighbours with exactly one side in common share that leg. Pairing the legs again gives the
/// same postings: `postings(legs(p)) == p`.
enum Legs {
    /// Pairs debits with credits of the same currency, in the order in which they come: the same net effect on each
    /// account. A pair on one account cancels. What has no other side is left over (see ``residuals(_:)``).
    static func postings(_ legs: [Leg]) -> [Posting] {
        var open: [CurrencyCode: Waiting] = [:]
        var postings: [Posting] = []
        for leg in legs {
            var units = leg.units
            while units != 0, let other = open[leg.currency]?.first, (other.units < 0) != (units < 0) {
                let amount = min(units.magnitude, other.units.magnitude)
                // At most the magnitude of a leg, and none is Int64.min (an amount is read as digits and negated).
                let moved = Int64(clamping: amount)
                if other.account != leg.account {
                    let (debit, credit) = units > 0 ? (leg.account, other.account) : (other.account, leg.account)
                    postings.append(
                        Posting(debit: debit, credit: credit, amount: Amount(minorUnits: moved, leg.currency)))
                }
                units += units > 0 ? -moved : moved
                open[leg.currency]?.take(moved)
            }
            if units != 0 {
                open[leg.currency, default: Waiting()].legs.append(
                    Leg(account: leg.account, units: units, currency: leg.currency))
            }
        }
        return postings
    }

    /// What is left over of each currency that does not net to zero, in the order of the legs.
    static func residuals(_ legs: [Leg]) -> [(currency: CurrencyCode, units: Int128)] {
        var sums: [CurrencyCode: Int128] = [:]
        var order: [CurrencyCode] = []
        for leg in legs {
            if sums[leg.currency] == nil { order.append(leg.currency) }
            sums[leg.currency, default: 0] += Int128(leg.units)
        }
        return order.compactMap { code in sums[code].flatMap { $0 == 0 ? nil : (code, $0) } }
    }

    /// The legs of postings: all debits and then all credits, or the other way round.
    static func legs(_ postings: [Posting], creditsFirst: Bool = false) -> [Leg] {
        var debits: [Leg] = []
        var credits: [Leg] = []
        var last: Posting?
        for posting in postings {
            let (amount, code) = (posting.amount.minorUnits, posting.amount.currency)
            let isSame = last?.amount.currency == code
            let (sameDebit, sameCredit) = (isSame && last?.debit == posting.debit, isSame && last?.credit == posting.credit)
            func add(_ legs: inout [Leg], _ account: AccountPath, _ units: Int64, continues: Bool) {
                if continues, let last = legs.last {
                    let (sum, overflow) = last.units.addingReportingOverflow(units)
                    if !overflow, sum != .min {
                        legs[legs.count - 1] = Leg(account: account, units: sum, currency: code)
                        return
                    }
                }
                legs.append(Leg(account: account, units: units, currency: code))
            }
            // Two postings between the same accounts stay two.
            add(&debits, posting.debit, amount, continues: sameDebit && !sameCredit)
            add(&credits, posting.credit, -amount, continues: sameCredit && !sameDebit)
            last = posting
        }
        return creditsFirst ? credits + debits : debits + credits
    }

    /// Legs of one currency that wait for their other side, all of one sign.
    private struct Waiting {
        var legs: [Leg] = []
        private var next = 0

        init() {}

        var first: Leg? { next < legs.count ? legs[next] : nil }

        mutating func take(_ units: Int64) {
            let leg = legs[next]
            let rest = leg.units + (leg.units > 0 ? -units : units)
            legs[next] = Leg(account: leg.account, units: rest, currency: leg.currency)
            if rest == 0 { next += 1 }
        }
    }
}
