// A program that runs random units of work on a book and says what became of each; tests start several at once, and kill some.
// Where the book is and how many units comes from the environment (``Settings``).
import Foundation
import Indelible
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs units until there have been enough.
struct Runner: Sendable {
    let settings: Settings
    let log: Log
    let ledger: Ledger
    let units: Units
    private let parent = getppid()
    private let numbers = Numbers()

    private final class Numbers: Sendable {
        private let count = Atomic(0)
        func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
    }

    init(_ settings: Settings) throws {
        self.settings = settings
        log = try Log(settings.log)
        // One of four processes keeps nothing in memory, and reads each stream from its beginning; one keeps fewer than there are.
        ledger = Ledger(settings.location, streamsRemembered: [1000, 0, 4, 1000][settings.process % 4])
        units = Units(ledger)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<settings.tasks { group.addTask { await work() } }
        }
        await ledger.close()
    }

    private func work() async {
        while getppid() == parent {
            let number = numbers.next()
            if settings.count > 0, number >= settings.count { return }
            await one(Plan(settings, number))
        }
    }

    private func one(_ plan: Plan) async {
        log.say("begun", plan.label)
        do {
            switch plan.mode {
            case .optimistic:
                let unit = try await units.run(attemptsMax: 30) { try await Self.optimistic($0, plan) }
                log.say("done", plan.label, unit.trace.unit ?? "")
            case .exclusive:
                let unit = try await units.exclusively(try plan.reads.map { try Units.Claim(Counter.self, $0) }) { try Self.exclusive($0, plan) }
                log.say("done", plan.label, unit.trace.unit ?? "")
            case .once(let key):
                switch try await units.runOnce(key: key, attemptsMax: 30, { try await Self.optimistic($0, plan) }) {
                case .done(let unit, _): log.say("done", plan.label, unit.trace.unit ?? "")
                case .repeated(let receipt): log.say("repeated", plan.label, key, "\(receipt.position.number)")
                }
            }
        } catch is Plan.RolledBack {
            log.say("refused", plan.label, "rolledBack")
        } catch {
            let error = LedgerError.translating(error)
            if error.code == .outcomeUnknown { return log.say("unknown", plan.label) }
            // Who has claimed first meets nobody. The message is for whoever reads the log.
            let code = plan.isExclusive && error.code == .revisionConflict ? "exclusive-\(error.code.rawValue)" : error.code.rawValue
            log.say("refused", plan.label, code, error.message)
        }
    }

    private static func optimistic(_ unit: UnitOfWork, _ plan: Plan) async throws -> UnitOfWork {
        if plan.isPreloaded {
            try await unit.preload(Counter.self, plan.reads)
        } else {
            for id in plan.reads { _ = try await unit.load(Counter.self, id) }
        }
        try plan.work(unit)
        return unit
    }

    private static func exclusive(_ unit: UnitOfWork, _ plan: Plan) throws -> UnitOfWork {
        try plan.work(unit)
        return unit
    }
}

try await Runner(try Settings()).run()
