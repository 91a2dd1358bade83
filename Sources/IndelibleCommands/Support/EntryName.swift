import ArgumentParser
import Indelible

/// How a command line names an entry: its key, its id or its position.
struct EntryName: ParsableArguments {
    @Argument(help: "The key that it was posted with; else its id or its position.") var key: String?
    @Option(help: "Its id, 32 hexadecimal digits.") var id: String?
    @Option(help: "Its position in the journal.") var position: UInt64?

    func validate() throws {
        guard [key != nil, id != nil, position != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("Give a key, --id or --position.")
        }
    }

    /// - Throws: `unknownEntry`.
    func find(_ ledger: Ledger) async throws -> JournalEntry {
        guard let entry = try await found(ledger) else {
            throw LedgerError(.unknownEntry, "there is no such entry in the book (looked for a key, an id and a position)")
        }
        return entry
    }

    /// The id of an entry that a user posted.
    /// - Throws: `unknownEntry`, also for a position that nobody will ever use.
    func findID(_ ledger: Ledger) async throws -> EntryID {
        let entry = try await find(ledger)
        guard let id = entry.id else {
            throw LedgerError(.unknownEntry, "nothing was ever recorded at position \(entry.position)")
        }
        return id
    }

    private func found(_ ledger: Ledger) async throws -> JournalEntry? {
        if let position { return try await ledger.entry(at: Position(position)) }
        if let id {
            guard let id = EntryID(hex: id) else { throw Failure(.usage, "“\(id)” is no id: 32 hexadecimal digits") }
            return try await ledger.entry(id)
        }
        let name = key ?? ""
        if let entry = try await ledger.entry(EntryID(key: name)) { return entry }
        // No key of that name: an id, or a position?
        if let id = EntryID(hex: name) { return try await ledger.entry(id) }
        return if let number = UInt64(name) { try await ledger.entry(at: Position(number)) } else { nil }
    }
}

/// What may be said beside an entry that the ledger writes itself.
struct WordOptions: ParsableArguments {
    @Option var description: String?
    @Option(help: "Your own name for what this is about.") var reference: String?
    @Option(help: "Who did it.") var actor: String?
}
