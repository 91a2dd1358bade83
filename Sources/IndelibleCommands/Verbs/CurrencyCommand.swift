import ArgumentParser
import Indelible

struct CurrencyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "currency", abstract: "Define and list currencies. Those of ISO 4217 are defined by their first account.",
        subcommands: [Define.self, List.self])

    struct Define: Verb {
        static let configuration = CommandConfiguration(abstract: "Define a currency of your own.")
        @Argument(help: "The code, like POINTS.") var code: String
        @Option(help: "How many decimals it has, 0 to 18.") var exponent: Int
        @OptionGroup var book: BookOptions

        func execute() async throws -> ExitStatus {
            let currency = try Currency(try CurrencyCode(code), exponent: exponent)
            try await book.withLedger { try await $0.defineCurrency(currency) }
            Output.line("\(currency) has \(exponent) decimals.")
            return .ok
        }
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(abstract: "List the book's currencies.")
        @OptionGroup var book: BookOptions
        @OptionGroup var output: OutputOptions

        func execute() async throws -> ExitStatus {
            var table = Table([.init("currency"), .number("exponent")])
            table.rows = try await book.withLedger(role: .auditor) { try await $0.currencies() }
                .map { [$0.code.text, String($0.exponent)] }
            table.print(output.format)
            return .ok
        }
    }
}
