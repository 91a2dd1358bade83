/// A currency as a type: amounts of two currencies are two types, and the compiler does not let them meet.
///
/// `EUR`, `USD` and `JPY` are there; declare the others that you use:
/// ```swift
/// enum Points: CurrencyType { static let currency = Currency("POINTS", exponent: 0) }
/// ```
public protocol CurrencyType: Sendable {
    /// The same one each time. Its exponent has to be the book's; `Ledger.open` and `Ledger.post` compare them.
    static var currency: Currency { get }
}

/// The euro: two decimals.
public enum EUR: CurrencyType {
    /// `EUR`, 2.
    public static let currency = Currency("EUR", exponent: 2)
}

/// The dollar of the United States: two decimals.
public enum USD: CurrencyType {
    /// `USD`, 2.
    public static let currency = Currency("USD", exponent: 2)
}

/// The yen: no decimals.
public enum JPY: CurrencyType {
    /// `JPY`, 0.
    public static let currency = Currency("JPY", exponent: 0)
}

extension Currency {
    /// A currency written in the program. A code or an exponent that is none stops the program.
    public init(_ code: StaticString, exponent: Int) {
        do throws(LedgerError) { try self.init(CurrencyCode("\(code)"), exponent: exponent) } catch { preconditionFailure(error.message) }
    }
}
