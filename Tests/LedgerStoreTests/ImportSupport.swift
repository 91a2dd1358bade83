import Indelible
import IndelibleTesting
import Testing

/// A file in memory.
func file(_ text: String, _ name: String = "f.csv") -> Importer.File { file(Array(text.utf8), name) }

func file(_ bytes: [UInt8], _ name: String = "f.csv") -> Importer.File {
    Importer.File(name: name, format: name.hasSuffix(".csv") ? .csv : .jsonl, bytes: bytes)
}

/// Takes the ▸ out of a text and tells where it stood: a problem is expected there.
func marked(_ text: String) -> (text: String, place: String) {
    let parts = text.split(separator: "▸", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return (parts.joined(), "\(lines.count):\(lines.last!.count + 1)")
}

extension TestBook {
    /// `cash` and `bank` (assets), `alice` and `bob` (liabilities) in EUR, `yen` in JPY, `both` in EUR and USD.
    func openAccounts() async throws {
        let text = """
            account,currency,type
            cash,EUR,asset
            bank,EUR,asset
            alice,EUR,liability
            bob,EUR,liability
            yen,JPY,asset
            both,EUR,asset
            both,USD,asset
            """
        let summary = try await run([file(text)])
        #expect(summary.problems == [])
    }

    func run(_ files: [Importer.File], keepGoing: Bool = false) async throws -> Importer.Summary {
        try await Importer(ledger, batchEntries: 3).run(files, keepGoing: keepGoing)
    }

    /// The entries that somebody posted, without the ledger's own.
    func entries(after: Position = .zero) async throws -> [JournalEntry] {
        var query = EntryQuery()
        query.limit = 1_000_000
        query.after = after
        return try await ledger.entries(query).filter { !$0.kind.isReserved }
    }

    /// Everything in the journal, the ledger's own entries too.
    func journalCount() async throws -> Int {
        var query = EntryQuery()
        query.limit = 1_000_000
        return try await ledger.entries(query).count
    }
}
