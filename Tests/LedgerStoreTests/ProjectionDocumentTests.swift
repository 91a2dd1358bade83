import Foundation
import Indelible
import IndelibleTesting
import Testing

/// The code of docs/projections.md: compiled and run here, and the document has exactly this.
@Suite struct ProjectionDocumentTests {
    /// What was charged each day, by merchant.
    struct MerchantDays: Projection {
        let definition = JobDefinition(
            name: "merchant_day", version: "1",
            schema: """
                CREATE TABLE IF NOT EXISTS merchant_day_g{generation} (
                    merchant INT UNSIGNED    NOT NULL,
                    day      DATE            NOT NULL,
                    through  BIGINT UNSIGNED NOT NULL,
                    charged  DECIMAL(38, 0)  NOT NULL,
                    PRIMARY KEY (merchant, day, through)
                ) ENGINE = InnoDB;
                """)

        func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
            var sums: [Key: Int128] = [:]
            for entry in entries where entry.kind == "card.charged" {
                for posting in entry.postings {
                    let day = String(entry.effectiveAt.description.prefix(10))
                    sums[Key(merchant: posting.credit, day: day), default: 0] += Int128(posting.amount)
                }
            }
            let table = writer.table("merchant_day")
            for (key, sum) in sums {
                let before = try writer.select(
                    """
                    charged FROM \(table: table) WHERE merchant = \(key.merchant.number) AND day = \(key.day)
                    ORDER BY through DESC LIMIT 1
                    """)
                let total = try sum + (before.first?.decimal(0) ?? 0)
                try writer.insert(
                    into: "merchant_day", ["merchant", "day", "through", "charged"],
                    rows: [[.uint(key.merchant.number), .text(key.day), .uint(entries.through.number), .decimal(total)]])
            }
        }

        private struct Key: Hashable {
            let merchant: AccountID
            let day: String
        }
    }

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
        let code = Set(try lines("Tests/LedgerStoreTests/ProjectionDocumentTests.swift"))
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
}
