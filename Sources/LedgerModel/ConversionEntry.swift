extension Entry {
    /// The member of the payload that holds a ``Conversion``.
    public static let conversionKey = "conversion"

    /// One entry with two postings: what is given goes from `payer` to the conversion account in its currency, and what is
    /// received goes from the conversion account to `receiver` in the other. Each posting is in one currency, so the book
    /// stays balanced in each; the payload keeps rate, rounding and amounts under `conversion`.
    ///
    /// ```swift
    /// let conversion = try Conversion(of: eur.amount("100.00"), from: eur, to: usd, at: ExchangeRate("1.0834"))
    /// let entry = try Entry.conversion(
    ///     conversion, id: EntryID(key: "fx-1"), kind: "wallet.converted",
    ///     from: "customers:alice", through: "conversion", to: "customers:alice")
    /// ```
    ///
    /// `payer` and `conversionAccount` are accounts in the currency given, `conversionAccount` and `receiver` in the one
    /// received. By default debit is where money leaves and credit where it arrives, as it is between liabilities: what
    /// you owe alice in EUR becomes less, in USD more. Assets grow by debits: to exchange money between bank accounts of
    /// your own say `payerSide: .credit`, and both postings have their sides swapped.
    /// - Throws: `invalidEntry` if the payload has a `conversion` already.
    public static func conversion(
        _ conversion: Conversion, id: EntryID = .minted(), kind: EntryKind, effectiveAt: Timestamp? = nil,
        description: String? = nil, reference: String? = nil, actor: String? = nil, payload: [String: JSON] = [:],
        from payer: AccountPath, through conversionAccount: AccountPath, to receiver: AccountPath,
        payerSide: Side = .debit
    ) throws(LedgerError) -> Entry {
        guard payload[conversionKey] == nil else {
            throw LedgerError(.invalidEntry, "“\(conversionKey)” is where the payload keeps the conversion", id: id)
        }
        func posting(from giver: AccountPath, to taker: AccountPath, _ amount: Amount) -> Posting {
            switch payerSide {
            case .debit: Posting(debit: giver, credit: taker, amount: amount)
            case .credit: Posting(debit: taker, credit: giver, amount: amount)
            }
        }
        var payload = payload
        payload[conversionKey] = conversion.json
        return Entry(
            id: id, kind: kind, effectiveAt: effectiveAt, description: description, reference: reference, actor: actor,
            payload: payload,
            postings: [
                posting(from: payer, to: conversionAccount, conversion.given),
                posting(from: conversionAccount, to: receiver, conversion.received),
            ])
    }
}
