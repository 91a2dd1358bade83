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
        guard let payload = try await ledger.entry(id)?.payload, let cut = try JSON(parsing: payload)["reference"]?.string.flatMap(Int64.init) else {
            throw Unreadable()
        }
        return Moving(old: old, ledger: ledger, cut: cut)
    }

    // MARK: - Opening balances

    /// Opens every account with what it had at the cut. Do it again when accounts have come; what stands is not recorded twice.
    func open() async throws {
        try await ledger.openAccount("bank", in: .eur, type: .asset)
        try await ledger.openAccount("opening-balances", in: .eur, type: .equity)
        let rows = try await old.query(
            """
            SELECT a.id, a.balance - COALESCE(SUM(m.amount), 0) FROM account a
            LEFT JOIN movement m ON m.account_id = a.id AND m.id > \(cut) GROUP BY a.id, a.balance ORDER BY a.id
            """)
        for row in rows {
            let account = String(try row.integer(0))
            // A floor, so that there can be another one later; so low that nothing of what the old code does is refused.
            try await ledger.openAccount(BankAccount.path(account), in: .eur, type: .liability, limits: .creditLine(1_000_000_000_000))
            try await Units(ledger).run { unit in
                try unit.append(BankAccount.OpeningBalance(account: account, amount: row.integer(1)), to: account, expecting: .any)
            }
        }
    }

    // MARK: - Dual run

    /// Records a movement of the old tables.
    /// - Returns: false if it stood already.
    @discardableResult
    func record(_ movement: OldMovement) async throws -> Bool {
        let unit = Units(ledger).begin()
        let account = String(movement.account)
        // The old tables have decided, so nothing is expected.
        try unit.append(
            BankAccount.Moved(account: account, amount: movement.amount, row: movement.id), to: account, expecting: .any,
            effectiveAt: Timestamp(sqlText: movement.madeAt))
        return try await !unit.commit()[0].isRepeat
    }

    /// Records every movement behind the cut that the ledger does not have yet.
    /// - Returns: how many those were.
    @discardableResult
    func copy() async throws -> Int {
        var copied = 0
        for row in try await old.query("SELECT id, account_id, amount, made_at FROM movement WHERE id > \(cut) ORDER BY id") {
            let movement = OldMovement(id: try row.integer(0), account: try row.integer(1), amount: try row.integer(2), madeAt: try row.text(3))
            if try await record(movement) { copied += 1 }
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
        // If the program ends here, `copy` records it.
        if movement.id > moving.cut { try await moving.record(movement) }
    }
}
