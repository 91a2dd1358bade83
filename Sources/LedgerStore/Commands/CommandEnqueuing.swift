public import LedgerDatabase
public import LedgerModel

/// Commands: entries that are decided later, once.
extension Ledger {
    /// Records a command; a ``CommandProcessor`` decides it.
    ///
    /// The same id and content again returns the first receipt; ``outcome(of:)`` tells what became of it.
    /// - Parameters:
    ///   - id: one that follows from your request makes the same command, sent twice, one.
    ///   - sentAt: when its sender sent it, by its own clock.
    /// - Throws: `invalidEvent` for one that cannot be stored, and as ``post(_:)-(Entry)``.
    @discardableResult
    public func enqueue(_ command: some Command, id: EntryID = .minted(), sentAt: SentTime = .now()) async throws(LedgerError) -> Receipt {
        let operation = try UnitOperation(enqueuing: command, id: id, sentAt: sentAt)
        return try await commit([operation], .following)[0]
    }

    /// Records a command within a database transaction of your own, which you commit or roll back. It takes no lock that another one
    /// waits for, however many enqueue for the same subject.
    ///
    /// The receipt is provisional, as that of ``post(_:in:)-(Entry,_)``.
    @discardableResult
    public func enqueue(
        _ command: some Command, id: EntryID = .minted(), sentAt: SentTime = .now(), in executor: borrowing some SQLExecutor & ~Copyable
    ) throws(LedgerError) -> Receipt {
        let operation = try UnitOperation(enqueuing: command, id: id, sentAt: sentAt)
        guard case .post(let entry) = operation.action else { preconditionFailure("a command is posted") }
        do {
            var drafts = try drafts([entry], isChecked: true, executor)
            drafts[0].origin = Origin(.following, command: operation.command)
            return try writeNow(drafts, executor)[0]
        } catch { throw Self.surfaced(error).about(index: nil, id: id) }
    }

    /// What became of a command.
    /// - Throws: `unknownEntry` if there is no command with this id.
    public func outcome(of id: EntryID) async throws(LedgerError) -> CommandOutcome { try await command(id).outcome }

    /// What became of a command, as soon as it is decided; `undecided` if it is not within the time given. Asked of the server that is written to.
    /// - Throws: `unknownEntry` if there is no command with this id.
    public func outcome(of id: EntryID, waiting: Duration) async throws(LedgerError) -> CommandOutcome {
        let deadline = ContinuousClock.now + waiting
        var pause = Duration.milliseconds(1)
        while true {
            let outcome = try await primary.outcome(of: id)
            let left = ContinuousClock.now.duration(to: deadline)
            if outcome.isDecided || left <= .zero { return outcome }
            do { try await Task.sleep(for: min(pause, left)) } catch { throw LedgerError.translating(error) }
            pause = min(pause * 2, .milliseconds(50))
        }
    }

    /// A command and what became of it, in one look.
    /// - Throws: `unknownEntry` if there is no command with this id.
    public func command(_ id: EntryID) async throws(LedgerError) -> (command: StoredCommand, outcome: CommandOutcome) {
        if let elsewhere = try await elsewhere() { return try await elsewhere.command(id) }
        return try await translated {
            let found = try await standing([id, .outcome(of: id), .resolution(of: id)])
            guard let entry = found[id], let command = try StoredCommand(entry) else {
                let what = found[id].map { "the entry \(id) at position \($0.position) is no command" } ?? "there is no command with the id \(id)"
                throw LedgerError(.unknownEntry, what, id: id)
            }
            return (command, try CommandOutcome(found[.outcome(of: id)], found[.resolution(of: id)]))
        }
    }

    // MARK: - Dead letters

    /// Enqueues a refused command again, as it was, with the same subject and priority; it names the one that it does again.
    ///
    /// If that was refused again, this enqueues the next one. Two that ask at once enqueue one.
    /// - Returns: the receipt of the new command.
    /// - Throws: `notRefused` if the command itself is not decided yet, or if it or the last one that does it again is done or resolved.
    @discardableResult
    public func retry(command id: EntryID, sentAt: SentTime = .now()) async throws(LedgerError) -> Receipt {
        try requireWriter()
        var (last, outcome) = try await primary.command(id)
        while case .refused = outcome, let next = try await retried(last.id) { (last, outcome) = next }
        switch outcome {
        case .undecided where last.id != id:
            // Somebody has just asked for the same.
            return Receipt(id: last.id, position: last.position, recordedAt: last.recordedAt, isRepeat: true)
        case .undecided: throw LedgerError(.notRefused, "the command \(last.id) is not decided yet: it waits for a processor", id: id)
        case .done(let receipt):
            throw LedgerError(.notRefused, "the command \(last.id) is done, at position \(receipt.position)", id: id, standing: receipt)
        case .resolved(let resolved):
            throw LedgerError(
                .notRefused, "the command \(last.id) was resolved by \(resolved.actor) at position \(resolved.receipt.position)", id: id,
                standing: resolved.receipt)
        case .refused: break
        }
        let again = last
        return try await translated {
            guard case .object(var members) = try JSON(parsing: again.payload) else {
                throw LedgerError(.integrity, "the payload of the command \(again.id) is no JSON object", id: id)
            }
            members[Entry.ownKey] = nil
            var entry = Entry(id: .retry(of: again.id), kind: again.name)
            entry.description = members.removeValue(forKey: "description")?.string
            entry.reference = members.removeValue(forKey: "reference")?.string
            entry.actor = members.removeValue(forKey: "actor")?.string
            entry.payload = members
            let header = CommandHeader(
                subject: again.header.subject, priority: again.header.priority, sentAt: sentAt, version: again.header.version, retries: again.id,
                selection: again.header.selection, membership: again.header.membership)
            let trace = Trace(correlation: again.trace.correlation, causation: again.id.description)
            return try await commit([UnitOperation(.post(entry), command: header)], trace)[0]
        }
    }

    /// The command that does a refused one again, if there is one.
    private func retried(_ id: EntryID) async throws(LedgerError) -> (StoredCommand, CommandOutcome)? {
        let next = EntryID.retry(of: id)
        guard try await receipt(of: next) != nil else { return nil }
        return try await primary.command(next)
    }

    /// Records that somebody has settled a command by hand: a refused one, which is no dead letter any more, or one that waits, which no
    /// processor decides any more.
    ///
    /// The same again returns the first receipt.
    /// - Throws: `notRefused` if it is done, or somebody else resolved it; `invalidEntry` without actor and reason.
    @discardableResult
    public func resolve(command id: EntryID, actor: String, reason: String) async throws(LedgerError) -> Receipt {
        try requireWriter()
        guard !actor.isEmpty, !reason.isEmpty else { throw LedgerError(.invalidEntry, "who resolves a command says who they are, and why", id: id) }
        var isAgain = false
        while true {
            let resolution: EntryID
            switch try await primary.outcome(of: id) {
            case .undecided: resolution = .outcome(of: id)
            case .refused: resolution = .resolution(of: id)
            case .done(let receipt):
                throw LedgerError(.notRefused, "the command \(id) is done, at position \(receipt.position)", id: id, standing: receipt)
            case .resolved(let resolved):
                guard resolved.actor == actor, resolved.reason == reason else {
                    throw LedgerError(
                        .notRefused, "the command \(id) was resolved by \(resolved.actor) at position \(resolved.receipt.position): \(resolved.reason)",
                        id: id, standing: resolved.receipt)
                }
                return resolved.receipt
            }
            var entry = Entry(id: resolution, kind: .commandResolved, payload: ["command": .string(id.description), "reason": .string(reason)])
            entry.actor = actor
            var trace = Trace.following
            trace.unit = EntryID.minted().description
            do { return try await commit([UnitOperation(.post(entry))], trace)[0] } catch {
                // Somebody has decided it meanwhile.
                guard error.code == .conflict, !isAgain else { throw error }
                isAgain = true
            }
        }
    }
}

extension Trace {
    /// What is recorded by itself belongs to what the task is about, not to its unit of work.
    static var following: Trace {
        let current = Trace.current
        return Trace(correlation: current.correlation, causation: current.causation)
    }
}
