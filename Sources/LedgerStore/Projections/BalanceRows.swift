import LedgerDatabase
import LedgerModel

/// One account in the projection: the row before, the row behind, and the postings between them.
enum BalanceRows {
    static let columns: SelectText = "debits_posted, credits_posted, debits_pending, credits_pending"

    /// The totals of one account as of a position that the projection has passed: the row at or before it, and of the positions
    /// that the next row names those up to it.
    static func totals(
        of account: AccountID, asOf position: Position, _ table: LedgerTable, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> Totals {
        let rows = try executor.run(
            .select(
                """
                0 AS part, 0 AS through, 0 AS debits_posted, 0 AS credits_posted, 0 AS debits_pending, 0 AS credits_pending, NULL AS touched
                UNION ALL \(both(account, position, table))
                """))
        return try totals(of: account, asOf: position, rows, executor)
    }

    /// Part 1 is the row at or before a position, part 2 the first one behind it.
    static func both(_ account: AccountID, _ position: Position, _ table: LedgerTable) -> SelectText {
        """
        (SELECT 1, through, \(columns), NULL FROM \(table: table) WHERE account = \(account.number) AND through <= \(position.number)
         ORDER BY through DESC LIMIT 1)
        UNION ALL (SELECT 2, through, 0, 0, 0, 0, touched FROM \(table: table) WHERE account = \(account.number)
         AND through > \(position.number) ORDER BY through LIMIT 1)
        """
    }

    static func totals(
        of account: AccountID, asOf position: Position, _ rows: Rows, _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> Totals {
        var totals = Totals()
        for row in rows {
            switch try row.uint(0) {
            case 1: totals = totals + (try BalanceProjection.totals(row, from: 2))
            case 2:
                let named = TouchedPositions.positions(try row.bytes(6), through: try row.uint(1)).filter { $0 <= position.number }
                totals = totals + (try moved(account, at: named, executor))
            default: break
            }
        }
        return totals
    }

    /// What the entries at these positions move on an account.
    private static func moved(
        _ account: AccountID, at positions: [UInt64], _ executor: borrowing some SQLExecutor & ~Copyable
    ) throws -> Totals {
        var totals = Totals()
        guard !positions.isEmpty else { return totals }
        let list = positions.map { LedgerValue.uint($0) }
        for row in try executor.run(.select("debit, credit, status, amount FROM posting WHERE position IN \(list: list)")) {
            let (status, amount) = (try status(row, 2), try row.uint(3))
            if try row.uint(0) == UInt64(account.number) { totals.add(.debit, amount, status) }
            if try row.uint(1) == UInt64(account.number) { totals.add(.credit, amount, status) }
        }
        return totals
    }

    static func status(_ row: Row, _ column: Int) throws -> PostingStatus {
        guard let status = UInt8(exactly: try row.uint(column)).flatMap(PostingStatus.init) else {
            throw LedgerError(.integrity, "a posting has the status \(try row.uint(column))")
        }
        return status
    }
}
