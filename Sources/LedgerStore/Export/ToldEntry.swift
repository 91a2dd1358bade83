import LedgerModel

/// An entry as an export tells of it, and as an import reads it: paths in place of the book's numbers.
struct ToldEntry: Sendable {
    struct Line: Sendable, Equatable {
        let posting: Posting
        let status: PostingStatus
    }

    var id: EntryID
    var kind: EntryKind
    var effectiveAt: Timestamp
    var description: String?
    var reference: String?
    var actor: String?
    /// Without what has a place of its own here.
    var payload: [String: JSON]
    var lines: [Line]
    /// Its postings are pending.
    var hold: Hold?

    /// Whether it says the same as another.
    func isSame(as other: ToldEntry) -> Bool {
        id == other.id && kind == other.kind && effectiveAt == other.effectiveAt && description == other.description
            && reference == other.reference && actor == other.actor && payload == other.payload && lines == other.lines
            && hold == other.hold
    }
}

extension ToldEntry {
    /// What the ledger did when it wrote such an entry.
    enum Meaning: Sendable, Equatable {
        /// Somebody posted it, and it is to count as it did then.
        case posted(redatedFrom: Timestamp?)
        case settlement(of: EntryID)
        case reversal(of: EntryID)
        case limits(AccountPath, CurrencyCode, AccountLimits)
        case status(AccountPath, CurrencyCode, AccountStatus)
        case period(AccountingDay, closedBefore: Timestamp)
        /// The document of a fee schedule.
        case feeSchedule(JSON)
        /// Fees that were posted for a month.
        case fees
        /// A unit of work said so: it has no postings.
        case said

        /// The entry that has to stand before it.
        var refersTo: EntryID? {
            switch self {
            case .settlement(let id), .reversal(let id): id
            case .posted, .limits, .status, .period, .feeSchedule, .fees, .said: nil
            }
        }
    }

    /// - Throws: `invalidEntry` for what no ledger writes.
    func meaning() throws(LedgerError) -> Meaning {
        switch kind {
        case .holdCaptured, .holdVoided, .holdExpired:
            let hold = try referred("hold", EntryID.settlement(of:))
            return .settlement(of: hold)
        case .reversed: return .reversal(of: try referred("reverses", EntryID.reversal(of:)))
        case .limitsSet:
            let (path, code) = try account(and: ["floor", "ceiling"])
            return .limits(path, code, AccountLimits(floor: try limit("floor"), ceiling: try limit("ceiling")))
        case .statusSet:
            let (path, code) = try account(and: ["status"])
            guard let status = payload["status"]?.string.flatMap(AccountStatus.init(rawValue:)) else {
                throw wrong("sets no status that there is")
            }
            return .status(path, code, status)
        case .periodClosed:
            try allow(["through", "closed_before"])
            guard lines.isEmpty, let day = payload["through"]?.string, let end = payload["closed_before"]?.string else {
                throw wrong("names no period")
            }
            return .period(try AccountingDay(day), closedBefore: try Timestamp(end))
        case .feeSchedulePublished:
            guard lines.isEmpty, let name = payload["schedule"]?.string, case .integer(let version)? = payload["version"],
                let version = UInt32(exactly: version)
            else { throw wrong("publishes no fee schedule") }
            guard id == .feeSchedule(name, version) else { throw wrong("has not the id that follows from its schedule and version") }
            var document = payload
            if let description { document["description"] = .string(description) }
            return .feeSchedule(.object(document))
        case .feesAssessed:
            guard lines.count == 1, let name = payload["schedule"]?.string, let account = payload["account"]?.string, let currency = payload["currency"]?.string,
                let month = payload["month"]?.string, case .integer(let number)? = payload["number"], let number = UInt32(exactly: number),
                id == .fees(name, try AccountPath(account), try CurrencyCode(currency), try AccountingMonth(month), number: number)
            else { throw wrong("has not the id that follows from its account and month") }
            return .fees
        case .streamChecked, .claimed, .claimReleased, .unitDone, .processStep, .timerSet, .timerCancelled, .timerFired:
            guard lines.isEmpty, payload[Entry.ownKey] != nil else { throw wrong("is of no unit of work") }
            return .said
        case .commandDone, .commandRefused, .commandResolved:
            guard lines.isEmpty, let command = payload["command"]?.string.flatMap(EntryID.init(hex:)) else { throw wrong("names no command") }
            guard id == .outcome(of: command) || kind == .commandResolved && id == .resolution(of: command) else {
                throw wrong("has not the id that follows from \(command)")
            }
            return .said
        default:
            guard let text = payload[Backdating.redatedFromKey]?.string else { return .posted(redatedFrom: nil) }
            return .posted(redatedFrom: try Timestamp(text))
        }
    }

    /// The entry that somebody posted.
    var entry: Entry {
        var payload = payload
        payload[Backdating.redatedFromKey] = nil
        return Entry(
            id: id, kind: kind, effectiveAt: effectiveAt, description: description, reference: reference, actor: actor,
            payload: payload, postings: lines.map(\.posting), hold: hold)
    }

    /// What the payload says of stream and unit of work.
    var origin: Origin? {
        get throws(LedgerError) { try payload[Entry.ownKey].map { own throws(LedgerError) in try Origin(own) } }
    }

    private func referred(_ key: String, _ derived: (EntryID) -> EntryID) throws(LedgerError) -> EntryID {
        try allow([key])
        guard let other = payload[key]?.string.flatMap(EntryID.init(hex:)) else { throw wrong("says nothing of the entry that it ends") }
        guard id == derived(other) else { throw wrong("has not the id that follows from \(other)") }
        return other
    }

    private func account(and keys: Set<String>) throws(LedgerError) -> (AccountPath, CurrencyCode) {
        try allow(keys.union(["account", "currency"]))
        guard lines.isEmpty, let path = payload["account"]?.string, let code = payload["currency"]?.string else {
            throw wrong("names no account")
        }
        return (try AccountPath(path), try CurrencyCode(code))
    }

    private func limit(_ key: String) throws(LedgerError) -> Int64? {
        switch payload[key] {
        case .null?, nil: return nil
        case .integer(let units)?: return units
        default: throw wrong("has a \(key) that is no whole number of minor units")
        }
    }

    private func allow(_ keys: Set<String>) throws(LedgerError) {
        for key in payload.keys.sorted() where !keys.contains(key) && key != Entry.ownKey { throw wrong("has “\(key)” in its payload") }
    }

    private func wrong(_ what: String) -> LedgerError {
        LedgerError(.invalidEntry, "an entry of the kind \(kind) that \(what) is none of the ledger's", id: id)
    }
}
