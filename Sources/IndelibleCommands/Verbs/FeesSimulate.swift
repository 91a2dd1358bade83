import ArgumentParser
import Indelible

struct FeesSimulate: Verb {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Price what is recorded by another schedule, and show the difference.",
        discussion: """
            As if the document were published: from the first month that it applies to, in place of the version with its number if there is one. Nothing is written.
            """)
    @Option(help: ArgumentHelp("The JSON document.", valueName: "file")) var schedule: String
    @Option(help: ArgumentHelp("Only this month, like 2026-01.", valueName: "month")) var month: String?
    @Flag(help: "Only lines that differ.") var differences = false
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let only = try month.map { text throws(LedgerError) in try AccountingMonth(text) }
        let document = try ScheduleFile.read(schedule)
        let simulation = try await book.withLedger(role: .auditor) { try await $0.simulateFees(document) }
        let lines = simulation.lines.filter { line in (only.map { $0 == line.month } ?? true) && !(differences && line.difference == 0) }
        var table = Table([
            .init("month"), .init("account"), .init("currency"), .number("charged_now"), .number("charged_then"), .init("fees_now", .right),
            .init("fees_then", .right), .init("difference", .right),
        ])
        var totals: [CurrencyCode: (currency: Currency, now: Int128, then: Int128)] = [:]
        for line in lines {
            let currency = line.account.currency
            table.rows.append(
                [line.month.description, line.account.path.text, currency.code.text, String(line.charged.now), String(line.charged.then)]
                    + [line.fees.now, line.fees.then, line.difference].map { currency.format($0) })
            let before = totals[currency.code] ?? (currency, 0, 0)
            totals[currency.code] = (currency, before.now + line.fees.now, before.then + line.fees.then)
        }
        if output.format == .table {
            for total in totals.values.sorted(by: { $0.currency.code < $1.currency.code }) {
                table.rows.append(
                    ["", "total", total.currency.code.text, "", ""] + [total.now, total.then, total.then - total.now].map { total.currency.format($0) })
            }
        }
        table.print(output.format)
        if !output.quiet {
            Output.note("schedule \(simulation.schedule.name), version \(simulation.schedule.version), on the journal through position \(simulation.through)")
        }
        return .ok
    }
}
