public import LedgerModel

/// Whether a book agrees with itself, and on what basis that was found.
public struct Reconciliation: Sendable {
    public enum Verdict: String, Sendable {
        /// Every check held, over the whole journal.
        case clean = "CLEAN"
        /// Every check held, and some entries were not covered (see ``notCovered``).
        case incomplete = "INCOMPLETE"
        /// A check failed: the book contradicts itself.
        case failed = "FAILED"
    }

    /// What was looked at.
    public struct Basis: Sendable {
        public let book: String
        /// The server's clock when the snapshot was taken.
        public let takenAt: Timestamp
        /// The journal is complete up to here; everything below was examined.
        public let journalThrough: Position
        /// The highest position that the snapshot shows.
        public let head: Position
        /// The live generation of balances.
        public let generation: UInt32
        /// The balances are true up to here.
        public let checkpoint: Position
    }

    public struct Check: Sendable {
        /// `positions`, `lines`, `accounts`, `settlements`, `hold-expiries`, `reversals`, `controls`, `closings`, `streams`, `claims`, `processes`, `commands`, `limits`, `proof`,
        /// `balances`, `balance-history`, `balance-spans`, `trial-balance`, `account-lines`, `fees`, `fee-totals`, `fees-posted`,
        /// `fee-schedules`.
        public let name: String
        /// What holds if the check does.
        public let statement: String
        /// Rows that were looked at.
        public let examined: UInt64
        /// What contradicts it: the first ``findingsMax``, of ``findingsTotal``.
        public let findings: [String]
        public let findingsTotal: Int
        /// What is worth knowing and contradicts nothing: the first ``findingsMax``, of ``notesTotal``.
        public let notes: [String]
        public let notesTotal: Int
        public var holds: Bool { findingsTotal == 0 }
        public static let findingsMax = 20

        init(_ name: String, _ statement: String, examined: UInt64, findings: [String], notes: [String] = []) {
            self.name = name
            self.statement = statement
            self.examined = examined
            self.findings = Array(findings.prefix(Self.findingsMax))
            findingsTotal = findings.count
            self.notes = Array(notes.prefix(Self.findingsMax))
            notesTotal = notes.count
        }
    }

    /// A line of the trial balance: one currency, from the projected balances.
    public struct TrialBalance: Sendable {
        public let currency: Currency
        public let accounts: Int
        /// Posted, in minor units. In a book that agrees with itself they are equal.
        public let debits: Int128
        public let credits: Int128
    }

    public let basis: Basis
    public let checks: [Check]
    public let trialBalance: [TrialBalance]
    /// What was left out, and what to do about it.
    public let notCovered: [String]

    public var verdict: Verdict {
        if !checks.allSatisfy(\.holds) { return .failed }
        return notCovered.isEmpty ? .clean : .incomplete
    }
}
