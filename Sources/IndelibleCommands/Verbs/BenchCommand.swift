public import ArgumentParser
import Indelible
public import IndelibleBench
import Synchronization

struct BenchCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure this build on this machine, on a private server of its own.",
        discussion: """
            Every figure stands beside a bound that is measured in the same run; the ratio is what counts. Build with \
            `-c release` (scripts/bench does). Exits 1 if a ratio that is asked for is missed.
            """)

    @Argument(help: "writing, driver, jobs, fees; all if none is named.") var parts: [Bench.Part] = []
    @Option(help: "full, or short, which only shows that everything runs.") var size: Bench.Size = .full
    @Option(help: "Only what has this in its name (of writing also “memory and disk”).") var shape = ""
    @OptionGroup var output: OutputOptions

    func execute() async throws -> ExitStatus {
        let figures = Figures()
        let isJSON = output.format == .json
        try await Bench.run(parts.isEmpty ? Bench.Part.allCases : parts, size: size, shape: shape) { figure in
            figures.add(figure)
            if isJSON { Output.line(figure.json.text) }
        }
        if !isJSON { Self.table(figures.all).print(output.format) }
        if output.format == .table, let settings = figures.all.first?.settings {
            Output.line("")
            for (name, value) in settings.sorted(by: { $0.key < $1.key }) { Output.line("\(name): \(value)") }
        }
        // The short form only shows that everything runs.
        return size == .full && figures.all.contains { $0.holds == false } ? .breaks : .ok
    }

    private static func table(_ figures: [Figure]) -> Table {
        var table = Table([
            .init("shape"), .init("value", .right), .init("unit"), .init("bound", .right), .init("ratio", .right),
            .init("asked"), .init("holds"), .init("bound is"),
        ])
        table.rows = figures.map { figure in
            let asked = figure.atLeast.map { "≥ \(Figure.text($0))" } ?? figure.atMost.map { "≤ \(Figure.text($0))" } ?? ""
            return [
                figure.shape, Figure.text(figure.value), figure.unit, Figure.text(figure.bound), Figure.text(figure.ratio), asked,
                figure.holds.map { $0 ? "yes" : "NO" } ?? "", figure.boundIs,
            ]
        }
        return table
    }

    /// Collects figures from whatever thread they come.
    private final class Figures: Sendable {
        private let figures = Mutex<[Figure]>([])
        var all: [Figure] { figures.withLock { $0 } }
        func add(_ figure: Figure) { figures.withLock { $0.append(figure) } }
    }
}

extension Bench.Part: ExpressibleByArgument {}
extension Bench.Size: ExpressibleByArgument {}
