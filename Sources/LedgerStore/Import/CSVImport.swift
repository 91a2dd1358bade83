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
    private var pending: CSVReader.Record?

    /// - Throws: a problem in the header.
    init(_ bytes: [UInt8]) throws(ImportProblem) {
        reader = CSVReader(bytes)
        guard let header = try reader.next() else {
            throw ImportProblem(line: 1, column: 1, reason: "the file is empty", text: "")
        }
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
        guard let first = try row() else { return nil }
        let fields = Fields(columns, first)
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
        case .entries: return try entry(fields, currencies)
        }
    }

    /// An entry: its first row, and those behind it with the same key.
    private mutating func entry(_ first: Fields, _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
        let key = first["key"]
        var rows = [first]
        while let next = try row() {
            let fields = Fields(columns, next)
            // An empty key is a problem of its own row.
            guard fields.row.fields.count == columns.count, !key.isEmpty, fields["key"] == key else {
                pending = next
                break
            }
            rows.append(fields)
        }
        let text = rows.map(\.row.text).joined(separator: "\n")
        do throws(ImportProblem) { return try entry(key, rows, text, currencies) } catch {
            throw ImportProblem(line: error.line, column: error.column, reason: error.reason, text: text)
        }
    }

    private func entry(
        _ key: String, _ rows: [Fields], _ text: String, _ currencies: KnownCurrencies
    ) throws(ImportProblem) -> ImportRecord {
        let first = rows[0]
        try first.requireWidth()
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

    private mutating func row() throws(ImportProblem) -> CSVReader.Record? {
        if let pending {
            self.pending = nil
            return pending
        }
        return try reader.next()
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
            return (row.line, row.fields[index].column)
        }

        func problem(_ reason: String, _ column: String) -> ImportProblem {
            let place = place(column)
            return ImportProblem(line: place.line, column: place.column, reason: reason, text: row.text)
        }

        func requireWidth() throws(ImportProblem) {
            guard row.fields.count == columns.count else {
                throw ImportProblem(
                    line: row.line, column: row.fields.last?.column ?? 1,
                    reason: "\(row.fields.count) fields, and the header has \(columns.count)", text: row.text)
            }
        }

        func parse<T>(_ column: String, _ read: (String) throws(LedgerError) -> T) throws(ImportProblem) -> T {
            try requireWidth()
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
