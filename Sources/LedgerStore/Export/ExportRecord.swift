import Crypto
import Foundation
import LedgerModel

/// What the journal holds at one position, with names in place of the book's numbers.
struct ExportRecord {
    enum Content {
        case currency(Currency)
        /// With its opening limits as decimals.
        case account(AccountPath, CurrencyCode, AccountType, floor: String?, ceiling: String?)
        case entry(ToldEntry)
    }

    let position: Position
    let recordedAt: Timestamp
    let content: Content

    /// The kinds that tell of accounts and currencies.
    static let facts: [EntryKind] = [.accountOpened, .currencyDefined]

    init(
        _ entry: JournalEntry, _ accounts: [AccountID: Account], _ currencies: KnownCurrencies
    ) throws(LedgerError) {
        func broken(_ reason: String) -> LedgerError {
            LedgerError(.integrity, "the entry at position \(entry.position) \(reason)")
        }
        position = entry.position
        recordedAt = entry.recordedAt
        guard let id = entry.id else { throw broken("is none") }
        guard entry.postings.count == Int(entry.lines) else {
            throw broken("was recorded with \(entry.lines) postings and has \(entry.postings.count)")
        }
        var members: [String: JSON] = [:]
        if let text = entry.payload {
            guard case .object(let object)? = try? JSON(parsing: text) else { throw broken("has a payload that is no JSON object") }
            members = object
        }
        switch entry.kind {
        case .currencyDefined:
            guard let code = members["currency"]?.string, case .integer(let exponent)? = members["exponent"] else {
                throw broken("names no currency")
            }
            content = .currency(try Currency(try CurrencyCode(code), exponent: Int(clamping: exponent)))
        case .accountOpened:
            guard let path = members["account"]?.string, let code = members["currency"]?.string,
                let type = members["type"]?.string.flatMap(AccountType.init(rawValue:))
            else { throw broken("names no account") }
            func limit(_ name: String) throws(LedgerError) -> String? {
                guard case .integer(let units)? = members[name] else { return nil }
                return try currencies.currency(code).format(Int128(units))
            }
            content = .account(
                try AccountPath(path), try CurrencyCode(code), type, floor: try limit("floor"), ceiling: try limit("ceiling"))
        default:
            var lines: [ToldEntry.Line] = []
            for posting in entry.postings {
                guard let debit = accounts[posting.debit], let credit = accounts[posting.credit],
                    let amount = Int64(exactly: posting.amount)
                else { throw broken("has a posting on an account that the book has not, or more money than an amount can be") }
                let amountOf = Amount(minorUnits: amount, debit.currency.code)
                lines.append(
                    ToldEntry.Line(
                        posting: Posting(debit: debit.path, credit: credit.path, amount: amountOf), status: posting.status))
            }
            let pending = lines.count { $0.status == .pending }
            guard pending == 0 || pending == lines.count else { throw broken("holds with some of its postings and moves with others") }
            func take(_ name: String) -> String? {
                guard let text = members[name]?.string else { return nil }
                members[name] = nil
                return text
            }
            var hold: Hold?
            if pending > 0 {
                hold = Hold(expiresAt: entry.holdExpiresAt)
                if hold?.expiresAt != nil { members[Hold.expiresAtKey] = nil }
            }
            let (description, reference, actor) = (take("description"), take("reference"), take("actor"))
            content = .entry(
                ToldEntry(
                    id: id, kind: entry.kind, effectiveAt: entry.effectiveAt, description: description,
                    reference: reference, actor: actor, payload: members, lines: lines, hold: hold))
        }
    }

    /// As a line of JSON Lines has it.
    func json(_ currencies: KnownCurrencies) throws(LedgerError) -> JSON {
        switch content {
        case .currency(let currency):
            return ["currency": .string(currency.code.text), "exponent": .integer(Int64(currency.exponent))]
        case .account(let path, let code, let type, let floor, let ceiling):
            var members: [String: JSON] = [
                "account": .string(path.text), "currency": .string(code.text), "type": .string(type.rawValue),
            ]
            members["floor"] = floor.map(JSON.string)
            members["ceiling"] = ceiling.map(JSON.string)
            return .object(members)
        case .entry(let entry):
            var members: [String: JSON] = [
                "id": .string(entry.id.description), "kind": .string(entry.kind.text),
                "effective_at": .string(entry.effectiveAt.description),
            ]
            for (name, text) in [("description", entry.description), ("reference", entry.reference), ("actor", entry.actor)] {
                if let text { members[name] = .string(text) }
            }
            if !entry.payload.isEmpty { members["payload"] = .object(entry.payload) }
            if let hold = entry.hold {
                members["hold"] = hold.expiresAt.map { [Hold.expiresAtKey: .string($0.description)] } ?? [:]
            }
            guard !entry.lines.isEmpty else { return .object(members) }
            var postings: [JSON] = []
            for line in entry.lines { postings.append(try Self.json(line, currencies)) }
            members["postings"] = .array(postings)
            return .object(members)
        }
    }

    private static func json(_ line: ToldEntry.Line, _ currencies: KnownCurrencies) throws(LedgerError) -> JSON {
        let posting = line.posting
        var members: [String: JSON] = [
            "debit": .string(posting.debit.text), "credit": .string(posting.credit.text),
            "amount": .string(try currencies.text(posting.amount)), "currency": .string(posting.amount.currency.text),
        ]
        if line.status == .released { members["released"] = true }
        return .object(members)
    }
}

/// A hash of what a journal says, that two books with the same facts in the same order share.
///
/// It is a chain over the lines of the JSON Lines export, without their line ends:
/// `hash = SHA256(hash before ‖ SHA256(line))`, beginning with 32 zero bytes. Account numbers, positions, tombstones and
/// recording times are not in those lines.
public struct JournalHash: Sendable, Hashable, CustomStringConvertible {
    /// Lines.
    public private(set) var records: UInt64 = 0
    /// 32 bytes.
    public private(set) var bytes = [UInt8](repeating: 0, count: 32)

    public init() {}

    /// Takes the next line in.
    public mutating func append(_ line: String) {
        records += 1
        var next = SHA256()
        next.update(data: bytes)
        next.update(data: Array(SHA256.hash(data: Data(line.utf8))))
        bytes = Array(next.finalize())
    }

    /// 64 hexadecimal digits.
    public var description: String { bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
}
