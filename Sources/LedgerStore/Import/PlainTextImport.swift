import Crypto
import Foundation
import LedgerModel

/// Reads what `hledger print -O csv` prints: a row for each leg of a transaction. Accounts and currencies are opened and
/// defined before the first entry that needs them.
///
/// Costs and prices are not in that output, so an entry with several commodities may not balance by itself.
struct PlainTextImport: ImportReader {
    static let columns = [
        "txnidx", "date", "date2", "status", "code", "description", "comment", "account", "amount", "commodity", "credit",
        "debit", "posting-status", "posting-comment",
    ]
    private static let shared = ["date", "date2", "status", "code", "description", "comment"]

    private let context: PlainTextContext
    private var rows: CSVRows
    /// Read already, to be handed out.
    private var waiting: [ImportRecord] = []
    private var open: Set<AccountKey>
    /// How often an entry has come.
    private var occurrences: [String: Int] = [:]

    /// Whether the header is hledger's.
    static func recognises(_ bytes: [UInt8]) -> Bool {
        let header = bytes.prefix { $0 != UInt8(ascii: "\n") }
        return String(decoding: header, as: UTF8.self).contains("txnidx")
    }

    /// - Throws: a problem in the header.
    init(_ bytes: [UInt8], _ context: PlainTextContext) throws(ImportProblem) {
        self.context = context
        open = context.accounts
        rows = try CSVRows(bytes) { _ in "txnidx" }
        try rows.check(
            needed: ["txnidx", "date", "description", "account", "amount", "commodity"], known: Self.columns,
            "`hledger print -O csv` writes it")
        for currency in context.defined {
            waiting.append(
                ImportRecord(
                    content: .currency(currency), line: rows.header.line, places: [:], text: rows.header.text))
        }
    }

    mutating func next(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord? {
        if waiting.isEmpty {
            guard let group = rows.nextGroup() else { return nil }
            do throws(ImportProblem) { waiting = try records(try group.fields(), group.text) } catch {
                throw ImportProblem(line: error.line, column: error.column, reason: error.reason, text: group.text)
            }
        }
        return waiting.removeFirst()
    }

    /// A leg that is not zero, and where it stands.
    private struct Moving {
        let leg: Leg
        let fields: CSVRows.Fields
    }

    /// The entry of these rows, behind the accounts that it is the first to use.
    private mutating func records(_ rows: [CSVRows.Fields], _ text: String) throws(ImportProblem) -> [ImportRecord] {
        let first = rows[0]
        guard !first["txnidx"].isEmpty else { throw first.problem("the transaction has no number", "txnidx") }
        var plain: [PlainTextParts.PlainLeg] = []
        var moving: [Moving] = []
        var canonical: [JSON] = []
        for fields in rows {
            for column in Self.shared where fields[column] != first[column] {
                throw fields.problem(
                    "“\(column)” differs from the first row of the same transaction (line \(first.row.line))", column)
            }
            let (leg, shown, amount) = try read(fields)
            plain.append(shown)
            if let leg { moving.append(Moving(leg: leg, fields: fields)) }
            canonical.append([.string(shown.account), .string(amount), .string(leg?.currency.text ?? "")])
        }
        var opened = try accounts(moving)
        let through = try conversion(moving, first, text, &opened)
        let legs = moving.map(\.leg) + through
        let key = key(first, canonical)
        var entry = try entry(first, key)
        entry.postings = Legs.postings(legs)
        if entry.payload[PlainTextParts.name] == nil {
            plain += try through.map { leg throws(ImportProblem) in try shown(leg, first) }
            entry.payload[PlainTextParts.name] = try parts(first, legs, plain, entry.postings).json
        }
        for record in opened {
            if case .account(let path, let code, _, _) = record.content { open.insert(AccountKey(path: path, currency: code)) }
        }
        var places = ["": (first.row.line, 1)]
        for index in entry.postings.indices { places["debit \(index)"] = first.place("account") }
        return opened + [
            ImportRecord(content: .entry(entry, key: key), line: first.row.line, places: places, text: text)
        ]
    }

    // MARK: - Legs

    /// A leg, how it is shown again, and its amount without zeros that say nothing. A leg of zero moves nothing.
    private func read(
        _ fields: CSVRows.Fields
    ) throws(ImportProblem) -> (leg: Leg?, shown: PlainTextParts.PlainLeg, amount: String) {
        let name = fields["account"]
        for (begin, end) in [("(", ")"), ("[", "]")] where name.utf8.starts(with: begin.utf8) && name.utf8.last == end.utf8.first {
            throw fields.problem(
                "a virtual posting: it moves money that no other account gives or takes, so it has no place in a book",
                "account")
        }
        let path = try fields.parse("account") { text throws(LedgerError) in try AccountPath(PlainTextName.decoded(text)) }
        let amount = try fields.parse("amount") { text throws(LedgerError) in try PlainTextAmount(text) }
        var shown = PlainTextParts.PlainLeg(
            account: path.text, amount: "0", commodity: fields["commodity"], status: fields["posting-status"],
            comment: fields["posting-comment"])
        guard !amount.isZero else { return (nil, shown, "0") }
        let code = try fields.parse("commodity") { text throws(LedgerError) in try context.options.code(text) }
        let currency = try fields.parse("commodity") { _ throws(LedgerError) in try context.currencies.currency(code.text) }
        let units = try fields.parse("amount") { text throws(LedgerError) in
            guard amount.significant <= Currency.exponentMax else {
                throw LedgerError(
                    .invalidAmount, "“\(text)” has \(amount.significant) decimals, and no currency has more than "
                        + "\(Currency.exponentMax)")
            }
            guard amount.significant <= currency.exponent else {
                throw LedgerError(
                    .invalidAmount, "“\(text)” has \(amount.significant) decimals, and \(code) has \(currency.exponent): define "
                        + "it with more before the import (`indelible currency define \(code) --exponent "
                        + "\(amount.significant)`), or give the commodity another code (--commodity)")
            }
            return try currency.amount(amount.canonical).minorUnits
        }
        shown.amount = currency.format(Int128(units))
        shown.commodity = code.text
        return (Leg(account: path, units: units, currency: code), shown, amount.canonical)
    }

    /// The accounts that these legs are the first to use.
    private func accounts(_ moving: [Moving]) throws(ImportProblem) -> [ImportRecord] {
        var records: [ImportRecord] = []
        var seen = open
        for one in moving {
            let path = one.leg.account
            guard seen.insert(AccountKey(path: path, currency: one.leg.currency)).inserted else { continue }
            guard let type = context.options.type(of: path) else {
                let first = path.text.prefix { $0 != ":" }
                throw one.fields.problem(
                    "“\(first)” tells no type of account (assets, liabilities, equity, income, expenses do): --account-type "
                        + "\"\(first)=asset\" or --default-type says it", "account")
            }
            records.append(one.fields.record(.account(path, one.leg.currency, type, nil)))
        }
        return records
    }

    /// The legs that balance what does not balance by itself.
    private func conversion(
        _ moving: [Moving], _ first: CSVRows.Fields, _ text: String, _ opened: inout [ImportRecord]
    ) throws(ImportProblem) -> [Leg] {
        var legs: [Leg] = []
        for (code, units) in Legs.residuals(moving.map(\.leg)) {
            let place = moving.first { $0.leg.currency == code }?.fields ?? first
            let left = try place.parse("amount") { _ throws(LedgerError) in
                try context.currencies.currency(code.text).format(units)
            }
            guard let path = context.options.conversionAccount else {
                throw place.problem(
                    "\(code) does not balance in this entry, \(left) is left over (costs and prices are not in this file): "
                        + "--conversion-account books it through an account", "amount")
            }
            guard let back = Int64(exactly: -units), back != .min else {
                throw place.problem("\(left) \(code) is left over, and does not fit into 64 bits of minor units", "amount")
            }
            legs.append(Leg(account: path, units: back, currency: code))
            let key = AccountKey(path: path, currency: code)
            let isOpen = open.contains(key) || opened.contains {
                if case .account(path, code, _, _) = $0.content { true } else { false }
            }
            if !isOpen { opened.append(first.record(.account(path, code, .equity, nil))) }
        }
        return legs
    }

    private func shown(_ leg: Leg, _ first: CSVRows.Fields) throws(ImportProblem) -> PlainTextParts.PlainLeg {
        let amount = try first.parse("amount") { _ throws(LedgerError) in
            try context.currencies.currency(leg.currency.text).format(Int128(leg.units))
        }
        return PlainTextParts.PlainLeg(account: leg.account.text, amount: amount, commodity: leg.currency.text)
    }

    // MARK: - The entry

    /// What plain text has and our entry has not. The legs only if the postings do not tell them.
    private func parts(
        _ first: CSVRows.Fields, _ legs: [Leg], _ plain: [PlainTextParts.PlainLeg], _ postings: [Posting]
    ) throws(ImportProblem) -> PlainTextParts {
        var parts = PlainTextParts()
        parts.status = first["status"]
        parts.code = first["code"]
        parts.date2 = first["date2"]
        parts.comment = first["comment"]
        do throws(LedgerError) {
            if let mark = try PlainTextMark.take(from: &parts.comment), let date2 = mark.members["date2"]?.string {
                parts.date2 = date2
            }
        } catch { throw first.problem(error.message, "comment") }
        let isPlain = plain.count == legs.count && plain.allSatisfy { $0.status.isEmpty && $0.comment.isEmpty }
        if isPlain, Legs.legs(postings) == legs { return parts }
        if isPlain, Legs.legs(postings, creditsFirst: true) == legs {
            parts.creditsFirst = true
        } else {
            parts.legs = plain
        }
        return parts
    }

    /// The entry without its postings, as a mark of ours says it, or as the row does.
    private func entry(_ first: CSVRows.Fields, _ key: String) throws(ImportProblem) -> Entry {
        let date = try first.parse("date") { text throws(LedgerError) in try Timestamp(text) }
        var entry = Entry(
            id: EntryID(key: key), kind: "imported", effectiveAt: date, description: first.optional("description"))
        do throws(LedgerError) {
            var comment = first["comment"]
            guard let mark = try PlainTextMark.take(from: &comment) else { return entry }
            (entry.id, entry.kind) = (mark.id, mark.kind)
            for (name, value) in mark.members {
                switch (name, value) {
                case ("effective_at", .string(let text)): entry.effectiveAt = try Timestamp(text)
                case ("description", .string(let text)): entry.description = text
                case ("description", .null): entry.description = nil
                case ("reference", .string(let text)): entry.reference = text
                case ("actor", .string(let text)): entry.actor = text
                case ("payload", .object(let members)): entry.payload = members
                case ("date2", .string): break
                default:
                    throw LedgerError(.invalidEntry, "“\(name)” behind “\(PlainTextMark.more)” is not known, or of another type")
                }
            }
        } catch { throw first.problem(error.message, "comment") }
        return entry
    }

    /// A name for the entry that does not depend on where it stands: its date, code, description and legs, and which of
    /// those that have all this in common it is. Its status, comments and secondary date are not in it: an entry that was
    /// only marked as cleared since the last import is refused as a conflict, and not posted a second time.
    private mutating func key(_ first: CSVRows.Fields, _ legs: [JSON]) -> String {
        let text = JSON.array([.string(first["date"]), .string(first["code"]), .string(first["description"])] + legs).text
        let digest = SHA256.hash(data: Data(text.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let number = (occurrences[digest] ?? 0) + 1
        occurrences[digest] = number
        return "hledger:\(digest):\(number)"
    }
}

/// Names of accounts that plain-text tools would take for something else: their first character is written as `%` and
/// two hexadecimal digits.
enum PlainTextName {
    /// `(a)` and `[a]` are virtual, `!a` is pending, `<a>` is deferred in ledger; `%` keeps the others apart.
    private static let risky: [(scalar: Unicode.Scalar, code: String)] = [
        ("(", "%28"), ("[", "%5B"), ("!", "%21"), ("<", "%3C"), ("%", "%25"),
    ]

    static func encoded(_ path: AccountPath) -> String {
        let text = path.text
        let first = text.unicodeScalars.first
        guard let (_, code) = risky.first(where: { $0.scalar == first }),
            first != "%" || risky.contains(where: { text.begins(with: $0.code) })
        else { return text }
        return code + String(text.unicodeScalars.dropFirst())
    }

    static func decoded(_ text: String) -> String {
        guard let (scalar, code) = risky.first(where: { text.begins(with: $0.code) }) else { return text }
        return String(scalar) + String(text.unicodeScalars.dropFirst(code.unicodeScalars.count))
    }
}

extension String {
    /// By bytes: a combining mark behind the prefix does not hide it.
    func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}
