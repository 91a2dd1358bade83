import MariaDBDriver

// What an object-relational mapper makes of an object graph, by hand: load the whole object, change it, save the whole object. None of it knows
// which member was changed.

/// An account with all its withdrawals, which are a part of it.
struct OldAccount: Sendable, Equatable {
    struct Withdrawal: Sendable, Equatable {
        var amount: Int64
        var purpose: String
    }

    let id: Int64
    var owner: String
    /// In cents.
    var balance: Int64
    var withdrawals: [Withdrawal] = []

    mutating func withdraw(_ amount: Int64, for purpose: String) {
        balance -= amount
        withdrawals.append(Withdrawal(amount: amount, purpose: purpose))
    }
}

struct OldAccounts: Sendable {
    let connection: MariaDBConnection

    func load(_ id: Int64) async throws -> OldAccount {
        let row = try await connection.query("SELECT owner, balance FROM account WHERE id = \(id)")[0]
        var account = OldAccount(id: id, owner: try row.text(0), balance: try row.integer(1))
        for row in try await connection.query("SELECT amount, purpose FROM withdrawal WHERE account_id = \(id) ORDER BY place") {
            account.withdrawals.append(OldAccount.Withdrawal(amount: try row.integer(0), purpose: try row.text(1)))
        }
        return account
    }

    func insert(_ account: OldAccount) async throws {
        _ = try await connection.query("INSERT INTO account (id, owner, balance) VALUES (\(account.id), \(account.owner), \(account.balance))")
        try await insertWithdrawals(of: account)
    }

    /// A collection that belongs to its parent is saved by removing it and inserting it again.
    func save(_ account: OldAccount) async throws {
        try await connection.execute(unprepared: "START TRANSACTION")
        _ = try await connection.query("UPDATE account SET owner = \(account.owner), balance = \(account.balance) WHERE id = \(account.id)")
        _ = try await connection.query("DELETE FROM withdrawal WHERE account_id = \(account.id)")
        try await insertWithdrawals(of: account)
        try await connection.execute(unprepared: "COMMIT")
    }

    private func insertWithdrawals(of account: OldAccount) async throws {
        guard !account.withdrawals.isEmpty else { return }
        let rows = account.withdrawals.enumerated().map { place, withdrawal in
            [SQLValue.int(account.id), .int(Int64(place)), .int(withdrawal.amount), .text(withdrawal.purpose)]
        }
        _ = try await connection.query("INSERT INTO withdrawal (account_id, place, amount, purpose) VALUES \(rows: rows)")
    }
}

struct OldMember: Sendable, Equatable {
    let id: Int64
    var name: String
    var email: String
    /// How many stories the member has published.
    var stories: Int64
}

struct OldMembers: Sendable {
    let connection: MariaDBConnection

    func insert(_ member: OldMember) async throws {
        _ = try await connection.query(
            "INSERT INTO member (id, name, email, stories) VALUES (\(member.id), \(member.name), \(member.email), \(member.stories))")
    }

    func load(_ id: Int64) async throws -> OldMember {
        let row = try await connection.query("SELECT name, email, stories FROM member WHERE id = \(id)")[0]
        return OldMember(id: id, name: try row.text(0), email: try row.text(1), stories: try row.integer(2))
    }

    func save(_ member: OldMember) async throws {
        _ = try await connection.query(
            "UPDATE member SET name = \(member.name), email = \(member.email), stories = \(member.stories) WHERE id = \(member.id)")
    }
}

struct OldStory: Sendable, Equatable {
    let id: Int64
    let author: Int64
    var title: String
}

struct OldStories: Sendable {
    let connection: MariaDBConnection

    func insert(_ story: OldStory) async throws {
        _ = try await connection.query("INSERT INTO story (id, author_id, title) VALUES (\(story.id), \(story.author), \(story.title))")
    }

    func load(_ id: Int64) async throws -> OldStory {
        let row = try await connection.query("SELECT author_id, title FROM story WHERE id = \(id)")[0]
        return OldStory(id: id, author: try row.integer(0), title: try row.text(1))
    }

    func count(of author: Int64) async throws -> Int64 {
        try await connection.query("SELECT COUNT(*) FROM story WHERE author_id = \(author)")[0].integer(0)
    }
}
