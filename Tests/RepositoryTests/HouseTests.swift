import Foundation
import Testing

/// Who may import whom. An arrow that is not here does not exist.
@Suite struct HouseTests {
    /// Modules of the toolchain, which any target may import unless it is pure.
    private static let platform: Set<String> = ["Foundation", "Dispatch", "Glibc", "Darwin", "Synchronization"]

    /// Each target, and the modules beside the platform's that its files may import.
    static let house: [String: Set<String>] = [
        "MariaDBDriver": ["CMariaDB", "Logging", "Metrics", "Tracing"],
        "LedgerModel": ["Crypto"],
        "LedgerSchema": [],
        "LedgerDatabase": ["LedgerSchema", "MariaDBDriver", "Crypto"],
        "LedgerStore": ["LedgerModel", "LedgerDatabase", "Crypto", "Logging", "Metrics", "Tracing"],
        "Indelible": ["LedgerModel", "LedgerDatabase", "LedgerStore"],
        "IndelibleService": ["Indelible", "Logging", "ServiceLifecycle"],
        "LocalMariaDB": [],
        // Asks the server what it saw, and tells tests what is not as it should be.
        "IndelibleTesting": ["Indelible", "LocalMariaDB", "MariaDBDriver", "Testing"],
        "Charges": ["LedgerModel"],
        // Measures the driver by itself too, beside the C client with nothing around it.
        "IndelibleBench": ["Indelible", "LedgerModel", "LocalMariaDB", "MariaDBDriver", "BareClient"],
        "IndelibleCommands": ["Indelible", "IndelibleBench", "IndelibleService", "LocalMariaDB", "Logging", "ServiceLifecycle", "UnixSignals", "ArgumentParser", "Configuration", "SystemPackage"],
        "IndelibleCLI": ["IndelibleCommands", "ArgumentParser"],
    ]

    @Test func `every file imports only what its target may`() throws {
        var seen: Set<String> = []
        for file in try Repository.sources() {
            let target = Self.target(file)
            guard let allowed = Self.house[target] else {
                Issue.record("\(file.path): \(target) is no room of the house")
                continue
            }
            seen.insert(target)
            for module in Self.imports(file.text) {
                #expect(allowed.union(Self.platform).contains(module), "\(file.path) imports \(module)")
            }
        }
        #expect(seen == Set(Self.house.keys))
    }

    @Test func `the rows of the house say what the design says`() {
        let importsC = Self.house.filter { $0.value.contains("CMariaDB") }.map(\.key)
        #expect(importsC == ["MariaDBDriver"])
        let importsDriver = Self.house.filter { $0.value.contains("MariaDBDriver") }.map(\.key)
        #expect(Set(importsDriver) == ["LedgerDatabase", "IndelibleBench", "IndelibleTesting"])
        let databases: Set = ["CMariaDB", "MariaDBDriver", "LedgerDatabase", "LedgerSchema", "LedgerStore", "LocalMariaDB"]
        for domain in ["LedgerModel", "Charges"] { #expect(Self.house[domain]?.isDisjoint(with: databases) == true) }
    }

    @Test func `no import is hidden from this test`() {
        let text = """
            import A
              public import B
            @_exported public import C
            @testable import D
            @preconcurrency internal import struct E.Thing
            import F.Sub
            // import G
            important()
            """
        #expect(Self.imports(text) == ["A", "B", "C", "D", "E", "F"])
    }

    @Test func `the manifest lets no target depend on more`() async throws {
        // Not under the folder of this build: the package is locked while it is being tested.
        let manifest = try String(contentsOfFile: Repository.root + "/Package.swift", encoding: .utf8)
        for (target, allowed) in Self.house {
            let declared = try #require(Self.dependencies(of: target, manifest), "\(target) is not in Package.swift")
            let packages: Set = ["swift-crypto", "swift-argument-parser", "swift-configuration", "swift-log", "swift-metrics", "swift-distributed-tracing", "swift-service-lifecycle"]
            // Configuration's interface brings SystemPackage along, and Testing is the toolchain's.
            let expected = allowed.subtracting(["SystemPackage", "Testing"])
            #expect(declared.subtracting(packages) == expected, "\(target)")
        }
    }

    @Test func `no two targets differ only in case`() throws {
        let manifest = try String(contentsOfFile: Repository.root + "/Package.swift", encoding: .utf8)
        let targets = manifest.matches(of: /\.(?:target|executableTarget|testTarget|systemLibrary)\(\s*name: "(\w+)"/).map { String($0.1) }
        #expect(targets.count >= 15)
        #expect(Set(targets.map { $0.lowercased() }).count == targets.count)
        // Products of executables are files beside the targets' own.
        let programs = manifest.matches(of: /\.executable\(name: "(\w+)"/).map { String($0.1) }
        #expect(programs == ["indelible"])
        for program in programs {
            let executables = manifest.matches(of: /\.executableTarget\(\s*name: "(\w+)"/).map { String($0.1) }
            #expect(!executables.contains { $0.lowercased() == program })
        }
    }

    /// The target that a file belongs to.
    static func target(_ file: Repository.File) -> String {
        file.path.hasPrefix("sql/") ? "LedgerSchema" : String(file.path.split(separator: "/")[1])
    }

    /// The modules that a text imports, in order.
    static func imports(_ text: String) -> [String] {
        let pattern = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?(\w+)/
        return text.matches(of: pattern.anchorsMatchLineEndings()).map { String($0.1) }
    }

    /// The names in quotes in the `dependencies` of a target.
    private static func dependencies(of target: String, _ manifest: String) -> Set<String>? {
        guard let name = manifest.firstRange(of: try! Regex("arget\\(\\s*name: \"\(target)\"")) else { return nil }
        let rest = manifest[name.upperBound...]
        // Up to the next target.
        let own = rest[..<(rest.firstRange(of: /\n        \.\w+\(/)?.lowerBound ?? rest.endIndex)]
        guard let list = own.firstMatch(of: /dependencies: \[([^\]]*)\]/) else { return [] }
        return Set(list.1.matches(of: /"([\w-]+)"/).map { String($0.1) })
    }
}
