import Foundation
import Indelible
import IndelibleTesting
import LocalMariaDB
import OwnProjection
import Testing

/// The code of docs/projections.md: compiled and run here, and the document has exactly this.
@Suite struct ProjectionDocumentTests {
    @Test(arguments: [1, 7, nil] as [UInt64?]) func `the projection of the document counts`(_ positionsMax: UInt64?) async throws {
        try await withBook { book in
            let (ledger, location, owner) = (book.ledger, book.location, book.owner)
            try await ledger.openAccount("cards", in: .eur, type: .asset)
            let shop = try await ledger.openAccount("shop", in: .eur, type: .liability).id.number
            for number in 1...20 {
                let day = try Timestamp("2026-03-0\(number % 3 + 1)T12:00:00Z")
                try await ledger.post(
                    Entry(
                        kind: number % 5 == 0 ? "other" : "card.charged", effectiveAt: day,
                        postings: [Posting(debit: "cards", credit: "shop", amount: Amount(minorUnits: Int64(number), .eur))]))
            }
            let generation = try await BookOwner(owner).createGeneration(of: MerchantDays())
            let projector = Projector(location, jobs: Projector.builtIn + [MerchantDays()], positionsMax: positionsMax)
            try await projector.catchUp()
            try await BookOwner(owner).switchLive(MerchantDays(), to: generation)
            await projector.close()

            let charged = try await ledger.read(MerchantDays()) { reader in
                let table = reader.table("merchant_day")
                return try reader.select("charged FROM \(table: table) WHERE merchant = \(shop) ORDER BY day DESC, through DESC LIMIT 1")
                    .first?.decimal(0) ?? 0
            }
            // On the third day: 2, 8, 11, 14, 17; 5 and 20 are of another kind.
            #expect(charged == 2 + 8 + 11 + 14 + 17)
        }
    }

    @Test func `the document has this code`() throws {
        func lines(_ path: String) throws -> [String] {
            let text = try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
            return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let files = ["LedgerStoreTests/ProjectionDocumentTests.swift", "OwnProjection/MerchantDays.swift", "OwnTool/OwnTool.swift"]
        let code = Set(try files.flatMap { try lines("Tests/\($0)") }.map { $0.hasPrefix("package ") ? String($0.dropFirst(8)) : $0 })
        var isCode = false
        var examined = 0
        for line in try lines("docs/projections.md") {
            if line.hasPrefix("```") {
                isCode = line == "```swift"
            } else if isCode {
                let bare = line.split(separator: "//").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? line
                // Options that only the test has.
                let isThere = code.contains(line) || code.contains { $0.hasPrefix(bare) || $0.hasPrefix(String(bare.dropLast())) }
                #expect(isThere, "\(line)")
                examined += 1
            }
        }
        #expect(examined > 40)
    }

    @Test func `the command line of the document rebuilds and switches it`() async throws {
        let server = try await TestServer.shared()
        let name = "own_" + UUID().uuidString.lowercased().prefix(8)
        let place = ["--folder", server.folder, "--book", name]
        try #require(try await Tool.run(["init"] + place) == 0)
        let password = try String(contentsOfFile: server.folder + "/password", encoding: .utf8)
        let ledger = Ledger(
            try BookLocation(server: .socket(path: server.socketPath), book: name, user: "indelible", password: Secret(password)))
        try await ledger.openAccount("cards", in: .eur, type: .asset)
        try await ledger.openAccount("shop", in: .eur, type: .liability)
        try await ledger.post(
            Entry(kind: "card.charged", postings: [Posting(debit: "cards", credit: "shop", amount: Amount(minorUnits: 7, .eur))]))
        for arguments in [["rebuild", "merchant_day"], ["switch", "merchant_day", "1"], ["once"], ["status"]] {
            #expect(try await Tool.run(["project"] + arguments + place, program: "OwnTool") == 0, "\(arguments)")
        }
        // The package's own program does not know it.
        #expect(try await Tool.run(["project", "rebuild", "merchant_day"] + place) == 65)
        let charged = try await ledger.read(MerchantDays()) { reader in
            try reader.select("charged FROM \(table: reader.table("merchant_day"))")[0].decimal(0)
        }
        #expect(charged == 7)
        await ledger.close()
    }
}
