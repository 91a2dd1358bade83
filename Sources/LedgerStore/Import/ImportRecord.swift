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
        /// Limits are nil if it says nothing of them.
        case account(AccountPath, CurrencyCode, AccountType, AccountLimits?)
        case entry(Entry, key: String)
        /// As an export tells of it: the ledger's own, or a hold or a date of a time that is over.
        case told(ToldEntry)
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

extension ImportRecord.Content {
    /// - Parameters:
    ///   - released: of each posting, whether it takes a pending one back.
    ///   - hasID: it has an id and no key, as an export writes it.
    /// - Throws: `invalidEntry` for what only a ledger writes, and has not.
    init(_ entry: Entry, key: String, released: [Bool], hasID: Bool) throws(LedgerError) {
        let isOwn = entry.kind.isReserved
        let isReleasing = released.contains(true)
        guard hasID, let effectiveAt = entry.effectiveAt, isOwn || entry.hold != nil || entry.payload[Backdating.redatedFromKey] != nil || entry.payload[Entry.ownKey] != nil else {
            guard !isReleasing else {
                throw LedgerError(.invalidEntry, "only an entry of the ledger's own releases something: it has an id, a time and a kind like ledger.hold-captured")
            }
            self = .entry(entry, key: key)
            return
        }
        let lines = zip(entry.postings, released).map { posting, isReleased in
            ToldEntry.Line(posting: posting, status: entry.hold != nil ? .pending : isReleased ? .released : .posted)
        }
        guard !(isReleasing && entry.hold != nil), isOwn || !isReleasing, !isOwn || entry.hold == nil else {
            throw LedgerError(.invalidEntry, "a hold is an entry of yours, and what releases it is one of the ledger's own")
        }
        let told = ToldEntry(
            id: entry.id, kind: entry.kind, effectiveAt: effectiveAt, description: entry.description, reference: entry.reference,
            actor: entry.actor, payload: entry.payload, lines: lines, hold: entry.hold)
        if isOwn, case .posted = try told.meaning() {
            throw LedgerError(.invalidEntry, "the kind \(entry.kind) is reserved for the ledger itself")
        }
        self = .told(told)
    }

    /// The id of an entry, and what the file calls it.
    var entryID: (EntryID, key: String)? {
        switch self {
        case .currency, .account: nil
        case .entry(let entry, let key): (entry.id, key)
        case .told(let told): (told.id, told.id.description)
        }
    }

    /// The postings of an entry.
    var postings: [Posting] {
        switch self {
        case .currency, .account: []
        case .entry(let entry, _): entry.postings
        case .told(let told): told.lines.map(\.posting)
        }
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

    /// An amount as a decimal.
    func text(_ amount: Amount) throws(LedgerError) -> String { try currency(amount.currency.text).format(amount) }

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
