import Indelible
import IndelibleTesting
import LocalMariaDB
import MariaDBDriver

/// What the rows of the projections must be, from sums that the server makes of the postings: in queries that share nothing with
/// what writes the rows, or reads them, or reconciles them.
struct JobProof {
    /// A generation that is not retired.
    struct One: Sendable {
        let job: String
        let number: UInt32
        let table: SQLIdentifier
    }

    let connection: MariaDBConnection

    static func connect(_ book: TestBook) async throws -> MariaDBConnection {
        try await MariaDBConnection.connect(
            ConnectionConfiguration(address: .socket(book.server.socketPath), user: book.server.adminUser, password: Password(""), database: book.name))
    }

    static func with<T>(_ book: TestBook, _ body: (JobProof) async throws -> T) async throws -> T {
        let connection = try await connect(book)
        do {
            let result = try await body(JobProof(connection: connection))
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Those that are ready and not retired; of jobs whose rows are proven here, if no others are named.
    func generations(of jobs: Set<String> = ["balance", "account_line"]) async throws -> [One] {
        try await connection.query(
            """
            SELECT g.job, g.generation FROM generation g JOIN generation_ready r ON r.job = g.job AND r.generation = g.generation
            LEFT JOIN retirement t ON t.job = g.job AND t.generation = g.generation WHERE t.job IS NULL ORDER BY g.job, g.generation
            """
        ).compactMap { row in
            guard case .text(let job) = row[0], jobs.contains(job), let number = Self.number(row[1]), let table = SQLIdentifier("\(job)_g\(number)") else { return nil }
            return One(job: job, number: UInt32(number), table: table)
        }
    }

    /// Where the steps of a generation end.
    func checkpoints(of one: One) async throws -> [UInt64] {
        try await connection.query(
            "SELECT through_position FROM checkpoint WHERE job = \(one.job) AND generation = \(one.number) ORDER BY through_position"
        ).compactMap { Self.number($0[0]) }
    }

    func count(_ one: One) async throws -> Int { try await number("SELECT COUNT(*) FROM \(identifier: one.table)") }

    /// Every step begins where the one before ended, and the last one ends at `end`.
    func chain(_ one: One, end: UInt64) async throws -> [String] {
        let rows = try await connection.query(
            """
            SELECT from_position, through_position, entries FROM checkpoint WHERE job = \(one.job) AND generation = \(one.number)
            ORDER BY from_position
            """)
        var reached: UInt64 = 0
        var findings: [String] = []
        for row in rows {
            guard let from = Self.number(row[0]), let through = Self.number(row[1]), let entries = Self.number(row[2]) else { continue }
            if from != reached { findings.append("\(one.table): a step begins at \(from), the one before ended at \(reached)") }
            if entries != through { findings.append("\(one.table): \(entries) entries are counted through \(through)") }
            reached = through
        }
        if reached != end { findings.append("\(one.table): the last step ends at \(reached), not at \(end)") }
        return findings
    }

    // MARK: - At a checkpoint

    /// The newest rows at a checkpoint against the postings up to it.
    func check(_ one: One, at through: UInt64) async throws -> [String] {
        let wrong = try await connection.query(one.job == "balance" ? balances(one, through) : lines(one, through))
        var findings = wrong.map { row in
            "\(one.table) at \(through), account \((0..<row.count).map { "\(row[$0])" }.joined(separator: " "))"
        }
        let said = try await number(
            "SELECT postings FROM checkpoint WHERE job = \(one.job) AND generation = \(one.number) AND through_position = \(through)")
        let there = try await number("SELECT COUNT(*) FROM posting WHERE position <= \(through)")
        if said != there { findings.append("\(one.table) at \(through): \(said) postings are counted, and there are \(there)") }
        return findings
    }

    /// What the accounts moved: posted and pending, debits and credits.
    private func moved(_ through: UInt64) -> SQL {
        """
        SELECT debit AS account, SUM(IF(status = 0, amount, 0)) AS dp, 0 AS cp,
         SUM(IF(status = 1, amount, 0)) - SUM(IF(status = 2, amount, 0)) AS dn, 0 AS cn FROM posting WHERE position <= \(through) GROUP BY debit
        UNION ALL SELECT credit, 0, SUM(IF(status = 0, amount, 0)), 0,
         SUM(IF(status = 1, amount, 0)) - SUM(IF(status = 2, amount, 0)) FROM posting WHERE position <= \(through) GROUP BY credit
        """
    }

    private func balances(_ one: One, _ through: UInt64) -> SQL {
        """
        SELECT account, SUM(dp), SUM(cp), SUM(dn), SUM(cn), COUNT(*) FROM (\(moved(through))
        UNION ALL SELECT b.account, -b.debits_posted, -b.credits_posted, -b.debits_pending, -b.credits_pending FROM \(identifier: one.table) b
         JOIN (SELECT account, MAX(through) AS newest FROM \(identifier: one.table) WHERE through <= \(through) GROUP BY account) n
         ON n.account = b.account AND n.newest = b.through) sides
        GROUP BY account HAVING SUM(dp) <> 0 OR SUM(cp) <> 0 OR SUM(dn) <> 0 OR SUM(cn) <> 0 OR COUNT(*) < 2 LIMIT 5
        """
    }

    /// How many lines there are, what they move, and what the last one leaves.
    private func lines(_ one: One, _ through: UInt64) -> SQL {
        """
        SELECT account, SUM(n), SUM(a), SUM(b) FROM (
        SELECT debit AS account, COUNT(*) AS n, SUM(amount) AS a, SUM(IF(status = 0, amount, 0)) AS b FROM posting
         WHERE position <= \(through) GROUP BY debit
        UNION ALL SELECT credit, COUNT(*), SUM(amount), -SUM(IF(status = 0, amount, 0)) FROM posting WHERE position <= \(through) GROUP BY credit
        UNION ALL SELECT account, -COUNT(*), -SUM(amount), 0 FROM \(identifier: one.table) WHERE position <= \(through) GROUP BY account
        UNION ALL SELECT a.id, 0, 0, -(SELECT l.balance FROM \(identifier: one.table) l WHERE l.account = a.id AND l.position <= \(through)
         ORDER BY l.position DESC, l.line DESC LIMIT 1) FROM account a) sides
        GROUP BY account HAVING SUM(n) <> 0 OR SUM(a) <> 0 OR SUM(b) <> 0 LIMIT 5
        """
    }

    // MARK: - All rows

    /// Every row of a generation, against the postings.
    func rows(_ one: One) async throws -> [String] {
        var findings: [String] = []
        for (what, sql) in one.job == "balance" ? balanceRows(one) : lineRows(one) {
            let wrong = try await number(sql)
            if wrong != 0 { findings.append("\(one.table): \(wrong) \(what)") }
        }
        return findings
    }

    private func balanceRows(_ one: One) -> [(String, SQL)] {
        let sides: SQL = """
            SELECT debit AS account, position, IF(status = 0, amount, 0) AS dp, 0 AS cp,
             CASE status WHEN 0 THEN 0 WHEN 1 THEN CAST(amount AS SIGNED) ELSE -CAST(amount AS SIGNED) END AS dn, 0 AS cn FROM posting
            UNION ALL SELECT credit, position, 0, IF(status = 0, amount, 0), 0,
             CASE status WHEN 0 THEN 0 WHEN 1 THEN CAST(amount AS SIGNED) ELSE -CAST(amount AS SIGNED) END FROM posting
            """
        let running: SQL = """
            SELECT account, position, SUM(SUM(dp)) OVER w AS dp, SUM(SUM(cp)) OVER w AS cp, SUM(SUM(dn)) OVER w AS dn, SUM(SUM(cn)) OVER w AS cn
            FROM (\(sides)) s GROUP BY account, position WINDOW w AS (PARTITION BY account ORDER BY position)
            """
        return [
            (
                "rows are not what the postings sum to",
                """
                SELECT COUNT(*) FROM \(identifier: one.table) b LEFT JOIN (\(running)) r ON r.account = b.account AND r.position = b.through
                WHERE r.account IS NULL OR b.debits_posted <> r.dp OR b.credits_posted <> r.cp OR b.debits_pending <> r.dn OR b.credits_pending <> r.cn
                """
            ),
            (
                "accounts have rows that count other positions than touch them",
                """
                SELECT COUNT(*) FROM (SELECT account, SUM(n) AS n FROM (SELECT account, COUNT(DISTINCT position) AS n FROM (\(sides)) s GROUP BY account
                UNION ALL SELECT account, -SUM(1 + LENGTH(touched) DIV 4) FROM \(identifier: one.table) GROUP BY account) u
                GROUP BY account HAVING SUM(n) <> 0) wrong
                """
            ),
        ]
    }

    private func lineRows(_ one: One) -> [(String, SQL)] {
        [
            ("more or fewer lines than sides", "SELECT (SELECT COUNT(*) FROM \(identifier: one.table)) - 2 * (SELECT COUNT(*) FROM posting)"),
            (
                "sides without their line",
                """
                SELECT COUNT(*) FROM (SELECT debit AS account, credit AS counterpart, 0 AS side, position, line, amount, status FROM posting
                UNION ALL SELECT credit, debit, 1, position, line, amount, status FROM posting) p JOIN entry e ON e.position = p.position
                LEFT JOIN \(identifier: one.table) l ON l.account = p.account AND l.position = p.position AND l.line = p.line AND l.side = p.side
                 AND l.counterpart = p.counterpart AND l.amount = p.amount AND l.status = p.status AND l.effective_at = e.effective_at
                WHERE l.account IS NULL
                """
            ),
            (
                "lines with another balance than the sum up to them",
                """
                SELECT COUNT(*) FROM (SELECT balance, SUM(IF(status <> 0, 0, IF(side = 0, 1, -1) * CAST(amount AS SIGNED)))
                 OVER (PARTITION BY account ORDER BY position, line) AS sum FROM \(identifier: one.table)) l WHERE balance <> sum
                """
            ),
        ]
    }

    // MARK: -

    static func number(_ value: SQLValue) -> UInt64? {
        switch value {
        case .uint(let number): number
        case .int(let number): UInt64(exactly: number)
        case .text(let text): UInt64(text)
        default: nil
        }
    }

    func number(_ sql: SQL) async throws -> Int {
        guard let first = try await connection.query(sql).first else { return -1 }
        switch first[0] {
        case .uint(let number): return Int(clamping: number)
        case .int(let number): return Int(number)
        case .text(let text): return Int(text) ?? -1
        default: return -1
        }
    }
}

/// Totals of all accounts, posting by posting.
struct JobFold {
    private let proof: JobProof
    private var paths: [UInt64: AccountPath] = [:]
    private var totals: [AccountPath: Totals] = [:]
    private var reached: UInt64 = 0
    private static let positionsPerRead: UInt64 = 20_000

    init(_ proof: JobProof) { self.proof = proof }

    func totals(_ path: AccountPath) -> Totals { totals[path] ?? Totals() }

    mutating func advance(to end: UInt64) async throws {
        if paths.isEmpty {
            for row in try await proof.connection.query("SELECT id, path FROM account") {
                if let id = JobProof.number(row[0]), case .text(let path) = row[1] { paths[id] = try AccountPath(path) }
            }
        }
        while reached < end {
            let next = min(end, reached + Self.positionsPerRead)
            let rows = try await proof.connection.query(
                "SELECT debit, credit, amount, status FROM posting WHERE position > \(reached) AND position <= \(next)")
            for row in rows {
                guard let debit = JobProof.number(row[0]), let credit = JobProof.number(row[1]), let amount = JobProof.number(row[2]),
                    let status = JobProof.number(row[3]), let debited = paths[debit], let credited = paths[credit]
                else { continue }
                let signed = status == 2 ? -Int128(amount) : Int128(amount)
                if status == 0 {
                    totals[debited, default: Totals()].debitsPosted += signed
                    totals[credited, default: Totals()].creditsPosted += signed
                } else {
                    totals[debited, default: Totals()].debitsPending += signed
                    totals[credited, default: Totals()].creditsPending += signed
                }
            }
            reached = next
        }
    }
}
