import Foundation
import Testing

/// The domain's modules are built where there is no database client and no module but those that they name.
@Suite struct AloneTests {
    /// Each with the modules that it may see: of other packages by name.
    @Test func `LedgerModel is built with no database client, and without any other module of ours`() async throws {
        let found = try await build("LedgerModel", seeing: ["Crypto", "CryptoBoringWrapper"])
        #expect(found.status == 0, "\(found.output)")
        // A positive control: it does need what it names, so nothing else is found on the way.
        let blind = try await build("LedgerModel", seeing: [])
        #expect(blind.status != 0 && blind.output.contains("no such module 'Crypto'"), "\(blind.output)")
        let store = try await build("LedgerStore", seeing: ["Crypto", "CryptoBoringWrapper"])
        #expect(store.status != 0 && store.output.contains("no such module"), "\(store.output)")
    }

    /// Type-checks all files of a target in a folder of modules that has only these.
    private func build(_ target: String, seeing modules: [String]) async throws -> Finished {
        let built = try CompilerTests.above("Modules")
        let crypto = try CompilerTests.above("checkouts") + "/swift-crypto/Sources/CCryptoBoringSSL/include"
        let files = try Repository.sources().map(\.path).filter { $0.contains("Sources/\(target)/") }
        try #require(files.count > 10)
        return try await withFolder { folder in
            for module in modules {
                try FileManager.default.createSymbolicLink(
                    atPath: folder + "/\(module).swiftmodule", withDestinationPath: built + "/\(module).swiftmodule")
            }
            let features = ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility", "NonisolatedNonsendingByDefault"]
            return try await run(
                ["swiftc", "-typecheck", "-parse-as-library", "-swift-version", "6", "-module-name", target, "-package-name", "indelible", "-I", folder]
                    + (modules.isEmpty ? [] : ["-I", crypto]) + features.flatMap { ["-enable-upcoming-feature", $0] }
                    + files.map { $0.hasPrefix("/") ? $0 : Repository.root + "/" + $0 })
        }
    }
}
