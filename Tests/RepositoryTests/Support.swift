import Foundation
import Testing

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The files of this repository.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    struct File: Sendable, CustomTestStringConvertible {
        /// From the root.
        let path: String
        let text: String
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var testDescription: String { path }
    }

    /// The files under a folder whose names end so. Folders that begin with a point are what a build has left.
    static func files(in folder: String, _ ending: String) throws -> [File] {
        guard let walk = FileManager.default.enumerator(atPath: root + "/" + folder) else {
            throw TestFailure("there is no folder \(folder) in \(root)")
        }
        var paths: [String] = []
        while let path = walk.nextObject() as? String {
            if path.hasPrefix(".") || path.contains("/.") { walk.skipDescendants() } else if path.hasSuffix(ending) { paths.append(path) }
        }
        return try paths.sorted().map { path in
            let path = folder + "/" + path
            return File(path: path, text: try String(contentsOfFile: root + "/" + path, encoding: .utf8))
        }
    }

    static func sources() throws -> [File] { try files(in: "Sources", ".swift") + files(in: "sql", ".swift") }
}

struct Finished: Sendable {
    let status: Int32
    let output: String
}

/// Runs a program; its output and its messages together.
func run(_ arguments: [String]) async throws -> Finished {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let path = NSTemporaryDirectory() + "indelible-repository-" + UUID().uuidString
    try Data().write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: path)
    process.standardError = process.standardOutput
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch {
            process.terminationHandler = nil
            continuation.resume(throwing: error)
        }
    }
    return Finished(status: status, output: try String(contentsOfFile: path, encoding: .utf8))
}

/// A new folder under the temporary one, removed after `body`.
func withFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let path = NSTemporaryDirectory() + "indelible-repository-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}
