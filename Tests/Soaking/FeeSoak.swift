import Foundation
import Indelible
public import IndelibleTesting
import Synchronization

/// Writers post charges of all times, holds, captures and reversals, and publish schedules; workers that are killed at random follow
/// them. In the end every row of the fees is the model's, and was at some checkpoints before.
public struct FeeSoak: Sendable {
    public struct Options: Sendable {
        public var charges = 1_000_000
        /// Until both are reached.
        public var duration = Duration.zero
        /// 2 to 8 programs.
        public var workers = 4
        public var writers = 3
        /// Somebody is killed after so many milliseconds.
        public var killEvery = 200...2000
        /// Accounts that are charged.
        public var shops = 400
        /// In one request, at the most.
        public var batch = 1000
        /// Between two requests of a writer, at the most.
        public var restMilliseconds = 0
        /// Checkpoints that are proven beside the last.
        public var checkpoints = 3
        public var seed: UInt64

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public var posted = 0
        public var captured = 0
        public var reversed = 0
        public var published = 0
        public var kills = 0
        /// In the end; what was true at some checkpoints is held against the same.
        public var charged = 0
        public var rows = 0
        public var adjusted = 0
        public var withdrawn = 0
        public var checkpointsProven = 0
        public var findings: [String] = []

        /// For people.
        public var lines: [String] {
            [
                "\(posted) entries posted, \(captured) captures, \(reversed) reversals, \(published) schedules published; \(kills) workers killed",
                "\(charged) fees in \(rows) rows, \(adjusted) of them adjusted by newer ones, \(withdrawn) fees ended; also proven as of \(checkpointsProven) checkpoints",
                findings.isEmpty ? "Every fee is the model's." : "\(findings.count) differences.",
            ]
        }
    }

    private let book: TestBook
    private let follow: JobSoak
    private let options: Options
    private let say: @Sendable (String) -> Void

    /// - Parameters:
    ///   - indelible: the program of that name.
    ///   - program: runs a ``JobFollower`` when its argument is `follow`.
    ///   - folder: for what the workers say.
    ///   - say: is told of progress.
    public init(
        _ book: TestBook, indelible: String, program: String, folder: String, _ options: Options, say: @escaping @Sendable (String) -> Void
    ) {
        (self.book, self.options, self.say) = (book, options, say)
        var follow = JobSoak.Options(seed: options.seed)
        (follow.workers, follow.killEvery) = (options.workers, options.killEvery)
        self.follow = JobSoak(book, indelible: indelible, program: program, folder: folder, follow, say: say)
    }

    public func run() async throws -> Outcome {
        let writing = FeeSoakWriting(book.ledger, options)
        try await writing.open()
        let notes = JobSoakNotes()
        let workers = try await JobSoakWorkers(follow, notes)
        do { try await trouble(writing, notes, workers) } catch {
            await workers.stop()
            throw error
        }
        await workers.stop()
        var outcome = writing.outcome
        outcome.kills = notes.outcome.kills.reduce(0, +)
        outcome.findings = notes.outcome.findings
        say("\(outcome.posted) posted, \(outcome.kills) workers killed")
        try await prove(&outcome)
        return outcome
    }

    private func trouble(_ writing: FeeSoakWriting, _ notes: JobSoakNotes, _ workers: JobSoakWorkers) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await workers.kill() }
            group.addTask { try await tell(writing, notes) }
            group.addTask {
                defer { notes.end() }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for number in 0..<options.writers {
                        writers.addTask { try await writing.write(SoakRandom(options.seed, 11, UInt64(number)), publishes: number == 0) }
                    }
                    try await writers.waitForAll()
                }
            }
            do { try await group.waitForAll() } catch {
                notes.end()
                throw error
            }
        }
    }

    private func tell(_ writing: FeeSoakWriting, _ notes: JobSoakNotes) async throws {
        var told = ContinuousClock.now
        while !notes.isOver {
            try await Task.sleep(for: .milliseconds(200))
            if told.duration(to: .now) < .seconds(10) { continue }
            told = .now
            say("\(writing.outcome.posted) posted, \(notes.outcome.kills.reduce(0, +)) killed")
        }
    }

    /// Lets everything be projected in steps of several sizes, and holds it against the model.
    private func prove(_ outcome: inout Outcome) async throws {
        var random = SoakRandom(options.seed, 12)
        for positions in [UInt64(7), 500, nil] {
            let projector = Projector(book.location, positionsMax: positions)
            if positions != nil {
                for _ in 0..<20 { _ = try await projector.step(of: "fee") }
            } else {
                let end = try await projector.catchUp(["fee"])
                if let position = end.waitingFor { outcome.findings.append("position \(position) is still waited for") }
                say("projected through \(end.through)")
            }
            await projector.close()
        }
        let result = try await FeeProof.with(book) { try await $0.compare() }
        say("\(result)")
        (outcome.charged, outcome.rows, outcome.adjusted, outcome.withdrawn) = (result.charged, result.rows, result.adjusted, result.withdrawn)
        outcome.findings += result.findings
        let checkpoints = try await JobProof.with(book) { proof in
            guard let one = try await proof.generations(of: ["fee"]).first else { return [UInt64]() }
            return try await proof.checkpoints(of: one)
        }
        for through in checkpoints.shuffled(using: &random).prefix(options.checkpoints) {
            let past = try await FeeProof.with(book) { try await $0.compare(through: through) }
            outcome.findings += past.findings.map { "as of \(through): \($0)" }
            outcome.checkpointsProven += 1
        }
    }
}
