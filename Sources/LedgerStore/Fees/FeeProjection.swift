import LedgerDatabase
import LedgerModel
import Synchronization

/// What each entry is charged, and the totals of each month.
///
/// A fee is a function of the entries and schedules up to a position, whatever their order. A step computes what its entries change:
/// their own fees, those of entries that rank behind them in the same month, if these are priced by volume, and, if it publishes a
/// schedule, those of everything from its first month on. What comes out otherwise than before gets a newer row.
struct FeeProjection: Job {
    static let definition = JobDefinition(
        name: "fee", version: "1", schema: BookOwner.schema(of: "fee"), positionsMax: 65_536,
        // Entries in no order of time: what stands of their months is priced anew, however few they are.
        positionsMin: 16_384,
        compared: [
            ComparedTable(
                "fee", keys: ["account", "schedule", "effective_at", "id"], through: "through",
                values: [
                    "position", "version", "rule", "amount", "slices", "percentage", "rounding", "fixed", "bounded", "waiver", "waived",
                    "waived_rounding", "fee",
                ], absentIfZero: ["version"]),
            ComparedTable(
                "fee_month", keys: ["month", "schedule", "account"], through: "through",
                values: ["charged", "volume", "fees", "waived", "assessments", "assessed"], absentIfZero: ["charged", "assessments"]),
        ])

    var definition: JobDefinition { Self.definition }

    static func table(_ generation: UInt32) -> LedgerTable { .generated("fee", generation: generation) }
    static func months(_ generation: UInt32) -> LedgerTable { .generated("fee_month", generation: generation) }

    func begin(after previous: (any JobStep)?) -> any JobStep {
        FeeStep(memory: (previous as? FeeStep)?.memory ?? FeeMemory())
    }
}

struct FeeStep: JobStep {
    let memory: FeeMemory
    private var batches: [JournalBatch] = []

    init(memory: FeeMemory) { self.memory = memory }

    mutating func take(_ entries: JournalBatch) { batches.append(entries) }

    func write(_ writer: borrowing StepWriter) throws {
        var run = FeeRun(memory.take())
        try run.run(batches, writer)
        memory.put(run.state)
    }
}

/// What a worker knows from the steps before. If a step is not committed, the worker begins anew.
final class FeeMemory: Sendable {
    struct State: Sendable {
        var book = FeeBook()
        var groups: [FeeGroup: Group] = [:]
    }

    struct Group: Sendable {
        var totals = FeeTotals()
        /// When the last of its entries counts, by rank; nil: there is none. Only known where volume matters.
        var lastEffective: Int64?
    }

    private let state = Mutex(State())
    private static let groupsMax = 1_000_000

    func take() -> State {
        state.withLock { state in
            defer { state = State() }
            return state
        }
    }

    func put(_ new: State) {
        state.withLock { state in
            state = new
            if state.groups.count > Self.groupsMax { state.groups = [:] }
        }
    }
}
