import Charges
import HTTPTypes
import Hummingbird
import Indelible

/// Card charges, with the domain that is in the package as `Charges`.
///
/// A charge is called by its `Idempotency-Key`, and a refund by its own: both can happen once, and the state says whether they have.
struct ChargeRoutes: Sendable {
    let charges: ChargeService

    func add(to router: Router<BasicRequestContext>) {
        router.post("/charges", use: authorise)
        router.get("/charges/{key}", use: charge)
        router.post("/charges/{key}/capture", use: capture)
        router.post("/charges/{key}/refunds", use: refund)
    }

    @Sendable private func authorise(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let key = try request.idempotencyKey()
        let members = try await Members(request, known: ["merchant", "amount", "currency"])
        let merchant = try members.text("merchant")
        let currency = try members.value("currency") { try Self.currency($0) }
        let amount = try members.value("amount") { try currency.amount($0) }
        do {
            return Response(Self.json(try await charges.authorise(key, merchant: merchant, amount: amount), isRepeat: false), status: .created)
        } catch let error as ChargeError where error.code == .alreadyAuthorised {
            let standing = try await charges.charge(key)
            guard let terms = standing.terms, terms.merchant == merchant, terms.amount == amount else {
                throw LedgerError(.conflict, "the charge “\(key)” stands with another merchant or amount")
            }
            return Response(Self.json(standing, isRepeat: true))
        }
    }

    @Sendable private func charge(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        Response(Self.json(try await standing(context)))
    }

    /// A charge is captured once; the same capture again changes nothing.
    @Sendable private func capture(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let before = try await standing(context)
        let members = try await Members(request, known: ["amount"])
        let amount = try members.value(ifAny: "amount") { try Self.amount($0, before) }
        do {
            return Response(Self.json(try await charges.capture(before.id, amount), isRepeat: false), status: .created)
        } catch let error as ChargeError where error.code == .alreadyCaptured {
            let standing = try await charges.charge(before.id)
            guard standing.authorisation.captured == amount?.minorUnits ?? standing.authorisation.authorised else { throw error }
            return Response(Self.json(standing, isRepeat: true))
        }
    }

    @Sendable private func refund(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let key = try request.idempotencyKey()
        let before = try await standing(context)
        let members = try await Members(request, known: ["amount", "reason"])
        let amount = try members.value("amount") { try Self.amount($0, before) }
        let isRepeat = before.refunds.has(key, amount.minorUnits)
        let charge = try await charges.refund(before.id, as: key, amount, reason: try members.text(ifAny: "reason"))
        return Response(Self.json(charge, isRepeat: isRepeat), status: isRepeat ? .ok : .created)
    }

    // MARK: -

    private func standing(_ context: BasicRequestContext) async throws -> Charge {
        let key = try context.part("key")
        let charge = try await charges.charge(key)
        guard charge.terms != nil else { throw LedgerError(.unknownEntry, "there is no charge “\(key)”") }
        return charge
    }

    private static func currency(_ text: String) throws -> Currency {
        guard let currency = Currency.iso(try CurrencyCode(text)) else { throw LedgerError(.unknownCurrency, "cards are not charged in “\(text)”") }
        return currency
    }

    private static func amount(_ text: String, _ charge: Charge) throws -> Amount {
        try currency(charge.terms?.amount.currency.text ?? "").amount(text)
    }

    private static func json(_ charge: Charge, isRepeat: Bool? = nil) -> JSON {
        let currency = charge.terms.flatMap { Currency.iso($0.amount.currency) }
        func amount(_ minorUnits: Int64) -> String? { currency?.format(Int128(minorUnits)) }
        let state =
            switch charge.authorisation {
            case .none: "none"
            case .held: "held"
            case .captured: "captured"
            case .voided: "voided"
            }
        return .object(
            Dictionary(
                isRepeat.map { ["repeat": .bool($0)] } ?? [:],
                [
                    "key": charge.id, "merchant": charge.terms?.merchant, "currency": currency?.code.text, "state": state,
                    "authorised": amount(charge.authorisation.authorised), "captured": amount(charge.authorisation.captured),
                    "refunded": amount(charge.refunds.total), "rest": amount(charge.rest),
                ]))
    }
}
