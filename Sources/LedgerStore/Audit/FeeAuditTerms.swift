import LedgerDatabase

/// One published version of a fee schedule, as the server reads its document: whom it charges. What it charges stays on the server.
struct FeeAuditTerms: Sendable {
    /// A field of the payload, and the values that fit.
    struct Field: Sendable {
        /// The server's path: `$."card"."region"`.
        let path: String
        var texts: [String] = []
        var numbers: [String] = []
        /// `true` or `false`.
        var flags: [String] = []
    }

    /// What an entry and an account have to be like.
    struct Condition: Sendable {
        /// Patterns of paths; empty: any.
        var accounts: [String] = []
        var fields: [String: Field] = [:]
        /// Instants in UTC.
        var from: String?
        var until: String?
    }

    struct Rule: Sendable {
        let isDebit: Bool
        var kinds: [String] = []
        /// `*` is any other.
        var currencies: [String] = []
        /// Of the rule (0), and of its waivers (1, 2, 3).
        var conditions: [UInt64: Condition] = [:]
    }

    /// The position of the entry that publishes it.
    let document: UInt64
    let schedule: String
    let version: UInt64
    /// Entries that count from here on, in UTC.
    let effectiveFrom: String
    /// By their numbers: 1, 2, 3.
    var rules: [UInt64: Rule] = [:]
}

extension FeeAuditTerms {
    /// An instant in a document, which has them in UTC.
    static func instant(_ text: SelectText) -> SelectText { "CAST(REPLACE(TRIM(TRAILING 'Z' FROM \(text)), 'T', ' ') AS DATETIME(6))" }

    /// All versions that are published up to a position, by schedule and by when they are effective; of equal times the greatest number last.
    static func published(through: UInt64, _ transaction: borrowing LedgerTransaction) throws -> [FeeAuditTerms] {
        var terms = try transaction.run(
            .select(
                """
                d.position, d.name, d.version, DATE_FORMAT(d.effective_from, '%Y-%m-%d %H:%i:%s.%f') FROM
                (SELECT position, JSON_VALUE(payload, '$.schedule') AS name, CAST(JSON_VALUE(payload, '$.version') AS UNSIGNED) AS version,
                 \(instant("JSON_VALUE(payload, '$.effective_from')")) AS effective_from
                 FROM entry WHERE kind = 'ledger.fee-schedule-published' AND position <= \(through)) d
                WHERE d.name IS NOT NULL AND d.effective_from IS NOT NULL ORDER BY d.name, d.effective_from, d.version
                """)
        ).map { FeeAuditTerms(document: try $0.uint(0), schedule: try $0.text(1), version: try $0.uint(2), effectiveFrom: try $0.text(3)) }
        guard !terms.isEmpty else { return [] }
        let index = Dictionary(terms.indices.map { (terms[$0].document, $0) }, uniquingKeysWith: { first, _ in first })
        let documents: SelectText = "SELECT position, payload FROM entry WHERE position IN \(list: terms.map { .uint($0.document) })"
        try rules(documents, transaction) { terms[index[$0] ?? 0].rules[$1] = $2 }
        try conditions(documents, transaction) { terms[index[$0] ?? 0].rules[$1]?.conditions[$2, default: .init()] = $3 }
        try accounts(documents, transaction) { terms[index[$0] ?? 0].rules[$1]?.conditions[$2, default: .init()].accounts.append($3) }
        try fields(documents, transaction) { document, rule, waiver, field, type, value in
            terms[index[document] ?? 0].rules[rule]?.conditions[waiver, default: .init()].add(field, type, value)
        }
        return terms
    }

    private static func rules(
        _ documents: SelectText, _ transaction: borrowing LedgerTransaction, _ body: (UInt64, UInt64, Rule) -> Void
    ) throws {
        var rules: [[UInt64]: Rule] = [:]
        for row in try transaction.run(
            .select(
                """
                d.position, r.rule, r.side, r.kind, c.currency FROM (\(documents)) d
                JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY, side VARCHAR(16) PATH '$.side',
                 prices JSON PATH '$.prices', NESTED PATH '$.kinds[*]' COLUMNS (kind VARCHAR(255) PATH '$'))) r
                JOIN JSON_TABLE(JSON_KEYS(r.prices), '$[*]' COLUMNS (currency VARCHAR(255) PATH '$')) c
                WHERE r.kind IS NOT NULL ORDER BY d.position, r.rule, r.kind, c.currency
                """)
        ) {
            var rule = try rules[[row.uint(0), row.uint(1)]] ?? Rule(isDebit: row.optionalText(2) == "debit")
            let (kind, currency) = (try row.text(3), try row.text(4))
            if rule.kinds.last != kind { rule.kinds.append(kind) }
            if !rule.currencies.contains(currency) { rule.currencies.append(currency) }
            rules[[try row.uint(0), try row.uint(1)]] = rule
        }
        for (place, rule) in rules { body(place[0], place[1], rule) }
    }

    /// A condition for each rule, and for each of its waivers.
    private static func conditions(
        _ documents: SelectText, _ transaction: borrowing LedgerTransaction, _ body: (UInt64, UInt64, UInt64, Condition) -> Void
    ) throws {
        let begins = instant("r.begins"), ends = instant("r.ends")
        for row in try transaction.run(
            .select(
                """
                d.position, r.rule, r.waiver, DATE_FORMAT(\(begins), '%Y-%m-%d %H:%i:%s.%f'), DATE_FORMAT(\(ends), '%Y-%m-%d %H:%i:%s.%f')
                FROM (\(documents)) d JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY,
                 NESTED PATH '$.waivers[*]' COLUMNS (waiver FOR ORDINALITY, begins VARCHAR(64) PATH '$.from', ends VARCHAR(64) PATH '$.until'))) r
                WHERE r.waiver IS NOT NULL
                """)
        ) {
            body(try row.uint(0), try row.uint(1), try row.uint(2), Condition(from: try row.optionalText(3), until: try row.optionalText(4)))
        }
    }

    private static func accounts(
        _ documents: SelectText, _ transaction: borrowing LedgerTransaction, _ body: (UInt64, UInt64, UInt64, String) -> Void
    ) throws {
        for row in try transaction.run(
            .select(
                """
                d.position, r.rule, 0, r.pattern FROM (\(documents)) d JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY,
                 NESTED PATH '$.accounts[*]' COLUMNS (pattern VARCHAR(1000) PATH '$'))) r WHERE r.pattern IS NOT NULL
                UNION ALL
                SELECT d.position, r.rule, r.waiver, r.pattern FROM (\(documents)) d
                JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY,
                 NESTED PATH '$.waivers[*]' COLUMNS (waiver FOR ORDINALITY, NESTED PATH '$.accounts[*]' COLUMNS (pattern VARCHAR(1000) PATH '$')))) r
                WHERE r.pattern IS NOT NULL
                """)
        ) { body(try row.uint(0), try row.uint(1), try row.uint(2), try row.text(3)) }
    }

    private static func fields(
        _ documents: SelectText, _ transaction: borrowing LedgerTransaction,
        _ body: (UInt64, UInt64, UInt64, String, String, String) -> Void
    ) throws {
        for row in try transaction.run(
            .select(
                """
                r.position, r.rule, r.waiver, k.field, JSON_TYPE(v.item), v.value FROM
                (SELECT d.position, r.rule, 0 AS waiver, r.fields FROM (\(documents)) d
                 JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY, fields JSON PATH '$.fields')) r
                 UNION ALL
                 SELECT d.position, r.rule, r.waiver, r.fields FROM (\(documents)) d
                 JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY,
                  NESTED PATH '$.waivers[*]' COLUMNS (waiver FOR ORDINALITY, fields JSON PATH '$.fields'))) r) r
                JOIN JSON_TABLE(JSON_KEYS(r.fields), '$[*]' COLUMNS (field TEXT PATH '$')) k
                JOIN JSON_TABLE(JSON_EXTRACT(r.fields, CONCAT('$."', k.field, '"')), '$[*]'
                 COLUMNS (value TEXT PATH '$', item JSON PATH '$')) v WHERE r.fields IS NOT NULL
                """)
        ) { body(try row.uint(0), try row.uint(1), try row.uint(2), try row.text(3), try row.text(4), try row.text(5)) }
    }
}

extension FeeAuditTerms.Condition {
    fileprivate mutating func add(_ field: String, _ type: String, _ value: String) {
        let path = "$" + field.split(separator: ".", omittingEmptySubsequences: false).map { ".\"\($0)\"" }.joined()
        switch type {
        case "STRING": fields[field, default: .init(path: path)].texts.append(value)
        case "BOOLEAN": fields[field, default: .init(path: path)].flags.append(value)
        default: fields[field, default: .init(path: path)].numbers.append(value)
        }
    }
}
