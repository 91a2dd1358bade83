import LedgerDatabase
import LedgerModel

/// Decides one command: outcome and what the handler recorded in one unit of work, or nothing.
struct CommandDecider: Sendable {
    let ledger: Ledger
    let handlers: [EntryKind: CommandHandler]
    /// Members of a bulk that are enqueued together at the most.
    var bulkPageMax = 1000

    private static let attemptsMax = 6
    private static let reasonCharactersMax = 2000

    /// - Returns: what became of it, whoever decided it; `waiting` if there is no handler for it here.
    /// - Throws: `integrity` for a command that its handler cannot decide; for a while, whatever the database has.
    func decide(_ command: StoredCommand) async throws -> CommandState {
        guard let handler = handlers[command.name] else { return .waiting }
        return try await Self.patiently { try await attempt(command, handler) }
    }

    /// Tries again what may pass.
    static func patiently<T>(_ body: () async throws -> T) async throws -> T {
        for attempt in 1..<attemptsMax {
            do { return try await body() } catch let error as LedgerError {
                guard error.retry != .never else { throw error }
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...(4 << attempt))))
        }
        return try await body()
    }

    private func attempt(_ command: StoredCommand, _ handler: CommandHandler) async throws -> CommandState {
        if let expansion = try expansion(command, handler) { return try await expand(command, expansion) }
        let unit = Units(ledger).begin(correlation: command.trace.correlation, causation: command.id.description)
        let recorded: [UnitOperation]
        do { recorded = try handler.operations(command, unit) } catch let refusal as CommandRefusal {
            return try await refuse(command, refusal.reason, nil, nil, unit.trace)
        } catch {
            throw Self.undecidable(command, error)
        }
        let operations = [Self.outcome(.commandDone, of: command)] + recorded
        do throws(LedgerError) {
            _ = try await ledger.commit(operations, unit.trace)
            return .done
        } catch {
            guard error.retry == .never else { throw error }
            if let state = try await decided(command) { return state }
            switch error.code {
            case .conflict, .holdSettled, .revisionConflict, .claimTaken:
                let winner = try await winner(error, operations)
                guard winner != nil || error.code != .conflict else {
                    throw LedgerError(.busy, "what was in the way of the command \(command.id) is gone: \(error.message)")
                }
                return try await refuse(command, error.message, error.code, winner, unit.trace)
            case .periodClosed, .accountClosed, .accountNotEmpty, .accountFrozen, .notAHold, .notReversible, .holdExpired, .limitExceeded,
                .unknownAccount, .currencyMismatch, .unknownEntry:
                return try await refuse(command, error.message, error.code, nil, unit.trace)
            case .unavailable, .accessDenied, .schema, .integrity: throw error
            default:
                throw LedgerError(
                    .integrity, "what the handler of the command \(command.id) (\(command.name), position \(command.position)) recorded is no entry: \(error)",
                    id: command.id)
            }
        }
    }

    /// nil for a command that is decided by itself.
    private func expansion(_ command: StoredCommand, _ handler: CommandHandler) throws -> BulkExpansion? {
        do throws(LedgerError) {
            guard let (bulk, selection) = try handler.bulk(command) else { return nil }
            let members = BulkMembers(selection: selection, position: command.position)
            return BulkExpansion(ledger: ledger, command: command, bulk: bulk, members: members, pageMax: bulkPageMax)
        } catch { throw Self.undecidable(command, error) }
    }

    /// Enqueues a command for each member, and says so when all are enqueued.
    private func expand(_ command: StoredCommand, _ expansion: BulkExpansion) async throws -> CommandState {
        if let count = try await expansion.run() {
            let outcome = Self.outcome(.commandDone, of: command, ["members": .integer(Int64(count))])
            do throws(LedgerError) {
                _ = try await ledger.commit([outcome], Units(ledger).begin(correlation: command.trace.correlation, causation: command.id.description).trace)
                return .done
            } catch {
                guard error.retry == .never, let state = try await decided(command) else { throw error }
                return state
            }
        }
        guard let state = try await decided(command) else {
            throw LedgerError(.busy, "the outcome of the command \(command.id) is gone", id: command.id)
        }
        return state
    }

    private static func undecidable(_ command: StoredCommand, _ error: any Error) -> LedgerError {
        LedgerError(
            .integrity, "the command \(command.id) (\(command.name), position \(command.position)) cannot be decided, its handler threw: \(error). "
                + "Repair the handler, or settle the command by hand (`indelible command resolve`)", id: command.id)
    }

    private func refuse(
        _ command: StoredCommand, _ reason: String, _ code: LedgerError.Code?, _ winner: CommandWinner?, _ trace: Trace
    ) async throws -> CommandState {
        var payload: [String: JSON] = ["reason": .string(String(reason.prefix(Self.reasonCharactersMax)))]
        payload["code"] = code.map { .string($0.rawValue) }
        payload["winner"] = winner?.json
        do throws(LedgerError) {
            _ = try await ledger.commit([Self.outcome(.commandRefused, of: command, payload)], trace)
            return .refused
        } catch {
            // Somebody else has refused it in other words, or has done it.
            if error.retry == .never, let state = try await decided(command) { return state }
            throw error
        }
    }

    private static func outcome(_ kind: EntryKind, of command: StoredCommand, _ payload: [String: JSON] = [:]) -> UnitOperation {
        var payload = payload
        payload["command"] = .string(command.id.description)
        // In all likelihood nobody else has decided it: nobody looks first.
        return UnitOperation(.post(Entry(id: EntryID.outcome(of: command.id).likelyNew, kind: kind, payload: payload)))
    }

    /// What somebody has made of it already.
    private func decided(_ command: StoredCommand) async throws -> CommandState? {
        let id = EntryID.outcome(of: command.id)
        guard let entry = try await ledger.standing([id])[id] else { return nil }
        return CommandState(entry.kind)
    }

    /// Who has what the unit of work wanted.
    private func winner(_ error: LedgerError, _ operations: [UnitOperation]) async throws -> CommandWinner? {
        if let standing = error.standing { return CommandWinner(id: standing.id, position: standing.position) }
        if let index = error.index, operations.indices.contains(index), let append = operations[index].append,
            error.code == .revisionConflict || error.code == .claimTaken
        {
            return try await holder(of: append)
        }
        guard let id = error.id, let entry = try await ledger.standing([id])[id] else { return nil }
        return CommandWinner(id: id, position: entry.position)
    }

    private func holder(of append: StreamAppend) async throws -> CommandWinner? {
        let revision: SelectText
        switch append.rule {
        case .expects(.exact(let expected)): revision = "s.revision = \(expected + 1)"
        case .expects(.none): revision = "s.revision = 1"
        case .unclaimed, .claimed: revision = "s.revision IS NOT NULL ORDER BY s.revision DESC LIMIT 1"
        case .expects(.exists), .expects(.any), .readAt: return nil
        }
        let rows = try await ledger.database.run(
            .select(
                """
                e.id, e.position, JSON_VALUE(e.payload, '$.holder') FROM stream_entry s JOIN entry e ON e.id = s.entry_id
                WHERE s.stream = \(append.stream.text) AND \(revision)
                """))
        guard let row = rows.first else { return nil }
        let isClaim = append.rule == .unclaimed
        return CommandWinner(
            id: try EntryID(bytes: try row.bytes(0)), position: Position(try row.uint(1)), holder: isClaim ? try row.optionalText(2) : nil)
    }
}
