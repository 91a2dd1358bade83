import ArgumentParser
import Indelible
import IndelibleBench

/// A process of `indelible bench`, which starts it.
struct BenchWorkerCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "bench-worker", shouldDisplay: false)

    @Argument var mode: String
    @Argument var count: Int
    @Option var callers: Int
    @Option var socket: String
    @Option var book: String

    func execute() async throws -> ExitStatus {
        let location = try BookLocation(server: .socket(path: socket), book: book, user: "bench", password: Secret("bench"))
        let work: Worker.Work =
            switch mode {
            case "bulk": .bulk(count, callers: callers)
            case "posts": .posts(count, callers: callers)
            default: .rebuild(mode)
            }
        try await Worker.run(work, location)
        return .ok
    }
}
