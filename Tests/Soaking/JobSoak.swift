import Foundation
import Indelible
public import IndelibleTesting
import MariaDBDriver
import Synchronization

/// Writers post, and several workers follow them on the same projections; at random moments one is killed and started again, jobs are
/// paused, resumed and rebuilt beside, readers are switched from one generation to another. In the end the rows of every generation
/// are, at every checkpoint, what the server sums of the postings, and every balance that was read was true.
public struct JobSoak: Sendable {
    public struct Options: Sendable {
        public var duration = Duration.seconds(60)
        /// 2 to 8 programs.
        public var workers = 4
        public var writers = 6
        /// Somebody is killed after so many milliseconds.
        public var killEvery = 100...1500
        /// An operator does something after so many.
        public var operateEvery = 200...1500
        /// Checkpoints of a generation that are held against sums, besides the last; nil: all.
        public var checkpointsMax: Int? = 60
        /// Between two posts of a writer, at the most.
        public var restMilliseconds = 10
        public var seed: UInt64

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        /// Entries that were acknowledged, in batches too.
        public var posted = 0
        /// Entries after whose insert the transaction was rolled back.
        public var rolledBack = 0
        /// Steps that each worker told of …
        public var steps: [Int] = []
        /// … and how often one found that another had done it; every other worker does not tell.
        public var standDowns: [Int] = []
        public var kills: [Int] = []
        /// What operators did, by its name.
        public var operations: [String: Int] = [:]
        public var reads = 0
        /// Of those, with a position: each was held against the postings.
        public var readsProven = 0
        public var generations = 0
        public var checkpoints = 0
        /// Checkpoints that were held against sums of the server.
        public var checkpointsProven = 0
        /// Some more while everything went on.
        public var sampled = 0
        public var rows = 0
        public var findings: [String] = []

        /// For people.
        public var lines: [String] {
            let workers = steps.indices.map { number in
                number % 2 == 1
                    ? "worker \(number), small steps: \(steps[number]) steps, stood down \(standDowns[number]) times, killed \(kills[number]) times"
                    : "worker \(number), project run: \(steps[number]) steps, killed \(kills[number]) times"
            }
            let done = operations.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            return workers + [
                "operators: \(done)",
                "\(posted) entries posted, \(rolledBack) rolled back; \(reads) balances read, \(readsProven) of them proven by the postings",
                "\(generations) generations, \(rows) rows; \(checkpointsProven) of \(checkpoints) checkpoints proven by sums of the server, and \(sampled) meanwhile",
                findings.isEmpty ? "Every row is what the postings sum to." : "\(findings.count) differences.",
            ]
        }
    }

    let book: TestBook
    let indelible: String
    let program: String
    let folder: String
    public let options: Options
    let say: @Sendable (String) -> Void
    static let findingsMax = 50

    /// - Parameters:
    ///   - indelible: the program of that name.
    ///   - program: runs a ``JobFollower`` when its argument is `follow`.
    ///   - folder: for what the workers say.
    ///   - say: is told of progress.
    public init(
        _ book: TestBook, indelible: String, program: String, folder: String, _ options: Options, say: @escaping @Sendable (String) -> Void
    ) {
        (self.book, self.indelible, self.program, self.folder, self.options, self.say) = (book, indelible, program, folder, options, say)
    }

    public func run() async throws -> Outcome {
        for path in JobSoakWriter.paths { try await book.ledger.openAccount(path, in: .eur, type: .asset) }
        let notes = JobSoakNotes()
        let workers = try await JobSoakWorkers(self, notes)
        do {
            try await trouble(notes, workers)
        } catch {
            await workers.stop()
            throw error
        }
        await workers.stop()
        say("\(notes.outcome.posted) posted, \(notes.outcome.rolledBack) rolled back, \(notes.outcome.kills.reduce(0, +)) workers killed")
        try await settle(notes)
        return notes.outcome
    }

    /// All of them at once, until the time is over.
    private func trouble(_ notes: JobSoakNotes, _ workers: JobSoakWorkers) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<options.writers {
                group.addTask {
                    var writer = try await JobSoakWriter(self, number, notes)
                    try await writer.run()
                }
            }
            for number in 0..<2 {
                group.addTask {
                    var reader = JobSoakReader(book.ledger, notes, SoakRandom(options.seed, 3, UInt64(number)))
                    await reader.run()
                }
            }
            group.addTask {
                var operating = JobSoakOperator(self, notes)
                try await operating.run()
            }
            group.addTask { try await workers.kill() }
            group.addTask { try await sample(notes) }
            group.addTask {
                try await Task.sleep(for: options.duration)
                notes.end()
            }
            do { try await group.waitForAll() } catch {
                notes.end()
                throw error
            }
        }
    }

    /// Holds some checkpoints against the postings while everything goes on.
    private func sample(_ notes: JobSoakNotes) async throws {
        var random = SoakRandom(options.seed, 4)
        var told = ContinuousClock.now
        while !notes.isOver {
            try await Task.sleep(for: .milliseconds(700))
            try await JobProof.with(book) { proof in
                guard let one = try await proof.generations().randomElement(using: &random) else { return }
                guard let through = try await proof.checkpoints(of: one).randomElement(using: &random) else { return }
                var findings: [String] = []
                do { findings = try await proof.check(one, at: through) } catch let error as MariaDBError {
                    // It was retired just now.
                    guard error.number == 1146 else { throw error }
                }
                notes.note { outcome in
                    outcome.sampled += 1
                    outcome.findings += findings
                }
            }
            if told.duration(to: .now) > .seconds(10) {
                told = .now
                let outcome = notes.outcome
                say("\(outcome.posted) posted, \(outcome.kills.reduce(0, +)) killed, \(outcome.reads) reads, \(outcome.findings.count) differences")
            }
        }
    }

    /// Lets everything be projected, and proves it.
    private func settle(_ notes: JobSoakNotes) async throws {
        var random = SoakRandom(options.seed, 5)
        let projector = Projector(book.location)
        for job in JobSoakOperator.jobs {
            try await projector.resume(job)
            try await projector.retry(job)
        }
        let end = try await projector.catchUp()
        await projector.close()
        if let position = end.waitingFor { notes.find("position \(position) is still waited for") }
        try await JobProof.with(book) { proof in
            let generations = try await proof.generations()
            var outcome = notes.outcome
            outcome.generations = generations.count
            for one in generations {
                var checkpoints = try await proof.checkpoints(of: one)
                outcome.checkpoints += checkpoints.count
                outcome.findings += try await proof.chain(one, end: end.through.number)
                outcome.findings += try await proof.rows(one)
                outcome.rows += try await proof.count(one)
                if let most = options.checkpointsMax, checkpoints.count > most, let last = checkpoints.last {
                    checkpoints = checkpoints.shuffled(using: &random).prefix(most) + [last]
                }
                for through in checkpoints { outcome.findings += try await proof.check(one, at: through) }
                outcome.checkpointsProven += checkpoints.count
            }
            let (proven, findings) = try await notes.proveReads(proof)
            outcome.readsProven = proven
            outcome.findings += findings
            notes.note { $0 = outcome }
            say("\(outcome.checkpointsProven) checkpoints and \(proven) reads are proven; \(outcome.findings.count) differences")
            try await reconcile(generations, notes)
        }
    }

    /// With each generation live in turn.
    private func reconcile(_ generations: [JobProof.One], _ notes: JobSoakNotes) async throws {
        for one in generations {
            guard let job = Projector.builtIn.first(where: { $0.definition.name == one.job }) else { continue }
            try await BookOwner(book.owner).switchLive(job, to: one.number)
            let result = try await book.reconcile()
            if result.verdict == .clean { continue }
            let said = result.checks.flatMap(\.findings) + result.notCovered
            notes.find("with generation \(one.number) of \(one.job) the book is \(result.verdict.rawValue): \(said.prefix(5))")
        }
    }
}

/// What all of them note.
final class JobSoakNotes: Sendable {
    private struct State {
        var outcome = JobSoak.Outcome()
        var isOver = false
        /// Of each account, what was begun to be debited and what was acknowledged.
        var begun: [AccountPath: Int128] = [:]
        var done: [AccountPath: Int128] = [:]
        var receipts: [Position] = []
        var reads: [JobSoakReader.Read] = []
    }

    private let state = Mutex(State())
    private static let readsMax = 4000

    var isOver: Bool { state.withLock { $0.isOver } }
    var outcome: JobSoak.Outcome { state.withLock { $0.outcome } }
    func end() { state.withLock { $0.isOver = true } }
    func note(_ change: (inout JobSoak.Outcome) -> Void) { state.withLock { change(&$0.outcome) } }

    func find(_ finding: String) {
        note { outcome in
            if outcome.findings.count < JobSoak.findingsMax { outcome.findings.append(finding) }
        }
    }

    func begin(_ postings: [Posting]) {
        state.withLock { state in
            for posting in postings { state.begun[posting.debit, default: 0] += Int128(posting.amount.minorUnits) }
        }
    }

    /// They are posted.
    func done(_ postings: [Posting], _ receipts: [Receipt]) {
        done(postings, receipts.count)
        state.withLock { $0.receipts += receipts.map(\.position) }
    }

    /// They are posted, with so many entries.
    func done(_ postings: [Posting], _ entries: Int) {
        state.withLock { state in
            for posting in postings { state.done[posting.debit, default: 0] += Int128(posting.amount.minorUnits) }
            state.outcome.posted += entries
        }
    }

    func begun(_ path: AccountPath) -> Int128 { state.withLock { $0.begun[path] ?? 0 } }
    func done(_ path: AccountPath) -> Int128 { state.withLock { $0.done[path] ?? 0 } }
    func receipt(_ random: inout SoakRandom) -> Position? { state.withLock { $0.receipts.randomElement(using: &random) } }

    func keep(_ read: JobSoakReader.Read, _ random: inout SoakRandom) {
        state.withLock { state in
            state.outcome.reads += 1
            if state.reads.count < Self.readsMax { return state.reads.append(read) }
            let place = Int.random(in: 0..<state.outcome.reads, using: &random)
            if place < state.reads.count { state.reads[place] = read }
        }
    }

    /// Every balance that was read is what the postings up to its position sum to.
    func proveReads(_ proof: JobProof) async throws -> (proven: Int, findings: [String]) {
        let reads = state.withLock { $0.reads }.sorted { $0.through < $1.through }
        var fold = JobFold(proof)
        var findings: [String] = []
        for read in reads {
            try await fold.advance(to: read.through.number)
            for (path, totals) in read.totals where fold.totals(path) != totals {
                findings.append("\(path) at \(read.through), read as \(read.kind): \(totals), and the postings sum to \(fold.totals(path))")
            }
        }
        return (reads.count, Array(findings.prefix(JobSoak.findingsMax)))
    }
}
