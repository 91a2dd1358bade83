import ArgumentParser
import Indelible

struct EntryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entry", abstract: "Show and find entries of the journal.", subcommands: [Show.self, Find.self])

    struct Show: Verb {
        static let configuration = CommandConfiguration(abstract: "Show one entry, by its key, its id or its position.")
        @OptionGroup var name: EntryName
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await book.withLedger(role: .auditor) { ledger in
                try await EntryCommand.print([try await name.find(ledger)], ledger, output.format)
                return .ok
            }
        }
    }

    struct Find: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Find entries; every condition must hold. In the order of the journal.")
        @Option var reference: String?
        @Option var kind: String?
        @Option(help: "Of this stream, like story:42.") var stream: String?
        @Option(help: "Counting from this time on.") var from: String?
        @Option(help: "Counting before this time.") var before: String?
        @Option(help: "After this position.") var after: UInt64 = 0
        @Option(help: "At most so many.") var limit = 100
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            var query = EntryQuery()
            query.reference = reference
            query.kind = try kind.map { text throws(LedgerError) in try EntryKind(text) }
            query.stream = try stream.map { text throws(LedgerError) in try StreamName(parsing: text) }
            query.effectiveFrom = try from.map { text throws(LedgerError) in try Timestamp(text) }
            query.effectiveBefore = try before.map { text throws(LedgerError) in try Timestamp(text) }
            query.after = Position(after)
            query.limit = limit
            let found = query
            return try await book.withLedger(role: .auditor) { ledger in
                let entries = try await ledger.entries(found)
                try await EntryCommand.print(entries, ledger, output.format)
                if entries.count == limit, let last = entries.last, !output.quiet {
                    Output.note("There may be more: --after \(last.position), or a higher --limit.")
                }
                return .ok
            }
        }
    }

    static func print(_ entries: [JournalEntry], _ ledger: Ledger, _ format: OutputFormat) async throws {
        let rendering = try await EntryRendering(entries, ledger)
        switch format {
        case .json: for entry in entries { Output.line(rendering.json(entry).text) }
        case .table: for entry in entries { for line in rendering.text(entry) { Output.line(line) } }
        case .csv:
            var table = Table(
                ["position", "id", "kind", "effective_at", "recorded_at", "debit", "credit", "amount", "currency", "status", "payload"]
                    .map { .init($0) })
            for entry in entries {
                let head = [
                    entry.position.description, entry.id?.description ?? "", entry.kind.text, entry.effectiveAt.description,
                    entry.recordedAt.description,
                ]
                guard case .object(let members) = rendering.json(entry), case .array(let postings)? = members["postings"]
                else { continue }
                for posting in postings.isEmpty ? [[:]] : postings {
                    let cells = ["debit", "credit", "amount", "currency", "status"].map { posting[$0]?.string ?? "" }
                    table.rows.append(head + cells + [entry.payload ?? ""])
                }
            }
            table.print(.csv)
        }
    }
}
