import Foundation

/// The code of a currency: ISO 4217 (`EUR`) or the book's own (`POINTS`).
public struct CurrencyCode: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let text: String
    public static let charactersMax = 16

    /// - Throws: `invalidCurrency` unless the text has 1 to 16 letters, digits, currency signs, `.`, `_` or `-`.
    public init(_ text: String) throws(LedgerError) {
        // Most codes are capital letters.
        if (1...Self.charactersMax).contains(text.utf8.count), text.utf8.allSatisfy({ (65...90).contains($0) }) {
            self.text = text
            return
        }
        let text = text.precomposedStringWithCanonicalMapping
        guard (1...Self.charactersMax).contains(text.unicodeScalars.count), text.unicodeScalars.allSatisfy(Self.isAllowed) else {
            throw LedgerError(
                .invalidCurrency,
                "“\(text)” is no currency code: 1 to \(Self.charactersMax) letters, digits, currency signs, . _ or -")
        }
        self.text = text
    }

    init(unchecked text: String) { self.text = text }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.generalCategory == .currencySymbol
            || ("0"..."9").contains(scalar) || ".-_".unicodeScalars.contains(scalar)
    }

    public static func < (left: CurrencyCode, right: CurrencyCode) -> Bool { left.text < right.text }
    public var description: String { text }

    public static let eur = CurrencyCode(unchecked: "EUR")
    public static let usd = CurrencyCode(unchecked: "USD")
    public static let jpy = CurrencyCode(unchecked: "JPY")
}

/// A currency and its exponent: how many decimals its minor unit has (EUR 2, JPY 0, KWD 3).
public struct Currency: Sendable, Hashable, CustomStringConvertible {
    public let code: CurrencyCode
    /// 0 to 18.
    public let exponent: Int
    public static let exponentMax = 18

    /// - Throws: `invalidCurrency` unless `exponent` is 0 to 18.
    public init(_ code: CurrencyCode, exponent: Int) throws(LedgerError) {
        guard (0...Self.exponentMax).contains(exponent) else {
            throw LedgerError(
                .invalidCurrency, "the exponent of \(code) is \(exponent); it can be 0 to \(Self.exponentMax)")
        }
        self.code = code
        self.exponent = exponent
    }

    private init(iso code: String, _ exponent: Int) {
        self.code = CurrencyCode(unchecked: code)
        self.exponent = exponent
    }

    /// The currency of ISO 4217 with this code (list one, currencies with a minor unit), or nil.
    public static func iso(_ code: CurrencyCode) -> Currency? {
        isoExponents[code.text].map { Currency(iso: code.text, $0) }
    }

    public var description: String { code.text }

    private static let isoExponents: [String: Int] = {
        let two = """
            AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE
            CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD
            HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
            MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
            SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
            VES WST XCD XCG YER ZAR ZMW ZWG
            """
        let none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
        let three = "BHD IQD JOD KWD LYD OMR TND"
        let four = "CLF UYW"
        var exponents: [String: Int] = [:]
        for (codes, exponent) in [(two, 2), (none, 0), (three, 3), (four, 4)] {
            for code in codes.split(whereSeparator: \.isWhitespace) { exponents[String(code)] = exponent }
        }
        return exponents
    }()
}
