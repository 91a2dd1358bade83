import ArgumentParser
import Foundation
import Indelible

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Print the trial balance, the balance sheet or the income statement.",
        subcommands: [TrialBalanceReport.self, BalanceSheetReport.self, IncomeStatementReport.self])
}

struct TrialBalanceReport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "trial-balance", abstract: "Every account as a debit or a credit; both come to the same.",
        discussion: TimeOptions.discussion)
    @OptionGroup var when: TimeOptions
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let reports = try await book.withLedger(role: .auditor) { ledger in
            try await ledger.trialBalance(at: try await when.time(ledger))
        }
        var table = Table([
            .init("account"), .init("type"), .init("debit", .right), .init("credit", .right), .init("currency"),
        ])
        for report in reports where !report.lines.isEmpty {
            let currency = report.currency
            table.rows += report.lines.map { line in
                [line.account.path.text, line.account.type.rawValue]
                    + [line.debit, line.credit].map { $0 == 0 ? "" : currency.format($0) } + [currency.code.text]
            }
            table.rows.append([ReportTable.total, "", currency.format(report.debits), currency.format(report.credits), currency.code.text])
        }
        table.print(output.format)
        guard reports.allSatisfy(\.isBalanced) else {
            throw LedgerError(.integrity, "debits and credits differ: stop and run `indelible reconcile`")
        }
        return .ok
    }
}

struct BalanceSheetReport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "balance-sheet", abstract: "Assets, and who has a claim to them, at the end of a day.")
    @Option(help: ArgumentHelp("The day, in the book's time zone (default: today).", valueName: "day")) var asOf: String?
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let day = try asOf.map { text throws(LedgerError) in try AccountingDay(text) }
        let reports = try await book.withLedger(role: .auditor) { ledger in
            try await ledger.balanceSheet(asOf: try await day.orToday(ledger))
        }
        var table = ReportTable()
        for report in reports where report.assets.lines.count + report.liabilities.lines.count + report.equity.lines.count > 0
            || report.retainedEarnings != 0
        {
            for section in [report.assets, report.liabilities, report.equity] { table.add(section, report.currency) }
            table.add("retained earnings", ReportTable.total, report.retainedEarnings, report.currency)
            table.add("claims", ReportTable.total, report.claims, report.currency)
            table.add("difference", ReportTable.total, report.difference, report.currency)
        }
        table.print(output.format)
        guard reports.allSatisfy({ $0.difference == 0 }) else {
            throw LedgerError(.integrity, "assets and claims differ: stop and run `indelible reconcile`")
        }
        return .ok
    }
}

struct IncomeStatementReport: Verb {
    static let configuration = CommandConfiguration(
        commandName: "income-statement", abstract: "Income, expenses and the difference over some days.")
    @Option(help: ArgumentHelp("The first day, in the book's time zone.", valueName: "day")) var from: String
    @Option(help: ArgumentHelp("The last day (default: today).", valueName: "day")) var to: String?
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let from = try AccountingDay(from)
        let to = try to.map { text throws(LedgerError) in try AccountingDay(text) }
        let reports = try await book.withLedger(role: .auditor) { ledger in
            try await ledger.incomeStatement(from: from, to: try await to.orToday(ledger))
        }
        var table = ReportTable()
        for report in reports where report.income.lines.count + report.expenses.lines.count > 0 {
            for section in [report.income, report.expenses] { table.add(section, report.currency) }
            table.add("net", ReportTable.total, report.net, report.currency)
        }
        table.print(output.format)
        return .ok
    }
}

/// Sections of a report, each with its sum.
private struct ReportTable {
    /// No account can have this name.
    static let total = "*"
    private var table = Table([.init("section"), .init("account"), .init("amount", .right), .init("currency")])

    mutating func add(_ section: ReportSection, _ currency: Currency) {
        for line in section.lines { add(section.type.rawValue, line.account.path.text, line.minorUnits, currency) }
        add(section.type.rawValue, Self.total, section.total, currency)
    }

    mutating func add(_ section: String, _ account: String, _ minorUnits: Int128, _ currency: Currency) {
        table.rows.append([section, account, currency.format(minorUnits), currency.code.text])
    }

    func print(_ format: OutputFormat) { table.print(format) }
}

extension AccountingDay? {
    /// The day, or today, where the book's days begin and end.
    fileprivate func orToday(_ ledger: Ledger) async throws(LedgerError) -> AccountingDay {
        if let self { return self }
        return AccountingDay(of: Timestamp(Date()), in: try await ledger.timeZone())
    }
}
