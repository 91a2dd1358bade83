import Foundation
import IndelibleTesting
import LocalMariaDB
import Testing

/// What a program has written and how it ended.
struct Finished: Sendable {
    let status: Int32
    let output: String
    let error: String
    var all: String { output + error }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Runs `indelible` in an empty folder of its own, or in `folder`; nothing of the surrounding configuration reaches it.
func indelible(
    _ arguments: [String], environment: [String: String] = [:], input: String = "", folder: String? = nil
) async throws -> Finished {
    try await run(try program(), arguments, environment: environment, input: Data(input.utf8), folder: folder)
}

/// Runs a line of shell in which `$I` is the program.
func shell(_ line: String, environment: [String: String] = [:], folder: String? = nil) async throws -> Finished {
    var environment = environment
    environment["I"] = try program()
    return try await run("/bin/bash", ["-c", line], environment: environment, folder: folder)
}

func run(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], input: Data = Data(), folder: String? = nil
) async throws -> Finished {
    let own = try folder == nil ? Folder() : nil
    defer { own?.remove() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("INDELIBLE_") }
        // The servers of these tests have no certificates.
        .merging(["INDELIBLE_SKIP_SSL": "true"]) { $1 }.merging(environment) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: folder ?? own?.path ?? "/")
    // Files, not pipes: nobody has to empty them while it runs.
    let streams = try Folder()
    defer { streams.remove() }
    try input.write(to: URL(fileURLWithPath: streams.path + "/in"))
    for name in ["out", "err"] { try Data().write(to: URL(fileURLWithPath: streams.path + "/" + name)) }
    // Closed here: left to themselves they stay open for long, and with a thousand of them a process can no longer be started.
    let handles = [
        FileHandle(forReadingAtPath: streams.path + "/in"), FileHandle(forWritingAtPath: streams.path + "/out"),
        FileHandle(forWritingAtPath: streams.path + "/err"),
    ]
    defer { for handle in handles { try? handle?.close() } }
    (process.standardInput, process.standardOutput, process.standardError) = (handles[0], handles[1], handles[2])
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    func text(_ name: String) throws -> String { try String(contentsOfFile: streams.path + "/" + name, encoding: .utf8) }
    return Finished(status: status, output: try text("out"), error: try text("err"))
}

/// A new folder under the temporary one.
struct Folder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "indelible-commands-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }
    func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs `body` in a folder with a private server of its own, and stops it.
func withOwnFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let folder = try Folder()
    do {
        let result = try await body(folder.path)
        _ = try await indelible(["local", "stop"], folder: folder.path)
        folder.remove()
        return result
    } catch {
        _ = try await indelible(["local", "stop"], folder: folder.path)
        throw error
    }
}

/// A new name for a book.
func bookName() -> String { "t_" + UUID().uuidString.lowercased().replacing("-", with: "").prefix(12) }

/// Executes SQL as the owner of a server with the command-line client; rows as lines.
@discardableResult
func sql(_ server: LocalMariaDB, _ statements: String) async throws -> [String] {
    let finished = try await run(
        "/usr/bin/env",
        [
            "mariadb", "--no-defaults", "--socket=\(server.socketPath)", "--user=\(server.adminUser)", "--batch",
            "--skip-column-names", "-e", statements,
        ])
    guard finished.status == 0 else { throw TestFailure("\(statements): \(finished.error)") }
    return finished.output.split(separator: "\n").map(String.init)
}

/// The executable, which lies beside the test bundle.
private func program() throws -> String {
    var folder = URL(fileURLWithPath: CommandLine.arguments[0])
    for _ in 0..<5 {
        folder.deleteLastPathComponent()
        let candidate = folder.appendingPathComponent("indelible").path
        if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    throw TestFailure("indelible was not found above \(CommandLine.arguments[0])")
}

/// Checks how a command failed: its code, a part of its message, and that it wrote no data and no secret.
func expectFailure(
    _ finished: Finished, _ status: Int32, _ message: String, secret: String? = nil, _ what: String,
    _ location: SourceLocation = #_sourceLocation
) {
    #expect(finished.status == status, "\(what): \(finished.all)", sourceLocation: location)
    #expect(finished.error.contains(message), "\(what): \(finished.error)", sourceLocation: location)
    #expect(finished.output == "", "\(what)", sourceLocation: location)
    if let secret { #expect(!finished.all.contains(secret), "\(what): \(finished.all)", sourceLocation: location) }
}
