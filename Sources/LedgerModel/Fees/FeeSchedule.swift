/// What is charged, from when on. `docs/fees.md` describes the document, and what each word of it means.
public struct FeeSchedule: Sendable, Hashable {
    /// Schedules of different names are independent.
    public let name: String
    /// From 1.
    public let version: UInt32
    /// Entries that count from here on.
    public let effectiveFrom: Timestamp
    /// What is credited with fees, in their currency.
    public let income: AccountPath
    public let rules: [FeeRule]
    /// As it is published: every day in it is an instant.
    public let document: JSON

    /// Whether some price depends on the volume of the month.
    public var usesVolume: Bool { rules.contains { $0.usesVolume } }
    public static let rulesMax = 1000

    /// The version of one schedule that an entry is charged by: the latest effective one, of equal ones the greatest number.
    /// - Parameter versions: of one schedule.
    public static func inForce(_ versions: some Collection<FeeSchedule>, at time: Timestamp) -> FeeSchedule? {
        versions.filter { $0.effectiveFrom <= time }.max { ($0.effectiveFrom, $0.version) < ($1.effectiveFrom, $1.version) }
    }
}

/// Which entries are charged, who pays, and how much.
public struct FeeRule: Sendable, Hashable {
    /// How much of an entry's amount the month's volume grows by.
    public enum Volume: String, Sendable, Hashable {
        case add, subtract
        case none

        /// What an amount adds to the volume, in minor units.
        public func counted(_ amount: Int128) -> Int128 {
            switch self {
            case .add: amount
            case .subtract: -amount
            case .none: 0
            }
        }
    }

    public let name: String
    public let kinds: [KindPattern]
    public let accounts: [AccountPattern]
    /// Where the account has to be in a posting.
    public let side: Side
    public let fields: [FieldCondition]
    public let volume: Volume
    public let prices: [CurrencyCode: FeePrice]
    /// For currencies that are not named.
    public let otherPrice: FeePrice?
    public let waivers: [FeeWaiver]

    /// The price for a currency; nil: it is not charged by this rule.
    public func price(_ currency: CurrencyCode) -> FeePrice? { prices[currency] ?? otherPrice }
    /// Whether some price depends on the volume of the month.
    public var usesVolume: Bool { prices.values.contains { $0.usesVolume } }
}

/// When a fee, or a part of it, is not to be paid.
public struct FeeWaiver: Sendable, Hashable {
    public let reason: String
    /// nil: every account.
    public let accounts: [AccountPattern]?
    public let fields: [FieldCondition]
    public let from: Timestamp?
    public let until: Timestamp?
    /// Of the fee.
    public let basisPoints: BasisPoints

    /// - Parameter payload: only looked at if there are ``fields``.
    public func fits(_ account: AccountPath, at time: Timestamp, _ payload: () -> JSON?) -> Bool {
        guard from.map({ $0 <= time }) ?? true, until.map({ time < $0 }) ?? true else { return false }
        guard accounts.map({ $0.contains { $0.matches(account) } }) ?? true else { return false }
        if fields.isEmpty { return true }
        let payload = payload()
        return fields.allSatisfy { $0.holds(payload) }
    }
}

extension EntryID {
    /// The id of the entry that publishes a version of a schedule.
    public static func feeSchedule(_ name: String, _ version: UInt32) -> EntryID { derived("fee-schedule", name, String(version)) }

    /// The id of the entry that posts an account's fees of a month.
    /// - Parameter number: 1, 2, 3: there is another one whenever something was due again.
    public static func fees(
        _ schedule: String, _ account: AccountPath, _ currency: CurrencyCode, _ month: AccountingMonth, number: UInt32
    ) -> EntryID {
        derived("fees", schedule, account.text, currency.text, month.description, String(number))
    }
}
