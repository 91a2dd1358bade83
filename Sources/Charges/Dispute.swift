/// The third of a charge's machines: the cardholder's bank takes money back, and the merchant wins or loses it. There is one dispute a charge.
///
/// Amounts are minor units of the charge's currency.
public enum Dispute: Sendable, Hashable {
    case none
    case open(Int64)
    case won(Int64)
    case lost(Int64)

    /// What can become of it; the amount in minor units.
    public enum Step: Sendable, Hashable { case open(Int64), win, lose }

    /// Why the step cannot be taken; nil if it can.
    /// - Parameter rest: what is left to be disputed.
    public func refusal(of step: Step, rest: Int64) -> ChargeError.Code? {
        switch (self, step) {
        case (.none, .open(let amount)): amount <= 0 ? .notPositive : amount > rest ? .aboveRest : nil
        case (.none, _): .noDispute
        case (.open, .open): .disputeIsOpen
        case (.open, _): nil
        case (.won, _), (.lost, _): .disputeHasEnded
        }
    }

    /// What it is after a step that was taken. It refuses nothing: it has happened.
    public func after(_ step: Step) -> Dispute {
        switch step {
        case .open(let amount): .open(amount)
        case .win: .won(amount)
        case .lose: .lost(amount)
        }
    }

    /// What it is, or was, about; 0 if there is none.
    public var amount: Int64 {
        switch self {
        case .none: 0
        case .open(let amount), .won(let amount), .lost(let amount): amount
        }
    }

    /// What the merchant does not have because of it.
    public var withheld: Int64 {
        switch self {
        case .none, .won: 0
        case .open(let amount), .lost(let amount): amount
        }
    }
}
