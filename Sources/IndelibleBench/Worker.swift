import Foundation
public import Indelible
import LocalMariaDB
import Synchronization

/// A process of a benchmark: `indelible bench-worker` posts on a book, and is told when to begin.
public struct Worker: Sendable {
    public enum Work: Sendable {
        case posts(Int, callers: Int)
        /// Batches of 8,192.
        case bulk(Int, callers: Int)
        /// Computes the rows of a job.
        case rebuild(String)
    }

    /// Connects, says `ready`, waits for a line, works, and says how much memory it held after a fifth of the work and at the
    /// most, in bytes.
    public static func run(_ work: Work, _ location: BookLocation) async throws {
        let ledger = Ledger(location)
        if case .rebuild = work {} else {
            _ = try await ledger.accounts()
            try await ledger.post(Bench.entry(1))
        }
        print("ready")
        fflush(nil)
        _ = readLine()
        let fifth = Mutex(0)
        switch work {
        case .posts(let posts, let callers): _ = try await Bench.post(posts, callers: callers, ledger)
        case .bulk(let batches, let callers):
            _ = try await Bench.postBatches(batches, callers: callers, ledger, progress: { number in
                if number == batches / 5 { fifth.withLock { $0 = Bench.residentBytesMax() } }
            })
        case .rebuild(let job):
            let projector = Projector(location)
            try await projector.catchUp([job])
            await projector.close()
        }
        print("done \(fifth.withLock { $0 }) \(Bench.residentBytesMax())")
        fflush(nil)
        await ledger.close()
    }
}

extension Bench {
    /// Runs processes that begin together.
    /// - Returns: until the last has ended; and what the first one held in memory after a fifth of the work, and at the most.
    func workers(_ count: Int, _ work: Worker.Work, _ book: String) async throws -> (seconds: Double, mebibytes: [Double]) {
        guard let program = Bundle.main.executablePath else { throw BareFailure(description: "this program has no path") }
        var running: [(process: Process, input: Pipe, output: FileHandle)] = []
        for _ in 0..<count {
            let (process, input, output) = (Process(), Pipe(), Pipe())
            process.executableURL = URL(fileURLWithPath: program)
            let (mode, number, callers) =
                switch work {
                case .posts(let posts, let callers): ("posts", posts, callers)
                case .bulk(let batches, let callers): ("bulk", batches, callers)
                case .rebuild(let job): (job, 0, 1)
                }
            process.arguments = [
                "bench-worker", mode, String(number), "--callers", String(callers), "--socket", server.socketPath, "--book", book,
            ]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            running.append((process, input, output.fileHandleForReading))
        }
        for one in running { _ = try Self.line(one.output) }
        var answers: [String] = []
        let seconds = try await Self.seconds {
            for one in running { try one.input.fileHandleForWriting.write(contentsOf: Data("go\n".utf8)) }
            for one in running { answers.append(try Self.line(one.output)) }
        }
        for one in running { one.process.waitUntilExit() }
        let bytes = answers[0].split(separator: " ").compactMap { Double($0) }
        guard bytes.count == 2 else { throw BareFailure(description: "a process of the benchmark said “\(answers[0])”") }
        return (seconds, bytes.map { $0 / 1_048_576 })
    }

    private static func line(_ output: FileHandle) throws -> String {
        var text = ""
        while let byte = try output.read(upToCount: 1), let character = byte.first {
            if character == 10 { return text }
            text.unicodeScalars.append(Unicode.Scalar(character))
        }
        throw BareFailure(description: "a process of the benchmark has ended early")
    }

    /// The most that the process has held in memory.
    static func residentBytesMax() -> Int {
        #if os(Linux)
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
        #else
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }

    /// What the process holds in memory now.
    static func residentBytes() -> Int {
        #if os(Linux)
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "0") ?? 0) * Int(getpagesize())
        #else
        var usage = rusage()
        getrusage(RUSAGE_SELF, &usage)
        return usage.ru_maxrss
        #endif
    }
}
