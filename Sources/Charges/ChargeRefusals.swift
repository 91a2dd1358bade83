import LedgerModel

// What the commands of a charge have in common: what is asked for, and the words of a refusal.
extension Charge {
    func money(_ minorUnits: Int64) -> Amount { Amount(minorUnits: minorUnits, terms?.amount.currency ?? .eur) }

    /// The amount that is meant; nil is `all`.
    func asked(_ amount: Amount?, _ all: Int64, _ verb: String) throws(ChargeError) -> Amount {
        guard let terms else { throw refusal(.notAuthorised, verb, amount) }
        guard let amount else { return money(all) }
        guard amount.currency == terms.amount.currency else { throw refusal(.wrongCurrency, verb, amount) }
        return amount
    }

    /// The same of what was captured; nil is all that is left.
    func ofCaptured(_ amount: Amount?, _ verb: String, needsRest: Bool) throws(ChargeError) -> (terms: Terms, amount: Amount) {
        guard let terms, authorisation.captured > 0 else { throw refusal(.notCaptured, verb, amount) }
        if amount == nil, rest == 0, needsRest { throw refusal(.aboveRest, verb, money(authorisation.captured)) }
        return (terms, try asked(amount, rest, verb))
    }

    func endOfDispute(_ step: Dispute.Step, _ verb: String) throws(ChargeError) -> (terms: Terms, amount: Amount) {
        guard let terms, authorisation.captured > 0 else { throw refusal(.notCaptured, "a dispute that is \(verb)", nil) }
        try check(dispute.refusal(of: step, rest: rest), verb, money(dispute.amount))
        return (terms, money(dispute.amount))
    }

    func check(_ code: ChargeError.Code?, _ verb: String, _ amount: Amount?) throws(ChargeError) {
        if let code { throw refusal(code, verb, amount) }
    }

    private func refusal(_ code: ChargeError.Code, _ verb: String, _ amount: Amount?) -> ChargeError {
        ChargeError(code, "charge \(id): \(amount.map { "\($0.text) " } ?? "")cannot be \(verb), \(reason(code))")
    }

    /// Why, and what to do.
    private func reason(_ code: ChargeError.Code) -> String {
        let rest = money(rest).text
        return switch code {
        case .notPositive: "it has to be more than 0"
        case .wrongCurrency: "the charge is in \(terms.map { $0.amount.currency.text } ?? "another currency"): ask for an amount in it"
        case .notAuthorised: "it is not authorised: authorise it first"
        case .alreadyAuthorised: "it was authorised before: for another payment make another charge"
        case .alreadyCaptured:
            "\(money(authorisation.captured).text) of it were captured before, and what was not was released: refund it, or make another charge"
        case .alreadyVoided: "it was voided: make another charge"
        case .aboveHold: "only \(money(authorisation.authorised).text) are held: capture at most that"
        case .notCaptured: "nothing was captured of it: capture it first, or void it"
        case .aboveRest:
            "\(rest) are left of the \(money(authorisation.captured).text) that were captured (\(money(refunds.total).text) were refunded, "
                + "\(money(dispute.withheld).text) are withheld or lost by a dispute): ask for at most \(rest)"
        case .refundDiffers: "a refund of that name stands with another amount: give this one another name"
        case .disputeIsOpen: "a dispute of \(money(dispute.amount).text) is open: win or lose that one"
        case .disputeHasEnded: "its dispute of \(money(dispute.amount).text) has ended, and there is one a charge"
        case .noDispute: "no dispute is open: open one first"
        case .invalidMerchant, .notRequested, .alreadyRequested, .alreadySent, .alreadyFailed: "\(code)"
        }
    }
}
