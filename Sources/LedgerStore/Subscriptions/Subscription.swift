import LedgerDatabase
public import LedgerModel
import Synchronization

/// A named subscriber: tells somebody of the journal's entries, in order and at least once, and keeps its place in the book.
///
/// ```swift
/// let mails = Subscription("mails", of: ["order.paid"], on: ledger) { entry in
///     try await mailer.send(…, messageID: entry.id.description)
/// }
/// try await BookOwner(owner).createJob(mails)
/// try await Projector(location, jobs: Projector.builtIn + [mails]).run()
/// ```
/// It is a job, so status, lag, pause and retry are those of jobs. An entry is told until the receiver takes it; those after it wait. The place is
/// kept after that, so what was told right before a crash is told again, and so is what two programs tell at once: **the receiver recognises an entry by
/// its id**. A receiver that throws is tried again, with a growing pause; one that throws `integrity` (``LedgerError``) stops the subscription at that entry,
/// until an operator says `indelible project retry`.
public struct Subscription: Job {
    public let definition: JobDefinition
    private let ledger: Ledger
    private let kinds: Set<EntryKind>?
    private let start: Position
    private let receive: @Sendable (RecordedEntry) async throws -> Void
    /// What this program has told behind the place that is kept.
    private let told = Told()

    /// A name that cannot be one stops the program.
    /// - Parameters:
    ///   - name: 1 to 33 lower-case letters, digits or `_`. It never changes: the place is kept under it.
    ///   - kinds: only entries of these; nil for all. What only occupies a position is never told.
    ///   - start: only entries after this; the beginning, unless you say otherwise. Once the subscription has begun it stays as it is.
    ///   - ledger: with which accounts are looked up.
    ///   - receive: takes one entry. When it returns, the entry is told.
    public init(
        _ name: String, of kinds: Set<EntryKind>? = nil, after start: Position = .zero, on ledger: Ledger,
        receive: @escaping @Sendable (RecordedEntry) async throws -> Void
    ) {
        definition = JobDefinition(name: "events_\(name)", version: "1", positionsMax: 256, positionsMin: 1)
        (self.ledger, self.kinds, self.start, self.receive) = (ledger, kinds, start, receive)
    }

    public func begin(after previous: (any JobStep)?) -> any JobStep { Step(subscription: self) }

    private struct Step: JobStep {
        let subscription: Subscription
        var entries: [JournalEntry] = []

        mutating func take(_ batch: JournalBatch) {
            for index in batch.indices where batch.position(index) > subscription.start && batch.id(index) != nil {
                if subscription.kinds?.contains(batch.kind(index)) ?? true { entries.append(batch[index]) }
            }
        }

        func prepare() async throws {
            let told = subscription.told
            let rest = entries.filter { !told.contains($0.position) }
            guard !rest.isEmpty else { return }
            for entry in try await subscription.ledger.recorded(rest) {
                try await subscription.receive(entry)
                told.insert(entry.position)
                JobHeartbeat.beat()
            }
        }

        func write(_ writer: borrowing StepWriter) { subscription.told.forget(through: writer.through) }
    }
}

/// Positions that were told in a step that has not ended: when a receiver fails in its middle, those before are not told again.
private final class Told: Sendable {
    private let positions = Mutex<Set<Position>>([])

    func contains(_ position: Position) -> Bool { positions.withLock { $0.contains(position) } }
    func insert(_ position: Position) { positions.withLock { _ = $0.insert(position) } }
    func forget(through position: Position) { positions.withLock { $0 = $0.filter { $0 > position } } }
}
