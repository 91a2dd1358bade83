import LedgerDatabase
public import LedgerModel
import Foundation

/// A job that keeps states of long streams, so that loading one folds only what came after.
///
/// ```swift
/// let snapshots = Snapshots(of: Story.self, Member.self)
/// let projector = Projector(location, jobs: Projector.builtIn + [snapshots])
/// let ledger = Ledger(location, snapshots: snapshots)
/// ```
/// The owner makes its tables (`BookOwner.createGeneration(of:)`, `switchLive(_:to:)`). A snapshot is as of a position up to which everything
/// is decided, so it misses nothing. Where the book has none, or those of another definition, everything is folded.
public struct Snapshots: Projection {
    public let definition: JobDefinition
    private let types: [any SnapshotType]
    private let every: UInt64

    /// - Parameters:
    ///   - types: of the streams. Their states are kept as JSON.
    ///   - version: change it when a state would be another one, or its JSON.
    ///   - every: a snapshot at each so-manieth revision of a stream.
    public init<each A: Aggregate & Codable>(of types: repeat (each A).Type, version: String = "1", every: UInt64 = 100) {
        precondition(every > 0, "snapshots are made every 1 or more revisions")
        var kept: [any SnapshotType] = []
        for type in repeat each types { kept.append(KeptType(type: type)) }
        self.types = kept
        self.every = every
        let names = kept.map(\.category.text).joined(separator: ",")
        definition = JobDefinition(
            name: "snapshot", version: "\(version)/\(every)/\(names)",
            schema: """
                CREATE TABLE IF NOT EXISTS snapshot_g{generation} (
                    stream   VARCHAR(200)    NOT NULL,
                    revision BIGINT UNSIGNED NOT NULL COMMENT 'of the entry at position',
                    position BIGINT UNSIGNED NOT NULL COMMENT 'entries up to here are in it',
                    state    LONGTEXT        NOT NULL COMMENT 'JSON',
                    PRIMARY KEY (stream, revision)
                ) ENGINE = InnoDB;
                """)
    }

    // MARK: - Writing

    public func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
        for entry in entries {
            guard let payload = entry.payload, payload.contains("\"\(Entry.ownKey)\":{"), let own = try JSON(parsing: payload)[Entry.ownKey],
                let revision = try Origin(own).revision, revision % every == 0, let stream = own["stream"]?.string,
                let type = types.first(where: { stream.hasPrefix("\($0.category):") })
            else { continue }
            let name = try StreamName(parsing: stream)
            let history = try history(of: name, through: entry.position, writer)
            try writer.insert(
                into: "snapshot", ["stream", "revision", "position", "state"],
                rows: [[.text(stream), .uint(revision), .uint(entry.position.number), .text(try type.state(history))]])
        }
    }

    private func history(of stream: StreamName, through: Position, _ writer: borrowing StepWriter) throws -> StreamHistory {
        let table = writer.table("snapshot")
        let last = try writer.select(
            "revision, position, state FROM \(table: table) WHERE stream = \(stream.text) ORDER BY revision DESC LIMIT 1").first
        let (revision, position) = (try last?.uint(0) ?? 0, try last?.uint(1) ?? 0)
        let rows = try writer.select(
            """
            \(StoredEvent.columns)
            FROM stream_entry s STRAIGHT_JOIN entry ON entry.id = s.entry_id
            WHERE s.stream = \(stream.text) AND (s.revision > \(revision) OR s.revision IS NULL)
            AND entry.position > \(position) AND entry.position <= \(through.number) ORDER BY entry.position
            """)
        let events = try rows.map { try StoredEvent($0, from: 0) }
        return StreamHistory(
            stream: stream, baseline: try last.map { .snapshot(try $0.text(2)) } ?? .none, baselineRevision: revision, events: events)
    }

    // MARK: - Reading

    struct Snapshot {
        let revision: UInt64
        let position: Position
        let state: String
    }

    /// The newest of each stream, of those that have one.
    func newest(
        _ requests: [StreamRequest], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> [StreamName: Snapshot] {
        let kept = requests.filter { request in types.contains { $0.isSame(as: request.type) } }
        guard !kept.isEmpty, let live = try Generation.live(of: definition.name, executor), live.fingerprint == definition.fingerprint else { return [:] }
        let table = LedgerTable.generated("snapshot", generation: live.number)
        let rows = try executor.run(
            .select(
                """
                s.stream, s.revision, s.position, s.state FROM \(table: table) s WHERE s.stream IN \(list: kept.map { .text($0.stream.text) })
                AND s.revision = (SELECT newest.revision FROM \(table: table) newest WHERE newest.stream = s.stream
                 ORDER BY newest.revision DESC LIMIT 1)
                """))
        var found: [StreamName: Snapshot] = [:]
        for row in rows {
            found[try StreamName(parsing: try row.text(0))] = Snapshot(
                revision: try row.uint(1), position: Position(try row.uint(2)), state: try row.text(3))
        }
        return found
    }
}

/// A type whose states are kept.
private protocol SnapshotType: Sendable {
    var category: StreamCategory { get }
    func state(_ history: StreamHistory) throws -> String
    func isSame(as type: any Aggregate.Type) -> Bool
}

private struct KeptType<A: Aggregate & Codable>: SnapshotType {
    let type: A.Type
    var category: StreamCategory { A.category }
    func isSame(as other: any Aggregate.Type) -> Bool { other == type }
    func state(_ history: StreamHistory) throws -> String { try history.snapshot(type) }
}
