import Foundation
import Testing

/// The example data is what its generator writes.
@Suite struct ExampleTests {
    @Test func `the generator writes the bytes that are committed`() async throws {
        let committed = Repository.root + "/docs/examples"
        try await withFolder { folder in
            let compiled = try await run(["swiftc", "-O", committed + "/generator.swift", "-o", folder + "/gen"])
            try #require(compiled.status == 0, "\(compiled.output)")
            let out = folder + "/out"
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            let written = try await run([folder + "/gen", out])
            try #require(written.status == 0, "\(written.output)")
            let names = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
            // These are written by hand.
            let byHand: Set = ["generator.swift", "fees.json", "service"]
            let expected = try FileManager.default.contentsOfDirectory(atPath: committed).filter { !byHand.contains($0) }.sorted()
            #expect(names == expected)
            #expect(names.count >= 6)
            for name in names {
                let same = FileManager.default.contentsEqual(atPath: out + "/" + name, andPath: committed + "/" + name)
                #expect(same, "\(name) differs")
            }
        }
    }
}
