import LedgerModel

/// Why a charge or a payout refuses a command: what was asked, why not, and what to do.
public struct ChargeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Which rule says no.
    public enum Code: String, Sendable, CaseIterable {
        // What was asked.
        /// A merchant whose name is no segment of an account's path.
        case invalidMerchant
        /// An amount that is not more than zero.
        case notPositive
        /// An amount in another currency than the charge's.
        case wrongCurrency
        // Authorisations.
        case notAuthorised, alreadyAuthorised, alreadyCaptured, alreadyVoided
        /// More is to be captured than is held.
        case aboveHold
        // Refunds and disputes.
        /// Nothing has been captured yet.
        case notCaptured
        /// More than is left of what was captured.
        case aboveRest
        /// The refund stands with another amount.
        case refundDiffers
        case disputeIsOpen, disputeHasEnded, noDispute
        // Payouts.
        case notRequested, alreadyRequested, alreadySent, alreadyFailed
    }

    /// For programs.
    public let code: Code
    /// For people: one line.
    public let message: String

    public init(_ code: Code, _ message: String) { (self.code, self.message) = (code, message) }

    public var description: String { message }
}

extension Amount {
    /// `12.50 EUR`; of a currency that is not of ISO 4217 the minor units.
    var text: String {
        Currency.iso(currency).map { "\($0.format(self)) \(currency)" } ?? "\(minorUnits) minor units of \(currency)"
    }
}
