import LedgerDatabase
import LedgerModel

/// Enqueues the commands of a bulk's members, page by page, each page in a transaction of its own. Pages that stand already are passed over, so
/// whoever comes after a crash goes on where the last one was.
struct BulkExpansion: Sendable {
    let ledger: Ledger
    let command: StoredCommand
    let bulk: any BulkCommand
    let members: BulkMembers
    /// Accounts that are read, and commands that are inserted, together at the most.
    let pageMax: Int

    private struct Page: Sendable {
        /// Behind which the next page begins; nil if there is none.
        let last: Account?
        let members: [(balance: Balance, id: EntryID)]
        /// Of members: those whose command is enqueued.
        let standing: Set<EntryID>
        /// Somebody has recorded an outcome of the bulk.
        let isDecided: Bool
    }

    /// - Returns: how many members have a command; nil if somebody has decided the bulk meanwhile.
    /// - Throws: `integrity` for what cannot be expanded; what the database has, if it lasts.
    func run() async throws -> Int? {
        var count = 0
        var last: Account?
        while true {
            let after = last
            let (page, enqueued) = try await CommandDecider.patiently { try await enqueue(after: after) }
            if page.isDecided { return nil }
            count += enqueued
            JobHeartbeat.beat()
            guard let end = page.last else { return count }
            last = end
        }
    }

    /// - Returns: a page, and how many of it have a command by now.
    private func enqueue(after last: Account?) async throws -> (Page, Int) {
        let page = try await translated { try await ledger.database.read { try self.page(after: last, $0) } }
        guard !page.isDecided else { return (page, 0) }
        var operations: [UnitOperation] = []
        for (balance, id) in page.members where !page.standing.contains(id) {
            if let operation = try operation(balance, id) { operations.append(operation) }
        }
        do {
            _ = try await ledger.commit(operations, Trace(correlation: command.trace.correlation, causation: command.id.description))
        } catch {
            guard error.code == .conflict else { throw error }
            // Another processor expands it too, and has enqueued some of these in between.
            throw LedgerError(.busy, "the commands of the bulk \(command.id) are being enqueued by another one: \(error.message)", id: command.id)
        }
        return (page, page.standing.count + operations.count)
    }

    private func page(after last: Account?, _ transaction: borrowing LedgerTransaction) throws -> Page {
        let accounts = try members.accounts(after: last, limit: pageMax, transaction)
        let found = try members.balances(of: accounts, transaction).map { balance in
            (balance, EntryID.member(of: command.id, balance.account.path, in: balance.account.currency.code))
        }
        let outcome = EntryID.outcome(of: command.id)
        let ids = [outcome] + found.map(\.1)
        let rows = try transaction.run(
            .select("id, position, JSON_VALUE(payload, '$.ledger.command.bulk.id') FROM entry WHERE id IN \(list: ids.map { .bytes($0.bytes) })"))
        var standing: Set<EntryID> = []
        for row in rows { standing.insert(try EntryID(bytes: try row.bytes(0))) }
        let isDecided = standing.remove(outcome) != nil
        for row in rows where try row.optionalText(2) != command.id.description {
            let id = try EntryID(bytes: try row.bytes(0))
            guard id == outcome else {
                throw LedgerError(.integrity, "the entry at position \(try row.uint(1)) has the id of a command of the bulk \(command.id), and is none", id: id)
            }
        }
        return Page(last: accounts.count < pageMax ? nil : accounts.last, members: found, standing: standing, isDecided: isDecided)
    }

    /// nil for a member that the bulk leaves out.
    private func operation(_ balance: Balance, _ id: EntryID) throws -> UnitOperation? {
        do { return try bulk.command(for: balance).map { try operation($0, balance.account, id) } } catch {
            let account = balance.account
            throw LedgerError(
                .integrity, "the bulk \(command.id) (\(command.name), position \(command.position)) cannot be expanded: of its member \(account.path) in "
                    + "\(account.currency) it says: \(error). Repair it, or settle it by hand (`indelible command resolve`)", id: command.id)
        }
    }

    private func operation(_ single: some Command, _ account: Account, _ id: EntryID) throws(LedgerError) -> UnitOperation {
        let membership = BulkMembership(bulk: command.id, account: account.path, currency: account.currency.code)
        // In all likelihood nobody else has enqueued it: nobody looks first.
        return try UnitOperation(enqueuing: single, id: id.likelyNew, sentAt: command.header.sentAt, membership: membership)
    }
}
