import LedgerDatabase
import LedgerModel
import Synchronization

/// The server that answers a writer's queries in place of the one that it writes to: a replica of it.
final class Replica: Sendable {
    private let ledger: Ledger
    private let isCompared = Mutex(false)

    init(_ ledger: Ledger) { self.ledger = ledger }

    func close() async { await ledger.close() }

    /// The ledger that reads it; before it answers for the first time it is compared with the primary.
    /// - Throws: `unavailable` if it is of another book, or one of the two does not answer.
    func compared(with primary: Ledger) async throws(LedgerError) -> Ledger {
        if isCompared.withLock({ $0 }) { return ledger }
        try await translated {
            let newest = try await ledger.database.read { try BookMark($0) }
            // A replica may have heard of a commit a moment before the primary shows it.
            for pause in [Duration.zero, .milliseconds(20), .milliseconds(200)] {
                try await Task.sleep(for: pause)
                if try await primary.database.read({ try newest.stands($0) }) {
                    isCompared.withLock { $0 = true }
                    return
                }
            }
            throw LedgerError(
                .unavailable, "\(ledger.location) is no replica of \(primary.location): \(newest) is not in it. Name the server that "
                    + "repeats this book, or none", retry: .never)
        }
        return ledger
    }
}

/// What tells one book from another: its newest entry, or before there is one when it was made.
private struct BookMark: CustomStringConvertible, Sendable {
    private let entry: (position: UInt64, id: [UInt8], recordedAt: String)?
    private let madeAt: String?

    init(_ transaction: borrowing LedgerTransaction) throws {
        let row = try transaction.run(
            .select("position, id, recorded_at FROM entry WHERE id IS NOT NULL ORDER BY position DESC LIMIT 1")
        ).first
        entry = try row.map { (try $0.uint(0), try $0.bytes(1), try $0.text(2)) }
        madeAt = try transaction.run(.select("MIN(started_at) FROM migration_started"))[0].optionalText(0)
    }

    func stands(_ transaction: borrowing LedgerTransaction) throws -> Bool {
        guard try transaction.run(.select("MIN(started_at) FROM migration_started"))[0].optionalText(0) == madeAt else { return false }
        guard let entry else { return true }
        return try !transaction.run(
            .select("1 FROM entry WHERE position = \(entry.position) AND id = \(entry.id) AND recorded_at = \(entry.recordedAt)")
        ).isEmpty
    }

    var description: String { entry.map { "its entry at position \($0.position)" } ?? "its schema of \(madeAt ?? "no time")" }
}

extension Ledger {
    /// The same ledger with queries answered by the server that it writes to, also if there is a replica for them.
    ///
    /// What a unit of work loads, and everything else that a write is decided on, is read there in any case.
    public var primary: Ledger {
        var ledger = self
        ledger.replica = nil
        return ledger
    }

    /// Who answers a query in place of this one. Every query begins with this; what a write is decided on does not.
    func elsewhere() async throws(LedgerError) -> Ledger? {
        guard let replica else { return nil }
        return try await replica.compared(with: self)
    }

    /// The same for who reads on and on: this one, or who answers in place of it.
    func answering() async throws(LedgerError) -> Ledger {
        if let elsewhere = try await elsewhere() { return elsewhere }
        return self
    }

    func requireWriter() throws(LedgerError) { try mode.requireWriter() }

    /// Returns when the server of a read-only ledger, which may be a replica, has the entry that a balance is asked for with.
    /// - Throws: `replicaBehind` when the time is over; `historyUnavailable` if another entry stands there.
    func arrival(of time: BalanceTime) async throws(LedgerError) {
        guard mode == .readOnly, case .atLeast(let receipt) = time else { return }
        let deadline = ContinuousClock.now + replicaLagMax
        var pause = Duration.milliseconds(1)
        while true {
            let (head, stands) = try await translated {
                let row = try await database.run(
                    .select(
                        """
                        (SELECT COALESCE(MAX(position), 0) FROM entry),
                        (SELECT COALESCE(id = \(receipt.id.bytes), 0) FROM entry WHERE position = \(receipt.position.number))
                        """))[0]
                return (Position(try row.uint(0)), row.isNull(1) ? nil : try row.uint(1) == 1)
            }
            if let stands {
                guard stands else { throw BalanceReader.missing(receipt) }
                return
            }
            guard ContinuousClock.now < deadline else {
                let behind = receipt.position.number - min(head.number, receipt.position.number)
                throw LedgerError(
                    .replicaBehind, "\(location) has the journal up to position \(head) after \(replicaLagMax), and the entry at position "
                        + "\(receipt.position) is asked for\(behind > 0 ? ", \(behind) later" : ""): it is a replica that is behind. Ask again later, "
                        + "or ask the server that is written to", id: receipt.id)
            }
            do { try await Task.sleep(for: min(pause, deadline - .now)) } catch { throw LedgerError.translating(error) }
            pause = min(pause * 2, .milliseconds(50))
        }
    }
}
