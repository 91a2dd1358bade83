import LedgerDatabase

/// What one schedule charges, as a select that the server runs, one step of “How much” (docs/fees.md) inside the other. All of it is DECIMAL.
struct FeeAuditPricing: Sendable {
    let matching: FeeAuditMatching

    /// Each entry and account that is charged: what ``FeeAuditMatching/charged`` has, and `slices`, `percentage`, `rounding`, `fixed`, `bounded`,
    /// `waived`, `waived_rounding`, `fee`.
    var fees: SelectText {
        """
        SELECT p.*, CAST((p.percentage - p.exact) * 100000000 AS DECIMAL(38)) AS rounding, p.due - p.percentage - p.fixed AS bounded,
        CAST((p.waived - p.waived_exact) * 100000000 AS DECIMAL(38)) AS waived_rounding, p.due - p.waived AS fee
        FROM (SELECT p.*, \(Self.rounded("p.waived_exact")) AS waived FROM (\(bounded)) p) p
        """
    }

    /// `due` is percentage and fixed, between minimum and maximum; `waived_exact` what the waiver takes off.
    private var bounded: SelectText {
        """
        SELECT p.*, p.due * COALESCE(w.units, 0) * 0.00000001 AS waived_exact FROM
        (SELECT p.*, GREATEST(LEAST(p.percentage + p.fixed, COALESCE(p.maximum, \(Self.most))), COALESCE(p.minimum, -\(Self.most))) AS due
         FROM (SELECT p.*, \(Self.rounded("p.exact")) AS percentage FROM (\(sliced)) p) p) p
        LEFT JOIN (\(waivers)) w ON w.document = p.document AND w.rule = p.rule AND w.waiver = p.waiver
        """
    }

    /// More than any amount.
    private static let most: SelectText = "10000000000000000000000000000000000000"

    /// To a whole number, as the price says.
    private static func rounded(_ x: SelectText) -> SelectText {
        """
        CASE p.mode_of_rounding WHEN 'half-up' THEN ROUND(\(x)) WHEN 'down' THEN SIGN(\(x)) * FLOOR(ABS(\(x)))
        WHEN 'up' THEN SIGN(\(x)) * CEILING(ABS(\(x)))
        WHEN 'floor' THEN FLOOR(\(x)) WHEN 'ceiling' THEN CEILING(\(x))
        ELSE IF(ABS(\(x)) - FLOOR(ABS(\(x))) = 0.5, 2 * ROUND(\(x) * 0.5), ROUND(\(x))) END
        """
    }

    /// The slices of each amount, their exact percentage and their fixed amounts. An amount without tiers has one step below and above all.
    private var sliced: SelectText {
        let low: SelectText = "IF(s.axis = 'volume', c.volume, 0)"
        let high: SelectText = "IF(s.axis = 'volume', c.volume + c.amount, c.amount)"
        let point: SelectText = "IF(s.axis = 'volume', c.volume, c.amount)"
        let slice: SelectText = "IF(s.mode = 'whole', c.amount, LEAST(s.high, \(high)) - GREATEST(s.low, \(low)))"
        return """
            SELECT c.position, c.account, c.id, c.effective_at, c.document, c.version, c.rule, c.amount, c.waiver,
            s.minimum, s.maximum, s.mode_of_rounding, SUM(\(slice) * s.units) * 0.00000001 AS exact, SUM(s.fixed) AS fixed,
            COALESCE(GROUP_CONCAT(IF(s.axis IS NULL, NULL, CONCAT(s.step, ':', \(slice))) ORDER BY s.step SEPARATOR ' '), '') AS slices
            FROM (\(counted)) c STRAIGHT_JOIN (\(steps)) s ON s.document = c.document AND s.rule = c.rule AND s.currency = c.currency
            AND IF(s.mode = 'whole', s.low <= \(point) AND \(point) < s.high, s.low < \(high) AND s.high > \(low))
            GROUP BY c.account, c.effective_at, c.id
            """
    }

    /// With the `volume` of the month before each.
    private var counted: SelectText {
        """
        SELECT c.*, COALESCE(SUM(c.counted) OVER (PARTITION BY c.account, c.month ORDER BY c.effective_at, c.id
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS volume FROM (\(matching.charged)) c
        """
    }

    // MARK: - Prices

    /// The steps of each price, for each document, rule and currency, from `low` to before `high`.
    private var steps: SelectText {
        let scale: SelectText = "CAST(CONCAT('1', REPEAT('0', s.exponent)) AS DECIMAL(19))"
        func minor(_ amount: SelectText) -> SelectText { "CAST(CAST(\(amount) AS DECIMAL(38, 18)) * \(scale) AS DECIMAL(38))" }
        return """
            SELECT s.document, s.rule, s.currency, s.step, JSON_VALUE(s.price, '$.tiers.by') AS axis, JSON_VALUE(s.price, '$.tiers.mode') AS mode,
            IF(s.step = 1, -\(Self.most), \(minor("s.begins"))) AS low,
            COALESCE(LEAD(\(minor("s.begins"))) OVER (PARTITION BY s.document, s.rule, s.currency ORDER BY s.step), \(Self.most)) AS high,
            CAST(s.basis_points * 10000 AS DECIMAL(20)) AS units, \(minor("COALESCE(s.fixed, '0')")) AS fixed,
            \(minor("JSON_VALUE(s.price, '$.minimum')")) AS minimum, \(minor("JSON_VALUE(s.price, '$.maximum')")) AS maximum,
            COALESCE(JSON_VALUE(s.price, '$.rounding'), 'half-even') AS mode_of_rounding FROM
            (SELECT d.position AS document, r.rule, c.code AS currency, c.exponent, p.price, s.step, s.begins, s.basis_points, s.fixed
             FROM (\(matching.documents)) d
             JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY, prices JSON PATH '$.prices')) r JOIN currency c
             JOIN JSON_TABLE(COALESCE(JSON_EXTRACT(r.prices, CONCAT('$."', c.code, '"')), JSON_EXTRACT(r.prices, '$."*"')), '$'
              COLUMNS (price JSON PATH '$')) p
             JOIN JSON_TABLE(COALESCE(JSON_EXTRACT(p.price, '$.tiers.steps'), CONCAT('[', p.price, ']')), '$[*]' COLUMNS (step FOR ORDINALITY,
              begins VARCHAR(64) PATH '$.from', basis_points DECIMAL(20, 4) PATH '$.basis_points' DEFAULT '0' ON EMPTY,
              fixed VARCHAR(64) PATH '$.fixed')) s) s
            """
    }

    /// What each waiver of a rule takes off, in 1/10,000 of a basis point.
    private var waivers: SelectText {
        """
        SELECT DISTINCT d.position AS document, w.rule, w.waiver, CAST(w.basis_points * 10000 AS DECIMAL(20)) AS units FROM (\(matching.documents)) d
        JOIN JSON_TABLE(d.payload, '$.rules[*]' COLUMNS (rule FOR ORDINALITY,
         NESTED PATH '$.waivers[*]' COLUMNS (waiver FOR ORDINALITY, basis_points DECIMAL(20, 4) PATH '$.basis_points'))) w WHERE w.waiver IS NOT NULL
        """
    }
}
