import Indelible
import MariaDBDriver

/// The old balances beside those of the ledger.
struct Comparison: Sendable {
    struct Difference: Sendable, Equatable {
        let account: AccountPath
        /// In cents; nil if there is no such account.
        let old: Int128?
        let ledger: Int128?
    }

    /// The ledger as of this position.
    let through: Position
    /// Balances that what is missing does not explain.
    let differences: [Difference]
    /// Movements of the old tables that the ledger does not have by then.
    let missing: [Int64]
}

extension Moving {
    /// Compares every balance while both sides go on. The ledger first: what it has, the old tables had before.
    /// - Parameter meanwhile: what a test does between the two.
    func compare(meanwhile: () async throws -> Void = {}) async throws -> Comparison {
        let through = try await ledger.balances(of: "customers:*")[0].through
        let balances = try await ledger.balances(of: "customers:*", at: .position(through))
        let posted = try await posted(through: through)
        try await meanwhile()
        // One statement, which sees one moment.
        let rows = try await old.query(
            """
            SELECT a.id, a.balance, m.id, m.amount FROM account a
            LEFT JOIN movement m ON m.account_id = a.id AND m.id > \(cut) ORDER BY a.id, m.id
            """)
        var expected: [AccountPath: Int128] = [:]
        var missing: [Int64] = []
        for row in rows {
            let path = BankAccount.path(String(try row.integer(0)))
            if expected[path] == nil { expected[path] = Int128(try row.integer(1)) }
            guard row[2] != .null, !posted.contains(BankAccount.Moved.id(try row.integer(2))) else { continue }
            missing.append(try row.integer(2))
            expected[path, default: 0] -= Int128(try row.integer(3))
        }
        let found = Dictionary(uniqueKeysWithValues: balances.map { ($0.account.path, $0.minorUnits) })
        let differences = Set(expected.keys).union(found.keys).sorted().filter { expected[$0] != found[$0] }.map {
            Comparison.Difference(account: $0, old: expected[$0], ledger: found[$0])
        }
        return Comparison(through: through, differences: differences, missing: missing)
    }

    private func posted(through: Position) async throws -> Set<EntryID> {
        var posted: Set<EntryID> = []
        var query = EntryQuery()
        (query.kind, query.limit) = (BankAccount.Moved.name, 1000)
        while true {
            let page = try await ledger.entries(query).prefix { $0.position <= through }
            posted.formUnion(page.compactMap(\.id))
            guard page.count == query.limit, let last = page.last else { return posted }
            query.after = last.position
        }
    }

    // MARK: - Switch

    struct NotEqual: Error { let comparison: Comparison }

    /// When nobody writes to the old tables any more: what is left is copied, and if both sides agree the ledger's own limits are in force.
    func finish() async throws {
        try await copy()
        let comparison = try await compare()
        guard comparison.differences.isEmpty, comparison.missing.isEmpty else { throw NotEqual(comparison: comparison) }
        for balance in try await ledger.balances(of: "customers:*") {
            let path = balance.account.path
            try await ledger.setLimits(.noOverdraft, of: path, in: .eur, id: EntryID(key: "moving: limits of \(path)"))
        }
    }
}

/// What the rest of the program calls; the phase is one of its settings.
struct Bank: Sendable {
    enum Phase { case old, both, ledgerReads, ledger }

    let phase: Phase
    let dual: DualRun

    func move(_ amount: Int64, on account: Int64, request: String) async throws {
        switch phase {
        case .old: try await dual.old.move(amount, on: account)
        case .both, .ledgerReads: try await dual.move(amount, on: account)
        case .ledger:
            try await Units(dual.moving.ledger).runOnce(key: request) { unit in
                let account = try await unit.load(BankAccount.self, String(account))
                if amount > 0 {
                    try account.apply(account.state.deposit(amount))
                } else {
                    try account.apply(account.state.withdraw(-amount, for: request))
                }
            }
        }
    }

    /// In cents.
    func balance(of account: Int64) async throws -> Int128 {
        switch phase {
        case .old, .both: Int128(try await dual.old.balance(of: account))
        case .ledgerReads, .ledger: try await dual.moving.ledger.balance(of: BankAccount.path(String(account)), in: .eur).minorUnits
        }
    }
}
