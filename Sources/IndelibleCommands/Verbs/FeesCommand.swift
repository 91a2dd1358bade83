import ArgumentParser
import Foundation
import Indelible

struct FeesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fees", abstract: "Publish fee schedules; explain, simulate, report and post fees.",
        subcommands: [FeesSchedule.self, FeesAssess.self, FeesExplain.self, FeesReport.self, FeesSimulate.self])
}

/// A file with a fee schedule.
struct ScheduleFile {
    /// - Throws: bad input if it cannot be read.
    static func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else { throw Failure(.badInput, "the file \(path) cannot be read") }
        return String(decoding: data, as: UTF8.self)
    }
}

struct FeesSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "Publish, list, show and check fee schedules (docs/fees.md).",
        subcommands: [Publish.self, List.self, Show.self, Check.self])

    struct Publish: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Publish a version of a fee schedule: an entry with the document.",
            discussion: """
                It applies to all entries that count from its effective_from on, also to those that are recorded already: the projector adjusts their \
                fees. The same document again prints the first receipt; `indelible fees simulate` shows before what it changes.
                """)
        @Argument(help: "The JSON document.") var file: String
        @Option(help: "Who did it.") var actor: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let document = try ScheduleFile.read(file)
            let receipt = try await book.withLedger { try await $0.publishFeeSchedule(document, actor: actor) }
            receipt.print(output.format)
            return .ok
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List the versions that are published.")
        @Argument(help: "Only of this schedule.") var name: String?
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let published = try await book.withLedger(role: .auditor) { try await $0.feeSchedules(named: name) }
            var table = Table([
                .init("schedule"), .number("version"), .init("effective_from"), .number("rules"), .init("income"), .init("published_at"), .number("position"),
                .init("actor"),
            ])
            table.rows = published.map { one in
                [
                    one.schedule.name, String(one.schedule.version), one.schedule.effectiveFrom.description, String(one.schedule.rules.count),
                    one.schedule.income.text, one.receipt.recordedAt.description, one.receipt.position.description, one.actor ?? "",
                ]
            }
            table.dropEmpty(["actor"], output.format)
            table.print(output.format)
            return .ok
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(abstract: "Print the document of a version, as JSON.")
        @Argument(help: "The schedule.") var name: String
        @Option(help: "Its version (default: the one that entries are charged by now).") var version: UInt32?
        @OptionGroup var book: BookOptions

        func execute() async throws -> ExitStatus {
            let published = try await book.withLedger(role: .auditor) { try await $0.feeSchedules(named: name) }.map(\.schedule)
            let found = version.map { number in published.first { $0.version == number } } ?? FeeSchedule.inForce(published, at: Timestamp(Date()))
            guard let found else {
                let known = published.map { String($0.version) }.joined(separator: ", ")
                throw LedgerError(
                    .unknownEntry, known.isEmpty ? "no fee schedule \(name) is published"
                        : "the fee schedule \(name) has no such version, or none is in force yet; it has \(known)")
            }
            Output.line(found.document.prettyText)
            return .ok
        }
    }

    struct Check: Verb {
        static let configuration = CommandConfiguration(
            abstract: "Check a document against the book, without publishing it.", discussion: "Exits with 65 and says what is wrong, and where.")
        @Argument(help: "The JSON document.") var file: String
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            let document = try ScheduleFile.read(file)
            let (schedule, standing) = try await book.withLedger(role: .auditor) { ledger in
                let schedule = try await ledger.checkFeeSchedule(document)
                return (schedule, try await ledger.feeSchedules(named: schedule.name).first { $0.schedule.version == schedule.version })
            }
            let state = standing.map { $0.schedule.document == schedule.document ? "published" : "published with another document" } ?? "not published"
            var table = Table([.init("schedule"), .number("version"), .init("effective_from"), .number("rules"), .init("state")])
            table.rows = [[schedule.name, String(schedule.version), schedule.effectiveFrom.description, String(schedule.rules.count), state]]
            table.print(output.format)
            guard state != "published with another document" else {
                throw LedgerError(.conflict, "version \(schedule.version) of \(schedule.name) is published with another document: give this one another version")
            }
            return .ok
        }
    }
}

extension JSON {
    /// Indented, with sorted keys.
    var prettyText: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? text
    }
}
