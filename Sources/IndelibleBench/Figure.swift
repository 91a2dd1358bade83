public import LedgerModel

/// One figure of a benchmark, beside a bound that was measured in the same run: these machines are noisy, so the ratio
/// decides.
public struct Figure: Sendable {
    /// What was measured, on what.
    public let shape: String
    public let value: Double
    public let unit: String
    /// What the bound is.
    public let boundIs: String
    public let bound: Double
    /// `value / bound`.
    public let ratio: Double
    /// What the ratio must reach; nil if nothing is asked.
    public let atLeast: Double?
    /// What the ratio must not exceed; nil if nothing is asked.
    public let atMost: Double?
    public let settings: [String: String]

    /// nil if nothing is asked.
    public var holds: Bool? {
        if let atLeast { return ratio >= atLeast }
        if let atMost { return ratio <= atMost }
        return nil
    }

    init(
        _ shape: String, _ value: Double, _ unit: String, bound: Double, is boundIs: String, atLeast: Double? = nil,
        atMost: Double? = nil, settings: [String: String]
    ) {
        self.shape = shape
        self.value = value
        self.unit = unit
        self.bound = bound
        self.boundIs = boundIs
        self.atLeast = atLeast
        self.atMost = atMost
        self.settings = settings
        ratio = bound > 0 ? value / bound : 0
    }

    /// One object: `shape, value, unit, bound, bound_is, ratio, at_least, at_most, holds, settings`.
    public var json: JSON {
        var members: [String: JSON] = [
            "shape": .string(shape), "value": number(value), "unit": .string(unit), "bound": number(bound),
            "bound_is": .string(boundIs), "ratio": number(ratio), "settings": .object(settings.mapValues(JSON.string)),
        ]
        members["at_least"] = atLeast.map(number) ?? .null
        members["at_most"] = atMost.map(number) ?? .null
        members["holds"] = holds.map(JSON.bool) ?? .null
        return .object(members)
    }

    private func number(_ value: Double) -> JSON {
        let text = Self.text(value)
        return (try? JSON(parsing: text)) ?? .string(text)
    }

    /// Three or so digits: more would be noise.
    public static func text(_ value: Double) -> String {
        if value >= 100 { return String(Int64(value.rounded())) }
        let hundredths = Int64((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
