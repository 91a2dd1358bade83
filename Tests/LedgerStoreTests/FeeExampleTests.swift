import Foundation
import Indelible
import IndelibleTesting
import MariaDBDriver
import Testing

/// The fees of a year, beside a fold over the journal that shares nothing with them: docs/examples/fees.json, worked in the words of this test.
@Suite struct FeeExampleTests {
    private struct Key: Hashable {
        let account: String
        let month: String
    }

    /// So many ten-thousandths of an amount, from the middle away from zero.
    private static func percent(_ amount: Int64, _ basisPoints: Int64) -> Int64 {
        let magnitude = (amount * basisPoints.magnitude.signed + 5000) / 10_000
        return basisPoints < 0 ? -magnitude : magnitude
    }

    /// An order's fee before any waiver.
    private static func price(_ amount: Int64, currency: String, isOfApp: Bool, volume: Int64) -> Int64 {
        switch currency {
        case "EUR" where isOfApp: return max(30, percent(amount, 700))
        case "EUR":
            // Ten-thousandths of each cent by the place at which it lies.
            let sum = (0..<amount).reduce(Int64(0)) { sum, cent in sum + (volume + cent < 75_000 ? 800 : volume + cent < 150_000 ? 700 : 600) }
            return max(30, (sum + 5000) / 10_000)
        case "JPY": return min(1000, max(50, percent(amount, 800)))
        case "KWD": return (amount * 7625 + 50_000) / 100_000 + 50
        default: return percent(amount, 800)
        }
    }

    /// What each entry is charged, by the entry's id.
    private static func worked(_ book: TestBook) async throws -> [String: Int64] {
        let rows = try await book.withOwner { owner in
            try await owner.query(
                """
                SELECT HEX(e.id), e.kind, CAST(e.effective_at AS CHAR), a.path, a.currency, CAST(SUM(p.amount) AS SIGNED),
                COALESCE(JSON_VALUE(e.payload, '$.channel'), '') FROM entry e JOIN posting p ON p.position = e.position
                JOIN account a ON a.id = IF(e.kind = 'order.paid', p.credit, p.debit)
                WHERE e.kind IN ('order.paid', 'refund.issued') AND a.path LIKE 'merchants:%' GROUP BY e.position, a.id ORDER BY e.effective_at, e.id
                """)
        }
        var volumes: [Key: Int64] = [:]
        var fees: [String: Int64] = [:]
        for row in rows {
            guard case .text(let id) = row[0], case .text(let kind) = row[1], case .text(let time) = row[2], case .text(let path) = row[3],
                case .text(let currency) = row[4], case .int(let amount) = row[5], case .text(let channel) = row[6]
            else { throw ChargeRepository.Unreadable() }
            let key = Key(account: path + currency, month: String(time.prefix(7)))
            let volume = volumes[key, default: 0]
            if kind == "refund.issued" {
                fees[id] = percent(amount, -800)
                volumes[key] = volume - amount
                continue
            }
            let isOfApp = currency == "EUR" && channel == "app"
            let fee = price(amount, currency: currency, isOfApp: isOfApp, volume: volume)
            let isWaived = !isOfApp && path == "merchants:m15" && time < "2025-02-01"
            fees[id] = isWaived ? fee - (fee + 1) / 2 : fee
            volumes[key] = volume + amount
        }
        return fees
    }

    private static func projected(_ book: TestBook) async throws -> [String: Int64] {
        let rows = try await book.withOwner { owner in
            try await owner.query(
                """
                SELECT HEX(f.id), CAST(f.fee AS SIGNED) FROM fee_g1 f WHERE f.through = (SELECT MAX(n.through) FROM fee_g1 n WHERE n.account = f.account
                AND n.schedule = f.schedule AND n.effective_at = f.effective_at AND n.id = f.id)
                """)
        }
        var fees: [String: Int64] = [:]
        for row in rows {
            guard case .text(let id) = row[0], case .int(let fee) = row[1] else { throw ChargeRepository.Unreadable() }
            #expect(fees[id] == nil, "\(id) is charged twice")
            fees[id] = fee
        }
        return fees
    }

    /// The schedule is published first, or when half of the year is projected, or at the end; files in order, or the last quarter first.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [("12F34", UInt64?.none), ("4F312", 997)])
    func `the fees of the example data are those that a fold over it makes, in whatever order it comes`(order: String, positionsMax: UInt64?) async throws {
        try await withBook { book in
            let examples = repository.appendingPathComponent("docs/examples")
            func file(_ name: String) throws -> Importer.File {
                Importer.File(name: name, format: name.hasSuffix("csv") ? .csv : .jsonl, bytes: [UInt8](try Data(contentsOf: examples.appendingPathComponent(name))))
            }
            _ = try await Importer(book.ledger).run([file("accounts.csv")])
            for step in order {
                if step == "F" {
                    try await book.ledger.publishFeeSchedule(String(contentsOf: examples.appendingPathComponent("fees.json"), encoding: .utf8))
                } else {
                    let summary = try await Importer(book.ledger).run([file("journal-2025-q\(step).\(step == "4" ? "jsonl" : "csv")")])
                    #expect(summary.problems.isEmpty)
                }
                try await book.withProjector(positionsMax: positionsMax) { _ = try await $0.catchUp() }
            }
            let (worked, projected) = (try await Self.worked(book), try await Self.projected(book))
            #expect(worked.count == 3403 + 191)
            #expect(projected.count == worked.count)
            let wrong = worked.filter { projected[$0.key] != $0.value }
            #expect(wrong.isEmpty, "\(order): \(wrong.count) differ, \(wrong.prefix(3).map { ($0.key, $0.value, projected[$0.key] as Any) })")
            let months = try await book.ledger.feeMonths().months
            #expect(months.reduce(0) { $0 + $1.fees } == worked.values.reduce(0) { $0 + Int128($1) })
            #expect(months.reduce(0) { $0 + $1.charged } == worked.count)
        }
    }
}

extension UInt64 { fileprivate var signed: Int64 { Int64(self) } }
