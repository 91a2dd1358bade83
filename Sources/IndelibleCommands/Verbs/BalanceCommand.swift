import ArgumentParser
import Indelible

struct BalanceCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "balance", abstract: "Print balances.",
        discussion: """
            --at current    everything that is committed (default)
            --at projected  as the projection has it: fast, and as old as its lag
            --at POSITION   with every entry up to and with that position

            A column `available` (the balance less what is held to be drawn) is there when something is held or limited.
            """)

    @Argument(help: "Only paths that are this or lie below it.") var path: String?
    @Option(help: "Only this currency.") var currency: String?
    @Option(help: "current, projected or a position.") var at = "current"
    @Flag(help: "Also accounts that never moved.") var all = false
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let time: BalanceTime
        switch at {
        case "current": time = .current
        case "projected": time = .projected
        default:
            guard let number = UInt64(at) else { throw Failure(.usage, "--at is current, projected or a position, not “\(at)”") }
            time = .position(Position(number))
        }
        let below = try path.map { text throws(LedgerError) in try AccountPath(text) }
        let code = try currency.map { text throws(LedgerError) in try CurrencyCode(text) }
        let balances = try await book.withLedger(role: .auditor) { try await $0.balances(at: time) }.filter {
            (below == nil || $0.account.path.isWithin(below!)) && (code == nil || $0.account.currency.code == code)
        }
        if let below, balances.isEmpty {
            throw LedgerError(.unknownAccount, "there is no account \(below)" + (code.map { " in \($0)" } ?? ""))
        }
        let shown = balances.filter { all || below != nil || $0.totals != Totals() }
        let isAvailableOfUse = shown.contains { $0.account.isLimited || $0.available != $0.minorUnits }
        var table = Table([
            .init("account"), .init("balance", .right), .init("available", .right), .init("currency"), .init("type"),
            .number("through"),
        ])
        table.rows = shown.map { balance in
            let account = balance.account
            let isTold = output.format != .table || isAvailableOfUse
            return [
                account.path.text, balance.text, isTold ? account.currency.format(balance.available) : "",
                account.currency.code.text, account.type.rawValue, balance.through.description,
            ]
        }
        table.dropEmpty(["available"], output.format)
        table.print(output.format)
        return .ok
    }
}
