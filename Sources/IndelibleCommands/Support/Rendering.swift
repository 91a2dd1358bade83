import Indelible

/// Entries for people and for programs.
struct EntryRendering {
    let accounts: [AccountID: Account]

    init(_ entries: [JournalEntry], _ ledger: Ledger) async throws {
        accounts = try await ledger.accounts(Set(entries.flatMap(\.postings).flatMap { [$0.debit, $0.credit] }))
    }

    func json(_ entry: JournalEntry) -> JSON {
        var members: [String: JSON] = [
            "position": .integer(Int64(clamping: entry.position.number)), "kind": .string(entry.kind.text),
            "effective_at": .string(entry.effectiveAt.description), "recorded_at": .string(entry.recordedAt.description),
            "postings": .array(entry.postings.map(json)),
        ]
        if let id = entry.id { members["id"] = .string(id.description) }
        if let payload = entry.payload, let value = try? JSON(parsing: payload) { members["payload"] = value }
        return .object(members)
    }

    func json(_ posting: JournalPosting) -> JSON {
        var members: [String: JSON] = [
            "debit": .string(name(posting.debit)), "credit": .string(name(posting.credit)), "amount": .string(amount(posting)),
            "currency": .string(accounts[posting.debit]?.currency.code.text ?? "?"),
        ]
        members["status"] = .string(posting.status.word)
        return .object(members)
    }

    func text(_ entry: JournalEntry) -> [String] {
        var lines = ["\(entry.position)  \(entry.kind)  \(entry.effectiveAt)"]
        if let id = entry.id { lines.append("    id           \(id)") }
        lines.append("    recorded at  \(entry.recordedAt)")
        if let payload = entry.payload, case .object(let members)? = try? JSON(parsing: payload) {
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                lines.append("    \(key.padding(11))  \(value.string ?? value.text)")
            }
        }
        for posting in entry.postings {
            let currency = accounts[posting.debit]?.currency.code.text ?? "?"
            let status = posting.status == .posted ? "" : "  (\(posting.status.word))"
            lines.append("    \(amount(posting)) \(currency)  debit \(name(posting.debit))  credit \(name(posting.credit))\(status)")
        }
        return lines
    }

    private func name(_ id: AccountID) -> String { accounts[id]?.path.text ?? "account \(id.number)" }

    private func amount(_ posting: JournalPosting) -> String {
        accounts[posting.debit]?.currency.format(Int128(posting.amount)) ?? "\(posting.amount) minor units"
    }
}

extension String {
    func padding(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}

extension PostingStatus {
    /// What the design calls it.
    var word: String {
        switch self {
        case .posted: "posted"
        case .pending: "pending"
        case .released: "released"
        }
    }
}

extension Receipt {
    /// As data: the entry is recorded, here and then.
    func print(_ format: OutputFormat) {
        guard format != .json else { return Output.line(json.text) }
        var table = Table([.init("id"), .number("position"), .init("recorded_at"), .init("repeat")])
        table.rows = [[id.description, position.description, recordedAt.description, isRepeat ? "yes" : "no"]]
        table.print(format)
    }

    var json: JSON {
        [
            "id": .string(id.description), "position": .integer(Int64(clamping: position.number)),
            "recorded_at": .string(recordedAt.description), "repeat": .bool(isRepeat),
        ]
    }
}
