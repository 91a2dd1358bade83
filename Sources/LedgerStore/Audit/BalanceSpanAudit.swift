import LedgerDatabase

/// The blocks of positions that readers pass over when they ask by time: what each says of its entries' times is what the entries say.
struct BalanceSpanAudit: Sendable {
    let through: UInt64
    let generation: UInt32

    private static let statement = "every block of positions lies between the times of its entries"

    func check(_ transaction: borrowing LedgerTransaction) throws -> Reconciliation.Check {
        let table = LedgerTable.generated("balance_span", generation: generation)
        var findings: [String] = []
        var start: UInt64 = 0
        var recordedMax = ""
        let spans = try transaction.run(
            .select("through, effective_min, effective_max, recorded_max FROM \(table: table) ORDER BY through"))
        for span in spans {
            let end = try span.uint(0)
            let entries = try transaction.run(
                .select(
                    """
                    MIN(effective_at), MAX(effective_at), MAX(recorded_at) FROM entry WHERE position > \(start) AND position <= \(end)
                    """))[0]
            // Times come as text of one width, so text is ordered as they are.
            recordedMax = max(recordedMax, try entries.optionalText(2) ?? "")
            let said = [try span.text(1), try span.text(2), try span.text(3)]
            let found = [try entries.optionalText(0) ?? "", try entries.optionalText(1) ?? "", recordedMax]
            if end > through {
                findings.append("the block through position \(end) lies above the checkpoint at \(through)")
            } else if said != found {
                findings.append(
                    "the block through position \(end): effective from \(said[0]) to \(said[1]), recorded by \(said[2]); its entries say "
                        + "\(found[0]), \(found[1]) and \(found[2])")
            }
            start = end
        }
        return .init("balance-spans", Self.statement, examined: UInt64(spans.count), findings: findings)
    }
}
