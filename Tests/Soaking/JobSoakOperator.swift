import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

/// Pauses, resumes and retries jobs, rebuilds them beside, and switches readers from one generation to another.
struct JobSoakOperator {
    static let jobs = ["balance", "account_line"]
    private static let generationsMax = 4
    /// Positions in a step of a rebuild.
    private static let sizes: [UInt64?] = [1, 7, 100, 1000, nil]

    private let soak: JobSoak
    private let notes: JobSoakNotes
    private var random: SoakRandom
    private var rebuilds = 0

    init(_ soak: JobSoak, _ notes: JobSoakNotes) { (self.soak, self.notes, random) = (soak, notes, SoakRandom(soak.options.seed, 6)) }

    mutating func run() async throws {
        let projector = Projector(soak.book.location)
        while !notes.isOver {
            try await Task.sleep(for: .milliseconds(Int.random(in: soak.options.operateEvery, using: &random)))
            let job = Projector.builtIn.randomElement(using: &random)!
            do { try await operate(job, projector) } catch let error as LedgerError {
                // Too far behind to be switched to, or never another one, or live.
                guard [.tailTooLong, .historyUnavailable, .conflict].contains(error.code) else { throw error }
                note("refused")
            }
        }
        await projector.close()
    }

    private func note(_ operation: String) { notes.note { $0.operations[operation, default: 0] += 1 } }

    private mutating func operate(_ job: any Job, _ projector: Projector) async throws {
        let (name, owner) = (job.definition.name, BookOwner(soak.book.owner))
        // It begins with both kinds of a rebuild, so that there is something to switch to.
        switch rebuilds < 2 ? 3 : Int.random(in: 0..<10, using: &random) {
        case 0:
            if try await projector.pause(name) { note("paused") }
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
            if try await projector.resume(name) { note("resumed") }
        case 1, 2:
            try await fail(name, projector)
            note(try await projector.retry(name) ? "retried" : "nothing to retry")
        case 3...5: try await rebuild(job, owner)
        case 6...8:
            let numbers = try await numbers(name)
            try await owner.switchLive(job, to: numbers.randomElement(using: &random) ?? 1)
            note("switched")
        default:
            try await owner.switchBack(job)
            note("switched back")
        }
    }

    static let ownMaking = "of the soak's own making"

    /// Every generation stands where it is, as if it could not go on.
    private mutating func fail(_ job: String, _ projector: Projector) async throws {
        try await projector.pause(job)
        try await JobProof.with(soak.book) { proof in
            _ = try await proof.connection.query(
                """
                INSERT IGNORE INTO job_failure (job, generation, from_position, attempt, code, message)
                SELECT job, generation, MAX(through_position), (SELECT COALESCE(MAX(sequence), 0) FROM job_control c WHERE c.job = \(job)
                AND action = 'retry'), 'integrity', \(Self.ownMaking) FROM checkpoint WHERE job = \(job) GROUP BY job, generation
                """)
        }
        try await projector.resume(job)
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...300, using: &random)))
    }

    /// A generation that is not live, after some of its checkpoints were proven.
    private mutating func retire(_ job: String, _ owner: BookOwner) async throws {
        guard let number = try await numbers(job).randomElement(using: &random) else { return }
        try await JobProof.with(soak.book) { proof in
            guard let one = try await proof.generations().first(where: { $0.job == job && $0.number == number }) else { return }
            for through in try await proof.checkpoints(of: one).shuffled(using: &random).prefix(5) {
                let findings = try await proof.check(one, at: through)
                notes.note { outcome in
                    outcome.sampled += 1
                    outcome.findings += findings
                }
            }
        }
        try await owner.retire(job, generation: number)
        note("retired")
    }

    private func numbers(_ job: String) async throws -> [UInt32] {
        try await JobProof.with(soak.book) { proof in try await proof.generations().filter { $0.job == job }.map(\.number) }
    }

    /// Begins a generation, here or in a program that is killed; if it does not get to the end, the workers do.
    private mutating func rebuild(_ job: any Job, _ owner: BookOwner) async throws {
        let name = job.definition.name
        guard try await numbers(name).count < Self.generationsMax else { return try await retire(name, owner) }
        let pause = Duration.milliseconds(Int.random(in: 50...1500, using: &random))
        rebuilds += 1
        // Both kinds even in a short run.
        if rebuilds % 2 == 0 {
            note("rebuilt by a program that was killed")
            let process = Process()
            process.executableURL = URL(fileURLWithPath: soak.indelible)
            process.arguments = ["project", "rebuild", name, "--quiet", "--folder", soak.book.server.folder, "--book", soak.book.name]
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            try await Task.sleep(for: pause)
            try await JobSoakWorkers.kill(process)
            return
        }
        note("rebuilt with other steps")
        let number = try await owner.createGeneration(of: job)
        let projector = Projector(soak.book.location, positionsMax: Self.sizes.randomElement(using: &random)!)
        let computing = Task { try await projector.catchUp([name], generation: number) }
        try await Task.sleep(for: pause)
        computing.cancel()
        _ = await computing.result
        await projector.close()
    }
}
