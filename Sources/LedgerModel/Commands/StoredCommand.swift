/// A command as the journal holds it.
public struct StoredCommand: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    public let name: EntryKind
    public let header: CommandHeader
    /// Where it came from.
    public let trace: Trace
    /// By the server's clock.
    public let recordedAt: Timestamp
    /// JSON as it is stored, with the ledger's own member.
    public let payload: String

    public init(
        id: EntryID, position: Position, name: EntryKind, header: CommandHeader, trace: Trace = Trace(), recordedAt: Timestamp, payload: String
    ) {
        (self.id, self.position, self.name, self.header) = (id, position, name, header)
        (self.trace, self.recordedAt, self.payload) = (trace, recordedAt, payload)
    }

    /// Whether this is decided before another that waits with it: higher priority first, then what was sent earlier, then the journal's order.
    public func ranks(before other: StoredCommand) -> Bool { header.ranks(at: position, before: other.header, at: other.position) }

    /// The command as a value.
    /// - Throws: `invalidEvent` for what this program cannot read; what ``Command/upcast(_:from:)`` throws.
    public func decoded<C: Command>(_ type: C.Type) throws -> C {
        guard header.version <= C.version else {
            throw LedgerError(
                .invalidEvent, "\(name) is stored as version \(header.version), and this program knows up to \(C.version): a newer one wrote it")
        }
        guard header.version < C.version else { return try EventCodec.decoded(type, payload) }
        guard case .object(var members) = try JSON(parsing: payload) else {
            throw LedgerError(.invalidEvent, "the payload of a \(name) is no JSON object")
        }
        members[Entry.ownKey] = nil
        try C.upcast(&members, from: header.version)
        return try EventCodec.decoded(type, JSON.object(members).text)
    }
}

/// How commands of one type are decided.
///
/// ```swift
/// let handler = CommandHandler(for: ReserveName.self) { command, unit in
///     if command.name.isEmpty { throw CommandRefusal("the name is empty") }
///     try unit.claim("name", command.name, for: "member:\(command.member)")
/// }
/// ```
/// What it records in the unit is recorded together with the outcome, or not at all. It may run several times, so it changes nothing but
/// through the unit, and it loads nothing. It throws ``CommandRefusal`` to refuse; anything else that it throws stops the processor at
/// this command.
///
/// A bulk decides itself what becomes of its members: `CommandHandler(bulk: ChargeAll.self)`.
public struct CommandHandler: Sendable {
    public let name: EntryKind
    private let work: Work

    private enum Work: Sendable {
        case decide(@Sendable (StoredCommand, UnitOfWork) throws -> Void)
        case expand(@Sendable (StoredCommand) throws(LedgerError) -> any BulkCommand)
    }

    public init<C: Command>(for type: C.Type, _ body: @escaping @Sendable (C, UnitOfWork) throws -> Void) {
        name = C.name
        work = .decide { stored, unit in try body(try Self.read(stored, type), unit) }
    }

    /// How bulks of one type become the commands of their members, which have handlers of their own.
    public init<B: BulkCommand>(bulk type: B.Type) {
        name = B.name
        work = .expand { stored throws(LedgerError) in try Self.read(stored, type) }
    }

    private static func read<C: Command>(_ stored: StoredCommand, _ type: C.Type) throws(LedgerError) -> C {
        do { return try stored.decoded(type) } catch { throw LedgerError(.invalidEvent, "it cannot be read: \(error)", id: stored.id) }
    }

    /// The bulk, with its members as they were recorded; nil for a command that is decided by itself.
    /// - Throws: `invalidEvent` for what this program cannot read, and where handler and command do not belong together.
    package func bulk(_ command: StoredCommand) throws(LedgerError) -> (bulk: any BulkCommand, selection: BulkSelection)? {
        switch (work, command.header.selection) {
        case (.decide, nil): return nil
        case (.decide, _?): throw LedgerError(.invalidEvent, "it is a bulk: its handler is `CommandHandler(bulk:)`", id: command.id)
        case (.expand, nil): throw LedgerError(.invalidEvent, "it was recorded without a selection: it is no bulk", id: command.id)
        case (.expand(let read), let selection?):
            return (try read(command), selection)
        }
    }

    /// Has the handler record in a unit of work.
    /// - Returns: what is to be recorded with the outcome, in order.
    /// - Throws: what the handler throws.
    package func operations(_ command: StoredCommand, _ unit: UnitOfWork) throws -> [UnitOperation] {
        guard case .decide(let body) = work else { preconditionFailure("a bulk is expanded") }
        do {
            try UnitOfWork.$bound.withValue(unit) { try body(command, unit) }
            return try unit.end()
        } catch {
            unit.rollBack()
            throw error
        }
    }
}

extension UnitOfWork {
    /// Enqueues a command: it becomes an entry when the unit commits, and is decided after that.
    /// - Parameters:
    ///   - id: of the command; one that follows from your request makes the same command, sent twice, one.
    ///   - sentAt: when its sender sent it; nil: now.
    /// - Returns: the command's id.
    /// - Throws: `invalidEvent` for one that cannot be stored, `unitEnded`.
    @discardableResult
    public func enqueue(_ command: some Command, id: EntryID = .minted(), sentAt: SentTime? = nil) throws(LedgerError) -> EntryID {
        try add(UnitOperation(enqueuing: command, id: id, sentAt: sentAt ?? now))
        return id
    }
}

extension UnitOperation {
    /// - Throws: `invalidEvent` for a command that cannot be stored.
    /// - Parameter membership: of a bulk, if it is a member's.
    package init<C: Command>(
        enqueuing command: C, id: EntryID, sentAt: SentTime, membership: BulkMembership? = nil
    ) throws(LedgerError) {
        let entry = try EventCodec.entry(command, kind: C.name, id: id)
        try entry.validate()
        let (subject, selection): (StreamName, BulkSelection?)
        do { (subject, selection) = (try command.subject, try (command as? any BulkCommand)?.selection) } catch {
            throw LedgerError(.invalidEvent, "what \(C.name) is about cannot be said: \(error)", id: id)
        }
        let header = CommandHeader(
            subject: subject, priority: command.priority, sentAt: sentAt, version: C.version, selection: selection, membership: membership)
        self.init(.post(entry), command: header)
    }
}
