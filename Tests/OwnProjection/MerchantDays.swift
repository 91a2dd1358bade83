package import Indelible

/// What was charged each day, by merchant.
package struct MerchantDays: Projection {
    package let definition = JobDefinition(
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

    package init() {}

    package func project(_ entries: JournalBatch, _ writer: borrowing StepWriter) throws {
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
