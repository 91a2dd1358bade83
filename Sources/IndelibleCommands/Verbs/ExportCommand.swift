import ArgumentParser
import Foundation
import Indelible

struct ExportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Export the journal, or a range of it.",
        discussion: """
            --format hledger  for hledger and ledger
            --format jsonl    JSON Lines; into a new book, `import` makes the same journal of it
            --format csv      the same as one CSV file
            --hash            prints nothing but the hash of what --format jsonl writes: two books with the same facts have \
            the same. docs/plain-text.md describes the forms.
            """)

    @Option(help: "hledger, jsonl or csv.") var format: Exporter.Format = .jsonl
    @Option(help: "The first position.") var fromPosition: UInt64 = 1
    @Option(help: "The last position. Else everything that is decided.") var toPosition: UInt64?
    @Option(
        help: "With --format hledger the leading day: effective (entries are sorted by it) or recorded (in the order of the journal)."
    )
    var dates: Exporter.Dates = .effective
    @Option(help: ArgumentHelp("Where to write it, else to stdout.", valueName: "path")) var output: String?
    @Flag(help: "Print the hash of the journal only.") var hash = false
    @Flag(name: .shortAndLong, help: "No notes.") var quiet = false
    @OptionGroup var book: BookOptions

    func validate() throws {
        if hash, output != nil { throw ValidationError("--hash writes no file.") }
        if let toPosition, toPosition < fromPosition {
            throw ValidationError("--to-position is before --from-position.")
        }
    }

    func execute() async throws -> ExitStatus {
        let from = Position(fromPosition)
        let to = toPosition.map(Position.init)
        let summary = try await book.withLedger(role: .auditor) { ledger in
            let exporter = Exporter(ledger, dates: dates)
            if hash { return try await exporter.hash(from: from, to: to) }
            guard let output else { return try await exporter.run(format, from: from, to: to) { Output.write($0) } }
            return try await Self.writing(output) { file in
                try await exporter.run(format, from: from, to: to) { try file.write(contentsOf: Data($0.utf8)) }
            }
        }
        if hash { Output.line(summary.hash?.description ?? "") }
        guard !quiet else { return .ok }
        Output.note("\(summary.records) records, positions \(summary.from) to \(summary.through)")
        if to == nil, summary.head > summary.through {
            Output.note(
                "Position \(summary.through.number + 1) is not decided yet, so nothing from there on was exported: `indelible "
                    + "project once` decides it")
        }
        return .ok
    }

    /// Writes a file that is there whole, or not at all.
    private static func writing<T>(_ path: String, _ body: (FileHandle) async throws -> T) async throws -> T {
        let partial = path + ".partial"
        guard FileManager.default.createFile(atPath: partial, contents: nil), let file = FileHandle(forWritingAtPath: partial)
        else { throw Failure(.badInput, "the file \(partial) cannot be written") }
        do {
            let result = try await body(file)
            try file.close()
            guard unsafe rename(partial, path) == 0 else { throw Failure(.badInput, "the file \(path) cannot be written") }
            return result
        } catch {
            try? FileManager.default.removeItem(atPath: partial)
            if error is CocoaError { throw Failure(.tryAgain, "the file \(path) cannot be written: \(error.localizedDescription)") }
            throw error
        }
    }
}
