import LedgerModel

/// Reads our CSV. The header says what the rows are:
/// - `currency,exponent`
/// - `account,currency,type`
/// - `key,kind,effective_at,description,reference,actor,debit,credit,amount,currency`: a posting a row; consecutive rows with
///   one key are one entry. Only `key`, `debit`, `credit`, `amount` and `currency` are needed, in any order.
struct CSVImport: ImportReader {
    private enum Kind { case currencies, accounts, entries }
    private static let entryColumns = [
        "key", "kind", "effective_at", "description", "reference", "actor", "debit", "credit", "amount", "currency",
    ]
    private static let shared = ["kind", "effective_at", "description", "reference", "actor"]

    private var reader: CSVReader
    private let kind: Kind
    private let columns: [String]
    /// The first row of the next entry, read already.
    private var pending: Row?
    /// The line of an unreadable row just before, if the next entry's first rows may be in it.
    private var doubtBefore: Int?

    /// - Throws: a problem in the header.
    init(_ bytes: [UInt8]) throws(ImportProblem) {
        reader = CSVReader(bytes)
        guard let header = reader.next() else {
            throw ImportProblem(line: 1, column: 1, reason: "the file is empty", text: "")
        }
        if let problem = header.problem { throw problem }
        columns = header.fields.map(\.text)
        func problem(_ reason: String, _ column: Int) -> ImportProblem {
            ImportProblem(line: header.line, column: column, reason: reason, text: header.text)
        }
        for (index, field) in header.fields.enumerated() where columns[..<index].contains(field.text) {
            throw problem("the column “\(field.text)” is there twice", field.column)
        }
        let names = Set(columns)
        if names == ["currency", "exponent"] {
            kind = .currencies
        } else if names == ["account", "currency", "type"] {
            kind = .accounts
        } else {
            for needed in ["key", "debit", "credit", "amount", "currency"] where !names.contains(needed) {
                throw problem(
                    "the header has no column “\(needed)”: entries need key, debit, credit, amount and currency; "
                        + "accounts need account, currency and type", 1)
            }
            for field in header.fields where !Self.entryColumns.contains(field.text) {
                throw problem(
                    "the column “\(field.text)” is not known: \(Self.entryColumns.joined(separator: ", "))", field.column)
            }
            kind = .entries
        }
    }

    mutating func next(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord? {
        guard let first = row() else { return nil }
        if kind == .entries { return try entry(first, currencies) }
        if let problem = first.problem { throw problem }
        let fields = first.fields
        switch kind {
        case .currencies:
            let code = try fields.parse("currency") { text throws(LedgerError) in try CurrencyCode(text) }
            let currency = try fields.parse("exponent") { text throws(LedgerError) in
                guard let exponent = Int(text) else {
                    throw LedgerError(.invalidCurrency, "“\(text)” is no number of decimals")
                }
                return try Currency(code, exponent: exponent)
            }
            return fields.record(.currency(currency))
        case .accounts:
            let path = try fields.parse("account") { text throws(LedgerError) in try AccountPath(text) }
            let currency = try fields.parse("currency") { text throws(LedgerError) in try currencies.currency(text) }
            let type = try fields.parse("type") { text throws(LedgerError) in
                guard let type = AccountType(rawValue: text) else {
                    let all = AccountType.allCases.map(\.rawValue).joined(separator: ", ")
                    throw LedgerError(.invalidAccount, "“\(text)” is no type of account: \(all)")
                }
                return type
            }
            return fields.record(.account(path, currency.code, type))
        case .entries: return nil
        }
    }

    /// An entry: its first row, and those behind it with the same key. One bad row refuses all of them, and a row whose key
    /// cannot be read refuses the entries beside it too: no entry is posted without a part of it.
    private mutating func entry(_ first: Row, _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
        var rows = [first]
        // An empty key is a problem of its own row.
        while let next = row() {
            guard let key = first.key, !key.isEmpty, next.key == key else {
                pending = next
                break
            }
            rows.append(next)
        }
        let doubt = doubtBefore ?? pending.flatMap { $0.key == nil ? $0.fields.row.line : nil }
        doubtBefore = rows.last.flatMap { $0.hidesNext ? $0.fields.row.line : nil }
        let text = rows.map(\.fields.row.text).joined(separator: "\n")
        do throws(ImportProblem) {
            for row in rows { if let problem = row.problem { throw problem } }
            if let doubt {
                throw first.fields.problem("the row in line \(doubt) cannot be read and may belong to this entry", "")
            }
            return try entry(first.fields["key"], rows.map(\.fields), text, currencies)
        } catch {
            throw ImportProblem(
                line: error.line, column: error.column, reason: error.reason, text: text, key: first.key)
        }
    }

    private func entry(
        _ key: String, _ rows: [Fields], _ text: String, _ currencies: KnownCurrencies
    ) throws(ImportProblem) -> ImportRecord {
        let first = rows[0]
        guard !key.isEmpty else { throw first.problem("the key is empty: it makes the entry be posted once", "key") }
        let kind = try first.parse("kind") { text throws(LedgerError) in text.isEmpty ? "imported" : try EntryKind(text) }
        let effectiveAt = try first.parse("effective_at") { text throws(LedgerError) in
            text.isEmpty ? nil : try Timestamp(text)
        }
        var entry = Entry(
            id: EntryID(key: key), kind: kind, effectiveAt: effectiveAt, description: first.optional("description"),
            reference: first.optional("reference"), actor: first.optional("actor"))
        var places = ["": (first.row.line, 1)]
        for (index, fields) in rows.enumerated() {
            for column in Self.shared where fields[column] != first[column] {
                throw fields.problem(
                    "“\(column)” differs from the first row of the same key (line \(first.row.line))", column)
            }
            let debit = try fields.parse("debit") { text throws(LedgerError) in try AccountPath(text) }
            let credit = try fields.parse("credit") { text throws(LedgerError) in try AccountPath(text) }
            let currency = try fields.parse("currency") { text throws(LedgerError) in try currencies.currency(text) }
            let amount = try fields.parse("amount") { text throws(LedgerError) in try currency.positiveAmount(text) }
            guard debit != credit else { throw fields.problem("debit and credit are the same account", "credit") }
            entry.postings.append(Posting(debit: debit, credit: credit, amount: amount))
            places["debit \(index)"] = fields.place("debit")
            places["credit \(index)"] = fields.place("credit")
        }
        return ImportRecord(content: .entry(entry, key: key), line: first.row.line, places: places, text: text)
    }

    private mutating func row() -> Row? {
        if let pending {
            self.pending = nil
            return pending
        }
        return reader.next().map { Row(Fields(columns, $0)) }
    }

    /// A row, or what is wrong with its form.
    private struct Row {
        let fields: Fields
        let problem: ImportProblem?
        /// nil if the row is so wrong that its key is not certain.
        let key: String?

        init(_ fields: Fields) {
            self.fields = fields
            let row = fields.row
            let keyIndex = fields.columns.firstIndex(of: "key") ?? 0
            if let unreadable = row.problem {
                problem = unreadable
                // The fields before the problem are certain.
                key = keyIndex < row.fields.count ? row.fields[keyIndex].text : nil
            } else if row.fields.count != fields.columns.count {
                let last = row.fields.last
                problem = ImportProblem(
                    line: last?.line ?? row.line, column: last?.column ?? 1,
                    reason: "\(row.fields.count) fields, and the header has \(fields.columns.count)", text: row.text)
                // Nobody knows where the field is missing or too much.
                key = keyIndex == 0 ? row.fields.first?.text : nil
            } else {
                problem = nil
                key = fields["key"]
            }
        }

        /// A quote that is not closed in time may have taken in the rows behind.
        var hidesNext: Bool { problem != nil && (key == nil || fields.row.text.utf8.contains(UInt8(ascii: "\n"))) }
    }

    /// The fields of a row by the names of the header.
    private struct Fields {
        let columns: [String]
        let row: CSVReader.Record

        init(_ columns: [String], _ row: CSVReader.Record) {
            self.columns = columns
            self.row = row
        }

        subscript(column: String) -> String {
            guard let index = columns.firstIndex(of: column), index < row.fields.count else { return "" }
            return row.fields[index].text
        }

        func optional(_ column: String) -> String? { self[column].isEmpty ? nil : self[column] }

        func place(_ column: String) -> (line: Int, column: Int) {
            guard let index = columns.firstIndex(of: column), index < row.fields.count else { return (row.line, 1) }
            return (row.fields[index].line, row.fields[index].column)
        }

        func problem(_ reason: String, _ column: String) -> ImportProblem {
            let place = place(column)
            return ImportProblem(line: place.line, column: place.column, reason: reason, text: row.text)
        }

        func parse<T>(_ column: String, _ read: (String) throws(LedgerError) -> T) throws(ImportProblem) -> T {
            do throws(LedgerError) { return try read(self[column]) } catch { throw problem(error.message, column) }
        }

        func record(_ content: ImportRecord.Content) -> ImportRecord {
            ImportRecord(content: content, line: row.line, places: ["": (row.line, 1)], text: row.text)
        }
    }
}

extension Currency {
    func positiveAmount(_ text: String) throws(LedgerError) -> Amount {
        let amount = try amount(text)
        guard amount.minorUnits > 0 else {
            throw LedgerError(
                .invalidAmount, "the amount is \(text); it must be more than 0 (to move money the other way, swap debit and "
                    + "credit)")
        }
        return amount
    }
}
