import LedgerDatabase
public import LedgerModel

/// Which commands to list.
public struct CommandQuery: Sendable {
    /// Only these; nil for all.
    public var state: CommandState?
    /// For `refused`: also those that were enqueued again.
    public var includesRetried = false
    public var name: EntryKind?
    public var subject: StreamName?
    /// The commands for the members of this bulk, and those that do them again.
    public var bulk: EntryID?
    /// Commands after this position.
    public var after: Position = .zero
    /// At most so many, in the order of the journal.
    public var limit = 100

    public init() {}
}

/// A command in a list.
public struct ListedCommand: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    public let name: EntryKind
    public let subject: StreamName
    public let priority: Int
    /// By the sender's clock.
    public let sentAt: Timestamp
    public let state: CommandState
    /// What it was refused for; nil if it was not.
    public let reason: String?
    /// The command that does it again, if there is one.
    public let retriedBy: EntryID?
}

extension Ledger {
    /// Commands that fit, in the order of the journal, and what has become of them by now. Those that the job has passed come from its rows, and
    /// the others from the journal behind its checkpoint.
    public func commands(_ query: CommandQuery = CommandQuery()) async throws(LedgerError) -> [ListedCommand] {
        if let elsewhere = try await elsewhere() { return try await elsewhere.commands(query) }
        return try await translated {
            var found: [ListedCommand] = []
            var after = query.after
            while found.count < query.limit {
                let start = after
                let (page, outcomes) = try await database.read { transaction in
                    let page = try CommandRows.page(query, after: start, limit: 500, transaction)
                    let ids = page.flatMap { [EntryID.outcome(of: $0.id), .resolution(of: $0.id), .retry(of: $0.id)] }
                    return (page, ids.isEmpty ? [:] : try JournalRows.entries(ids, transaction))
                }
                guard let last = page.last else { break }
                after = last.position
                for row in page {
                    let outcome = try CommandOutcome(outcomes[.outcome(of: row.id)], outcomes[.resolution(of: row.id)])
                    let retriedBy = outcomes[.retry(of: row.id)].map { _ in EntryID.retry(of: row.id) }
                    if let state = query.state, outcome.state != state { continue }
                    if query.state == .refused, !query.includesRetried, retriedBy != nil { continue }
                    var reason: String?
                    if case .refused(let refused) = outcome { reason = refused.reason }
                    found.append(
                        ListedCommand(
                            id: row.id, position: row.position, name: row.name, subject: row.subject, priority: row.priority, sentAt: row.sentAt,
                            state: outcome.state, reason: reason, retriedBy: retriedBy))
                }
            }
            return Array(found.prefix(max(0, query.limit)))
        }
    }

    /// What became of commands, of those that are decided.
    func states(of ids: [EntryID]) async throws -> [EntryID: CommandState] {
        var states: [EntryID: CommandState] = [:]
        for start in stride(from: 0, to: ids.count, by: 1000) {
            let part = Dictionary(ids[start..<min(start + 1000, ids.count)].map { (EntryID.outcome(of: $0), $0) }) { first, _ in first }
            let list = part.keys.map { LedgerValue.bytes($0.bytes) }
            for row in try await database.run(.select("id, kind, position FROM entry WHERE id IN \(list: list)")) {
                guard let id = part[try EntryID(bytes: try row.bytes(0))] else { continue }
                guard let state = CommandState(try EntryKind(try row.text(1))) else {
                    throw LedgerError(.integrity, "the entry at position \(try row.uint(2)) has the id of an outcome and is a \(try row.text(1))", id: id)
                }
                states[id] = state
            }
        }
        return states
    }

    /// Commands that the job has passed undecided, of some names.
    func passedOver(_ names: [EntryKind], after: Position, limit: Int) async throws -> [(id: EntryID, position: Position)] {
        guard !names.isEmpty else { return [] }
        return try await database.read { transaction in
            guard let table = try CommandRows.table(transaction) else { return [] }
            return try transaction.run(
                .select(
                    """
                    id, position FROM \(table: table) WHERE state = 0 AND position > \(after.number)
                    AND name IN \(list: names.map { .text($0.text) }) ORDER BY position LIMIT \(limit)
                    """)
            ).map { (try EntryID(bytes: try $0.bytes(0)), Position(try $0.uint(1))) }
        }
    }
}

/// Rows of the job, and behind its checkpoint the journal's.
private enum CommandRows {
    struct Row {
        let id: EntryID
        let position: Position
        let name: EntryKind
        let subject: StreamName
        let priority: Int
        let sentAt: Timestamp
    }

    /// The table of the live generation, if this program can read it.
    static func table(_ transaction: borrowing LedgerTransaction) throws -> LedgerTable? {
        let definition = CommandProcessor.definition
        guard let live = try Generation.live(of: definition.name, transaction), live.fingerprint == definition.fingerprint else { return nil }
        return .generated("command", generation: live.number)
    }

    static func page(_ query: CommandQuery, after: Position, limit: Int, _ transaction: borrowing LedgerTransaction) throws -> [Row] {
        var rows: [Row] = []
        var passed = Position.zero
        if let table = try table(transaction), let live = try Generation.live(of: CommandProcessor.definition.name, transaction) {
            passed = try Checkpoint.newest(job: CommandProcessor.definition.name, generation: live.number, transaction).through
            var text: SelectText = "id, position, name, subject, CAST(priority AS CHAR), sent_at FROM \(table: table) WHERE position > \(after.number)"
            if let name = query.name { text = "\(text) AND name = \(name.text)" }
            if let subject = query.subject { text = "\(text) AND subject = \(subject.text)" }
            if let bulk = query.bulk {
                text = """
                    \(text) AND position > COALESCE((SELECT bulk.position FROM entry bulk WHERE bulk.id = \(bulk.bytes)), 0)
                    AND EXISTS (SELECT 1 FROM entry e WHERE e.position = \(table: table).position AND JSON_VALUE(e.payload, '$.ledger.command.bulk.id') = \(bulk.description))
                    """
            }
            // What was done when it was passed stays so.
            switch query.state {
            case .waiting?: text = "\(text) AND state = 0"
            case .refused?: text = "\(text) AND state IN (0, 2)"
            case .resolved?: text = "\(text) AND state <> 1"
            case .done?: text = "\(text) AND state IN (0, 1)"
            case nil: break
            }
            rows = try transaction.run(.select("\(text) ORDER BY position LIMIT \(limit)")).map { row in
                guard let sentAt = Timestamp(sqlText: try row.text(5)), let priority = Int(try row.text(4)) else {
                    throw LedgerError(.integrity, "a row of the job “command” cannot be one")
                }
                return Row(
                    id: try EntryID(bytes: try row.bytes(0)), position: Position(try row.uint(1)), name: try EntryKind(try row.text(2)),
                    subject: try StreamName(parsing: try row.text(3)), priority: priority, sentAt: sentAt)
            }
            if rows.count == limit { return rows }
        }
        var text: SelectText = "\(JournalRows.columns) WHERE position > \(max(passed, after).number) AND JSON_EXISTS(payload, '$.ledger.command')"
        if let name = query.name { text = "\(text) AND kind = \(name.text)" }
        if let subject = query.subject { text = "\(text) AND JSON_VALUE(payload, '$.ledger.command.subject') = \(subject.text)" }
        if let bulk = query.bulk { text = "\(text) AND JSON_VALUE(payload, '$.ledger.command.bulk.id') = \(bulk.description)" }
        for entry in try JournalRows.read(transaction, .select("\(text) ORDER BY position LIMIT \(limit)")) {
            guard let command = try StoredCommand(entry) else { continue }
            rows.append(
                Row(
                    id: command.id, position: command.position, name: command.name, subject: command.header.subject,
                    priority: command.header.priority, sentAt: command.header.sentAt.timestamp))
        }
        return rows
    }
}
