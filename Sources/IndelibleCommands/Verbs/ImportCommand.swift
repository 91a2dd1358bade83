import ArgumentParser
import Foundation
import Indelible

struct ImportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import CSV or JSON Lines.",
        discussion: """
            First everything is checked; a bad line refuses all files with its place and reason, and nothing is posted. \
            Importing again posts nothing twice. docs/import.md describes the forms.
            """)

    @Argument(help: "Files ending in .csv or .jsonl, in the order to import them.") var files: [String]
    @Flag(help: "Post the good records and write the bad ones, with reasons, to --rejects.") var keepGoing = false
    @Option(help: ArgumentHelp("Where --keep-going writes bad records, as JSON Lines.", valueName: "path"))
    var rejects = "rejected.jsonl"
    @OptionGroup var book: BookOptions
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let sources = try files.map(Self.read)
        let progress = Progress("imported", isQuiet: output.quiet)
        let summary = try await book.withLedger { ledger in
            try await Importer(ledger).run(sources, keepGoing: keepGoing) { done, all in
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
