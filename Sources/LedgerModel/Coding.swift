// How the ledger's values stand in JSON, so that events can have them as properties.

extension AccountPath: Codable {
    /// - Throws: `invalidAccount` for a text that is no path.
    public init(from decoder: any Decoder) throws { try self.init(try decoder.singleValueContainer().decode(String.self)) }

    /// One text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension CurrencyCode: Codable {
    /// - Throws: `invalidCurrency` for a text that is no code.
    public init(from decoder: any Decoder) throws { try self.init(try decoder.singleValueContainer().decode(String.self)) }

    /// One text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension Amount: Codable {
    private enum CodingKeys: String, CodingKey { case currency, minorUnits = "minor_units" }

    /// An object of `currency` and `minor_units`, which is a whole number.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(minorUnits: try members.decode(Int64.self, forKey: .minorUnits), try members.decode(CurrencyCode.self, forKey: .currency))
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(currency, forKey: .currency)
        try members.encode(minorUnits, forKey: .minorUnits)
    }
}

extension Posting: Codable {
    private enum CodingKeys: String, CodingKey { case debit, credit, amount }

    /// An object of `debit`, `credit` and `amount`.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            debit: try members.decode(AccountPath.self, forKey: .debit), credit: try members.decode(AccountPath.self, forKey: .credit),
            amount: try members.decode(Amount.self, forKey: .amount))
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(debit, forKey: .debit)
        try members.encode(credit, forKey: .credit)
        try members.encode(amount, forKey: .amount)
    }
}

extension Timestamp: Codable {
    /// - Throws: `invalidTime` for a text that is none.
    public init(from decoder: any Decoder) throws { try self.init(try decoder.singleValueContainer().decode(String.self)) }

    /// RFC 3339 in UTC.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension EntryID: Codable {
    /// - Throws: `invalidEntry` for a text that is no id.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = EntryID(hex: text) else { throw LedgerError(.invalidEntry, "“\(text)” is no id of an entry: 32 hexadecimal digits") }
        self = id
    }

    /// 32 hexadecimal digits.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
