public import Foundation
import LedgerDatabase
public import LedgerModel

extension Ledger {
    /// Sets the limits of an account that was opened with such limits. Recorded as an entry.
    ///
    /// Only a floor can be set where the account was opened with a floor, and likewise the ceiling; nil lifts it.
    /// - Throws: `invalidEntry` for a limit that the account cannot have, `limitExceeded` if its balance breaks the new limit
    ///   already, `conflict` if the id stands for something else.
    @discardableResult
    public func setLimits(
        _ limits: AccountLimits, of path: AccountPath, in code: CurrencyCode, id: EntryID = .minted(), actor: String? = nil
    ) async throws(LedgerError) -> Receipt {
        try await setLimits(limits, of: path, in: code, Telling(id: id, actor: actor))
    }

    func setLimits(
        _ limits: AccountLimits, of path: AccountPath, in code: CurrencyCode, _ telling: Telling
    ) async throws(LedgerError) -> Receipt {
        let id = telling.id
        return try await change(path, code, .limitsSet, telling, ["floor": limits.floor.json, "ceiling": limits.ceiling.json]) {
            line throws(LedgerError) in
            let account = line.account
            guard limits.floor == nil || account.openingLimits.floor != nil,
                limits.ceiling == nil || account.openingLimits.ceiling != nil
            else {
                throw LedgerError(
                    .invalidEntry, "\(path) in \(code) was opened without \(limits.floor != nil && account.openingLimits.floor == nil ? "a floor" : "a ceiling"), "
                        + "so nobody who posts on it waits for one: open another account with limits", id: id)
            }
            line.control.limits = limits
            try line.checkLimits(id)
        }
    }

    /// Freezes an account, closes it, or opens it again. Recorded as an entry.
    ///
    /// From then on nothing may be drawn from a frozen account, and a closed one takes no posting. For draws on an account with
    /// a floor (and payments into one with a ceiling) that is exact. Others claim nothing, so one may still land for the
    /// second or so that other programs remember what they were told; `reconcile` lists those.
    /// - Throws: `accountNotEmpty` to close an account that has a balance or holds something, `conflict`.
    @discardableResult
    public func setStatus(
        _ status: AccountStatus, of path: AccountPath, in code: CurrencyCode, id: EntryID = .minted(), actor: String? = nil
    ) async throws(LedgerError) -> Receipt {
        try await setStatus(status, of: path, in: code, Telling(id: id, actor: actor))
    }

    func setStatus(
        _ status: AccountStatus, of path: AccountPath, in code: CurrencyCode, _ telling: Telling
    ) async throws(LedgerError) -> Receipt {
        let id = telling.id
        return try await change(path, code, .statusSet, telling, ["status": .string(status.rawValue)]) { line throws(LedgerError) in
            line.control.status = status
            let totals = line.totals
            let isEmpty = totals.debitsPosted == totals.creditsPosted && totals.debitsPending == 0 && totals.creditsPending == 0
            guard status != .closed || isEmpty else {
                let currency = line.account.currency
                throw LedgerError(
                    .accountNotEmpty, "\(path) in \(code) has \(currency.format(totals.balance(line.account.type))) and holds "
                        + "\(currency.format(totals.debitsPending)) to be debited, \(currency.format(totals.creditsPending)) to be "
                        + "credited: empty it before it is closed", id: id)
            }
        }
    }

    /// What is in force on an account now.
    public func control(of path: AccountPath, in code: CurrencyCode) async throws(LedgerError) -> AccountControl {
        if let elsewhere = try await elsewhere() { return try await elsewhere.control(of: path, in: code) }
        let account = try await account(path, in: code)
        return try await translated {
            let row = try await database.run(
                .select(
                    "\(ControlRow.columns) FROM control WHERE account = \(account.id.number) ORDER BY sequence DESC LIMIT 1")
            ).first
            guard let row, case .account(_, let control)? = try ControlRow(row, from: 0)?.word else {
                return AccountControl(limits: account.openingLimits)
            }
            return control
        }
    }

    // MARK: - Periods

    /// Closes the book through a day: entries that count on it or earlier are refused from then on, or re-dated if they ask for
    /// it (``Backdating``).
    ///
    /// Days are those of the book's accounting time zone. Projections decide by position what was in the books when a period
    /// was closed; the check at posting is a courtesy, and other programs may miss it for a second.
    /// - Throws: `conflict` if it is closed through that day or a later one already, `invalidTime` for a day that has not ended.
    @discardableResult
    public func closePeriod(
        through day: AccountingDay, id: EntryID = .minted(), actor: String? = nil
    ) async throws(LedgerError) -> Receipt {
        try await closePeriod(through: day, Telling(id: id, actor: actor))
    }

    func closePeriod(through day: AccountingDay, _ telling: Telling) async throws(LedgerError) -> Receipt {
        try requireWriter()
        let id = telling.id
        return try await translated {
            let zone = try await primary.timeZone()
            let end = try day.end(in: zone)
            let payload: [String: JSON] = ["through": .string(day.description), "closed_before": .string(end.description)]
            return try await control(.periodClosed, telling, payload) { transaction, sequence in
                guard end <= (try WriteStep.clock(transaction)) else {
                    throw LedgerError(.invalidTime, "\(day) has not ended in \(zone.identifier): close it when it has", id: id)
                }
                let last = try transaction.run(.select("MAX(closed_before) FROM control"))[0].optionalText(0)
                if let last = last.flatMap(Timestamp.init(sqlText:)), last >= end {
                    throw LedgerError(.conflict, "the book is closed before \(last) already", id: id)
                }
                return (ControlRow(sequence: sequence, word: .period(closedBefore: end)), [])
            }
        }
    }

    /// Entries that count before this are refused or re-dated; nil: nothing is closed.
    public func closedBefore() async throws(LedgerError) -> Timestamp? {
        if let elsewhere = try await elsewhere() { return try await elsewhere.closedBefore() }
        return try await translated {
            try await database.run(.select("MAX(closed_before) FROM control"))[0].optionalText(0).flatMap(Timestamp.init(sqlText:))
        }
    }

    /// Where the book's accounting days begin and end. It is set when the book is made and never changes.
    public func timeZone() async throws(LedgerError) -> TimeZone {
        if let elsewhere = try await elsewhere() { return try await elsewhere.timeZone() }
        return try await translated {
            guard let row = try await database.run(.select("time_zone FROM book")).first else { return .gmt }
            let name = try row.text(0)
            guard let zone = TimeZone(identifier: name) else {
                throw LedgerError(.schema, "the book's time zone is \(name), which this machine does not know: install its time zones (tzdata)")
            }
            return zone
        }
    }

    // MARK: - One control

    /// Puts another word on an account in force, decided on what it stands at.
    private func change(
        _ path: AccountPath, _ code: CurrencyCode, _ kind: EntryKind, _ telling: Telling, _ what: [String: JSON],
        _ decide: @escaping @Sendable (inout Decision.Line) throws(LedgerError) -> Void
    ) async throws(LedgerError) -> Receipt {
        try requireWriter()
        let account = try await primary.account(path, in: code)
        var payload = what
        payload["account"] = .string(path.text)
        payload["currency"] = .string(code.text)
        let told = payload
        return try await translated {
            try await control(kind, telling, told) { transaction, sequence in
                if account.isLimited {
                    // It may turn a yes into a no, like a draw.
                    try Claims.queue([account.id], transaction)
                    let revision = try Claims.newest([account.id], transaction)[account.id] ?? 0
                    try Claims.take([account.id], [revision + 1], transaction)
                }
                let now = try WriteStep.clock(transaction)
                guard var line = try LimitReader(tailMax: tailMax).lines([account], now: now, transaction)[account.id] else {
                    throw LedgerError(.integrity, "\(path) cannot be read", id: telling.id)
                }
                let before = line
                do throws(LedgerError) { try decide(&line) } catch {
                    guard !before.expired.isEmpty else { throw error }
                    // What relies on a hold being over says so, and a capture that is being committed has the slot first.
                    line = before
                    line.releaseExpired()
                    try decide(&line)
                    return (ControlRow(sequence: sequence, word: .account(account.id, line.control)), before.expired)
                }
                return (ControlRow(sequence: sequence, word: .account(account.id, line.control)), [])
            }
        }
    }

    /// Inserts a control in the next slot, and the entry that tells of it, after those that it relies on.
    private func control(
        _ kind: EntryKind, _ telling: Telling, _ payload: [String: JSON],
        _ decide: @Sendable (borrowing LedgerTransaction, UInt64) throws -> (ControlRow, before: [Draft])
    ) async throws -> Receipt {
        var payload = payload
        for (key, value) in [("description", telling.description), ("reference", telling.reference), ("actor", telling.actor)] {
            if let value { payload[key] = .string(value) }
        }
        let id = telling.id
        let draft = Draft(
            id: id, kind: kind, effectiveAt: telling.effectiveAt, payload: .object(payload), postings: [], account: { _ in nil })
        var retrying = Retrying()
        while true {
            do {
                let (row, receipt) = try await database.write { transaction -> (ControlRow?, Receipt) in
                    if let stands = try JournalRows.entries([id], transaction)[id] {
                        if let conflict = draft.conflict(with: stands) { throw conflict.about(index: nil, id: id) }
                        return (nil, stands.receipt(isRepeat: true))
                    }
                    // One after the other, on the row of the book, which nobody changes; it only saves retries.
                    _ = try transaction.run(.select("one FROM book FOR UPDATE"))
                    let last = try transaction.run(.select("COALESCE(MAX(sequence), 0) FROM control"))[0].uint(0)
                    let (row, before) = try decide(transaction, last + 1)
                    try transaction.run(.insert(row, toldBy: id))
                    return (row, try JournalWriter.append(before + [draft], in: transaction)[before.count])
                }
                if let row { catalog.heard(row) }
                return receipt
            } catch let error as DatabaseError {
                try await retrying.pause(after: error)
            } catch { throw retrying.final(error) }
        }
    }
}

/// What the entry says beside the control that it tells of.
struct Telling: Sendable {
    let id: EntryID
    var effectiveAt: Timestamp?
    var description: String?
    var reference: String?
    var actor: String?

    init(id: EntryID, actor: String?) { (self.id, self.actor) = (id, actor) }

    /// As another book has told it.
    init(_ told: ToldEntry) {
        (id, effectiveAt) = (told.id, told.effectiveAt)
        (description, reference, actor) = (told.description, told.reference, told.actor)
    }
}

extension Decision.Line {
    /// Takes away what is held by holds whose time is over.
    mutating func releaseExpired() {
        for hold in expired { for effect in Draft.effects(hold.postings, [account]) { totals.add(effect.change, times: 1) } }
        expired = []
    }

    /// A limit that is broken from the start would hold nothing.
    fileprivate func checkLimits(_ id: EntryID) throws(LedgerError) {
        let (available, expected) = (totals.available(account.type), totals.expected(account.type))
        let broken: (Shortfall.Bound, Int64, Int128, Int128)? =
            if let floor = control.limits.floor, available < floor { (.floor, floor, available, Int128(floor) - available) }
            else if let ceiling = control.limits.ceiling, expected > ceiling { (.ceiling, ceiling, expected, expected - Int128(ceiling)) }
            else { nil }
        guard let (bound, limit, balance, short) = broken else { return }
        throw LedgerError(
            .limitExceeded, "\(account.path) stands at \(account.currency.format(balance)) \(account.currency.code), which a \(bound.rawValue) "
                + "of \(account.currency.format(Int128(limit))) does not allow", id: id,
            shortfall: Shortfall(
                account: account.path, currency: account.currency.code, bound: bound, limit: Int128(limit), balance: balance,
                shortfall: short))
    }
}

extension Int64? {
    fileprivate var json: JSON { map(JSON.integer) ?? .null }
}

extension InsertOnlySQL {
    fileprivate static func insert(_ row: ControlRow, toldBy id: EntryID) -> InsertOnlySQL {
        let values: [LedgerValue] =
            switch row.word {
            case .account(let account, let control):
                [
                    .uint(account.number), .text(control.status.rawValue), .int(control.limits.floor), .int(control.limits.ceiling),
                    .null,
                ]
            case .period(let closedBefore): [.null, .null, .null, .null, .text(closedBefore.sqlText)]
            }
        return .insert(
            into: .control, ["sequence", "account", "status", "floor", "ceiling", "closed_before", "entry_id"],
            rows: [[.uint(row.sequence)] + values + [.bytes(id.bytes)]])
    }
}
