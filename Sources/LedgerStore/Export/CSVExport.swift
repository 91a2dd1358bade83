import LedgerModel

/// The journal as one CSV file: a row for each posting, account and currency, in the order of the journal. The first column
/// says what a row is. An entry without postings has one row without accounts.
enum CSVExport {
    private static let columns = [
        "record", "id", "kind", "effective_at", "description", "reference", "actor", "payload", "debit", "credit", "amount",
        "currency", "account", "type", "exponent",
    ]

    static let header = columns.joined(separator: ",") + "\n"

    static func rows(_ record: ExportRecord) -> String {
        switch record.content {
        case .currency(let currency):
            return row(["record": "currency", "currency": currency.code.text, "exponent": String(currency.exponent)])
        case .account(let path, let code, let type):
            return row(["record": "account", "account": path.text, "currency": code.text, "type": type.rawValue])
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
            guard !entry.postings.isEmpty else { return row(cells) }
            var text = ""
            for posting in entry.postings {
                cells["debit"] = posting.posting.debit.text
                cells["credit"] = posting.posting.credit.text
                cells["amount"] = posting.amount
                cells["currency"] = posting.posting.amount.currency.text
                // No column for it: the importer refuses the row, and does not take it for a posting that counts.
                if posting.isPending { cells["record"] = "pending" }
                text += row(cells)
                cells["payload"] = nil
            }
            return text
        }
    }

    private static func row(_ cells: [String: String]) -> String {
        columns.map { quoted(cells[$0] ?? "") }.joined(separator: ",") + "\n"
    }

    private static func quoted(_ cell: String) -> String {
        cell.utf8.contains { ",\"\n\r".utf8.contains($0) } ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }
}
