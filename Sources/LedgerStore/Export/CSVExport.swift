import LedgerModel

/// The journal as one CSV file: a row for each posting, account and currency, in the order of the journal. The first column
/// says what a row is. An entry without postings has one row without accounts.
enum CSVExport {
    private static let columns = [
        "record", "id", "kind", "effective_at", "description", "reference", "actor", "payload", "debit", "credit", "amount",
        "currency", "account", "type", "exponent", "status", "expires_at", "floor", "ceiling",
    ]

    static let header = columns.joined(separator: ",") + "\n"

    static func rows(_ record: ExportRecord, _ currencies: KnownCurrencies) throws(LedgerError) -> String {
        switch record.content {
        case .currency(let currency):
            return row(["record": "currency", "currency": currency.code.text, "exponent": String(currency.exponent)])
        case .account(let path, let code, let type, let floor, let ceiling):
            var cells = ["record": "account", "account": path.text, "currency": code.text, "type": type.rawValue]
            cells["floor"] = floor
            cells["ceiling"] = ceiling
            return row(cells)
        case .entry(let entry):
            var cells = [
                "record": "entry", "id": entry.id.description, "kind": entry.kind.text,
                "effective_at": entry.effectiveAt.description,
            ]
            var payload = entry.payload
            for (name, text) in [("description", entry.description), ("reference", entry.reference), ("actor", entry.actor)] {
                cells[name] = text
                // A cell cannot tell it from none.
                if text == "" { payload[name] = "" }
            }
            cells["payload"] = payload.isEmpty ? nil : JSON.object(payload).text
            cells["expires_at"] = entry.hold?.expiresAt?.description
            guard !entry.lines.isEmpty else { return row(cells) }
            var text = ""
            for line in entry.lines {
                cells["debit"] = line.posting.debit.text
                cells["credit"] = line.posting.credit.text
                cells["amount"] = try currencies.text(line.posting.amount)
                cells["currency"] = line.posting.amount.currency.text
                cells["status"] = Self.words[line.status]
                text += row(cells)
                cells["payload"] = nil
            }
            return text
        }
    }

    /// What stands in the column `status`; nothing for what counts.
    static let words: [PostingStatus: String] = [.posted: "", .pending: "pending", .released: "released"]

    private static func row(_ cells: [String: String]) -> String {
        columns.map { quoted(cells[$0] ?? "") }.joined(separator: ",") + "\n"
    }

    private static func quoted(_ cell: String) -> String {
        cell.utf8.contains { ",\"\n\r".utf8.contains($0) } ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }
}
