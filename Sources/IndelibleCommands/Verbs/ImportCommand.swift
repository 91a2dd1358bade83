import ArgumentParser
import Foundation
import Indelible

struct ImportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import CSV, JSON Lines, or a journal of hledger.",
        discussion: """
            First everything is checked; a bad line refuses all files with its place and reason, and nothing is posted. \
            Importing again posts nothing twice. docs/import.md describes the forms.

            A CSV file may be what `hledger print -O csv` prints; the last four options are for such files \
            (docs/plain-text.md).
            """)

    @Argument(help: "Files ending in .csv or .jsonl, in the order to import them.") var files: [String]
    @Flag(help: "Post the good records and write the bad ones, with reasons, to --rejects.") var keepGoing = false
    @Option(help: ArgumentHelp("Where --keep-going writes bad records, as JSON Lines.", valueName: "path"))
    var rejects = "rejected.jsonl"
    @Option(help: ArgumentHelp("The account that takes what does not balance in one currency.", valueName: "path"))
    var conversionAccount: String?
    @Option(help: "The type of accounts whose first segment tells none.") var defaultType: AccountType?
    @Option(
        help: ArgumentHelp("The type of accounts with this first segment, like Vermögen=asset.", valueName: "segment=type"))
    var accountType: [String] = []
    @Option(
        help: ArgumentHelp("The currency that a commodity becomes; =EUR for amounts without one.", valueName: "name=code"))
    var commodity: [String] = []
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let sources = try files.map(Self.read)
        let plainText = try plainText()
        let progress = Progress("imported", isQuiet: output.quiet)
        let summary = try await book.withLedger { ledger in
            try await Importer(ledger, plainText: plainText).run(sources, keepGoing: keepGoing) { done, all in
                progress.show(UInt64(done), of: UInt64(all))
            }
        }
        progress.end()
        for problem in summary.problems.prefix(50) { Output.note(problem.description) }
        if summary.problems.count > 50 { Output.note("… and \(summary.problems.count - 50) more") }
        if !summary.problems.isEmpty, !keepGoing {
            throw Failure(
                .badInput, "\(summary.problems.count) problems, nothing was imported (--keep-going imports the rest)")
        }
        if !summary.problems.isEmpty { try writeRejects(summary.problems) }
        printSummary(summary)
        return summary.problems.isEmpty ? .ok : .badInput
    }

    private func plainText() throws -> PlainTextOptions {
        func pair(_ text: String, _ option: String) throws -> (String, String) {
            guard let sign = text.lastIndex(of: "=") else { throw Failure(.usage, "\(option) “\(text)”: write NAME=VALUE") }
            return (String(text[..<sign]), String(text[text.index(after: sign)...]))
        }
        var options = PlainTextOptions()
        options.conversionAccount = try conversionAccount.map { text throws(LedgerError) in try AccountPath(text) }
        options.defaultType = defaultType
        for text in accountType {
            let (segment, name) = try pair(text, "--account-type")
            guard let type = AccountType(rawValue: name) else {
                throw Failure(.usage, "--account-type “\(text)”: asset, liability, equity, income or expense")
            }
            options.accountTypes[segment] = type
        }
        for text in commodity {
            let (name, code) = try pair(text, "--commodity")
            options.commodities[name] = try CurrencyCode(code)
        }
        return options
    }

    private func printSummary(_ summary: Importer.Summary) {
        let counts: [(String, Int)] = [
            ("accounts", summary.accountsOpened), ("posted", summary.entriesPosted), ("repeated", summary.entriesRepeated),
            ("rejected", summary.problems.count),
        ]
        switch output.format {
        case .json:
            Output.line(
                JSON.object(Dictionary(uniqueKeysWithValues: counts.map { ($0.0, .integer(Int64($0.1))) })).text)
        case .table, .csv:
            var table = Table(counts.map { .init($0.0, .right) })
            table.rows = [counts.map { String($0.1) }]
            table.print(output.format)
        }
    }

    private func writeRejects(_ problems: [ImportProblem]) throws {
        let lines = problems.map { problem in
            let members: JSON = [
                "file": .string(problem.file), "line": .integer(Int64(problem.line)),
                "column": .integer(Int64(problem.column)), "reason": .string(problem.reason), "text": .string(problem.text),
            ]
            return members.text + "\n"
        }
        do { try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: rejects)) } catch {
            throw Failure(.badInput, "the good records were imported, and the bad ones cannot be written to \(rejects)")
        }
        Output.note("\(problems.count) bad records are in \(rejects)")
    }

    private static func read(_ path: String) throws -> Importer.File {
        guard let format = Importer.Format.allCases.first(where: { path.hasSuffix("." + $0.rawValue) }) else {
            throw Failure(.usage, "\(path) ends neither in .csv nor in .jsonl")
        }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
            return Importer.File(name: path, format: format, bytes: [UInt8](data))
        } catch { throw Failure(.badInput, "the file \(path) cannot be read") }
    }
}
