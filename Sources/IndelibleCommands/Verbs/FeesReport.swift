import ArgumentParser
import Indelible

struct FeesReport: Verb {
    enum Key: String, ExpressibleByArgument, CaseIterable { case month, schedule, account }

    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Fees by month, schedule and account: what is charged, what is posted, what is due.")
    @Option(help: ArgumentHelp("A month, like 2026-01; or the first one, with --through.", valueName: "month")) var month: String?
    @Option(help: ArgumentHelp("The last month.", valueName: "month")) var through: String?
    @Option(help: "Only of this schedule.") var schedule: String?
    @Option(help: ArgumentHelp("Only accounts that fit, like merchants:* or merchants:**.", valueName: "pattern")) var account: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What has a line of its own (default: month schedule account).", valueName: "month|schedule|account"))
    var by: [Key] = []
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        var query = FeeQuery()
        query.from = try month.map { text throws(LedgerError) in try AccountingMonth(text) }
        query.through = try through.map { text throws(LedgerError) in try AccountingMonth(text) } ?? query.from
        query.schedule = schedule
        if let account {
            guard let pattern = AccountPattern(account) else {
                throw Failure(.usage, "--account “\(account)” is no pattern: like customers:*, or customers:** for any depth")
            }
            query.accounts = pattern
        }
        let asked = query
        let (months, position) = try await book.withLedger(role: .auditor) { try await $0.feeMonths(asked) }
        let keys = by.isEmpty ? Key.allCases : Key.allCases.filter(by.contains)
        var sums: [[String]: (currency: Currency, charged: Int64, volume: Int128, fees: Int128, waived: Int128, posted: Int128)] = [:]
        for one in months {
            let key = keys.map { Self.value($0, one) } + [one.account.currency.code.text]
            var sum = sums[key] ?? (one.account.currency, 0, 0, 0, 0, 0)
            sum.charged += one.charged
            (sum.volume, sum.fees) = (sum.volume + one.volume, sum.fees + one.fees)
            (sum.waived, sum.posted) = (sum.waived + one.waived, sum.posted + one.assessed)
            sums[key] = sum
        }
        var table = Table(
            keys.map { .init($0.rawValue) } + [
                .init("currency"), .number("charged"), .init("volume", .right), .init("fees", .right), .init("waived", .right), .init("posted", .right),
                .init("due", .right),
            ])
        table.rows = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, sum in
            key + [String(sum.charged)] + [sum.volume, sum.fees, sum.waived, sum.posted, sum.fees - sum.posted].map { sum.currency.format($0) }
        }
        table.print(output.format)
        if !output.quiet { Output.note("fees through position \(position)") }
        return .ok
    }

    private static func value(_ key: Key, _ one: FeeMonth) -> String {
        switch key {
        case .month: one.month.description
        case .schedule: one.schedule
        case .account: one.account.path.text
        }
    }
}
