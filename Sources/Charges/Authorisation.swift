/// The first of a charge's machines: money is held, and then captured or let go, once.
///
/// Amounts are minor units of the charge's currency.
public enum Authorisation: Sendable, Hashable {
    case none
    case held(Int64)
    /// So much of what was held; the rest was released.
    case captured(Int64, of: Int64)
    case voided(Int64)

    /// What can be done with it; amounts in minor units.
    public enum Step: Sendable, Hashable { case authorise(Int64), capture(Int64), void }

    /// Why the step cannot be taken; nil if it can.
    public func refusal(of step: Step) -> ChargeError.Code? {
        switch (self, step) {
        case (.none, .authorise(let amount)): amount > 0 ? nil : .notPositive
        case (_, .authorise): .alreadyAuthorised
        case (.none, _): .notAuthorised
        case (.held(let held), .capture(let amount)): amount <= 0 ? .notPositive : amount > held ? .aboveHold : nil
        case (.held, .void): nil
        case (.captured, _): .alreadyCaptured
        case (.voided, _): .alreadyVoided
        }
    }

    /// What it is after a step that was taken. It refuses nothing: it has happened.
    public func after(_ step: Step) -> Authorisation {
        switch step {
        case .authorise(let amount): .held(amount)
        case .capture(let amount): .captured(amount, of: authorised)
        case .void: .voided(authorised)
        }
    }

    /// What was held at first; 0 before.
    public var authorised: Int64 {
        switch self {
        case .none: 0
        case .held(let amount), .captured(_, let amount), .voided(let amount): amount
        }
    }

    /// 0 unless it was captured.
    public var captured: Int64 { if case .captured(let amount, _) = self { amount } else { 0 } }
}
