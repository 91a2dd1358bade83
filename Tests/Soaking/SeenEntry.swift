import Indelible

/// An entry of the journal that has a payload.
struct SeenEntry {
    let id: String
    let kind: String
    let position: UInt64
    let payload: JSON
    var header: JSON? { payload["ledger"]?["command"] }
    /// Of which bulk a command is, and for whom.
    var membership: (bulk: String, account: String)? {
        guard let bulk = header?["bulk"], let id = bulk["id"]?.string, let account = bulk["account"]?.string else { return nil }
        return (id, account)
    }
    var subject: String { header?["subject"]?.string ?? "" }
    func number(_ key: String) -> Int64 { if case .integer(let number)? = payload[key] { number } else { -1 } }
    var priority: Int64 { if case .integer(let number)? = header?["priority"] { number } else { 0 } }
    var sentAt: Timestamp { (try? Timestamp(header?["sent_at"]?.string ?? "")) ?? Timestamp(microseconds: 0) }
    var isRefused: Bool { payload["isRefused"] == true }
    /// What only one can have; nil for those that conflict with nobody.
    var slot: String? {
        guard let sort = payload["sort"]?.string, sort != "chain", let slot = payload["slot"]?.string else { return nil }
        return "\(sort) \(slot)"
    }
    func ranks(before other: SeenEntry) -> Bool {
        if priority != other.priority { return priority > other.priority }
        if sentAt != other.sentAt { return sentAt < other.sentAt }
        return position < other.position
    }

    /// All of a journal, in its order.
    /// - Throws: if it cannot be read.
    static func all(_ ledger: Ledger) async throws -> [SeenEntry] {
        var all: [SeenEntry] = []
        var query = EntryQuery()
        query.limit = 10_000
        while true {
            let page = try await ledger.entries(query)
            guard let last = page.last else { return all }
            query.after = last.position
            for entry in page {
                guard let text = entry.payload, let id = entry.id else { continue }
                all.append(SeenEntry(id: id.description, kind: entry.kind.text, position: entry.position.number, payload: try JSON(parsing: text)))
            }
        }
    }
}
