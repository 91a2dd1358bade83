import Foundation
import IndelibleTesting
import MariaDBDriver
import Synchronization
import Testing

@testable import LedgerDatabase
@testable import LedgerModel
@testable import LedgerStore

/// A projection of somebody's own: how many entries of a kind there were, and what they moved. It may have a mistake.
struct KindVolume: Projection {
    struct Mistake: Error, CustomStringConvertible {
        let description: String
    }

    var version = "1"
    /// It throws at entries of this kind. Whoever repairs that changes no row, so the version stays.
    var poison: EntryKind?

    var definition: JobDefinition {
        JobDefinition(
            name: "kind_volume", version: version,
            schema: """
                CREATE TABLE IF NOT EXISTS kind_volume_g{generation} (
                    kind    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                    through BIGINT UNSIGNED NOT NULL,
                    entries BIGINT UNSIGNED NOT NULL,
                    amount  DECIMAL(38, 0)  NOT NULL,
                    PRIMARY KEY (kind, through)
                ) ENGINE = InnoDB;
                """,
            compared: [ComparedTable("kind_volume", keys: ["kind"], through: "through", values: ["entries", "amount"])])
    }

    func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
        var sums: [String: (entries: UInt64, amount: Int128)] = [:]
        for entry in entries {
            if entry.kind == poison { throw Mistake(description: "cannot count \(entry.kind.text)") }
            sums[entry.kind.text, default: (0, 0)].entries += 1
            for posting in entry.postings { sums[entry.kind.text, default: (0, 0)].amount += Int128(posting.amount) }
        }
        var rows: [[LedgerValue]] = []
        for (kind, sum) in sums.sorted(by: { $0.key < $1.key }) {
            let before = try writer.select(
                """
                entries, amount FROM \(table: writer.table("kind_volume")) WHERE kind = \(kind) ORDER BY through DESC LIMIT 1
                """
            ).first
            rows.append([
                .text(kind), .uint(entries.through.number), .uint((try before?.uint(0) ?? 0) + sum.entries),
                .decimal((try before?.decimal(1) ?? 0) + sum.amount),
            ])
        }
        try writer.insert(into: "kind_volume", ["kind", "through", "entries", "amount"], rows: rows)
    }
}

extension TestBook {
    /// Runs `body` with a projector that is closed afterwards.
    func withProjector<T>(
        _ jobs: [any Job] = Projector.builtIn, positionsMax: UInt64? = nil, _ body: (Projector) async throws -> T
    ) async throws -> T {
        let projector = Projector(location, jobs: jobs, positionsMax: positionsMax)
        do {
            let result = try await body(projector)
            await projector.close()
            return result
        } catch {
            await projector.close()
            throw error
        }
    }

    /// Runs `body` while a projector follows the journal; afterwards what it has told.
    @discardableResult
    func whileProjecting(
        _ jobs: [any Job] = Projector.builtIn, positionsMax: UInt64? = nil, workers: Int = 1, _ body: () async throws -> Void
    ) async throws -> [Projector.Event] {
        let projectors = (0..<workers).map { _ in Projector(location, jobs: jobs, positionsMax: positionsMax) }
        let box = Box()
        let running = projectors.map { projector in
            Task { try await projector.run(pollInterval: .milliseconds(2)) { event in box.events.withLock { $0.append(event) } } }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        for task in running { task.cancel() }
        for task in running { _ = await task.result }
        for projector in projectors { await projector.close() }
        try result.get()
        return box.events.withLock { $0 }
    }

    /// One generation's status.
    func status(
        _ job: String, _ generation: UInt32 = 1, jobs: [any Job] = Projector.builtIn, stuckAfter: Duration = .seconds(3600)
    ) async throws -> JobStatus {
        try await withProjector(jobs) { projector in
            let all = try await projector.status(stuckAfter: stuckAfter, observer: owner)
            return try #require(all.first { $0.generation.job == job && $0.generation.number == generation })
        }
    }

    /// Waits until something holds, a minute at the most: a machine may be busy.
    func eventually(
        _ what: String, _ location: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("it took too long: \(what)", sourceLocation: location)
    }

    /// A step begins where the one before ended, and the last one ends at `head`, in every generation.
    func expectEachPositionOnce(_ location: SourceLocation = #_sourceLocation) async throws {
        let wrong = try await number(
            """
            SELECT COUNT(*) FROM (SELECT from_position, COALESCE(LAG(through_position) OVER (PARTITION BY job, generation
            ORDER BY from_position), 0) AS before_it FROM checkpoint) steps WHERE from_position <> before_it
            """)
        #expect(wrong == 0, "steps overlap or leave something out", sourceLocation: location)
    }
}

private final class Box: Sendable {
    let events = Mutex<[Projector.Event]>([])
}
