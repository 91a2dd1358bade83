import Foundation
import LedgerDatabase

/// Which entries one schedule charges, as selects that the server runs: whom they touch, which version is in force, which rule fits
/// first, which waiver. It reads entries, postings, accounts and the published documents, and nothing that a job has written.
struct FeeAuditMatching: Sendable {
    let schedule: String
    /// Its versions, by when they are effective.
    let versions: [FeeAuditTerms]
    let through: UInt64
    let months: FeeAuditMonths

    /// Each entry and account that is charged: `position`, `account`, `id`, `effective_at`, `month`, `currency`, `document` (the position
    /// of the version's entry), `version`, `rule`, `amount`, `counted` (in the month's volume), `waiver`.
    var charged: SelectText {
        """
        SELECT f.position, f.account, f.id, f.effective_at, f.month, f.currency, f.document, r.version, f.rule,
        IF(r.side = 'debit', f.debits, f.credits) AS amount, \(waiver) AS waiver,
        CASE r.volume WHEN 'subtract' THEN -1 WHEN 'none' THEN 0 ELSE 1 END * IF(r.side = 'debit', f.debits, f.credits) AS counted
        FROM (SELECT g.*, \(rule) AS rule FROM (\(faced)) g) f
        JOIN (\(Self.rules(documents))) r ON r.document = f.document AND r.rule = f.rule WHERE f.rule IS NOT NULL
        """
    }

    /// The payloads of the versions' entries.
    var documents: SelectText { "SELECT position, payload FROM entry WHERE position IN \(list: versions.map { .uint($0.document) })" }

    /// The rules of documents: `document`, `schedule`, `version`, `rule`, `side`, `volume`.
    static func rules(_ documents: SelectText) -> SelectText {
        """
        SELECT DISTINCT d.position AS document, t.schedule, t.version, t.rule, t.side, t.volume FROM (\(documents)) d
        JOIN JSON_TABLE(d.payload, '$' COLUMNS (schedule VARCHAR(32) PATH '$.schedule', version INT UNSIGNED PATH '$.version',
         NESTED PATH '$.rules[*]' COLUMNS (rule FOR ORDINALITY, side VARCHAR(16) PATH '$.side', volume VARCHAR(16) PATH '$.volume'))) t
        """
    }

    /// The entries that are reversed: a reversal that is itself reversed does not count, so the chain of reversals that begins at an entry is
    /// odd. (The server follows a thousand of them.)
    static func undone(through: UInt64) -> SelectText {
        """
        SELECT root AS id FROM (WITH RECURSIVE reversal AS
         (SELECT id, CAST(UNHEX(JSON_VALUE(payload, '$.reverses')) AS BINARY(16)) AS reverses FROM entry WHERE kind = 'ledger.reversed' AND position <= \(through)),
         chain AS (SELECT reverses AS root, id AS last, 1 AS length FROM reversal
          UNION ALL SELECT c.root, r.id, c.length + 1 FROM chain c JOIN reversal r ON r.reverses = c.last)
         SELECT root, length FROM chain) chains GROUP BY root HAVING MAX(length) % 2 = 1
        """
    }

    // MARK: - Whom an entry touches

    /// Each entry and account that a rule may charge, with what it is charged as: `kind` and `payload` of the hold for a capture.
    private var faced: SelectText {
        """
        SELECT m.position, m.account, m.debits, m.credits, e.id, e.effective_at, COALESCE(h.kind, e.kind) AS kind,
        COALESCE(h.payload, e.payload) AS payload, a.path, a.currency, \(months.month("e.effective_at")) AS month, \(document) AS document
        FROM (SELECT p.position, p.account, SUM(p.debits) AS debits, SUM(p.credits) AS credits FROM (\(posted)) p
         GROUP BY p.position, p.account) m
        STRAIGHT_JOIN entry e ON e.position = m.position STRAIGHT_JOIN account a ON a.id = m.account
        STRAIGHT_JOIN \(months.join("e.effective_at"))
        LEFT JOIN entry h ON h.id = IF(e.kind = 'ledger.hold-captured', UNHEX(JSON_VALUE(e.payload, '$.hold')), NULL)
        LEFT JOIN (\(Self.undone(through: through))) u ON u.id = e.id WHERE u.id IS NULL
        """
    }

    /// The posted sides of postings that touch an account which some rule names, on a side on which some rule charges.
    private var posted: SelectText {
        let rules = versions.flatMap { $0.rules.values }
        var patterns: [String] = []
        for rule in rules { patterns += (rule.conditions[0]?.accounts ?? []).filter { !patterns.contains($0) } }
        let debits: SelectText = """
            SELECT p.position, p.debit AS account, CAST(p.amount AS DECIMAL(38)) AS debits, 0 AS credits FROM posting p
            JOIN account a ON a.id = p.debit WHERE p.status = 0 AND p.position <= \(through) AND \(Self.isOne(of: patterns, "a"))
            """
        let credits: SelectText = """
            SELECT p.position, p.credit AS account, 0 AS debits, CAST(p.amount AS DECIMAL(38)) AS credits FROM posting p
            JOIN account a ON a.id = p.credit WHERE p.status = 0 AND p.position <= \(through) AND \(Self.isOne(of: patterns, "a"))
            """
        guard rules.contains(where: \.isDebit) else { return credits }
        return rules.allSatisfy(\.isDebit) ? debits : "\(debits) UNION ALL \(credits)"
    }

    // MARK: - What fits

    /// The version in force at `e.effective_at`: the latest effective one, of equal ones the greatest number.
    private var document: SelectText {
        let cases = versions.reversed().map { version -> SelectText in
            "WHEN e.effective_at >= CAST(\(version.effectiveFrom) AS DATETIME(6)) THEN \(version.document)"
        }
        return "CASE \(cases.joined(" ")) END"
    }

    /// The first rule of the version that fits `g`.
    private var rule: SelectText {
        let cases = versions.map { version -> SelectText in
            let rules = version.rules.sorted { $0.key < $1.key }.map { number, rule -> SelectText in
                "WHEN \(Self.charges(rule)) THEN \(number)"
            }
            return rules.isEmpty ? "WHEN \(version.document) THEN NULL" : "WHEN \(version.document) THEN CASE \(rules.joined(" ")) END"
        }
        return "CASE g.document \(cases.joined(" ")) END"
    }

    private static func charges(_ rule: FeeAuditTerms.Rule) -> SelectText {
        let exact = rule.kinds.filter { !$0.hasSuffix("*") }, open = rule.kinds.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
        let kinds = (exact.isEmpty ? [] : ["g.kind IN \(list: exact.map(LedgerValue.text))" as SelectText])
            + open.map { "LEFT(g.kind, LENGTH(\($0))) = \($0)" as SelectText }
        var parts: [SelectText] = [
            rule.isDebit ? "g.debits > 0" : "g.credits > 0", "g.kind NOT LIKE 'ledger.%' AND (\(kinds.joined(" OR ")))",
        ]
        if !rule.currencies.contains("*") { parts.append("g.currency IN \(list: rule.currencies.map(LedgerValue.text))") }
        if let condition = rule.conditions[0] { parts.append(holds(condition, "g")) }
        return parts.joined(" AND ")
    }

    /// The first waiver of the rule that fits `f`; 0 if none does.
    private var waiver: SelectText {
        var cases: [SelectText] = []
        for version in versions {
            for (number, rule) in version.rules.sorted(by: { $0.key < $1.key }) where rule.conditions.keys.contains(where: { $0 > 0 }) {
                let waivers = rule.conditions.filter { $0.key > 0 }.sorted { $0.key < $1.key }.map { waiver, condition -> SelectText in
                    "WHEN \(Self.holds(condition, "f")) THEN \(waiver)"
                }
                cases.append("WHEN f.document = \(version.document) AND f.rule = \(number) THEN CASE \(waivers.joined(" ")) ELSE 0 END")
            }
        }
        return cases.isEmpty ? "0" : "CASE \(cases.joined(" ")) ELSE 0 END"
    }

    /// - Parameter row: has `path`, `payload` and `effective_at`.
    private static func holds(_ condition: FeeAuditTerms.Condition, _ row: SelectText) -> SelectText {
        var parts: [SelectText] = condition.accounts.isEmpty ? ["TRUE"] : [isOne(of: condition.accounts, row)]
        if let from = condition.from { parts.append("\(row).effective_at >= CAST(\(from) AS DATETIME(6))") }
        if let until = condition.until { parts.append("\(row).effective_at < CAST(\(until) AS DATETIME(6))") }
        for (_, field) in condition.fields.sorted(by: { $0.key < $1.key }) {
            let item: SelectText = "JSON_EXTRACT(\(row).payload, \(field.path))"
            var fits: [SelectText] = []
            if !field.texts.isEmpty {
                let text: SelectText = "JSON_VALUE(\(row).payload, \(field.path)) COLLATE utf8mb4_nopad_bin"
                fits.append("JSON_TYPE(\(item)) = 'STRING' AND \(text) IN \(list: field.texts.map(LedgerValue.text))")
            }
            if !field.numbers.isEmpty {
                let numbers = field.numbers.map { "CAST(\(item) AS DECIMAL(65, 30)) = CAST(\($0) AS DECIMAL(65, 30))" as SelectText }
                fits.append("JSON_TYPE(\(item)) IN ('INTEGER', 'DOUBLE') AND (\(numbers.joined(" OR ")))")
            }
            if !field.flags.isEmpty {
                fits.append("JSON_TYPE(\(item)) = 'BOOLEAN' AND \(item) IN \(list: field.flags.map(LedgerValue.text))")
            }
            parts.append("(\(fits.joined(" OR ")))")
        }
        return parts.joined(" AND ")
    }

    /// Whether the path of a row is like one of these patterns. No path has a * or a line break.
    private static func isOne(of patterns: [String], _ row: SelectText) -> SelectText {
        let expressions = patterns.map { pattern in
            let segments = pattern.precomposedStringWithCanonicalMapping.split(separator: ":", omittingEmptySubsequences: false)
            return segments.map { segment -> String in
                switch segment {
                case "*": "[^:]+"
                case "**": ".+"
                default: segment.unicodeScalars.map { $0.isASCII && !isPlain($0) ? "\\\($0)" : "\($0)" }.joined()
                }
            }.joined(separator: ":")
        }
        return "\(row).path REGEXP \("\\A(?:" + expressions.joined(separator: "|") + ")\\z")"
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }
}

extension [SelectText] {
    func joined(_ separator: SelectText) -> SelectText {
        guard let first else { return "" }
        return dropFirst().reduce(first) { "\($0)\(separator)\($1)" }
    }
}
