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

/// Several programs run random units of work on the same few aggregates; at random moments one is killed and started again, and answers to
/// COMMIT are lost. In the end the journal is that of a sequential run, and has exactly what was acknowledged.
public struct UnitSoak: Sendable {
    public struct Options: Sendable {
        /// It goes on until so many units were acknowledged …
        public var units = 1000
        /// … and for so long at least.
        public var duration = Duration.zero
        public var processes = 4
        /// Units at a time of each process.
        public var tasks = 4
        /// Somebody is killed after so many milliseconds.
        public var killEvery = 300...2500
        /// One of so many answers to COMMIT is lost.
        public var losesOneOf: UInt64 = 50
        public var seed: UInt64

        public init(seed: UInt64) { self.seed = seed }
    }

    public struct Outcome: Sendable {
        public var acknowledged = 0
        /// Units with a key that had been done by somebody.
        public var repeated = 0
        public var kills = 0
        public var lostAnswers = 0
        /// Begun by somebody who was killed or was not told …
        public var unknown = 0
        /// … and so many of them had been done.
        public var unknownDone = 0
        /// Refusals by their code.
        public var refused: [String: Int] = [:]
        /// Entries that the model has replayed.
        public var entries = 0
        public var findings: [String] = []
        var history = UnitHistory()
    }

    let book: TestBook
    let program: String
    let folder: String
    public let options: Options
    let say: @Sendable (String) -> Void

    /// - Parameters:
    ///   - program: runs units, as orders in its environment say (`UnitRunner`).
    ///   - folder: for its logs.
    ///   - say: is told of progress.
    public init(_ book: TestBook, program: String, folder: String, _ options: Options, say: @escaping @Sendable (String) -> Void) {
        (self.book, self.program, self.folder, self.options, self.say) = (book, program, folder, options, say)
    }

    public func run() async throws -> Outcome {
        try await book.ledger.openAccount("pool", in: .eur, type: .asset)
        for purse in 0..<4 { try await book.ledger.openAccount(try AccountPath("purse:\(purse)"), in: .eur, type: .liability, limits: .noOverdraft) }
        var outcome = Outcome()
        let said = try await work(&outcome)
        try await book.project()
        outcome.history = try await UnitRows.read(book)
        outcome.history.said = said
        outcome.entries = outcome.history.rows.count
        outcome.findings += UnitModel.findings(outcome.history)
        count(&outcome)
        say("\(outcome.entries) entries replayed one unit after the other; \(outcome.unknown) units were unknown, \(outcome.unknownDone) of them had been done")
        let result = try await book.reconcile()
        say("reconcile: \(result.verdict.rawValue)")
        if result.verdict != .clean { outcome.findings += result.checks.flatMap(\.findings) + result.notCovered + ["the book is not clean"] }
        return outcome
    }

    private func count(_ outcome: inout Outcome) {
        let there = Set(outcome.history.rows.compactMap { $0.payload.at(["about", "label"])?.string })
        for (label, words) in outcome.history.said {
            switch words {
            case .done: outcome.acknowledged += 1
            case .repeated: outcome.repeated += 1
            case .refused(let code): outcome.refused[code, default: 0] += 1
            case .begun, .unknown:
                outcome.unknown += 1
                if there.contains(label) { outcome.unknownDone += 1 }
            }
        }
        // Whatever else a unit is refused for, it should not be.
        let expected: Set = ["rolledBack", "limitExceeded", "claimTaken", "busy", "unavailable", "revisionConflict"]
        for code in outcome.refused.keys where !expected.contains(code) { outcome.findings.append("\(outcome.refused[code] ?? 0) units were refused as \(code)") }
    }

    // MARK: - Working

    /// A program and what it said.
    private struct Running {
        let process: Process
        let number: Int
        let incarnation: Int
        var log: UnitLogReader
    }

    /// Lets them work until it is enough.
    private func work(_ outcome: inout Outcome) async throws -> [String: UnitHistory.Said] {
        let (seed, one) = (options.seed, options.losesOneOf)
        // Of each second one the link breaks before the server has committed.
        let proxy = try LossyProxy(to: book.server.socketPath, hurries: { SoakRandom.first(seed, 4, $0) % 2 == 0 }) {
            SoakRandom.first(seed, 2, $0) % one == 0
        }
        defer { proxy.stop() }
        let projecting = Task { try await project() }
        var random = SoakRandom(seed, 3)
        var running = try (0..<options.processes).map { try self.start($0, 0, proxy.socketPath) }
        defer { for one in running where one.process.isRunning { kill(one.process.processIdentifier, SIGKILL) } }
        var said: [String: UnitHistory.Said] = [:]
        var done = 0
        let start = ContinuousClock.now
        var told = start
        while true {
            try await Task.sleep(for: .milliseconds(Int.random(in: options.killEvery, using: &random)))
            for index in running.indices { try running[index].log.follow() }
            let acknowledged = done + running.reduce(0) { $0 + $1.log.acknowledged }
            let elapsed = start.duration(to: .now)
            if told.duration(to: .now) > .seconds(10) {
                told = .now
                say("\(elapsed.components.seconds) s: \(acknowledged) acknowledged, \(outcome.kills) killed, \(proxy.lost) answers lost")
            }
            let isEnough = acknowledged >= options.units && elapsed >= options.duration && outcome.kills > 0
            for index in isEnough ? Array(running.indices) : [Int.random(in: running.indices, using: &random)] {
                let one = try await end(running[index], &outcome)
                done += one.log.acknowledged
                said.merge(one.log.said) { $1 }
                if !isEnough { running[index] = try self.start(one.number, one.incarnation + 1, proxy.socketPath) }
            }
            if isEnough { break }
        }
        outcome.lostAnswers = proxy.lost
        projecting.cancel()
        do { try await projecting.value } catch { outcome.findings.append("the projector: \(error)") }
        say("\(start.duration(to: .now).components.seconds) s: \(done) acknowledged, \(outcome.kills) killed, \(proxy.lost) of \(proxy.committed) answers lost")
        return said
    }

    private func start(_ number: Int, _ incarnation: Int, _ socket: String) throws -> Running {
        let log = "\(folder)/units-\(number)-\(incarnation)"
        let reader = try UnitLogReader(log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        let orders = [
            "SOCKET": socket, "BOOK": book.name, "USER": book.location.user, "PASSWORD": book.password, "SEED": "\(options.seed)",
            "PROCESS": "\(number)", "INCARNATION": "\(incarnation)", "COUNT": "0", "TASKS": "\(options.tasks)", "LOG": log,
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(orders.map { ("UNIT_RUNNER_" + $0.key, $0.value) }) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return Running(process: process, number: number, incarnation: incarnation, log: reader)
    }

    /// kill -9, and what it said until then.
    private func end(_ running: Running, _ outcome: inout Outcome) async throws -> Running {
        var running = running
        if !running.process.isRunning { outcome.findings.append("process \(running.number) ended by itself: \(running.process.terminationStatus)") }
        kill(running.process.processIdentifier, SIGKILL)
        while running.process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
        outcome.kills += 1
        try running.log.follow()
        running.log.close()
        outcome.findings += running.log.findings
        return running
    }

    /// A projector follows meanwhile, and takes positions that nobody will use.
    private func project() async throws {
        let projector = Projector(book.location)
        while !Task.isCancelled {
            do { try await projector.catchUp() } catch { if !Task.isCancelled { throw error } }
            try? await Task.sleep(for: .milliseconds(20))
        }
        await projector.close()
    }
}
