import ArgumentParser
import Foundation
import Indelible

struct PostCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "post", abstract: "Post one entry, or hold its amount.",
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
    @Flag(help: "If that is in a closed period, let it count from the first instant that is not closed.") var redate = false
    @Flag(help: "Only hold the amount, until `indelible hold` captures or voids it.") var hold = false
    @Option(help: ArgumentHelp("The hold ends by itself at this instant.", valueName: "time")) var expiresAt: String?
    @OptionGroup var words: WordOptions
    @Flag(help: "Read the entry from standard input, in the JSON form of `import`.") var json = false
    @Flag(help: "Write nothing, and print what the accounts would stand at.") var dryRun = false
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard expiresAt == nil || hold else { throw ValidationError("--expires-at is of a hold: give --hold too.") }
        guard !json else { return }
        guard debit != nil, credit != nil, amount != nil, currency != nil else {
            throw ValidationError("Give --debit, --credit, --amount and --currency, or --json.")
        }
    }

    func execute() async throws -> ExitStatus {
        // Without a key of the caller's the same command again would post again, so a key is made and told.
        let key = key ?? "post-" + UUID().uuidString.lowercased()
        if dryRun { return try await preview(key) }
        let receipt: Receipt
        do {
            receipt = try await book.withLedger { try await $0.post(try await entry($0, key)) }
        } catch let error as LedgerError where error.retry != .never && !json && self.key == nil {
            throw Failure(ExitStatus(error), error.message + ". To ask again, add --key \(key)")
        }
        receipt.print(output.format)
        return .ok
    }

    private func preview(_ key: String) async throws -> ExitStatus {
        let preview = try await book.withLedger(role: .auditor) { try await $0.preview([try await entry($0, key)])[0] }
        var table = Table([
            .init("account"), .init("balance", .right), .init("available", .right), .init("currency"), .init("type"),
            .number("through"),
        ])
        table.rows = preview.balances.map { balance in
            [
                balance.account.path.text, balance.text, balance.account.currency.format(balance.available),
                balance.account.currency.code.text, balance.account.type.rawValue, balance.through.description,
            ]
        }
        table.print(output.format)
        guard !output.quiet else { return .ok }
        if let standing = preview.standing {
            Output.note("It is recorded already, at position \(standing.position): posting it again would do nothing.")
        } else {
            Output.note("Nothing was written.")
        }
        return .ok
    }

    private func entry(_ ledger: Ledger, _ key: String) async throws -> Entry {
        var entry = json ? try await entryFromInput(ledger) : try await entryFromOptions(ledger, key)
        if hold { entry.hold = Hold(expiresAt: try expiresAt.map { text throws(LedgerError) in try Timestamp(text) }) }
        if redate { entry.backdating = .redate }
        return entry
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
            effectiveAt: try effectiveAt.map { text throws(LedgerError) in try Timestamp(text) }, description: words.description,
            reference: words.reference, actor: words.actor,
            postings: [
                Posting(
                    debit: try AccountPath(debit ?? ""), credit: try AccountPath(credit ?? ""),
                    amount: try known.amount(amount ?? ""))
            ])
    }
}
