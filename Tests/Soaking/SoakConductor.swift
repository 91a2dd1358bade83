import Foundation
import Indelible
public import IndelibleTesting
import LocalMariaDB
import LossyProxy

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Several writers post on one book; at random moments one is killed and started again, and answers to COMMIT are lost. In the end
/// exactly what was acknowledged is in the journal.
public struct SoakConductor: Sendable {
    public struct Options: Sendable {
        /// It goes on until so many posts were acknowledged …
        public var posts = 1_000_000
        /// … and for so long at least.
        public var duration = Duration.zero
        public var writers = 4
        /// Posts at a time of each writer.
        public var tasks = 32
        /// Somebody is killed after so many milliseconds.
        public var killEvery = 300...2500
        /// One of so many answers to COMMIT is lost.
        public var losesOneOf: UInt64 = 50
        public var seed: UInt64

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public var acknowledged = 0
        public var kills = 0
        public var lostAnswers = 0
        /// Begun by somebody who was killed or was not told; asked for again afterwards …
        public var unknown = 0
        /// … and so many of them had been done.
        public var unknownDone = 0
        /// Refusals by their code.
        public var refused: [String: Int] = [:]
        /// Entries that are in the journal, once, where they were acknowledged.
        public var matched = 0
        public var findings: [String] = []
    }

    let book: TestBook
    let program: String
    let folder: String
    public let options: Options
    let say: @Sendable (String) -> Void

    /// - Parameters:
    ///   - program: runs a ``SoakWriter`` when its argument is `write`.
    ///   - folder: for the logs of the writers.
    ///   - say: is told of progress.
    public init(_ book: TestBook, program: String, folder: String, _ options: Options, say: @escaping @Sendable (String) -> Void) {
        (self.book, self.program, self.folder, self.options, self.say) = (book, program, folder, options, say)
    }

    public func run() async throws -> Outcome {
        let ledger = book.ledger
        for path in SoakEntry.open { try await ledger.openAccount(path, in: .eur, type: .asset) }
        for path in SoakEntry.limited { try await ledger.openAccount(path, in: .eur, type: .liability, limits: .noOverdraft) }
        var outcome = Outcome()
        let logs = try await write(&outcome)
        try await settle(logs, &outcome)
        let end = try await book.project()
        let result = try await book.reconcile()
        say("reconcile: \(result.verdict.rawValue), through position \(end)")
        if result.verdict != .clean { outcome.findings += result.checks.flatMap(\.findings) + result.notCovered + ["the book is not clean"] }
        return outcome
    }

    // MARK: - Writing

    /// A writer and what it said.
    private struct Running {
        let process: Process
        let writer: Int
        let incarnation: Int
        var log: SoakLogReader
    }

    /// Lets them write until it is enough.
    /// - Returns: what each incarnation said.
    private func write(_ outcome: inout Outcome) async throws -> [(writer: Int, incarnation: Int, words: [SoakLog.Word?])] {
        let (seed, one) = (options.seed, options.losesOneOf)
        let proxy = try LossyProxy(to: book.server.socketPath) { number in
            var random = SoakRandom(seed, 1, UInt64(number))
            return random.next() % one == 0
        }
        defer { proxy.stop() }
        let projecting = Task { try await project() }
        var random = SoakRandom(seed)
        var running = try (0..<options.writers).map { try self.start($0, 0, proxy.socketPath) }
        defer { for one in running where one.process.isRunning { kill(one.process.processIdentifier, SIGKILL) } }
        var ended: [(writer: Int, incarnation: Int, words: [SoakLog.Word?])] = []
        var done = 0
        let start = ContinuousClock.now
        var told = start
        while true {
            try await Task.sleep(for: .milliseconds(Int.random(in: options.killEvery, using: &random)))
            for index in running.indices { try running[index].log.follow() }
            outcome.acknowledged = done + running.reduce(0) { $0 + $1.log.acknowledged }
            let elapsed = start.duration(to: .now)
            if told.duration(to: .now) > .seconds(10) {
                told = .now
                say("\(elapsed.components.seconds) s: \(outcome.acknowledged) acknowledged, \(outcome.kills) killed, \(proxy.lost) answers lost")
            }
            let isEnough = outcome.acknowledged >= options.posts && elapsed >= options.duration
            for index in isEnough ? Array(running.indices) : [Int.random(in: running.indices, using: &random)] {
                let one = try await end(running[index], &outcome)
                done += one.log.acknowledged
                ended.append((one.writer, one.incarnation, one.log.words))
                if !isEnough { running[index] = try self.start(one.writer, one.incarnation + 1, proxy.socketPath) }
            }
            if isEnough { break }
        }
        outcome.acknowledged = done
        outcome.lostAnswers = proxy.lost
        projecting.cancel()
        do { try await projecting.value } catch { outcome.findings.append("the projector: \(error)") }
        let elapsed = start.duration(to: .now).components.seconds
        say("\(elapsed) s: \(done) acknowledged, \(outcome.kills) killed, \(proxy.lost) of \(proxy.committed) answers lost")
        return ended
    }

    private func start(_ writer: Int, _ incarnation: Int, _ socket: String) throws -> Running {
        let log = "\(folder)/writer-\(writer)-\(incarnation)"
        let orders = SoakWriter.Orders(
            socket: socket, book: book.name, user: book.location.user, password: book.password, seed: options.seed, writer: writer,
            incarnation: incarnation, tasks: options.tasks, log: log)
        let reader = try SoakLogReader(log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["write"]
        process.environment = ProcessInfo.processInfo.environment.merging(
            [SoakWriter.Orders.variable: String(decoding: try JSONEncoder().encode(orders), as: UTF8.self)]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return Running(process: process, writer: writer, incarnation: incarnation, log: reader)
    }

    /// kill -9, and what it said until then.
    private func end(_ running: Running, _ outcome: inout Outcome) async throws -> Running {
        var running = running
        if !running.process.isRunning { outcome.findings.append("writer \(running.writer) ended by itself: \(running.process.terminationStatus)") }
        kill(running.process.processIdentifier, SIGKILL)
        while running.process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
        outcome.kills += 1
        try running.log.follow()
        running.log.close()
        outcome.findings += running.log.findings
        return running
    }

    private func project() async throws {
        let projector = Projector(book.location)
        while !Task.isCancelled {
            do { try await projector.catchUp() } catch { if !Task.isCancelled { throw error } }
            try? await Task.sleep(for: .milliseconds(100))
        }
        await projector.close()
    }
}
