import ArgumentParser
import Indelible

struct ReverseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reverse", abstract: "Record the opposite of an entry, once.",
        discussion: """
            Every posting again with debit and credit swapped. The same command again prints the first receipt. A hold is \
            voided instead (`indelible hold void`); of a capture, what it posted is reversed.
            """)

    @OptionGroup var name: EntryName
    @Option(help: "When the reversal counts (default: now).") var effectiveAt: String?
    @Flag(help: "If that is in a closed period, let it count from the first instant that is not closed.") var redate = false
    @OptionGroup var words: WordOptions
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let time = try effectiveAt.map { text throws(LedgerError) in try Timestamp(text) }
        let receipt = try await book.withLedger { ledger in
            try await ledger.reverse(
                try await name.findID(ledger), effectiveAt: time, description: words.description, reference: words.reference,
                actor: words.actor, backdating: redate ? .redate : .refuse)
        }
        receipt.print(output.format)
        return .ok
    }
}
