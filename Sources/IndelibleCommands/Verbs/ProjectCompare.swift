import ArgumentParser
import Indelible

struct ProjectCompare: Verb {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare a generation of a job with another one, or with the journal.",
        discussion: """
            Both as of the last position that both have reached. --journal compares with what the server computes from the postings, in \
            queries that neither the job nor its readers use.

            Exits 0 if they are equal, 1 if they differ, 3 if they have no position in common.
            """)

    @Argument var job: String
    @Option(help: "This generation.") var generation: UInt32
    @Option(help: ArgumentHelp("With this one (default: the live one).", valueName: "generation")) var with: UInt32?
    @Flag(help: "With the journal itself.") var journal = false
    @Option(help: ArgumentHelp("Only this account (with --currency).", valueName: "path")) var account: String?
    @Option(help: "The account's currency.") var currency: String?
    @Option(help: ArgumentHelp("As of this position.", valueName: "position")) var at: UInt64?
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard with == nil || !journal else { throw ValidationError("Give --with or --journal, not both.") }
        guard (account == nil) == (currency == nil) else { throw ValidationError("Give --account and --currency together.") }
    }

    func execute() async throws -> ExitStatus {
        _ = try ProjectCommand.known(job)
        guard output.format != .csv else { throw Failure(.usage, "compare prints a table or JSON") }
        var one: AccountID?
        if let account, let currency {
            let (path, code) = (try AccountPath(account), try CurrencyCode(currency))
            one = try await book.withLedger(role: .auditor) { try await $0.account(path, in: code).id }
        }
        let other: JobComparison.Other = journal ? .journal : with.map { .generation($0) } ?? .live
        let result = try await ProjectCommand.withProjector(book, isReader: true) {
            try await $0.compare(job, generation: generation, with: other, account: one, at: at.map { Position($0) })
        }
        if output.format == .json { Output.line(Self.json(result).text) } else { Self.print(result) }
        return result.hasNothingInCommon ? .incomplete : result.isEqual ? .ok : .breaks
    }

    private static func name(_ other: JobComparison.Other) -> String {
        switch other {
        case .live: "the live generation"
        case .generation(let number): "generation \(number)"
        case .journal: "the journal"
        }
    }

    private static func print(_ result: JobComparison) {
        let pair = "Generation \(result.generation) of \(result.job) and \(name(result.other))"
        if result.hasNothingInCommon { return Output.line("\(pair) have no position in common yet.") }
        let verdict = result.isEqual ? "are equal" : "differ in \(result.differencesTotal)"
        Output.line("\(pair) \(verdict) as of position \(result.through) (\(result.examined) examined).")
        for difference in result.differences { Output.line("  \(difference)") }
        let rest = result.differencesTotal - UInt64(result.differences.count)
        if rest > 0 { Output.line("  … and \(rest) more") }
    }

    private static func json(_ result: JobComparison) -> JSON {
        var members: [String: JSON] = [
            "job": .string(result.job), "generation": .integer(Int64(result.generation)), "through": result.through.json,
            "equal": .bool(result.isEqual && !result.hasNothingInCommon), "examined": .integer(Int64(clamping: result.examined)),
            "differences": .array(result.differences.map(JSON.string)),
            "differences_total": .integer(Int64(clamping: result.differencesTotal)),
        ]
        switch result.other {
        case .generation(let number): members["with"] = .integer(Int64(number))
        case .journal: members["with"] = .string("journal")
        case .live: break
        }
        return .object(members)
    }
}
