import Charges
import Foundation
import Indelible
import IndelibleTesting
import Testing

/// Cents of euros.
func eur(_ minorUnits: Int64) -> Amount { Amount(minorUnits: minorUnits, .eur) }

extension ScenarioOutcome {
    /// The command refuses for this reason, with these words.
    @discardableResult
    func thenRefuses(
        _ code: ChargeError.Code, _ message: String? = nil, fileID: String = #fileID, filePath: String = #filePath, line: Int = #line,
        column: Int = #column
    ) -> ScenarioOutcome {
        if let message {
            return thenThrows(ChargeError(code, message), fileID: fileID, filePath: filePath, line: line, column: column)
        }
        return thenThrows(ChargeError.self, { $0.code == code }, fileID: fileID, filePath: filePath, line: line, column: column)
    }
}

/// What is given in most scenarios.
enum Given {
    static let accounts = MerchantAccounts(merchant: "merchants:bob", receivable: "acquirer:receivable", disputes: "disputes", bank: "bank")
    static let authorised = ChargeAuthorised(charge: "c1", merchant: "bob", amount: eur(100_00), accounts: accounts)
    static let new = Scenario(Charge.self, "c1")
    static let held = new.given(authorised)
    static let captured = held.given(ChargeCaptured(charge: "c1", amount: eur(80_00)))
    static let voided = held.given(ChargeVoided(charge: "c1"))

    static func refunded(_ refund: String, _ minorUnits: Int64, reason: String? = nil) -> ChargeRefunded {
        ChargeRefunded(charge: "c1", refund: refund, posting: toReceivable(minorUnits), description: reason)
    }
    static func disputed(_ minorUnits: Int64) -> DisputeOpened {
        DisputeOpened(charge: "c1", posting: Posting(debit: "merchants:bob", credit: "disputes", amount: eur(minorUnits)))
    }
    static func won(_ minorUnits: Int64) -> DisputeWon {
        DisputeWon(charge: "c1", posting: Posting(debit: "disputes", credit: "merchants:bob", amount: eur(minorUnits)))
    }
    static func lost(_ minorUnits: Int64) -> DisputeLost {
        DisputeLost(charge: "c1", posting: Posting(debit: "disputes", credit: "acquirer:receivable", amount: eur(minorUnits)))
    }
    private static func toReceivable(_ minorUnits: Int64) -> Posting {
        Posting(debit: "merchants:bob", credit: "acquirer:receivable", amount: eur(minorUnits))
    }
}

/// Random numbers that are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The repository's folder.
let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
