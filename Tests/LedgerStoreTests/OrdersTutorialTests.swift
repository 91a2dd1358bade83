import Foundation
import Indelible
import IndelibleTesting
import Testing

@testable import OrdersTutorial

/// docs/tutorial/orders.md: its code is that of `Tests/OrdersTutorial`, and its program prints what stands there.
@Suite struct OrdersTutorialTests {
    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } }

    private func text(_ path: String) throws -> String { try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8) }

    /// The blocks of a language, in order.
    private func blocks(_ language: String) throws -> [String] {
        try text("docs/tutorial/orders.md").components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            .filter { $0.hasPrefix(language + "\n") }.map { String($0.dropFirst(language.count + 1)) }
    }

    @Test func `the process comes to one end in all orders of its inputs`() {
        let tried = expectConvergence(
            of: OrderPayment.self, inputs: [.placed, .paymentReceived(1250), .paymentTimedOut, .orderCancelled])
        #expect(tried.orders == 25_506 && tried.ends == 23)
    }

    @Test func `the tutorial has all of the process and the program, and nothing else`() throws {
        var code: Set<String> = []
        for name in try FileManager.default.contentsOfDirectory(atPath: repository.appendingPathComponent("Tests/OrdersTutorial").path) {
            code.formUnion(lines(try text("Tests/OrdersTutorial/\(name)")))
        }
        let own = Set(lines(try text("Tests/LedgerStoreTests/OrdersTutorialTests.swift")))
        let told = Set(try blocks("swift").flatMap(lines))
        for line in told { #expect(code.contains(line) || own.contains(line), "\(line)") }
        for line in code where !line.hasPrefix("//") { #expect(told.contains(line), "\(line)") }
        #expect(told.count > 120)
    }

    @Test(.timeLimit(.minutes(3))) func `the program prints what the tutorial says`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("indelible-orders-" + UUID().uuidString.prefix(8))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let log = folder.appendingPathComponent("out")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Tool.path(of: "OrdersTutorial"))
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        let output = try String(contentsOf: log, encoding: .utf8)
        #expect(process.terminationStatus == 0)
        #expect(try blocks("console") == [output])
        try FileManager.default.removeItem(at: folder)
    }
}
