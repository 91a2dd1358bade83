import ArgumentParser
import Indelible

struct InitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Create the book, or migrate it to this program's schema.",
        discussion: """
            Without a database address this starts a private server in .indelible and makes a login for it. With one, the \
            user needs the rights to create the database, its triggers and its roles, and to grant them; then grant the \
            roles BOOK_writer, BOOK_projector and BOOK_auditor to the users of your programs.
            """)

    @OptionGroup var book: BookOptions
    @Option(help: ArgumentHelp("Where accounting days begin and end (default: UTC). It never changes.", valueName: "Europe/Berlin"))
    var timeZone: String?
    @Flag(help: "Only say which migrations would be run.")
    var dryRun = false
    @Flag(help: "Run a migration again that was stopped in the middle.")
    var resume = false

    func execute() async throws -> ExitStatus {
        let place = try await Place(book)
        let location = try await place.ownerLocation()
        let owner = BookOwner(location)
        if dryRun {
            let plan = try await owner.migrate(dryRun: true)
            for name in plan.finished { Output.line("done     \(name)") }
            for name in plan.pending { Output.line("pending  \(name)") }
            return .ok
        }
        let plan = try await owner.create(resume: resume, timeZone: timeZone)
        switch place.server {
        case .own:
            try await owner.createLogin(Place.privateLogin, password: try place.privatePassword(create: true))
            try await owner.grantRoles(to: Place.privateLogin)
        case .given:
            // Whoever creates roles is granted them by the server.
            break
        }
        Output.line("The book \(location.book) is ready (\(plan.finished.count) migrations).")
        return .ok
    }
}
