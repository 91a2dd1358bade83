import ArgumentParser
import Indelible

struct ProjectRetire: Verb {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Drop the tables of a generation, for ever.",
        discussion: "The live generation and the only one are refused. Workers stop working on it.")

    @Argument var job: String
    @Argument(help: ArgumentHelp("The generation.", valueName: "n")) var number: UInt32
    @OptionGroup var book: BookOptions

    func execute() async throws -> ExitStatus {
        // Of a job that this program does not know too: nothing has to be understood for it.
        try await BookOwner(try await Place(book).ownerLocation()).retire(job, generation: number)
        Output.line("Generation \(number) of \(job) is retired.")
        return .ok
    }
}
