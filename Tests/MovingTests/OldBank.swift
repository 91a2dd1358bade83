import MariaDBDriver

/// A movement as the old tables keep it.
struct OldMovement: Sendable {
    let id: Int64
    let account: Int64
    /// In cents; more than 0 for a deposit.
    let amount: Int64
    /// As the server writes it, in UTC.
    let madeAt: String
}

/// The old flow: it changes the balance and keeps a row of the movement, in one transaction.
struct OldBank: Sendable {
    let connection: MariaDBConnection

    func open(_ account: Int64, owner: String, balance: Int64) async throws {
        _ = try await connection.query("INSERT INTO account (id, owner, balance) VALUES (\(account), \(owner), \(balance))")
    }

    @discardableResult
    func move(_ amount: Int64, on account: Int64) async throws -> OldMovement {
        try await connection.transaction { transaction in
            try transaction.query("UPDATE account SET balance = balance + \(amount) WHERE id = \(account)")
            let row = try transaction.query(
                "INSERT INTO movement (account_id, amount) VALUES (\(account), \(amount)) RETURNING id, made_at")[0]
            return OldMovement(id: try row.integer(0), account: account, amount: amount, madeAt: try row.text(1))
        }
    }

    func balance(of account: Int64) async throws -> Int64 {
        try await connection.query("SELECT balance FROM account WHERE id = \(account)")[0].integer(0)
    }
}
