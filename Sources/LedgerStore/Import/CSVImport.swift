import LedgerModel

/// Reads our CSV. The header says what the rows are:
/// - `currency,exponent`
/// - `account,currency,type`, and `floor`, `ceiling` for accounts with limits
/// - `key,kind,effective_at,description,reference,actor,payload,debit,credit,amount,currency`: a posting a row; consecutive rows
///   with one key are one entry. Only `key`, `debit`, `credit`, `amount` and `currency` are needed, in any order. `id` may stand
///   in place of `key`: 32 hexadecimal digits that are the entry's id. A hold has the `status` `pending` in all its rows, and may
///   have `expires_at`.
/// - the same with `record`, `account`, `type` and `exponent`, as an export writes it: `record` says of each row whether it
///   is a `currency`, an `account` or an `entry`.
struct CSVImport: ImportReader {
    private enum Kind { case currencies, accounts, entries, records }
    private static let shared = ["kind", "effective_at", "description", "reference", "actor"]
    private static let entryColumns = ["key", "id"] + shared + [
        "expires_at", "payload", "debit", "credit", "amount", "currency", "status",
    ]
    private static let limitColumns: Set<String> = ["floor", "ceiling"]

    private var rows: CSVRows
    private let kind: Kind
    private let keyColumn: String

    /// - Throws: a problem in the header.
    init(_ bytes: [UInt8]) throws(ImportProblem) {
        rows = try CSVRows(bytes) { $0.contains("key") || !$0.contains("id") ? "key" : "id" }
        let names = Set(rows.columns)
        keyColumn = names.contains("key") || !names.contains("id") ? "key" : "id"
        if names == ["currency", "exponent"] {
            kind = .currencies
        } else if names.subtracting(Self.limitColumns) == ["account", "currency", "type"] {
            kind = .accounts
        } else {
            let hint = "entries need key (or id), debit, credit, amount and currency; accounts need account, currency and type"
            let needed = [keyColumn, "debit", "credit", "amount", "currency"]
            kind = names.contains("record") ? .records : .entries
            if kind == .records {
                let more = ["account", "type", "exponent"]
                try rows.check(needed: needed + more, known: ["record"] + Self.entryColumns + more + Self.limitColumns.sorted(), hint)
            } else {
                try rows.check(needed: needed, known: Self.entryColumns, hint)
            }
            if let second = rows.header.fields.first(where: { $0.text == "id" }), names.contains("key") {
                throw rows.problem("an entry has a key or an id, not both", second.column)
            }
        }
    }

    mutating func next(_ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord? {
        switch kind {
        case .currencies, .accounts:
            guard let row = rows.nextRow() else { return nil }
            if let problem = row.problem { throw problem }
            return kind == .currencies ? try Self.currency(row.fields) : try Self.account(row.fields, currencies)
        case .entries: return try rows.nextGroup().map { group throws(ImportProblem) in try entry(group, currencies) }
        case .records: return try rows.nextGroup().map { group throws(ImportProblem) in try record(group, currencies) }
        }
    }

    private static func currency(_ fields: CSVRows.Fields) throws(ImportProblem) -> ImportRecord {
        let code = try fields.parse("currency") { text throws(LedgerError) in try CurrencyCode(text) }
        let currency = try fields.parse("exponent") { text throws(LedgerError) in
            guard let exponent = Int(text) else {
                throw LedgerError(.invalidCurrency, "“\(text)” is no number of decimals")
            }
            return try Currency(code, exponent: exponent)
        }
        return fields.record(.currency(currency))
    }

    private static func account(
        _ fields: CSVRows.Fields, _ currencies: KnownCurrencies
    ) throws(ImportProblem) -> ImportRecord {
        let path = try fields.parse("account") { text throws(LedgerError) in try AccountPath(text) }
        let currency = try fields.parse("currency") { text throws(LedgerError) in try currencies.currency(text) }
        let type = try fields.parse("type") { text throws(LedgerError) in
            guard let type = AccountType(rawValue: text) else {
                let all = AccountType.allCases.map(\.rawValue).joined(separator: ", ")
                throw LedgerError(.invalidAccount, "“\(text)” is no type of account: \(all)")
            }
            return type
        }
        var limits: AccountLimits?
        for (name, keyPath) in [("floor", \AccountLimits.floor), ("ceiling", \AccountLimits.ceiling)] where !fields[name].isEmpty {
            let amount = try fields.parse(name) { text throws(LedgerError) in try currency.amount(text) }
            limits = limits ?? AccountLimits.none
            limits?[keyPath: keyPath] = amount.minorUnits
        }
        return fields.record(.account(path, currency.code, type, limits))
    }

    /// A row of an export, or the rows of one entry of it.
    private func record(_ group: CSVRows.Group, _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
        let first = group.first
        // What cannot be read is refused as an entry, which says what may be missing from it.
        guard group.rows[0].problem == nil else { return try entry(group, currencies) }
        switch first["record"] {
        case "entry": return try entry(group, currencies)
        case "currency", "account":
            // Such a row has no key, so it stands alone.
            guard group.rows.count == 1, first[keyColumn].isEmpty else {
                throw first.problem("only an entry has a key or an id", keyColumn)
            }
            return first["record"] == "currency" ? try Self.currency(first) : try Self.account(first, currencies)
        default: throw first.problem("“\(first["record"])” is no record: entry, account or currency", "record")
        }
    }

    private func entry(_ group: CSVRows.Group, _ currencies: KnownCurrencies) throws(ImportProblem) -> ImportRecord {
        do throws(ImportProblem) { return try entry(try group.fields(), group.text, currencies) } catch {
            let key = group.rows[0].key ?? ""
            let id = keyColumn == "id" ? EntryID(hex: key) : key.isEmpty ? nil : EntryID(key: key)
            throw ImportProblem(line: error.line, column: error.column, reason: error.reason, text: group.text, id: id)
        }
    }

    private func entry(
        _ rows: [CSVRows.Fields], _ text: String, _ currencies: KnownCurrencies
    ) throws(ImportProblem) -> ImportRecord {
        let first = rows[0]
        let key = first[keyColumn]
        let kind = try first.parse("kind") { text throws(LedgerError) in text.isEmpty ? "imported" : try EntryKind(text) }
        let effectiveAt = try first.parse("effective_at") { text throws(LedgerError) in
            text.isEmpty ? nil : try Timestamp(text)
        }
        var entry = Entry(
            id: try id(first), kind: kind, effectiveAt: effectiveAt, description: first.optional("description"),
            reference: first.optional("reference"), actor: first.optional("actor"))
        try Self.payload(first, &entry)
        let expiresAt = try first.parse("expires_at") { text throws(LedgerError) in text.isEmpty ? nil : try Timestamp(text) }
        if first["status"] == "pending" { entry.hold = Hold(expiresAt: expiresAt) }
        guard expiresAt == nil || entry.hold != nil else { throw first.problem("only a hold expires: its status is pending", "expires_at") }
        var released: [Bool] = []
        var places = ["": (first.row.line, 1)]
        for (index, fields) in rows.enumerated() {
            // The payload stands in the first row, or in all.
            for column in Self.shared + ["expires_at", "payload"] where fields[column] != first[column] {
                if column == "payload", fields[column].isEmpty { continue }
                throw fields.problem(
                    "“\(column)” differs from the first row of the same key (line \(first.row.line))", column)
            }
            if self.kind == .records, rows.count == 1, ["debit", "credit", "amount", "currency"].allSatisfy({ fields[$0].isEmpty }) {
                // A fact that moves nothing.
                break
            }
            let debit = try fields.parse("debit") { text throws(LedgerError) in try AccountPath(text) }
            let credit = try fields.parse("credit") { text throws(LedgerError) in try AccountPath(text) }
            let currency = try fields.parse("currency") { text throws(LedgerError) in try currencies.currency(text) }
            let amount = try fields.parse("amount") { text throws(LedgerError) in try currency.positiveAmount(text) }
            guard debit != credit else { throw fields.problem("debit and credit are the same account", "credit") }
            entry.postings.append(Posting(debit: debit, credit: credit, amount: amount))
            released.append(try Self.isReleased(fields, isHold: entry.hold != nil))
            places["debit \(index)"] = fields.place("debit")
            places["credit \(index)"] = fields.place("credit")
        }
        let content: ImportRecord.Content
        do throws(LedgerError) {
            content = try .init(entry, key: key, released: released, hasID: keyColumn == "id")
        } catch { throw first.problem(error.message, "kind") }
        return ImportRecord(content: content, line: first.row.line, places: places, text: text)
    }

    private static func isReleased(_ fields: CSVRows.Fields, isHold: Bool) throws(ImportProblem) -> Bool {
        switch fields["status"] {
        case "pending" where isHold: false
        case "pending": throw fields.problem("all postings of a hold are pending, or none", "status")
        case "", "posted": if isHold { throw fields.problem("all postings of a hold are pending, or none", "status") } else { false }
        case "released": true
        default: throw fields.problem("“\(fields["status"])” is no status: pending, released, or nothing", "status")
        }
    }

    private func id(_ first: CSVRows.Fields) throws(ImportProblem) -> EntryID {
        let key = first[keyColumn]
        guard keyColumn == "id" else {
            guard !key.isEmpty else { throw first.problem("the key is empty: it makes the entry be posted once", "key") }
            return EntryID(key: key)
        }
        guard let id = EntryID(hex: key) else { throw first.problem("“\(key)” is no id: 32 hexadecimal digits", "id") }
        return id
    }

    /// The payload: a JSON object. Beside an id it may hold the texts that a column cannot tell from none (`""`).
    private static func payload(_ first: CSVRows.Fields, _ entry: inout Entry) throws(ImportProblem) {
        guard !first["payload"].isEmpty else { return }
        let places = JSONPlaces(ArraySlice(first["payload"].utf8))
        guard places.wrong == nil, case .object(var members)? = try? JSON(parsing: first["payload"]) else {
            throw first.problem("the payload is a JSON object", "payload")
        }
        if let twice = places.twice {
            throw first.problem("“\(twice.name)” is there twice", "payload")
        }
        for (name, path) in [("description", \Entry.description), ("reference", \Entry.reference), ("actor", \Entry.actor)] {
            if members[name]?.string == "", entry[keyPath: path] == nil {
                members[name] = nil
                entry[keyPath: path] = ""
            }
        }
        entry.payload = members
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
