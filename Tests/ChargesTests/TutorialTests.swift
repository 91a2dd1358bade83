import Foundation
import Testing

/// docs/tutorial/charges.md: its code is this package's, and its program prints what stands there.
@Suite struct TutorialTests {
    private func text(_ path: String) throws -> String { try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8) }

    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) } }

    /// The blocks of a language, in order.
    private func blocks(_ language: String) throws -> [String] {
        try text("docs/tutorial/charges.md").components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            .filter { $0.hasPrefix(language + "\n") }.map { String($0.dropFirst(language.count + 1)) }
    }

    @Test func `every line of Swift in the tutorial is in the domain, its tests or the program`() throws {
        var code: Set<String> = []
        for folder in ["Sources/Charges", "Tests/ChargesTests", "Tests/ChargesTutorial"] {
            for name in try FileManager.default.contentsOfDirectory(atPath: repository.appendingPathComponent(folder).path) {
                code.formUnion(lines(try text("\(folder)/\(name)")))
            }
        }
        let swift = try blocks("swift").filter { !$0.contains("PackageDescription") }
        #expect(swift.count >= 10)
        for line in swift.flatMap(lines) { #expect(code.contains(line), "\(line)") }
    }

    @Test func `the tutorial has all of the program`() throws {
        let told = Set(try blocks("swift").flatMap(lines))
        for line in lines(try text("Tests/ChargesTutorial/main.swift")) where !line.hasPrefix("//") { #expect(told.contains(line), "\(line)") }
    }

    @Test func `the products that the tutorial names are the package's`() throws {
        let manifest = try #require(try blocks("swift").first { $0.contains("PackageDescription") })
        let products = manifest.matches(of: /\.product\(name: "(\w+)", package: "indelible"\)/).map { String($0.1) }
        #expect(products == ["Charges", "Indelible", "LocalMariaDB"])
        let own = try text("Package.swift")
        for product in products { #expect(own.contains(".library(name: \"\(product)\"")) }
    }

    @Test(.timeLimit(.minutes(3))) func `the program prints what the tutorial says, the first time and again`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("indelible-tutorial-" + UUID().uuidString.prefix(8))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: repository.appendingPathComponent("docs/tutorial/charges-fees.json"), to: folder.appendingPathComponent("fees.json"))
        let console = try #require(try blocks("console").first)
        #expect(try await run(in: folder) == console.split(separator: "\n").dropFirst().joined(separator: "\n"))
        #expect(try await run(in: folder) == console.split(separator: "\n").dropFirst().joined(separator: "\n"))
        try FileManager.default.removeItem(at: folder)
    }

    /// What it prints.
    private func run(in folder: URL) async throws -> String {
        let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" } ?? URL(fileURLWithPath: CommandLine.arguments[0])
        let log = folder.appendingPathComponent("out")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let process = Process()
        process.executableURL = bundle.deletingLastPathComponent().appendingPathComponent("ChargesTutorial")
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        let output = try String(contentsOf: log, encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(output)")
        return output.split(separator: "\n").joined(separator: "\n")
    }
}
