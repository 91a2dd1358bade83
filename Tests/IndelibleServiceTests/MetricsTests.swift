import Indelible
import IndelibleTesting
import Logging
import Metrics
import MetricsTestKit
import Synchronization
import Testing

/// The program's metrics; there is one system in a process.
private enum Measured {
    private static let metrics: TestMetrics = {
        let metrics = TestMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    static func begin() { _ = metrics }
    static func gauge(_ label: String, _ job: String, _ generation: UInt32) throws -> [Double] {
        try metrics.expectGauge(label, [("job", job), ("generation", String(generation))]).values
    }
    static func count(_ label: String, _ job: String, _ generation: UInt32) throws -> Int {
        try metrics.expectCounter(label, [("job", job), ("generation", String(generation))]).values.count
    }
}

@Suite struct JobMetricsTests {
    /// Stops at an entry of the kind `poison`.
    private struct Taster: Projection {
        let definition: JobDefinition

        init(_ name: String) { definition = JobDefinition(name: name, version: "1") }

        func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
            for entry in entries where entry.kind == "poison" { throw LedgerError(.integrity, "it tastes of almonds") }
        }
    }

    /// The health of three jobs, as soon as one of them has a problem and the others are ready.
    private static func health(after taster: Taster, _ book: TestBook, _ log: Log) async throws -> [JobHealth] {
        let projector = Projector(book.location, jobs: Projector.builtIn + [taster], logger: Logger(label: "test") { _ in log })
        let running = Task { try await projector.run(pollInterval: .milliseconds(5)) }
        var health: [JobHealth] = []
        for _ in 0..<500 {
            health = projector.health
            let problems = health.filter { $0.problem != nil }
            if health.count == 3, problems.count == 1, health.filter(\.isReady).count == 2 { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        running.cancel()
        _ = await running.result
        await projector.close()
        return health
    }

    @Test func `a job that stands is seen in health, metrics and the log, while the others are well`() async throws {
        Measured.begin()
        try await withBook { book in
            try await book.ledger.openAccount("bank", in: .eur, type: .asset)
            let name = "taster_" + book.name.suffix(8)
            let taster = Taster(name)
            let generation = try await BookOwner(book.owner).createGeneration(of: taster)
            for kind: EntryKind in ["good", "poison", "good"] { try await book.ledger.post(Entry(kind: kind, postings: [])) }
            let log = Log()
            let health = try await Self.health(after: taster, book, log)
            #expect(health.filter { $0.job != name }.allSatisfy { $0.isReady && $0.isAlive }, "\(health)")
            let ill = try #require(health.first { $0.job == name })
            #expect(ill.isAlive && !ill.isReady && ill.problem?.contains("almonds") == true)
            // It stands before the poison; what is good before it is done.
            #expect(ill.through == nil || ill.through! < Position(4))
            #expect(try Measured.gauge("indelible_job_failed", name, generation).last == 1)
            #expect(try Measured.count("indelible_job_loops", name, generation) > 0)
            #expect(log.messages.filter { $0.contains("almonds") }.count == 1, "\(log.messages)")
            #expect(log.messages.allSatisfy { !$0.contains(book.password) })
        }
    }

    @Test func `lag is measured against the journal`() async throws {
        Measured.begin()
        try await withBook { book in
            try await book.ledger.openAccount("bank", in: .eur, type: .asset)
            let projector = Projector(book.location)
            let running = Task { try await projector.run(["balance"], pollInterval: .milliseconds(5)) }
            for _ in 0..<6000 where projector.health.first?.through == nil { try await Task.sleep(for: .milliseconds(10)) }
            try await projector.measureLag()
            running.cancel()
            _ = await running.result
            await projector.close()
            #expect(try !Measured.gauge("indelible_job_lag_positions", "balance", 1).isEmpty)
            #expect(try !Measured.gauge("indelible_job_lag_seconds", "balance", 1).isEmpty)
        }
    }
}

/// Keeps what is logged at `notice` and above.
private struct Log: LogHandler {
    private final class Kept: Sendable {
        let messages = Mutex<[String]>([])
    }

    private let kept = Kept()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice
    var messages: [String] { kept.messages.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { kept.messages.withLock { $0.append(event.message.description) } }
}
