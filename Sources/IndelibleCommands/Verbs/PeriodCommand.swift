import ArgumentParser
import Foundation
import Indelible

struct PeriodCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "period", abstract: "Close accounting periods.", subcommands: [Close.self, Show.self])

    struct Close: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Close the book through a day.",
            discussion: """
                Entries that count on that day or earlier are refused from then on, or re-dated if they ask for it \
                (`indelible post --redate`). Days are those of the book's time zone. A period is not opened again.
                """)
        @Argument(help: "The last day of the period, like 2026-01-31.") var day: String
        @Option(help: "Your own key for the entry; the same key with the same content is recorded once.") var key: String?
        @Option(help: "Who did it.") var actor: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let day = try AccountingDay(day)
            let receipt = try await book.withLedger { ledger in
                try await ledger.closePeriod(through: day, id: EntryID(optionalKey: key), actor: actor)
            }
            receipt.print(output.format)
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(abstract: "Show through which day the book is closed.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let (closedBefore, zone) = try await book.withLedger(role: .auditor) { ledger in
                (try await ledger.closedBefore(), try await ledger.timeZone())
            }
            let last = closedBefore.map { AccountingDay(of: Timestamp(microseconds: $0.microseconds - 1), in: zone) }
            var table = Table([.init("closed_through"), .init("closed_before"), .init("time_zone")])
            table.rows = [[last?.description ?? "", closedBefore?.description ?? "", zone.identifier]]
            table.print(output.format)
            return .ok
        }
    }
}

extension EntryID {
    /// The id of a key, or a new one.
    init(optionalKey key: String?) { self = key.map(EntryID.init(key:)) ?? .minted() }
}
