import ArgumentParser
import Foundation
import Indelible

struct PostCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "post", abstract: "Post one entry.",
        discussion: """
            Post with a key of your own, and doing it again does nothing:
              indelible post --key order-1 --kind order.paid --debit customers:alice --credit merchants:bob \\
                --amount 12.50 --currency EUR
            An entry with several postings is given as one line of JSON on standard input, with --json.
            """)

    @Option(help: "Your own key for the entry; the same key with the same content is posted once.") var key: String?
    @Option(help: "What kind of fact it is.") var kind = "posted"
    @Option(help: "The account that is debited: assets and expenses grow, the others shrink.") var debit: String?
    @Option(help: "The account that is credited: liabilities, equity and income grow, the others shrink.") var credit: String?
    @Option(parsing: .unconditional, help: "A decimal, like 12.50.") var amount: String?
    @Option(help: "The currency of both accounts.") var currency: String?
    @Option(help: "When it counts (default: now).") var effectiveAt: String?
    @Option var description: String?
    @Option(help: "Your own name for what this is about.") var reference: String?
    @Option(help: "Who did it.") var actor: String?
    @Flag(help: "Read the entry from standard input, in the JSON form of `import`.") var json = false
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !json else { return }
        guard debit != nil, credit != nil, amount != nil, currency != nil else {
            throw ValidationError("Give --debit, --credit, --amount and --currency, or --json.")
        }
    }

    func execute() async throws -> ExitStatus {
        // Without a key of the caller's the same command again would post again, so a key is made and told.
        let key = key ?? "post-" + UUID().uuidString.lowercased()
        let receipt: Receipt
        do {
            receipt = try await book.withLedger { ledger in
                try await ledger.post(json ? try await entryFromInput(ledger) : try await entryFromOptions(ledger, key))
            }
        } catch let error as LedgerError where error.retry != .never && !json && self.key == nil {
            throw Failure(ExitStatus(error), error.message + ". To ask again, add --key \(key)")
        }
        switch output.format {
        case .json: Output.line(receipt.json.text)
        case .table, .csv:
            var table = Table([.init("id"), .number("position"), .init("recorded_at"), .init("repeat")])
            table.rows = [[
                receipt.id.description, receipt.position.description, receipt.recordedAt.description,
                receipt.isRepeat ? "yes" : "no",
            ]]
            table.print(output.format)
        }
        return .ok
    }

    private func entryFromInput(_ ledger: Ledger) async throws -> Entry {
        let bytes = [UInt8](FileHandle.standardInput.readDataToEndOfFile())
        let file = Importer.File(name: "standard input", format: .jsonl, bytes: bytes)
        do { return try await Importer(ledger).entry(in: file) } catch let problem as ImportProblem {
            throw Failure(.badInput, problem.description)
        }
    }

    private func entryFromOptions(_ ledger: Ledger, _ key: String) async throws -> Entry {
        let code = try CurrencyCode(currency ?? "")
        let currencies = try await ledger.currencies()
        guard let known = currencies.first(where: { $0.code == code }) ?? Currency.iso(code) else {
            throw LedgerError(.unknownCurrency, "the book has no currency \(code)")
        }
        return Entry(
            id: EntryID(key: key), kind: try EntryKind(kind),
            effectiveAt: try effectiveAt.map { text throws(LedgerError) in try Timestamp(text) }, description: description,
            reference: reference, actor: actor,
            postings: [
                Posting(
                    debit: try AccountPath(debit ?? ""), credit: try AccountPath(credit ?? ""),
                    amount: try known.amount(amount ?? ""))
            ])
    }
}
