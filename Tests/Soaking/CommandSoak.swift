import Foundation
import Indelible
public import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Random commands, some sent twice, some refused, many after the same slots; bulks, while accounts are opened; and halves of pairs, each pair a
/// process with a timer. Processors that are killed at random decide, expand, route and fire. In the end each command has one outcome, in the
/// right order, the slots' winners are right, each bulk has one command for each account before it, and each pair is whole, once.
public struct CommandSoak: Sendable {
    public struct Options: Sendable {
        /// In one round; another round begins until the time is over.
        public var commands = 5000
        public var duration = Duration.zero
        public var workers = 2
        /// Somebody is killed after so many milliseconds.
        public var killEvery = 100...600
        public var subjects = 40
        /// In one round: processes of two halves.
        public var pairs = 150
        /// In one round, each over all accounts that were opened before it.
        public var bulks = 4
        /// Opened in one round: half of them first.
        public var accounts = 100
        public var seed: UInt64

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public var sent = 0
        public var repeated = 0
        public var kills = 0
        public var done = 0
        public var refused = 0
        public var slots = 0
        /// Decisions whose order was checked.
        public var ordered = 0
        public var bulks = 0
        /// Commands that bulks have fired.
        public var members = 0
        public var pairs = 0
        /// Pairs whose timer came before the second half.
        public var lates = 0
        public var findings: [String] = []

        /// For people.
        public var lines: [String] {
            [
                "\(sent) commands sent, \(repeated) of them twice; \(kills) processors killed",
                "\(done) done, \(refused) refused, \(slots) slots; the order of \(ordered) decisions checked",
                "\(bulks) bulks fired \(members) commands; \(pairs) pairs are whole, \(lates) of them late",
                findings.isEmpty ? "Each command has one outcome." : "\(findings.count) differences.",
            ]
        }
    }

    private let book: TestBook
    private let program: String
    private let folder: String
    private let options: Options
    private let say: @Sendable (String) -> Void

    /// - Parameters:
    ///   - program: runs a ``CommandFollower`` when its argument is `decide`.
    ///   - folder: for what the processors say.
    ///   - say: is told of progress.
    public init(_ book: TestBook, program: String, folder: String, _ options: Options, say: @escaping @Sendable (String) -> Void) {
        (self.book, self.program, self.folder, self.options, self.say) = (book, program, folder, options, say)
    }

    public func run() async throws -> Outcome {
        for job in CommandFollower.jobs(book.ledger) { try await BookOwner(book.owner).createJob(job) }
        var outcome = Outcome()
        var sent: [String: CommandProof.Sent] = [:]
        var ranges: [Range<UInt64>] = []
        var random = SoakRandom(options.seed, 21)
        let begun = ContinuousClock.now
        var round = 0
        repeat {
            let begin = try await head()
            let later = try await send(round, &sent, &outcome, &random)
            ranges.append(begin..<(try await head() + 1))
            try await decide(pairs: (round + 1) * options.pairs, later, &outcome, &random)
            round += 1
            say("\(sent.count) commands, \(outcome.kills) processors killed")
        } while begun.duration(to: .now) < options.duration
        outcome.sent = sent.count
        try await prove(sent, steps: try await steps(within: ranges), pairs: round * options.pairs, &outcome)
        try await book.project()
        let result = try await book.reconcile()
        if result.verdict != .clean { outcome.findings += ["reconcile: \(result.verdict)"] + result.checks.flatMap(\.findings) }
        return outcome
    }

    private func prove(_ sent: [String: CommandProof.Sent], steps: [Range<UInt64>], pairs: Int, _ outcome: inout Outcome) async throws {
        let journal = try await SeenEntry.all(book.ledger)
        var proof = CommandProof(journal)
        proof.check(sent, steps: steps)
        (outcome.done, outcome.refused, outcome.slots, outcome.ordered) = (proof.done, proof.refused, proof.slots, proof.ordered)
        (outcome.bulks, outcome.members) = (proof.bulks, proof.members)
        let processes = ProcessProof(journal, sent: 0..<pairs)
        (outcome.pairs, outcome.lates) = (processes.pairs, processes.lates)
        outcome.findings += proof.findings.prefix(50) + processes.findings.prefix(50)
    }

    // MARK: - Sending

    /// One thing that is sent, and may be sent again.
    private typealias Sending = @Sendable (Ledger) async throws -> Void

    /// - Returns: what is to be sent while everything else is decided.
    private func send(
        _ round: Int, _ sent: inout [String: CommandProof.Sent], _ outcome: inout Outcome, _ random: inout SoakRandom
    ) async throws -> ArraySlice<Sending> {
        let commands = commands(round, &sent, &random)
        let twice = commands.filter { _ in Int.random(in: 0..<20, using: &random) == 0 }
        outcome.repeated += twice.count
        let halves = halves(round, &random).shuffled(using: &random)
        let ledger = book.ledger
        let accounts = accounts(round)
        for open in accounts.prefix(options.accounts / 2) { try await open(ledger) }
        let sending = (commands + twice + bulks(round, &sent) + accounts.dropFirst(options.accounts / 2) + halves.dropLast(options.pairs))
            .shuffled(using: &random)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<32 {
                group.addTask {
                    for index in stride(from: lane, to: sending.count, by: 32) { try await sending[index](ledger) }
                }
            }
            try await group.waitForAll()
        }
        return halves.suffix(options.pairs)
    }

    private func commands(_ round: Int, _ sent: inout [String: CommandProof.Sent], _ random: inout SoakRandom) -> [Sending] {
        let now = SentTime.now().timestamp.microseconds
        return (0..<options.commands).map { index in
            let number = round * options.commands + index
            let command = SoakCommand(
                number: number, sort: SoakCommand.Sort.allCases.randomElement(using: &random)!, about: Int.random(in: 0..<options.subjects, using: &random),
                slot: "\(round)-\(Int.random(in: 0..<options.commands / 8, using: &random))", urgency: [0, 0, 0, 5, -3, 9].randomElement(using: &random)!,
                isRefused: Int.random(in: 0..<20, using: &random) == 0, links: Int.random(in: 0...2, using: &random))
            let id = EntryID(key: "soak-\(options.seed)-\(number)")
            // Senders' clocks go wrong by up to a minute, and some say the same.
            let time = SentTime(Timestamp(microseconds: now + Int64.random(in: -60...60, using: &random) * 1_000_000))
            sent[id.description] = .init(number: number, isRefused: command.isRefused)
            return { try await $0.enqueue(command, id: id, sentAt: time) }
        }
    }

    private func accounts(_ round: Int) -> [Sending] {
        (0..<options.accounts).map { index in
            { try await $0.openAccount(SoakBulk.account(round * options.accounts + index), in: .eur, type: .liability) }
        }
    }

    /// Each is sent twice.
    private func bulks(_ round: Int, _ sent: inout [String: CommandProof.Sent]) -> [Sending] {
        var all: [Sending] = []
        for index in 0..<options.bulks {
            // Numbers of their own.
            let bulk = SoakBulk(number: 2 * SoakPair.firstNumber + round * options.bulks + index)
            let id = EntryID(key: "soak-bulk-\(options.seed)-\(bulk.number)")
            sent[id.description] = .init(number: bulk.number, isRefused: false)
            all += Array(repeating: { try await $0.enqueue(bulk, id: id, sentAt: .now()) }, count: 2)
        }
        return all
    }

    /// Both halves of each pair, some sent twice, and some again as another entry.
    private func halves(_ round: Int, _ random: inout SoakRandom) -> [Sending] {
        (0..<options.pairs).flatMap { index in
            SoakPair.Side.allCases.flatMap { side in
                [[0], [0], [0, 0], [0, 1]].randomElement(using: &random)!.map { sending -> Sending in
                    let half = SoakPair.entry(side, of: round * options.pairs + index, sending: sending)
                    return { try await $0.post(half) }
                }
            }
        }
    }

    private func head() async throws -> UInt64 {
        var query = EntryQuery()
        query.limit = 100_000
        var last = UInt64(0)
        while let end = try await book.ledger.entries(query).last {
            query.after = end.position
            last = end.position.number
        }
        return last
    }

    // MARK: - Deciding

    private func decide(pairs: Int, _ later: ArraySlice<Sending>, _ outcome: inout Outcome, _ random: inout SoakRandom) async throws {
        var workers: [Process] = []
        for number in 0..<options.workers { workers.append(try begin(number)) }
        defer { for worker in workers where worker.isRunning { kill(worker.processIdentifier, SIGKILL) } }
        let begun = ContinuousClock.now
        var later = later
        while !(try await isAllDone(pairs)) {
            for _ in 0..<max(1, options.pairs / 15) { try await later.popFirst()?(book.ledger) }
            try await Task.sleep(for: .milliseconds(Int.random(in: options.killEvery, using: &random)))
            let number = Int.random(in: workers.indices, using: &random)
            if !workers[number].isRunning { outcome.findings.append("processor \(number) ended by itself: \(workers[number].terminationStatus)") }
            guard try await stop(workers[number]) else {
                outcome.findings.append("processor \(number) cannot be killed")
                return
            }
            outcome.kills += 1
            guard begun.duration(to: .now) < .seconds(max(600, options.commands / 50)) else {
                outcome.findings.append("not everything is decided after \(begun.duration(to: .now))")
                return
            }
            workers[number] = try begin(number)
        }
        for worker in workers where !(try await stop(worker)) { outcome.findings.append("a processor cannot be killed") }
    }

    /// kill -9.
    /// - Returns: false if it is listed as running for a minute all the same.
    private func stop(_ worker: Process) async throws -> Bool {
        kill(worker.processIdentifier, SIGKILL)
        let end = ContinuousClock.now + .seconds(60)
        while worker.isRunning, .now < end { try await Task.sleep(for: .milliseconds(2)) }
        return !worker.isRunning
    }

    /// Whether every pair is whole, everything for pairs was routed, and no command waits. Whole pairs have no timers.
    private func isAllDone(_ pairs: Int) async throws -> Bool {
        guard try await JobProof.with(book, { try await $0.isRouted(pairs) }) else { return false }
        var query = CommandQuery()
        (query.state, query.limit) = (.waiting, 1)
        return try await book.ledger.commands(query).isEmpty
    }

    private func begin(_ number: Int) throws -> Process {
        let orders = CommandFollower.Orders(
            socket: book.server.socketPath, book: book.name, user: book.location.user, password: book.password)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["decide"]
        let text = String(decoding: try JSONEncoder().encode(orders), as: UTF8.self)
        process.environment = ProcessInfo.processInfo.environment.merging([CommandFollower.Orders.variable: text]) { $1 }
        process.standardInput = FileHandle.nullDevice
        let path = "\(folder)/processor-\(number)"
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? output.close() }
        try output.seekToEnd()
        (process.standardOutput, process.standardError) = (output, output)
        try process.run()
        return process
    }

    /// The job's steps of which everything was there before anybody looked.
    private func steps(within ranges: [Range<UInt64>]) async throws -> [Range<UInt64>] {
        let steps = try await JobProof.with(book) { try await $0.steps(of: "command") }
        return steps.filter { step in ranges.contains { $0.lowerBound < step.lowerBound && step.upperBound <= $0.upperBound } }
    }
}

extension JobProof {
    fileprivate func isRouted(_ pairs: Int) async throws -> Bool {
        guard try await number("SELECT COUNT(*) FROM entry WHERE kind = 'soak.whole'") == pairs else { return false }
        return try await number(
            """
            SELECT COUNT(*) FROM entry WHERE kind IN ('soak.half', 'ledger.timer-fired') AND position >
            (SELECT COALESCE(MAX(through_position), 0) FROM checkpoint WHERE job = 'process_soak_pair')
            """) == 0
    }

    /// The positions of each step of a job's first generation.
    fileprivate func steps(of job: String) async throws -> [Range<UInt64>] {
        try await connection.query(
            "SELECT from_position, through_position FROM checkpoint WHERE job = \(job) AND generation = 1 ORDER BY from_position"
        ).compactMap { row in
            guard let from = Self.number(row[0]), let through = Self.number(row[1]) else { return nil }
            return from + 1..<through + 1
        }
    }
}
