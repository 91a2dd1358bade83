import ArgumentParser
import Indelible

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Run the jobs that follow the journal: balances, account lines.",
        groupedSubcommands: [
            CommandGroup(name: "Running", subcommands: [ProjectRun.self, ProjectOnce.self, ProjectStatus.self]),
            CommandGroup(name: "Stopping", subcommands: [ProjectPause.self, ProjectResume.self, ProjectRetry.self]),
            CommandGroup(
                name: "Generations", subcommands: [ProjectRebuild.self, ProjectCompare.self, ProjectSwitch.self, ProjectRetire.self]),
        ])

    /// - Parameter isReader: for a command that only reads.
    static func withProjector<T>(_ book: BookOptions, isReader: Bool = false, _ body: (Projector) async throws -> T) async throws -> T {
        let place = try await Place(book)
        if !isReader { try place.mode.requireWriter() }
        let projector = Projector(
            try await isReader ? place.readingLocation() : place.location(), mode: isReader ? .readOnly : .writer, jobs: IndelibleCommand.jobs)
        do {
            let result = try await body(projector)
            await projector.close()
            return result
        } catch {
            await projector.close()
            throw error
        }
    }

    /// The jobs of a command line; nil for all.
    static func named(_ jobs: [String]) throws -> Set<String>? {
        for job in jobs { _ = try known(job) }
        return jobs.isEmpty ? nil : Set(jobs)
    }

    /// A job of this program.
    static func known(_ name: String) throws -> any Job {
        if let job = IndelibleCommand.jobs.first(where: { $0.definition.name == name }) { return job }
        let names = IndelibleCommand.jobs.map(\.definition.name).joined(separator: ", ")
        throw LedgerError(
            .unknownEntry, "this program knows no job “\(name)”, only \(names); a projection of your own is run, rebuilt, compared and switched "
                + "by the program that has it")
    }
}

extension Position {
    /// As data.
    var json: JSON { .integer(Int64(clamping: number)) }
}
