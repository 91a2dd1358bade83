public import LedgerModel

/// What became of a command.
public enum CommandOutcome: Sendable, Hashable {
    /// Nobody has decided it yet.
    case undecided
    /// What its handler recorded stands with this entry.
    case done(Receipt)
    case refused(CommandRefused)
    /// Somebody has settled it by hand.
    case resolved(CommandResolved)

    public var isDecided: Bool { self != .undecided }

    /// `waiting`, `done`, `refused`, `resolved`.
    public var state: CommandState {
        switch self {
        case .undecided: .waiting
        case .done: .done
        case .refused: .refused
        case .resolved: .resolved
        }
    }
}

/// ``CommandOutcome`` without what it says.
public enum CommandState: String, Sendable, Hashable, CaseIterable {
    case waiting, done, refused, resolved

    /// In the rows of the job.
    var number: UInt64 {
        switch self {
        case .waiting: 0
        case .done: 1
        case .refused: 2
        case .resolved: 3
        }
    }

    /// Of an entry that is an outcome; nil for any other.
    init?(_ kind: EntryKind) {
        switch kind {
        case .commandDone: self = .done
        case .commandRefused: self = .refused
        case .commandResolved: self = .resolved
        default: return nil
        }
    }
}

/// A command that was refused: by its handler, or because a slot that it needs is somebody's.
public struct CommandRefused: Sendable, Hashable {
    public let reason: String
    /// What the book said; nil if the handler refused it.
    public let code: LedgerError.Code?
    /// Who has the slot.
    public let winner: CommandWinner?
    /// Of the outcome's entry.
    public let receipt: Receipt
}

/// The entry that has what a refused command wanted.
public struct CommandWinner: Sendable, Hashable {
    public let id: EntryID
    public let position: Position
    /// Of a claimed value: whose it is.
    public let holder: String?

    init(id: EntryID, position: Position, holder: String? = nil) { (self.id, self.position, self.holder) = (id, position, holder) }

    var json: JSON {
        var members: [String: JSON] = ["id": .string(id.description), "position": .integer(Int64(clamping: position.number))]
        members["holder"] = holder.map(JSON.string)
        return .object(members)
    }

    init?(_ json: JSON?) {
        guard let id = json?["id"]?.string.flatMap(EntryID.init(hex:)), case .integer(let position)? = json?["position"], position > 0 else { return nil }
        self.init(id: id, position: Position(UInt64(position)), holder: json?["holder"]?.string)
    }
}

/// A command that somebody has settled by hand.
public struct CommandResolved: Sendable, Hashable {
    public let actor: String
    public let reason: String
    /// What it was refused for; nil if it was settled before it was decided.
    public let refusal: CommandRefused?
    /// Of the entry that says so.
    public let receipt: Receipt
}

extension CommandOutcome {
    /// - Parameters:
    ///   - outcome: the entry with the id of the outcome, if it stands.
    ///   - resolution: the entry with the id of the resolution, if it stands.
    /// - Throws: `integrity` for entries that are none.
    init(_ outcome: JournalEntry?, _ resolution: JournalEntry?) throws(LedgerError) {
        guard let outcome else {
            self = .undecided
            return
        }
        let payload = try outcome.payload.map { text throws(LedgerError) in try JSON(parsing: text) }
        switch outcome.kind {
        case .commandDone: self = .done(outcome.receipt(isRepeat: true))
        case .commandRefused:
            let refusal = CommandRefused(
                reason: payload?["reason"]?.string ?? "", code: payload?["code"]?.string.flatMap(LedgerError.Code.init(rawValue:)),
                winner: CommandWinner(payload?["winner"]), receipt: outcome.receipt(isRepeat: true))
            guard let resolution else {
                self = .refused(refusal)
                return
            }
            self = .resolved(try CommandResolved(resolution, refusal))
        case .commandResolved: self = .resolved(try CommandResolved(outcome, nil))
        default:
            throw LedgerError(.integrity, "the entry at position \(outcome.position) has the id of an outcome and is a \(outcome.kind)", id: outcome.id)
        }
    }
}

extension CommandResolved {
    fileprivate init(_ entry: JournalEntry, _ refusal: CommandRefused?) throws(LedgerError) {
        let payload = try entry.payload.map { text throws(LedgerError) in try JSON(parsing: text) }
        self.init(
            actor: payload?["actor"]?.string ?? "", reason: payload?["reason"]?.string ?? "", refusal: refusal, receipt: entry.receipt(isRepeat: true))
    }
}

extension StoredCommand {
    /// nil for an entry that is no command.
    init?(_ entry: JournalEntry) throws(LedgerError) {
        guard let id = entry.id, let payload = entry.payload, payload.contains("\"\(CommandHeader.key)\":{"),
            let own = try JSON(parsing: payload)[Entry.ownKey]
        else { return nil }
        let origin = try Origin(own)
        guard let header = origin.command else { return nil }
        self.init(
            id: id, position: entry.position, name: entry.kind, header: header, trace: origin.trace, recordedAt: entry.recordedAt, payload: payload)
    }
}
