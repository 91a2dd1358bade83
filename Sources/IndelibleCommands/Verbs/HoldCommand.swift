import ArgumentParser
import Indelible

struct HoldCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Settle and list holds (`indelible post --hold` places one).",
        subcommands: [Capture.self, Void.self, Expire.self, List.self])

    struct Capture: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Post what a hold holds, all or a part of it; the rest is released.",
            discussion: "The same command again prints the first receipt. A hold is settled once, whoever is first.")
        @OptionGroup var name: EntryName
        @Option(
            parsing: .unconditionalSingleValue,
            help: "How much, a decimal like 12.50; for a hold with several postings once for each, in order, 0 for nothing.")
        var amount: [String] = []
        @OptionGroup var words: WordOptions
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let receipt = try await book.withLedger { ledger in
                let hold = try await name.find(ledger)
                guard let id = hold.id else {
                    throw LedgerError(.notAHold, "nothing was ever recorded at position \(hold.position)")
                }
                return try await ledger.capture(
                    id, amounts: amount.isEmpty ? nil : try await amounts(of: hold, ledger), description: words.description,
                    reference: words.reference, actor: words.actor)
            }
            receipt.print(output.format)
            return .ok
        }

        private func amounts(of hold: JournalEntry, _ ledger: Ledger) async throws -> [Amount] {
            guard amount.count == hold.postings.count else {
                throw Failure(.badInput, "the hold has \(hold.postings.count) postings, and --amount is there \(amount.count) times")
            }
            let accounts = try await ledger.accounts(Set(hold.postings.map(\.debit)))
            return try zip(hold.postings, amount).map { posting, text in
                guard let currency = accounts[posting.debit]?.currency else {
                    throw LedgerError(.integrity, "posting \(posting.line) of the hold is on an account that the book has not")
                }
                return try currency.amount(text)
            }
        }
    }

    struct Void: Verb {
        static let configuration = CommandConfiguration(
            abstract: "End a hold without moving anything.", discussion: "The same command again prints the first receipt.")
        @OptionGroup var name: EntryName
        @OptionGroup var words: WordOptions
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let receipt = try await book.withLedger { ledger in
                try await ledger.void(
                    try await name.findID(ledger), description: words.description, reference: words.reference, actor: words.actor)
            }
            receipt.print(output.format)
            return .ok
        }
    }

    struct Expire: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Write the entries that end holds whose time is over.",
            discussion: "They hold nothing from their instant on, written or not; this keeps the books tidy. Run it as often as you like.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            var table = Table([.number("expired")])
            table.rows = [[String(try await book.withLedger { try await $0.expireHolds() })]]
            table.print(output.format)
            return .ok
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(
            abstract: "List the holds that nothing has settled, a line for each posting. In the order of the journal.",
            discussion: "`over` is one whose time is over: it holds nothing any more, and no entry says so yet.")
        @Option(help: "After this position.") var after: UInt64 = 0
        @Option(help: "At most so many holds.") var limit = 100
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            try await book.withLedger(role: .auditor) { ledger in
                let holds = try await ledger.outstandingHolds(after: Position(after), limit: limit)
                let rendering = try await EntryRendering(holds.map(\.entry), ledger)
                var table = Table([
                    .number("position"), .init("id"), .init("state"), .init("expires_at"), .init("amount", .right),
                    .init("currency"), .init("debit"), .init("credit"), .init("reference"),
                ])
                for hold in holds {
                    let payload = hold.entry.payload.flatMap { try? JSON(parsing: $0) }
                    for posting in hold.entry.postings {
                        let line = rendering.json(posting)
                        table.rows.append(
                            [
                                hold.entry.position.description, hold.entry.id?.description ?? "", hold.isOver ? "over" : "held",
                                hold.expiresAt?.description ?? "",
                            ] + ["amount", "currency", "debit", "credit"].map { line[$0]?.string ?? "" }
                                + [payload?["reference"]?.string ?? ""])
                    }
                }
                table.dropEmpty(["reference"], output.format)
                table.print(output.format)
                if holds.count == limit, let last = holds.last, !output.quiet {
                    Output.note("There may be more: --after \(last.entry.position), or a higher --limit.")
                }
                return .ok
            }
        }
    }
}
