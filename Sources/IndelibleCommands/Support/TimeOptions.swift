import ArgumentParser
import Indelible

/// Which balance is asked for.
struct TimeOptions: ParsableArguments {
    @Option(help: "current, projected or a position (default: current).") var at: String?
    @Option(help: ArgumentHelp("What counts by the end of this day, or by this time.", valueName: "day|time")) var asOf: String?
    @Option(help: ArgumentHelp("What was recorded by the end of this day, or by this time.", valueName: "day|time")) var recorded: String?

    static let discussion = """
        --at current        everything that is committed (default)
        --at projected      as the projection has it: fast, and as old as its lag
        --at POSITION       with every entry up to and with that position
        --as-of 2026-03-31  what counts by the end of that day, of everything that is committed; the day is one of the book's
                            time zone, and a time like 2026-03-31T12:00:00Z is that instant
        --recorded …        as it was known then: with every entry up to the first that was recorded later
        """

    func validate() throws {
        guard [at, asOf, recorded].count(where: { $0 != nil }) < 2 else {
            throw ValidationError("--at, --as-of and --recorded exclude each other.")
        }
    }

    func time(_ ledger: Ledger) async throws -> BalanceTime {
        if let asOf { return AccountingDay.isWritten(asOf) ? .day(try AccountingDay(asOf)) : .effective(try Timestamp(asOf)) }
        if let recorded {
            guard AccountingDay.isWritten(recorded) else { return .recorded(try Timestamp(recorded)) }
            return .recorded(try AccountingDay(recorded).lastInstant(in: try await ledger.timeZone()))
        }
        switch at ?? "current" {
        case "current": return .current
        case "projected": return .projected
        case let text:
            guard let number = UInt64(text) else { throw Failure(.usage, "--at is current, projected or a position, not “\(text)”") }
            return .position(Position(number))
        }
    }
}

extension AccountingDay {
    /// A day alone, without a time.
    static func isWritten(_ text: String) -> Bool { text.utf8.count <= 10 }
}
