import LedgerDatabase
import LedgerModel

/// One table of two generations, as of a position.
struct TableComparison: Sendable {
    let pair: GenerationPair
    let table: ComparedTable
    let account: AccountID?

    func run(_ result: inout JobComparison, _ transaction: borrowing LedgerTransaction) throws {
        guard let second = pair.second else { return }
        if account != nil, !table.keys.contains("account") {
            throw LedgerError(.invalidEntry, "the table \(table.base) has no key “account”, so it cannot be compared for one account")
        }
        let (left, right) = (LedgerTable.generated(table.base, generation: pair.first), LedgerTable.generated(table.base, generation: second))
        if table.keys.contains(table.through) {
            try allRows(left, right, second, &result, transaction)
        } else {
            try newestRows(left, right, second, &result, transaction)
        }
    }

    // MARK: - Every row is a fact

    private func allRows(
        _ left: LedgerTable, _ right: LedgerTable, _ second: UInt32, _ result: inout JobComparison,
        _ transaction: borrowing LedgerTransaction
    ) throws {
        let same = all(table.keys) { "y.\(column: $0) = x.\(column: $0)" }
        let equal = all(table.values) { "x.\(column: $0) <=> y.\(column: $0)" }
        let upTo = range
        let count = try transaction.run(.select("COUNT(*) FROM \(table: left) x WHERE \(upTo)"))[0]
        result.examined += try count.uint(0)
        let differing = try transaction.run(
            .select(
                """
                \(text(table.keys, of: .x)), y.\(column: table.through) IS NULL, \(text(table.values, of: .x)),
                \(text(table.values, of: .y)), COUNT(*) OVER () FROM \(table: left) x LEFT JOIN \(table: right) y ON \(same)
                WHERE \(upTo) AND (y.\(column: table.through) IS NULL OR NOT (\(equal))) LIMIT 20
                """))
        if let first = differing.first {
            try result.found(
                differing.map { row in
                    try row.uint(1) == 1
                        ? "\(name(row)): only generation \(pair.first) has it"
                        : "\(name(row)): (\(row.text(2))) in generation \(pair.first), (\(row.text(3))) in generation \(second)"
                }, of: first.uint(4))
        }
        let missing = try transaction.run(
            .select(
                """
                \(text(table.keys, of: .x)), COUNT(*) OVER () FROM \(table: right) x LEFT JOIN \(table: left) y ON \(same)
                WHERE \(upTo) AND y.\(column: table.through) IS NULL LIMIT 20
                """))
        if let first = missing.first {
            try result.found(missing.map { "\(try name($0)): only generation \(second) has it" }, of: first.uint(1))
        }
    }

    // MARK: - The newest row of each key

    private func newestRows(
        _ left: LedgerTable, _ right: LedgerTable, _ second: UInt32, _ result: inout JobComparison,
        _ transaction: borrowing LedgerTransaction
    ) throws {
        let none: SelectText = ""
        let grouped = table.keys.reduce(none) { "\($0), u.\(column: $1)" }
        let rows = try transaction.run(
            .select(
                """
                \(text(table.keys, of: .d)), d.is_left, d.is_right, CONVERT(COALESCE(d.v1, '') USING utf8mb4),
                CONVERT(COALESCE(d.v2, '') USING utf8mb4), d.differs, COUNT(*) OVER (), SUM(d.differs) OVER ()
                FROM (SELECT g.*, NOT (g.is_left AND g.is_right AND g.v1 <=> g.v2) AS differs FROM
                 (SELECT u.one\(grouped), MAX(u.side = 1) AS is_left, MAX(u.side = 2) AS is_right,
                  MAX(IF(u.side = 1, u.v, NULL)) AS v1, MAX(IF(u.side = 2, u.v, NULL)) AS v2
                  FROM (\(newest(left, side: 1)) UNION ALL \(newest(right, side: 2))) u GROUP BY u.one\(grouped)) g) d
                ORDER BY d.differs DESC LIMIT 20
                """))
        guard let first = rows.first else { return }
        result.examined += try first.uint(6)
        let differing = try rows.filter { try $0.uint(5) == 1 }
        try result.found(
            differing.map { row in
                if try row.uint(1) == 0 { return "\(try name(row)): only generation \(second) has it" }
                if try row.uint(2) == 0 { return "\(try name(row)): only generation \(pair.first) has it" }
                return "\(try name(row)): (\(try row.text(3))) in generation \(pair.first), (\(try row.text(4))) in generation \(second)"
            }, of: first.uint(7))
    }

    private func newest(_ generation: LedgerTable, side: UInt64) -> SelectText {
        let none: SelectText = ""
        let selected = table.keys.reduce(none) { "\($0), x.\(column: $1)" }
        let grouped = table.keys.reduce(none) { "\($0), \(column: $1)" }
        let same = table.keys.reduce(none) { "\($0) AND x.\(column: $1) = n.\(column: $1)" }
        return """
            SELECT 1 AS one, \(side) AS side\(selected), CAST(\(quoted(table.values, of: .x)) AS BINARY) AS v FROM
            (SELECT 1 AS one, MAX(\(column: table.through)) AS newest_through\(grouped) FROM \(table: generation) x
             WHERE \(range) GROUP BY one\(grouped)) n
            JOIN \(table: generation) x ON x.\(column: table.through) = n.newest_through\(same) WHERE \(isThere)
            """
    }

    /// What is not as good as no row.
    private var isThere: SelectText {
        guard let first = table.absentIfZero.first else { return "TRUE" }
        let start: SelectText = "(x.\(column: first) <> 0"
        return "\(table.absentIfZero.dropFirst().reduce(start) { "\($0) OR x.\(column: $1) <> 0" }))"
    }

    // MARK: - Text

    private enum Alias { case x, y, d }

    private var range: SelectText {
        let upTo: SelectText = "x.\(column: table.through) <= \(pair.through.number)"
        guard let account else { return upTo }
        return "\(upTo) AND x.account = \(account.number)"
    }

    private func name(_ row: Row) throws -> String { "\(table.base) \(try row.text(0))" }

    /// Columns as one text for people.
    private func text(_ columns: [LedgerColumn], of alias: Alias) -> SelectText {
        "CONVERT(\(quoted(columns, of: alias)) USING utf8mb4)"
    }

    private func quoted(_ columns: [LedgerColumn], of alias: Alias) -> SelectText {
        let start: SelectText = "CONCAT_WS(', '"
        let list = columns.reduce(start) { text, column in
            switch alias {
            case .x: "\(text), QUOTE(x.\(column: column))"
            case .y: "\(text), QUOTE(y.\(column: column))"
            case .d: "\(text), QUOTE(d.\(column: column))"
            }
        }
        return columns.isEmpty ? "''" : "\(list))"
    }

    /// A condition for each column, and all of them hold.
    private func all(_ columns: [LedgerColumn], _ part: (LedgerColumn) -> SelectText) -> SelectText {
        guard let first = columns.first else { return "TRUE" }
        return columns.dropFirst().reduce(part(first)) { "\($0) AND \(part($1))" }
    }
}
