import LedgerDatabase

/// Every row of the balances' history against the account lines, which are proven against the postings by themselves: it names the
/// positions that touch its account since the row before, and totals what all of them up to there moved. Both tables are read once, in
/// the order of their primary keys, side by side.
struct BalanceHistoryAudit: Sendable {
    let through: UInt64
    let generation: UInt32
    let lines: AccountLineAudit
    var rowsPerRead = 10_000

    private static let statement =
        "every row of the balances' history names the positions that touch its account, each once, and totals what they moved"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        guard let lineGeneration = lines.generation, lines.through > 0 else {
            return .init("balance-history", Self.statement, examined: 0, findings: [])
        }
        // As far as both have got.
        var merge = BalanceMerge(checkpoint: through, end: min(through, lines.through))
        let table = LedgerTable.generated("account_line", generation: lineGeneration)
        var after = BalanceMerge.Place(account: 0, position: 0)
        while true {
            let page = try rows(after, transaction)
            let isLast = page.count < rowsPerRead
            var upTo: SelectText = ""
            if !isLast, let last = page.last?.place {
                upTo = "AND (account < \(last.account) OR (account = \(last.account) AND position <= \(last.position)))"
            }
            merge.begin(page)
            try transaction.forEachRow(
                .select(
                    """
                    account, position, side, status, amount FROM \(table: table)
                    WHERE (account > \(after.account) OR (account = \(after.account) AND position > \(after.position))) \(upTo)
                    ORDER BY account, position, line
                    """)
            ) { row in
                guard let account = row.uint(0), let position = row.uint(1), position <= merge.end else { return }
                merge.take(
                    .init(account: account, position: position), isCredit: row.uint(2) != 0, status: row.uint(3) ?? 0,
                    amount: Int128(row.uint(4) ?? 0))
            }
            merge.endPage()
            guard !isLast, let last = page.last?.place else { break }
            after = last
        }
        merge.leave()
        return .init("balance-history", Self.statement, examined: merge.examined, findings: merge.findings)
    }

    private func rows(_ after: BalanceMerge.Place, _ transaction: borrowing LedgerTransaction) throws -> [BalanceMerge.HistoryRow] {
        let balances = LedgerTable.generated("balance", generation: generation)
        return try transaction.run(
            .select(
                """
                account, through, debits_posted, credits_posted, debits_pending, credits_pending, touched FROM \(table: balances)
                WHERE account > \(after.account) OR (account = \(after.account) AND through > \(after.position))
                ORDER BY account, through LIMIT \(UInt64(rowsPerRead))
                """)
        ).map { row in
            .init(
                place: .init(account: try row.uint(0), position: try row.uint(1)), totals: try (2...5).map { try row.decimal($0) },
                touched: try row.bytes(6))
        }
    }
}

/// Two sorted streams: rows of the balances' history, and the lines between them.
struct BalanceMerge {
    struct Place: Comparable {
        let account: UInt64
        let position: UInt64

        static func < (left: Place, right: Place) -> Bool { (left.account, left.position) < (right.account, right.position) }
    }

    struct HistoryRow {
        let place: Place
        /// Debits and credits posted, debits and credits pending.
        let totals: [Int128]
        let touched: [UInt8]
    }

    private static let names = ["debits posted", "credits posted", "debits pending", "credits pending"]

    let checkpoint: UInt64
    let end: UInt64
    private(set) var findings: [String] = []
    /// Positions that rows name.
    private(set) var examined: UInt64 = 0
    private var page: ArraySlice<HistoryRow> = []
    private var account: UInt64 = 0
    /// What the lines of this account say up to here.
    private var moved: [Int128] = [0, 0, 0, 0]
    /// The positions of its lines that no row has named so far.
    private var open: [UInt64] = []
    /// Of one account each kind of contradiction is told once: what follows it is wrong with it.
    private var isTold = (named: false, totals: false)

    init(checkpoint: UInt64, end: UInt64) { (self.checkpoint, self.end) = (checkpoint, end) }

    mutating func begin(_ rows: [HistoryRow]) { page = rows[...] }

    mutating func take(_ place: Place, isCredit: Bool, status: UInt64, amount: Int128) {
        while let row = page.first, row.place < place { close() }
        enter(place.account)
        if open.last != place.position { open.append(place.position) }
        // A released posting takes a pending one back.
        moved[(status == 0 ? 0 : 2) + (isCredit ? 1 : 0)] += status == 2 ? -amount : amount
    }

    mutating func endPage() { while !page.isEmpty { close() } }

    private mutating func enter(_ next: UInt64) {
        guard next != account else { return }
        leave()
        account = next
        moved = [0, 0, 0, 0]
        isTold = (false, false)
    }

    /// There are no more lines of this account, and no more rows.
    mutating func leave() {
        if let first = open.first, !isTold.named {
            findings.append("account \(account): no row names \(open.count) positions that touch it, from \(first) on")
        }
        open = []
    }

    private mutating func close() {
        let row = page.removeFirst()
        let through = row.place.position
        enter(row.place.account)
        let named = Self.positions(row.touched, through)
        examined += UInt64(named.count)
        if through > checkpoint, !isTold.named {
            isTold.named = true
            findings.append("account \(account): its row at position \(through) lies above the checkpoint at \(checkpoint)")
        }
        let counted = named.filter { $0 <= end }
        if counted != open, !isTold.named {
            isTold.named = true
            findings.append(
                "account \(account): at position \(through) its rows name \(counted.count) positions"
                    + (counted.count == open.count ? ", and not those that touch it" : ", \(open.count) touch it"))
        }
        open = []
        guard through <= end, row.totals != moved, !isTold.totals else { return }
        isTold.totals = true
        for (index, name) in Self.names.enumerated() where row.totals[index] != moved[index] {
            findings.append(
                "account \(account): \(name) through position \(through) is \(row.totals[index]), its lines sum to \(moved[index]) "
                    + "(minor units)")
        }
    }

    /// How far before `through` the others lie, 4 bytes each, the most significant first.
    private static func positions(_ touched: [UInt8], _ through: UInt64) -> [UInt64] {
        var positions: [UInt64] = []
        positions.reserveCapacity(touched.count / 4 + 1)
        var distance: UInt64 = 0
        for (index, byte) in touched.enumerated() {
            distance = distance << 8 | UInt64(byte)
            guard index % 4 == 3 else { continue }
            positions.append(through &- distance)
            distance = 0
        }
        positions.append(through)
        return positions
    }
}
