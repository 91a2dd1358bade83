import LedgerDatabase
public import LedgerModel

/// How a hold ends.
enum HoldEnd: Sendable, Equatable {
    /// So many minor units of each posting are posted, and the rest is released; nil: all.
    case capture([UInt64]?)
    case void
    case expiry

    var kind: EntryKind {
        switch self {
        case .capture: .holdCaptured
        case .void: .holdVoided
        case .expiry: .holdExpired
        }
    }
}

extension Draft {
    /// The entry that settles a hold: it takes every pending posting back, and posts what is captured.
    init(
        settling hold: JournalEntry, by end: HoldEnd, description: String? = nil, reference: String? = nil, actor: String? = nil,
        account: (AccountID) -> Account?
    ) throws(LedgerError) {
        let pending = hold.postings.filter { $0.status == .pending }
        guard let id = hold.id, !pending.isEmpty, pending.count == hold.postings.count else {
            throw LedgerError(.notAHold, "the entry at position \(hold.position) is no hold", id: hold.id)
        }
        var postings = pending.map {
            JournalPosting(line: $0.line, debit: $0.debit, credit: $0.credit, amount: $0.amount, status: .released)
        }
        if case .capture(let amounts) = end {
            let amounts = amounts ?? pending.map(\.amount)
            guard amounts.count == pending.count else {
                throw LedgerError(.invalidEntry, "the hold has \(pending.count) postings, and \(amounts.count) amounts are to be captured", id: id)
            }
            for (held, amount) in zip(pending, amounts) where amount > 0 {
                guard amount <= held.amount else {
                    throw LedgerError(
                        .invalidAmount, "posting \(held.line) holds \(held.amount) minor units; \(amount) cannot be captured", id: id)
                }
                postings.append(
                    JournalPosting(
                        line: UInt32(postings.count + 1), debit: held.debit, credit: held.credit, amount: amount, status: .posted))
            }
            guard amounts.contains(where: { $0 > 0 }) else {
                throw LedgerError(.invalidAmount, "nothing is captured; void the hold instead", id: id)
            }
        }
        var payload: [String: JSON] = ["hold": .string(id.description)]
        for (key, value) in [("description", description), ("reference", reference), ("actor", actor)] {
            if let value { payload[key] = .string(value) }
        }
        self.init(
            id: .settlement(of: id), kind: end.kind, payload: .object(payload), postings: postings, account: account)
        settles = Settlement(hold: id, expiresAt: hold.holdExpiresAt, isExpiry: end == .expiry)
        refersTo = hold.position
    }
}

extension JournalEntry {
    /// What amounts capture of a hold's postings, in minor units.
    func captured(_ amounts: [Amount], _ account: (AccountID) -> Account?) throws(LedgerError) -> [UInt64] {
        for (posting, amount) in zip(postings, amounts) where account(posting.debit)?.currency.code != amount.currency {
            throw LedgerError(.currencyMismatch, "posting \(posting.line) of the hold is not in \(amount.currency)", id: id)
        }
        return try amounts.map { amount throws(LedgerError) in
            guard let units = UInt64(exactly: amount.minorUnits) else {
                throw LedgerError(.invalidAmount, "\(amount.minorUnits) minor units cannot be captured", id: id)
            }
            return units
        }
    }

    /// When a hold ends by itself.
    public var holdExpiresAt: Timestamp? {
        guard postings.contains(where: { $0.status == .pending }), let payload, let json = try? JSON(parsing: payload) else { return nil }
        return json[Hold.expiresAtKey]?.string.flatMap { try? Timestamp($0) }
    }
}

/// `hold_expiry`, where holds that expire are found by account and by time.
enum HoldExpiries {
    /// Of rows `h`: the time is over, and nothing has settled it. A hold that ends at this very instant has ended.
    static func due(_ now: Timestamp) -> SelectText { due("\(now.sqlText)") }

    /// - Parameter clock: an instant, or the server's own.
    static func due(_ clock: SelectText) -> SelectText {
        """
        h.expires_at <= \(clock)
        AND h.expires_at > COALESCE((SELECT MAX(swept_before) FROM hold_sweep), '1000-01-01')
        AND NOT EXISTS (SELECT 1 FROM entry settled WHERE settled.id = h.settlement)
        """
    }
}

extension HoldExpiries {
    /// What the totals count.
    enum Scope {
        /// Everything that is committed.
        case everything
        case position(Position)
        /// What counts by then.
        case effective(Timestamp)
    }

    /// Takes out of the totals what holds of these accounts have pending whose time was over.
    /// - Parameter now: the clock.
    static func release(
        _ totals: inout [AccountID: Totals], now: Timestamp, counting scope: Scope,
        _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws {
        let pending = totals.filter { $0.value.debitsPending != 0 || $0.value.creditsPending != 0 }.map(\.key)
        let condition =
            switch scope {
            case .everything: due(now)
            case .position(let position): due(now, where: "position <= \(position.number)")
            case .effective(let time): due(now, where: "effective_at <= \(time.sqlText)")
            }
        for start in stride(from: 0, to: pending.count, by: 1000) {
            let list = Array(pending[start..<min(start + 1000, pending.count)]).values
            let rows = try executor.run(
                .select(
                    """
                    h.account, SUM(h.debits), SUM(h.credits) FROM hold_expiry h
                    WHERE h.account IN \(list: list) AND \(condition) GROUP BY h.account
                    """))
            for row in rows {
                let account = AccountID(UInt32(try row.uint(0)))
                totals[account]?.debitsPending -= try row.decimal(1)
                totals[account]?.creditsPending -= try row.decimal(2)
            }
        }
    }

    /// The time is over; the hold is one of these entries, and what settled it is not.
    private static func due(_ now: Timestamp, where isCounted: SelectText) -> SelectText {
        """
        h.expires_at <= \(now.sqlText) AND EXISTS (SELECT 1 FROM entry WHERE id = h.hold AND \(isCounted))
        AND NOT EXISTS (SELECT 1 FROM entry WHERE id = h.settlement AND \(isCounted))
        """
    }
}

extension Ledger {
    /// Posts what a hold holds, all or a part of it; the rest is released.
    ///
    /// A hold is settled once, whoever is first: capture, void or expiry. The same capture again returns the first receipt.
    /// - Parameters:
    ///   - hold: the entry with ``Entry/hold``.
    ///   - amounts: for each posting of the hold how much to capture, at most what it holds, 0 for nothing; nil: everything.
    /// - Throws: `unknownEntry`, `notAHold`, `invalidAmount` above the hold, `holdSettled` (``LedgerError/standing`` says by
    ///   what), `holdExpired` from its instant on.
    @discardableResult
    public func capture(
        _ hold: EntryID, amounts: [Amount]? = nil, description: String? = nil, reference: String? = nil, actor: String? = nil
    ) async throws(LedgerError) -> Receipt {
        try requireWriter()
        return try await translated {
            let entry = try await holdEntry(hold)
            var units: [UInt64]?
            if let amounts {
                let accounts = try await catalog.accounts(Set(entry.postings.map(\.debit)))
                units = try entry.captured(amounts) { accounts[$0] }
            }
            return try await settle(entry, .capture(units), description, reference, actor)
        }
    }

    /// Ends a hold without moving anything. The same again returns the first receipt.
    /// - Throws: `unknownEntry`, `notAHold`, `holdSettled`, `holdExpired`.
    @discardableResult
    public func void(
        _ hold: EntryID, description: String? = nil, reference: String? = nil, actor: String? = nil
    ) async throws(LedgerError) -> Receipt {
        try requireWriter()
        return try await translated { try await settle(try await holdEntry(hold), .void, description, reference, actor) }
    }

    /// Writes the entries that end holds whose time is over, by the server's clock.
    ///
    /// A hold that has expired holds nothing from that instant on, written or not; this only keeps the books tidy, so run it as
    /// often as you like.
    /// - Returns: how many it ended.
    @discardableResult
    public func expireHolds() async throws(LedgerError) -> Int {
        try requireWriter()
        return try await translated {
            var ended = 0
            while true {
                let (now, holds) = try await database.read { transaction in
                    let now = try WriteStep.clock(transaction)
                    let rows = try transaction.run(
                        .select("DISTINCT h.hold FROM hold_expiry h WHERE \(HoldExpiries.due(now)) LIMIT 1000"))
                    let ids = try rows.map { try EntryID(bytes: try $0.bytes(0)) }
                    return (now, ids.isEmpty ? [:] : try JournalRows.entries(ids, transaction))
                }
                if holds.isEmpty {
                    try await noteSweep(now)
                    return ended
                }
                let accounts = try await catalog.accounts(Set(holds.values.flatMap { $0.postings.flatMap { [$0.debit, $0.credit] } }))
                ended += try await expire(Array(holds.values)) { accounts[$0] }
            }
        }
    }

    /// At once, so that they are written together.
    private func expire(
        _ holds: [JournalEntry], account: @escaping @Sendable (AccountID) -> Account?
    ) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for hold in holds {
                group.addTask {
                    do {
                        return try await !commits.write([try Draft(settling: hold, by: .expiry, account: account)])[0].isRepeat
                    } catch let error as LedgerError where error.code == .holdSettled {
                        // Somebody else ended it just now.
                        return false
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    /// Nobody looks again for holds that expired more than an hour before: none can be on its way any more.
    private func noteSweep(_ now: Timestamp) async throws {
        let before = Timestamp(microseconds: now.microseconds - 3_600_000_000)
        let rows = try await database.run(.select("MAX(swept_before) FROM hold_sweep"))
        if let last = try rows[0].optionalText(0).flatMap(Timestamp.init(sqlText:)),
            last.microseconds > before.microseconds - 600_000_000
        { return }
        do { try await database.run(.insert(into: .holdSweep, ["swept_before"], rows: [[.text(before.sqlText)]])) } catch
            let error as DatabaseError
        {
            guard case .duplicateKey = error.kind else { throw error }
        }
    }

    private func holdEntry(_ id: EntryID) async throws -> JournalEntry {
        guard let entry = try await standing([id])[id] else {
            throw LedgerError(.unknownEntry, "there is no entry with the id \(id)", id: id)
        }
        return entry
    }

    private func settle(
        _ entry: JournalEntry, _ end: HoldEnd, _ description: String?, _ reference: String?, _ actor: String?
    ) async throws -> Receipt {
        let accounts = try await catalog.accounts(Set(entry.postings.flatMap { [$0.debit, $0.credit] }))
        let draft = try Draft(
            settling: entry, by: end, description: description, reference: reference, actor: actor, account: { accounts[$0] })
        return try await commits.write([draft].following(Trace.current))[0]
    }
}
