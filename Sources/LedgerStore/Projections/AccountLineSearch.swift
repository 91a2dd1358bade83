import LedgerDatabase
import LedgerModel

/// Where in an account's history a time is.
extension AccountLineReader {
    /// Positions among which the server looks itself.
    private static let spanMax: UInt64 = 64

    /// The last line that is not late and counts before an instant (``LinePlace/first`` if none does), and the balance of all lines
    /// that count before it.
    ///
    /// The balance at that line counts everything up to it, and all of that counts no later than it does. Behind it only late lines
    /// can count before the instant; those are added.
    func before(
        _ instant: Timestamp, through: UInt64, _ transaction: borrowing LedgerTransaction
    ) throws -> (place: LinePlace, balance: Int128) {
        let found = try lastInTime(before: instant, through: through, transaction)
        let place = found?.place ?? .first
        let row = try transaction.run(
            .select(
                """
                SUM(IF(l.status = 0 AND l.side = 0, l.amount, 0)), SUM(IF(l.status = 0 AND l.side = 1, l.amount, 0))
                FROM \(table: late) x STRAIGHT_JOIN \(table: table) l ON l.account = x.account AND l.position = x.position AND l.line = x.line
                WHERE x.account = \(number) AND x.effective_at < \(instant.sqlText) AND x.position > \(place.position)
                AND x.position <= \(through)
                """))[0]
        return (place, try (found?.balance ?? 0) + row.decimal(0) - row.decimal(1))
    }

    /// By halves, since those that are not late are in the order of time where they are.
    private func lastInTime(
        before instant: Timestamp, through: UInt64, _ transaction: borrowing LedgerTransaction
    ) throws -> (place: LinePlace, balance: Int128)? {
        let time = instant.sqlText
        // All up to `low` count before it, none from `high` on.
        var (low, high): (UInt64, UInt64) = (0, through + 1)
        // Most often the newest lines are asked for.
        let newest = try transaction.run(
            .select(
                """
                position, effective_at < \(time) FROM \(table: table) WHERE account = \(number) AND position <= \(through) AND late = 0
                ORDER BY position DESC, line DESC LIMIT 1
                """))
        guard let row = newest.first else { return nil }
        if try row.uint(1) == 1 { low = try row.uint(0) } else { high = try row.uint(0) }
        while low < high, high - low > Self.spanMax, try newest[0].uint(1) == 0 {
            let middle = low + (high - low) / 2
            let rows = try transaction.run(
                .select(
                    """
                    position, effective_at < \(time) FROM \(table: table) WHERE account = \(number) AND position >= \(middle)
                    AND position < \(high) AND late = 0 ORDER BY position, line LIMIT 1
                    """))
            if let row = rows.first, try row.uint(1) == 1 { low = try row.uint(0) } else { high = middle }
        }
        let last = try transaction.run(
            .select(
                """
                position, line, balance FROM \(table: table) WHERE account = \(number) AND position >= \(low) AND position < \(high)
                AND late = 0 AND effective_at < \(time) ORDER BY position DESC, line DESC LIMIT 1
                """))
        return try last.first.map { row in
            (LinePlace(position: try row.uint(0), line: UInt32(truncatingIfNeeded: try row.uint(1))), try row.decimal(2))
        }
    }
}
