import ArgumentParser
import Indelible

extension AccountCommand {
    struct Lines: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Print an account's history: a line for every posting, with the balance after it.",
            discussion: """
                Lines are those of the job account_line, as old as its lag; `through` says through which position they are exact. \
                A page that is not the last tells the cursor of the next: repeat the command with --after.

                --from and --to bound the lines: positions (both included), days of the book's time zone (both included), or times \
                like 2026-01-31T23:59:59Z (--to not included). Days and times need --order effective, which they imply.
                """)
        @Argument(help: "The path, like customers:alice.") var path: String
        @Argument(help: "The currency, like EUR.") var currency: String
        @Option(help: "position (as it became known) or effective (when it counts).") var order: AccountLineRange.Order?
        @Option(help: ArgumentHelp("The first position or day.", valueName: "day|position")) var from: String?
        @Option(help: ArgumentHelp("The last position or day.", valueName: "day|position")) var to: String?
        @Flag(help: "From the newest line to the oldest.") var newest = false
        @Option(help: "Lines of a page, 1 to \(AccountLines.limitMax).") var limit = 50
        @Option(help: ArgumentHelp("Go on after the page that gave this.", valueName: "cursor")) var after: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func validate() throws {
            guard (1...AccountLines.limitMax).contains(limit) else { throw ValidationError("--limit is 1 to \(AccountLines.limitMax).") }
        }

        func execute() async throws -> ExitStatus {
            let path = try AccountPath(path)
            let code = try CurrencyCode(currency)
            let cursor = try after.map { text throws(LedgerError) in try AccountLineCursor(text) }
            let page = try await book.withLedger(role: .auditor) { ledger in
                let range = try await range(ledger, isGoingOn: cursor != nil)
                return try await ledger.accountLines(of: path, in: code, range, after: cursor, limit: limit)
            }
            let rendering = AccountLineRendering(page: page)
            switch output.format {
            case .table: rendering.printText()
            case .csv: rendering.table.print(.csv)
            case .json: Output.line(rendering.json.text)
            }
            if output.format != .json, !output.quiet, let next = page.next { Output.note("There is more: --after \(next)") }
            return .ok
        }

        /// nil: those of the cursor.
        private func range(_ ledger: Ledger, isGoingOn: Bool) async throws -> AccountLineRange? {
            if isGoingOn, order == nil, from == nil, to == nil, !newest { return nil }
            let bounds = [from, to].compactMap { $0 }
            let positions = bounds.compactMap { UInt64($0) }
            guard positions.isEmpty || positions.count == bounds.count else {
                throw Failure(.usage, "--from and --to are both positions, or both days")
            }
            if order ?? (bounds.count > positions.count ? .effective : .position) == .position {
                guard bounds.count == positions.count else {
                    throw Failure(.usage, "--order position is bounded by positions, not by days: write --order effective")
                }
                return .positions(
                    from: from.flatMap { UInt64($0) }.map(Position.init), through: to.flatMap { UInt64($0) }.map(Position.init),
                    newestFirst: newest)
            }
            guard positions.isEmpty else {
                throw Failure(.usage, "--order effective is bounded by days or times, not by positions: write --order position")
            }
            let zone = try await ledger.timeZone()
            // A text of ten characters is a day.
            let first = try from.map { text throws(LedgerError) in
                text.count > 10 ? try Timestamp(text) : try AccountLineRange.beginning(of: AccountingDay(text), zone)
            }
            let end = try to.map { text throws(LedgerError) in
                text.count > 10 ? try Timestamp(text) : try AccountingDay(text).end(in: zone)
            }
            return .effective(from: first, before: end, newestFirst: newest)
        }
    }
}

/// A page of account lines for people and for programs.
private struct AccountLineRendering {
    let page: AccountLinePage

    private var currency: Currency { page.account.currency }

    private func amount(_ minorUnits: UInt64?) -> String { minorUnits.map { currency.format(Int128($0)) } ?? "" }

    func printText() {
        var table = Table([
            .init("position"), .init("effective"), .init("kind"), .init("text"), .init("counterpart"), .init("debit", .right),
            .init("credit", .right), .init("balance", .right), .init("status"),
        ])
        let lines = page.lines.map { line in
            [
                line.position.description, line.effectiveAt.description, line.kind.text, Self.text(line), line.counterpart.text,
                amount(line.debit), amount(line.credit), currency.format(line.balance), line.status == .posted ? "" : line.status.word,
            ]
        }
        let opening = ["", "", "opening", "", "", "", "", currency.format(page.opening), ""]
        let closing = ["", "", "closing", "", "", "", "", currency.format(page.closing), ""]
        let ends = page.range.isNewestFirst ? (closing, opening) : (opening, closing)
        table.rows = [ends.0] + lines + [ends.1]
        table.dropEmpty(["text", "status"], .table)
        Output.line("\(page.account.path) \(currency.code), exact through position \(page.through)")
        table.print(.table)
    }

    /// Description and reference on one line: whoever wrote them cannot make another.
    private static func text(_ line: AccountLine) -> String {
        let parts = [line.description, line.reference].compactMap { $0 }.filter { !$0.isEmpty }
        let text = parts.joined(separator: " / ")
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var table: Table {
        var table = Table([
            .number("position"), .number("line"), .init("entry"), .init("kind"), .init("description"), .init("reference"),
            .init("effective_at"), .init("recorded_at"), .init("counterpart"), .init("debit"), .init("credit"), .init("status"), .init("balance"),
        ])
        table.rows = page.lines.map { line in
            [
                line.position.description, String(line.line), line.entry.description, line.kind.text, line.description ?? "",
                line.reference ?? "", line.effectiveAt.description, line.recordedAt.description, line.counterpart.text, amount(line.debit),
                amount(line.credit), line.status.word, currency.format(line.balance),
            ]
        }
        return table
    }

    var json: JSON {
        [
            "schema": 1, "account": .string(page.account.path.text), "currency": .string(currency.code.text),
            "type": .string(page.account.type.rawValue), "order": .string(page.range.order.rawValue),
            "newest_first": .bool(page.range.isNewestFirst), "opening": .string(currency.format(page.opening)),
            "closing": .string(currency.format(page.closing)), "through": .integer(Int64(clamping: page.through.number)),
            "lines": .array(table.objects), "next": page.next.map { .string($0.text) } ?? .null,
        ]
    }
}
