import LedgerModel

/// What is wrong in a file, and where.
public struct ImportProblem: Error, Sendable, Hashable, CustomStringConvertible {
    public var file = ""
    /// From 1.
    public let line: Int
    /// From 1, in bytes.
    public let column: Int
    public let reason: String
    /// The record as it stands in the file.
    public let text: String
    /// The entry whose rows are refused, if more rows of it may stand further down.
    var id: EntryID?

    public var description: String { "\(file):\(line):\(column): \(reason)" }
}

/// One thing that a file tells: a currency, an account, or an entry.
struct ImportRecord {
    enum Content {
        case currency(Currency)
        case account(AccountPath, CurrencyCode, AccountType)
        case entry(Entry, key: String)
    }
    var content: Content
    var line: Int
    /// Where the parts of it stand, for problems that are found later: `""` is the record itself, `debit 1` the debit
    /// account of the first posting.
    var places: [String: (line: Int, column: Int)]
    var text: String

    func problem(_ reason: String, at place: String = "") -> ImportProblem {
        let found = places[place] ?? places[""] ?? (line, 1)
        return ImportProblem(line: found.line, column: found.column, reason: reason, text: text)
    }
}

/// The currencies that a file may use: the book's, those it defines itself, and ISO 4217.
struct KnownCurrencies {
    private var byCode: [CurrencyCode: Currency]

    init(_ currencies: [Currency]) {
        byCode = Dictionary(currencies.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
    }

    mutating func define(_ currency: Currency) throws(LedgerError) {
        if let standing = byCode[currency.code], standing != currency {
            throw LedgerError(.conflict, "\(currency) has the exponent \(standing.exponent) in this book")
        }
        byCode[currency.code] = currency
    }

    /// Whether the book has it, a file has defined it, or ISO 4217 does.
    func knows(_ code: CurrencyCode) -> Bool { byCode[code] != nil || Currency.iso(code) != nil }

    func currency(_ text: String) throws(LedgerError) -> Currency {
        let code = try CurrencyCode(text)
        guard let currency = byCode[code] ?? Currency.iso(code) else {
            throw LedgerError(
                .unknownCurrency, "the book has no currency \(code) and ISO 4217 has none either: define it first "
                    + "(`indelible currency define`)")
        }
        return currency
    }
}

/// An account by what makes it unique.
struct AccountKey: Hashable {
    let path: AccountPath
    let currency: CurrencyCode
}

/// Reads the records of one file, one after the other.
protocol ImportReader {
    /// The next record; nil at the end. After a problem the reading goes on behind it.
    mutating func next(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord?
}
