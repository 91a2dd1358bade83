import Indelible
import MariaDBDriver

/// From the old tables `account` and `movement` to a ledger, step by step: docs/moving.md.
struct Moving: Sendable {
    let old: MariaDBConnection
    let ledger: Ledger
    /// The opening balances count the movements up to this one, and each later one is an entry of its own.
    let cut: Int64

    /// Draws the line between the opening balances and the movements, once.
    static func begin(_ old: MariaDBConnection, _ ledger: Ledger) async throws -> Moving {
        let id = EntryID(key: "moving: cut")
        if try await ledger.entry(id) == nil {
            let last = try await old.session { session in
                // Waits for those who are writing: no movement with a lower id can still come in.
                try session.execute(unprepared: "LOCK TABLES movement READ")
                let last = try session.query("SELECT COALESCE(MAX(id), 0) FROM movement")[0].integer(0)
                try session.execute(unprepared: "UNLOCK TABLES")
                return last
            }
            do throws(LedgerError) { try await ledger.post(Entry(id: id, kind: "moving.cut", reference: String(last))) } catch {
                // Somebody else has drawn it meanwhile: that one stands.
                guard error.code == .conflict else { throw error }
            }
        }
        guard let payload = try await ledger.entry(id)?.payload, case .object(let members) = try JSON(parsing: payload),
            case .string(let text)? = members["reference"], let cut = Int64(text)
        else { throw Unreadable() }
        return Moving(old: old, ledger: ledger, cut: cut)
    }

    // MARK: - Opening balances

    static func path(_ account: Int64) throws -> AccountPath { try AccountPath("customers:\(account)") }

    /// Opens every account with what it had at the cut. Do it again when accounts have come; what stands is not posted twice.
    func open() async throws {
        try await ledger.openAccount("bank", in: .eur, type: .asset)
        try await ledger.openAccount("opening-balances", in: .eur, type: .equity)
        let rows = try await old.query(
            """
            SELECT a.id, a.balance - COALESCE(SUM(m.amount), 0) FROM account a
            LEFT JOIN movement m ON m.account_id = a.id AND m.id > \(cut) GROUP BY a.id, a.balance ORDER BY a.id
            """)
        for row in rows {
            let (path, balance) = (try Self.path(row.integer(0)), try row.integer(1))
            // A floor, so that there can be another one later; so low that nothing of what the old code does is refused.
            try await ledger.openAccount(path, in: .eur, type: .liability, limits: .creditLine(1_000_000_000_000))
            try await ledger.post(
                Entry(id: EntryID(key: "opening: \(path)"), kind: "opening.balance", postings: Self.posting(balance, path, against: "opening-balances")))
        }
    }

    /// A deposit credits the customer, a withdrawal debits; nothing moves nothing.
    static func posting(_ amount: Int64, _ customer: AccountPath, against other: AccountPath) -> [Posting] {
        if amount > 0 { return [Posting(debit: other, credit: customer, amount: Amount(minorUnits: amount, .eur))] }
        return amount == 0 ? [] : [Posting(debit: customer, credit: other, amount: Amount(minorUnits: -amount, .eur))]
    }

    // MARK: - Dual run

    /// A movement of the old tables as an entry. Its id follows from the row's, so it is posted once, whoever does it.
    func entry(_ movement: OldMovement) throws -> Entry {
        Entry(
            id: Self.id(movement.id), kind: "bank.moved", effectiveAt: Timestamp(sqlText: movement.madeAt), reference: String(movement.id),
            postings: Self.posting(movement.amount, try Self.path(movement.account), against: "bank"))
    }

    static func id(_ movement: Int64) -> EntryID { EntryID(key: "movement: \(movement)") }

    /// Posts every movement behind the cut that the ledger does not have yet.
    /// - Returns: how many those were.
    @discardableResult
    func copy() async throws -> Int {
        let rows = try await old.query("SELECT id, account_id, amount, made_at FROM movement WHERE id > \(cut) ORDER BY id")
        let entries = try rows.map { row in
            try entry(OldMovement(id: row.integer(0), account: row.integer(1), amount: row.integer(2), madeAt: row.text(3)))
        }
        var copied = 0
        for start in stride(from: 0, to: entries.count, by: 500) {
            copied += try await ledger.post(Array(entries[start..<min(start + 500, entries.count)])).count { !$0.isRepeat }
        }
        return copied
    }
}

/// The old flow, and behind it the same movement in the ledger.
struct DualRun: Sendable {
    let old: OldBank
    let moving: Moving

    func move(_ amount: Int64, on account: Int64) async throws {
        let movement = try await old.move(amount, on: account)
        // If the program ends here, `copy` posts it.
        if movement.id > moving.cut { try await moving.ledger.post(moving.entry(movement)) }
    }
}
