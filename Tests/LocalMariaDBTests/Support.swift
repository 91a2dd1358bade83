import Foundation
import LocalMariaDB
#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#endif

/// Runs `body` with the path of a folder that does not exist yet; afterwards stops whatever runs
/// there and removes it.
func withFolder<Result>(
    _ name: String = "db", _ body: (String) async throws -> Result
) async throws -> Result {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("lmdb-\(UUID().uuidString)")
    let folder = base.appendingPathComponent(name).path
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body(folder))
    } catch {
        result = .failure(error)
    }
    try? await LocalMariaDB.attach(folder: folder)?.stop()
    try? FileManager.default.removeItem(at: base)
    return try result.get()
}

/// What a program has written and how it ended.
struct Finished {
    var status: Int32
    var output: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs a program to its end, and until nobody holds its output open any more.
func run(_ path: String, _ arguments: [String]) async throws -> Finished {
    let (process, output) = process(path, arguments)
    try process.run()
    return await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            let bytes = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            continuation.resume(returning: Finished(
                status: process.terminationStatus, output: String(decoding: bytes, as: UTF8.self)))
        }
    }
}

/// A program that is ready to run, and its output.
func process(_ path: String, _ arguments: [String]) -> (Process, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    return (process, output)
}

/// The command-line client and how it reaches the server.
func clientArguments(_ server: LocalMariaDB) -> [String] {
    ["mariadb", "--no-defaults", "--socket=\(server.socketPath)", "--user=\(server.adminUser)",
     "--batch", "--skip-column-names"]
}

/// Executes SQL with the command-line client; rows as lines, columns separated by tabs.
func sql(_ server: LocalMariaDB, _ statements: String) async throws -> [String] {
    let finished = try await run("/usr/bin/env", clientArguments(server) + ["-e", statements])
    if finished.status != 0 { throw TestFailure(finished.output) }
    return finished.lines
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The error with which a server does not start, or nil if it does.
func startError(_ configuration: LocalMariaDB.Configuration) async -> LocalMariaDBError? {
    do {
        _ = try await LocalMariaDB.start(configuration)
        return nil
    } catch {
        return error
    }
}

/// Waits until `condition` holds; false if it did not within the time.
func eventually(within limit: Duration = .seconds(60), _ condition: () -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// The program of the target LocalMariaDBStarter, which lies beside the test bundle.
func starterPath() throws -> String {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0])
    for _ in 0..<5 {
        folder.deleteLastPathComponent()
        let candidate = folder.appendingPathComponent("LocalMariaDBStarter").path
        if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    throw TestFailure("LocalMariaDBStarter was not found above \(CommandLine.arguments[0])")
}

/// A process that has ended stays listed until somebody takes note; who started a server is gone, so that is the machine's first process,
/// which takes its time or never does.
func hasEnded(_ pid: Int32) -> Bool {
    guard kill(pid, 0) == 0 else { return true }
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return kill(pid, 0) != 0 }
    return stat.split(separator: ")").last?.hasPrefix(" Z") == true
}

func isRunning(_ folder: String) -> Bool {
    if case .running = LocalMariaDB.status(folder: folder) { true } else { false }
}
