import Foundation
import Testing

@testable import LedgerModel
@testable import Soaking

/// Prices and times as the ledger has them, and as the model has them: two programs that share nothing.
@Suite struct FeePricingTests {
    @Test func `random schedules are read alike, and every price makes the same of every amount`() throws {
        var random = Seeded("fee pricing")
        let zone = "Europe/Berlin"
        let calendar = try SimpleCalendar(zone)
        let exponents = Dictionary(uniqueKeysWithValues: FeeDocuments.coins.map { ($0.code, $0.exponent) })
        var currencies: [CurrencyCode: Currency] = [:]
        for coin in FeeDocuments.coins { currencies[try CurrencyCode(coin.code)] = try Currency(try CurrencyCode(coin.code), exponent: coin.exponent) }
        var prices = 0
        for number in 1...300 {
            let text = FeeDocuments().document("s", version: number, from: FeeDocuments.when(&random), &random)
            let model = try SimpleSchedule(try SimpleJSON(text), calendar, exponents: exponents)
            let schedule = try FeeSchedule(try JSON(parsing: text), currencies: { currencies[$0] }, zone: calendar.zone)
            // What is kept of the document says the same.
            let kept = try SimpleSchedule(try SimpleJSON(schedule.document.text), calendar, exponents: exponents)
            #expect(model.effectiveFrom == schedule.effectiveFrom.microseconds && kept.effectiveFrom == model.effectiveFrom && schedule.rules.count == model.rules.count)
            for (rule, own) in zip(schedule.rules, model.rules) {
                #expect(rule.prices.count + (rule.otherPrice == nil ? 0 : 1) == own.prices.count && rule.waivers.count == own.waivers.count)
                for (waiver, other) in zip(rule.waivers, own.waivers) {
                    #expect(waiver.from?.microseconds == other.from && waiver.until?.microseconds == other.until && Int128(waiver.basisPoints.tenThousandths) == other.share)
                }
                for (code, price) in own.prices {
                    let theirs = try #require(code == "*" ? rule.otherPrice : rule.prices[try CurrencyCode(code)])
                    try Self.compare(price, theirs, &random, "INDELIBLE_SEED=\(random.seed), \(text)")
                    prices += 1
                }
            }
        }
        #expect(prices > 1000)
    }

    private static func compare(_ price: SimpleSchedule.Price, _ theirs: FeePrice, _ random: inout Seeded, _ comment: String) throws {
        var edges = price.steps.map(\.from)
        for _ in 0..<6 {
            let edge = edges[Int.random(in: 0..<edges.count, using: &random)]
            let amounts = [edge, edge + Int128(Int.random(in: -2...2, using: &random)), Int128(Int.random(in: 1...30_000_000, using: &random))]
            let amount = max(1, amounts[Int.random(in: 0..<3, using: &random)])
            let volumes = [0, edge - amount, edge, edge - 1, Int128(Int.random(in: -900_000...900_000, using: &random))]
            let volume = volumes[Int.random(in: 0..<5, using: &random)]
            let shares = [nil, 100_000_000, Int64.random(in: 1...100_000_000, using: &random)]
            let waived = shares[Int.random(in: 0..<3, using: &random)]
            var row = SimpleFees.Row(schedule: "", effective: 0, id: .init(0, 0), position: 0)
            SimpleFees.price(&row, price, amount, volume, waived: Int128(waived ?? 0))
            let parts = theirs.fee(amount, volume: volume, waived: waived.map { BasisPoints(tenThousandths: $0) })
            let slices = parts.slices.map { "\($0.step):\($0.amount)" }.joined(separator: " ")
            let numbers: [Int128] = [parts.percentage, Int128(parts.rounding), parts.fixed, parts.bounded, parts.waived, Int128(parts.waivedRounding), parts.fee]
            let own = [row.percentage, row.rounding, row.fixed, row.bounded, row.waived, row.waivedRounding, row.fee]
            #expect(slices == row.slices && numbers == own, "\(amount) after \(volume), \(String(describing: waived)) waived: \(numbers), by the model \(own); \(comment)")
            edges.append(volume)
        }
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia"])
    func `months and beginnings of days are the same`(_ name: String) throws {
        var random = Seeded("fee months")
        let calendar = try SimpleCalendar(name)
        for _ in 0..<2000 {
            let day = Int64(SimpleCalendar.days(Int.random(in: 1950...2150, using: &random), Int.random(in: 1...12, using: &random), 1))
            let near = [0, -1, 1, Int64.random(in: -50_000_000_000...50_000_000_000, using: &random)].randomElement(using: &random) ?? 0
            let instant = day * 86_400_000_000 - Int64(calendar.zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(day * 86_400)))) * 1_000_000 + near
            let month = AccountingMonth(of: Timestamp(microseconds: instant), in: calendar.zone)
            #expect(month.firstDayText == SimpleCalendar.text(month: calendar.month(instant)), "INDELIBLE_SEED=\(random.seed): \(Timestamp(microseconds: instant))")
            let date = SimpleCalendar.date(Int(day))
            let text = SimpleCalendar.text(month: date.year * 12 + date.month - 1)
            #expect(try AccountingDay(text).beginning(in: calendar.zone).microseconds == calendar.instant(text), "\(text)")
        }
    }

    @Test(arguments: ["2800-02-01T00:00:00Z", "9999-12-01T00:00:00Z", "1500-03-01T00:00:00Z", "1000-02-01T00:00:00Z"])
    func `a month of far away times ends with its last microsecond`(_ text: String) throws {
        let calendar = try SimpleCalendar("UTC")
        let end = try Timestamp(text).microseconds
        // A Date has not the microseconds of centuries to come, and Foundation's calendar is the Julian one before 1582.
        for instant in [end - 1, end] {
            let month = AccountingMonth(of: Timestamp(microseconds: instant), in: calendar.zone)
            #expect(month.firstDayText == SimpleCalendar.text(month: calendar.month(instant)), "\(Timestamp(microseconds: instant))")
            let bounds = (try month.beginning(in: calendar.zone).microseconds, try month.end(in: calendar.zone).microseconds)
            #expect(bounds.0 <= instant && instant < bounds.1, "\(Timestamp(microseconds: instant)) in \(month)")
        }
    }
}
