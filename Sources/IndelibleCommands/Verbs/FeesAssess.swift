import ArgumentParser
import Indelible

struct FeesAssess: Verb {
    static let configuration = CommandConfiguration(
        commandName: "assess", abstract: "Post what is due of a month's fees, of all accounts.",
        discussion: """
            For each account and schedule one entry, as of the month's last instant. Run it twice, or by two at once: nothing is posted twice; what has changed \
            since is. Who is refused (a limit, a frozen account) is listed with the reason and the others are posted; it exits with 2 then. \
            `indelible fees report --month …` shows before what is due.
            """)
    @Option(help: "The month, like 2026-01.") var month: String
    @Option(help: "Only of this schedule.") var schedule: String?
    @Option(help: "Who did it.") var actor: String?
    @Option(help: "Seconds to wait until what is recorded is projected.") var wait: UInt32 = 10
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let month = try AccountingMonth(month)
        let progress = Progress("posted", isQuiet: output.quiet)
        let assessment = try await book.withLedger { ledger in
            try await ledger.assessFees(for: month, schedule: schedule, actor: actor, timeout: .seconds(Int64(wait))) { done, total in
                progress.show(UInt64(done), of: UInt64(total), from: 0)
            }
        }
        progress.end()
        var table = Table([
            .init("schedule"), .init("account"), .init("fees", .right), .init("currency"), .init("outcome"), .number("position"), .init("reason"),
        ])
        func row(_ item: FeeAssessment.Item, _ rest: [String]) -> [String] {
            [item.schedule, item.account.path.text, item.account.currency.format(item.amount), item.account.currency.code.text] + rest
        }
        table.rows = assessment.posted.map { row($0.item, [$0.receipt.isRepeat ? "posted before" : "posted", $0.receipt.position.description, ""]) }
        table.rows += assessment.refused.map { row($0.item, ["refused", "", $0.error.message]) }
        table.dropEmpty(["reason"], output.format)
        table.print(output.format)
        if !output.quiet {
            Output.note(
                "\(month): \(assessment.posted.count) posted, \(assessment.refused.count) refused, \(assessment.settled) with nothing due; fees through position "
                    + "\(assessment.through)")
        }
        return assessment.refused.isEmpty ? .ok : .refused
    }
}
