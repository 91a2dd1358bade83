public import LedgerDatabase
public import LedgerModel
import Synchronization

/// The job that decides commands, each exactly once, whoever runs it and how often.
///
/// ```swift
/// let processor = CommandProcessor(ledger, [CommandHandler(for: ReserveName.self) { command, unit in … }])
/// let projector = Projector(location, jobs: Projector.builtIn + [processor])
/// try await projector.run()
/// ```
/// A step takes the commands of the next entries and decides those that are undecided: higher priority first, then what was sent earlier, then
/// the journal's order; commands of different subjects in parallel, those of one subject one after the other. The outcome is an
/// entry whose id follows from the command's, recorded together with what the handler recorded: so a command has one outcome, also if several
/// processors meet it.
///
/// A bulk (``BulkCommand``) is decided by enqueueing a command for each of its members, page by page; they are decided in later steps.
///
/// Commands without a handler here are passed over and wait; a processor that has one decides them when it begins. The owner makes the
/// job's tables once: `BookOwner.createCommands()`.
public struct CommandProcessor: Job {
    public static let definition = JobDefinition(
        name: "command", version: "1",
        schema: """
            CREATE TABLE IF NOT EXISTS command_g{generation} (
                position BIGINT UNSIGNED NOT NULL PRIMARY KEY COMMENT 'of the command',
                id       BINARY(16)      NOT NULL,
                name     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                subject  VARCHAR(200)    NOT NULL,
                priority BIGINT          NOT NULL,
                sent_at  DATETIME(6)     NOT NULL COMMENT 'by the sender, UTC',
                state    TINYINT UNSIGNED NOT NULL COMMENT 'when it was passed: 0 waiting, 1 done, 2 refused, 3 resolved',
                KEY (state, position)
            ) ENGINE = InnoDB;
            """, positionsMax: 256)

    public var definition: JobDefinition { Self.definition }
    var decider: CommandDecider
    /// Members of a bulk that are enqueued in one transaction.
    package var bulkPageMax: Int {
        get { decider.bulkPageMax }
        set { decider.bulkPageMax = newValue }
    }
    let subjectsMax: Int

    /// - Parameters:
    ///   - ledger: on which outcomes are recorded. It stays open as long as the processor runs.
    ///   - handlers: one for each command. Two for the same stop the program.
    ///   - subjectsMax: so many subjects are decided in parallel at the most.
    public init(_ ledger: Ledger, _ handlers: [CommandHandler], subjectsMax: Int = 32) {
        precondition(subjectsMax > 0, "at least one subject is decided at a time")
        var byName: [EntryKind: CommandHandler] = [:]
        for handler in handlers {
            precondition(byName.updateValue(handler, forKey: handler.name) == nil, "\(handler.name) has two handlers")
        }
        decider = CommandDecider(ledger: ledger, handlers: byName)
        self.subjectsMax = subjectsMax
    }

    public func begin(after previous: (any JobStep)?) -> any JobStep { CommandStep(processor: self, isFirst: previous == nil) }

    /// Decides what was passed over because nobody had a handler for it.
    public func resume() async throws { try await CommandStep(processor: self, isFirst: true).decideWaiting() }
}

private struct CommandStep: JobStep {
    let processor: CommandProcessor
    /// Nothing is known of what was passed over before.
    let isFirst: Bool
    private var commands: [StoredCommand] = []
    private let states = States()

    init(processor: CommandProcessor, isFirst: Bool) { (self.processor, self.isFirst) = (processor, isFirst) }

    private final class States: Sendable {
        let known = Mutex<[EntryID: CommandState]>([:])
    }

    mutating func take(_ entries: JournalBatch) throws {
        for index in entries.indices {
            guard let payload = entries.payload(index), payload.contains("\"\(CommandHeader.key)\":{") else { continue }
            let entry = entries[index]
            do throws(LedgerError) {
                if let command = try StoredCommand(entry) { commands.append(command) }
            } catch {
                throw LedgerError(.integrity, "position \(entry.position): \(error.message)", id: entry.id)
            }
        }
    }

    func prepare() async throws {
        if isFirst { try await decideWaiting() }
        guard !commands.isEmpty else { return }
        try await decide(commands)
    }

    func write(_ writer: borrowing StepWriter) throws {
        guard !commands.isEmpty else { return }
        let states = self.states.known.withLock { $0 }
        try writer.insert(
            into: "command", ["position", "id", "name", "subject", "priority", "sent_at", "state"],
            rows: commands.map { command in
                [
                    .uint(command.position.number), .bytes(command.id.bytes), .text(command.name.text), .text(command.header.subject.text),
                    .int(Int64(command.header.priority)), .text(command.header.sentAt.timestamp.sqlText),
                    .uint(states[command.id, default: .waiting].number),
                ]
            })
    }

    // MARK: - Deciding

    /// Decides those that are undecided; the number of statements to find out does not depend on how many there are.
    private func decide(_ commands: [StoredCommand]) async throws {
        let (states, ledger) = (self.states, processor.decider.ledger)
        let standing = try await ledger.states(of: commands.map(\.id))
        states.known.withLock { $0.merge(standing) { $1 } }
        let known = processor.decider.handlers
        var queue = CommandQueue(commands.filter { standing[$0.id] == nil && known[$0.name] != nil })
        let decider = processor.decider
        var failure: (any Error)?
        await withTaskGroup(of: (StoredCommand, Result<CommandState, any Error>).self) { group in
            var running = 0
            while true {
                while running < processor.subjectsMax, failure == nil, let next = queue.next() {
                    running += 1
                    group.addTask {
                        let result: Result<CommandState, any Error>
                        do { result = .success(try await decider.decide(next)) } catch { result = .failure(error) }
                        return (next, result)
                    }
                }
                guard let (command, result) = await group.next() else { break }
                running -= 1
                switch result {
                case .success(let state):
                    queue.decided(command)
                    JobHeartbeat.beat()
                    states.known.withLock { $0[command.id] = state }
                case .failure(let error): failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Decides what was passed over because nobody had a handler for it.
    func decideWaiting() async throws {
        let ledger = processor.decider.ledger
        let names = processor.decider.handlers.keys.sorted { $0.text < $1.text }
        var after = Position.zero
        while true {
            let waiting = try await ledger.passedOver(names, after: after, limit: 256)
            guard let last = waiting.last else { return }
            after = last.position
            let standing = try await ledger.standing(waiting.map(\.id))
            try await decide(try waiting.compactMap { try standing[$0.id].flatMap { try StoredCommand($0) } })
        }
    }
}

extension BookOwner {
    /// Makes the tables of the job that decides commands, if the book has none.
    /// - Returns: the live generation.
    @discardableResult
    public func createCommands() async throws(LedgerError) -> UInt32 { try await createJob(CommandTables()) }
}

/// The definition alone.
private struct CommandTables: Job {
    struct Step: JobStep {
        func take(_ entries: JournalBatch) {}
        func write(_ writer: borrowing StepWriter) {}
    }
    let definition = CommandProcessor.definition
    func begin(after previous: (any JobStep)?) -> any JobStep { Step() }
}
