import LedgerModel

/// Where an entry comes from and which stream it is of: the member `ledger` of its payload.
final class Origin: Sendable {
    let trace: Trace
    let append: StreamAppend?
    /// It is a command, to be decided.
    let command: CommandHeader?
    /// What it claims; nil before that is known, and for what claims nothing.
    let revision: UInt64?
    /// The revision is claimed already in this transaction.
    let isClaimed: Bool

    init(_ trace: Trace, _ append: StreamAppend? = nil, command: CommandHeader? = nil, revision: UInt64? = nil, isClaimed: Bool = false) {
        (self.trace, self.append, self.command, self.revision, self.isClaimed) = (trace, append, command, revision, isClaimed)
    }

    /// As a payload has it.
    /// - Throws: `invalidEntry` for what no ledger writes.
    init(_ json: JSON) throws(LedgerError) {
        func text(_ key: String) throws(LedgerError) -> String? {
            switch json[key] {
            case nil: return nil
            case .string(let text)?: return text
            default: throw LedgerError(.invalidEntry, "“\(key)” in the payload's member “\(Entry.ownKey)” is a text")
            }
        }
        func number(_ key: String) throws(LedgerError) -> UInt64? {
            switch json[key] {
            case nil: return nil
            case .integer(let number)? where number > 0: return UInt64(number)
            default: throw LedgerError(.invalidEntry, "“\(key)” in the payload's member “\(Entry.ownKey)” is a whole number of at least 1")
            }
        }
        let known: Set = ["stream", "revision", "version", "unit", "correlation", "causation", CommandHeader.key]
        guard case .object(let members) = json, known.isSuperset(of: members.keys) else {
            throw LedgerError(.invalidEntry, "“\(Entry.ownKey)” in a payload is the ledger's own word")
        }
        trace = Trace(unit: try text("unit"), correlation: try text("correlation"), causation: try text("causation"))
        isClaimed = false
        let revision = try number("revision")
        let version = Int(clamping: try number("version") ?? 1)
        self.revision = revision
        command = try json[CommandHeader.key].map { header throws(LedgerError) in try CommandHeader(header, version: version) }
        append = try text("stream").map { stream throws(LedgerError) in
            StreamAppend(try StreamName(parsing: stream), .expects(revision.map { .exact($0 - 1) } ?? .any), version: version)
        }
    }

    /// nil if there is nothing to say.
    var json: JSON? {
        guard append != nil || command != nil || !trace.isEmpty else { return nil }
        var members: [String: JSON] = [:]
        members["unit"] = trace.unit.map(JSON.string)
        members["correlation"] = trace.correlation.map(JSON.string)
        members["causation"] = trace.causation.map(JSON.string)
        if let append {
            members["stream"] = .string(append.stream.text)
            members["version"] = .integer(Int64(append.version))
            members["revision"] = revision.map { .integer(Int64($0)) }
        }
        if let command {
            members[CommandHeader.key] = command.json
            members["version"] = .integer(Int64(command.version))
        }
        return .object(members)
    }

    func placed(at revision: UInt64?) -> Origin { Origin(trace, append, command: command, revision: revision, isClaimed: isClaimed) }

    /// Whether it takes a revision that somebody else may want.
    var claims: Bool {
        switch append?.rule {
        case .expects(.exact)?, .expects(.none)?, .unclaimed?, .claimed?: true
        case .expects(.exists)?, .expects(.any)?, .readAt?, nil: false
        }
    }

    var needsClock: Bool {
        if case .readAt(_, _, now: nil)? = append?.rule { true } else { false }
    }

    /// Where what stands and what is asked for are of different streams, or only one is a command; nil if they are not.
    static func difference(_ standing: JSON?, _ asked: Origin?) -> String? {
        if (standing?[CommandHeader.key] != nil) != (asked?.command != nil) {
            return asked?.command == nil ? "it is a command, and this is none" : "it is no command, and this is one"
        }
        let members = standing?[CommandHeader.key]?[CommandHeader.selectionKey]
        if members != asked?.command?.selection?.json {
            return "it is a bulk over \(members?.text ?? "nobody"), asked: \(asked?.command?.selection?.json.text ?? "nobody")"
        }
        let (stands, stream) = (standing?["stream"]?.string, asked?.append?.stream.text)
        if stands.map({ Array($0.utf8) }) == stream.map({ Array($0.utf8) }) { return nil }
        return "it is of \(stands.map { "the stream \($0)" } ?? "no stream"), asked: \(stream ?? "none")"
    }
}

extension JSON? {
    /// An object with one more member.
    func with(_ key: String, _ value: JSON) -> JSON {
        var members: [String: JSON] = [:]
        if case .object(let own)? = self { members = own }
        members[key] = value
        return .object(members)
    }
}

extension [Draft] {
    /// What is posted by itself belongs to what the task is about, not to its unit of work.
    func following(_ trace: Trace) -> [Draft] {
        guard trace.correlation != nil || trace.causation != nil else { return self }
        let origin = Origin(Trace(correlation: trace.correlation, causation: trace.causation))
        return map { draft in
            var draft = draft
            if draft.origin == nil { draft.origin = origin }
            return draft
        }
    }
}
