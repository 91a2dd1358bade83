import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The programs that follow the journal, every other one `indelible project run`, and who kills them.
actor JobSoakWorkers {
    private struct Running {
        let process: Process
        let path: String
    }

    private let soak: JobSoak
    private let notes: JobSoakNotes
    private var running: [Running] = []
    private var incarnations = 0

    init(_ soak: JobSoak, _ notes: JobSoakNotes) async throws {
        (self.soak, self.notes) = (soak, notes)
        let count = soak.options.workers
        notes.note { outcome in
            (outcome.steps, outcome.standDowns, outcome.kills) = (.zeros(count), .zeros(count), .zeros(count))
        }
        // The login and its password as the command line has them.
        let start = try Self.start(soak.indelible, ["init", "--folder", soak.book.server.folder, "--book", soak.book.name])
        while start.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        if start.terminationStatus != 0 { notes.find("indelible init: \(start.terminationStatus)") }
        for number in 0..<count { running.append(try begin(number)) }
    }

    /// One after the other, at random.
    func kill() async throws {
        var random = SoakRandom(soak.options.seed, 7)
        while !notes.isOver {
            try await Task.sleep(for: .milliseconds(Int.random(in: soak.options.killEvery, using: &random)))
            let number = Int.random(in: running.indices, using: &random)
            try await end(number)
            running[number] = try begin(number)
        }
    }

    /// All of them.
    func stop() async {
        for number in running.indices { try? await end(number) }
    }

    static func kill(_ process: Process) async throws {
        if process.isRunning { _ = signal(process, SIGKILL) }
        while process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
    }

    private static func signal(_ process: Process, _ number: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.kill(process.processIdentifier, number)
        #else
        Darwin.kill(process.processIdentifier, number)
        #endif
    }

    private static func start(
        _ program: String, _ arguments: [String], _ environment: [String: String] = [:], output: FileHandle = .nullDevice
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }

    private func begin(_ number: Int) throws -> Running {
        incarnations += 1
        let path = "\(soak.folder)/worker-\(number)-\(incarnations)"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? output.close() }
        guard number % 2 == 1 else {
            let arguments = ["project", "run", "--folder", soak.book.server.folder, "--book", soak.book.name]
            return Running(process: try Self.start(soak.indelible, arguments, output: output), path: path)
        }
        let orders = JobFollower.Orders(
            socket: soak.book.server.socketPath, book: soak.book.name, user: soak.book.location.user, password: soak.book.password,
            positionsMax: [3, 50, 400, 5000][incarnations % 4])
        let text = String(decoding: try JSONEncoder().encode(orders), as: UTF8.self)
        return Running(process: try Self.start(soak.program, ["follow"], [JobFollower.Orders.variable: text], output: output), path: path)
    }

    private func end(_ number: Int) async throws {
        let one = running[number]
        let hasEnded = !one.process.isRunning
        try await Self.kill(one.process)
        let text = (try? String(contentsOfFile: one.path, encoding: .utf8)) ?? ""
        let lines = text.split(separator: "\n")
        if hasEnded { notes.find("worker \(number) ended by itself: \(one.process.terminationStatus) \(lines.last ?? "")") }
        notes.note { outcome in
            outcome.kills[number] += 1
            outcome.steps[number] += lines.count { $0.contains(" → ") }
            outcome.standDowns[number] += lines.count { $0.hasSuffix(" stood down") }
        }
        for line in lines where line.contains("Fatal error") || line.hasPrefix("FAILED") && !line.contains(JobSoakOperator.ownMaking) { notes.find("worker \(number): \(line)") }
        try? FileManager.default.removeItem(atPath: one.path)
    }
}

extension [Int] {
    fileprivate static func zeros(_ count: Int) -> [Int] { [Int](repeating: 0, count: count) }
}

/// A worker with steps of its own size, which says when another was first.
public struct JobFollower: Sendable {
    /// What the conductor tells it, in the environment.
    struct Orders: Codable, Sendable {
        var socket: String
        var book: String
        var user: String
        var password: String
        var positionsMax: UInt64

        static let variable = "SOAK_FOLLOWER"
    }

    private let orders: Orders

    /// - Throws: if there are no orders in the environment.
    public init() throws {
        let text = ProcessInfo.processInfo.environment[Orders.variable] ?? ""
        orders = try JSONDecoder().decode(Orders.self, from: Data(text.utf8))
    }

    /// Follows for as long as the conductor lives.
    public func run() async throws {
        let location = try BookLocation(
            server: .socket(path: orders.socket), book: orders.book, user: orders.user, password: Secret(orders.password))
        let projector = Projector(location, positionsMax: orders.positionsMax)
        let conductor = getppid()
        let running = Task { try await projector.run { Self.say($0) } }
        while getppid() == conductor { try await Task.sleep(for: .milliseconds(200)) }
        running.cancel()
        _ = await running.result
    }

    private static func say(_ event: Projector.Event) {
        let line =
            switch event.result {
            case .success(.advanced(let from, let through)): "\(event.job) \(from) → \(through)\n"
            case .success(.stoodDown): "\(event.job) stood down\n"
            case .success(.failed(let failure)): "FAILED \(event.job) \(event.generation): \(failure.error.message)\n"
            case .success: ""
            case .failure(let error): "\(error)\n"
            }
        let bytes = Array(line.utf8)
        _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
    }
}
