import ArgumentParser
import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB

/// What every soak has: a book on a server of its own, this program, and a folder for what its programs say.
struct SoakRun: Sendable {
    let book: TestBook
    let program: String
    let folder: String

    private struct Differs: Error { let folder: String }

    /// Runs one and tells what came of it. If anything differs the server's folder is kept and the exit code is 1.
    /// - Parameter body: returns what it has to tell in the end, and what differs.
    static func onOwnServer(
        timeZone: String? = nil, _ body: @Sendable (SoakRun) async throws -> (lines: [String], findings: [String])
    ) async throws {
        do {
            try await TestServer.withOwn { server in
                let folder = server.folder + "/soak"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                let book = try await TestBook.make(on: server, timeZone: timeZone)
                let run = SoakRun(book: book, program: Bundle.main.executablePath ?? CommandLine.arguments[0], folder: folder)
                let (lines, findings) = try await body(run)
                await book.ledger.close()
                for line in lines { print(line) }
                for finding in findings.prefix(100) { print("DIFFERS: \(finding)") }
                if !findings.isEmpty { throw Differs(folder: server.folder) }
            }
        } catch let differs as Differs {
            print("The server's folder is kept: \(differs.folder)")
            throw ExitCode.failure
        }
    }

    /// Another program of this build.
    func beside(_ name: String) -> String { URL(fileURLWithPath: program).deletingLastPathComponent().appendingPathComponent(name).path }

    /// Tells of it at once.
    @Sendable static func tell(_ line: String) {
        print(line)
        fflush(nil)
    }
}
