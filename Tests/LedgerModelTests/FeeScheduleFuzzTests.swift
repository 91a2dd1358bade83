import Foundation
import LedgerModel
import Testing

/// Whatever a document is, it is read or refused, and what is read can be priced with.
@Suite struct FeeScheduleFuzzTests {
    /// Where something can be changed: every value in a document.
    static func places(_ value: JSON, _ at: [JSON.Step] = []) -> [[JSON.Step]] {
        switch value {
        case .object(let members): members.keys.sorted().flatMap { name in [at + [.member(name)]] + places(members[name]!, at + [.member(name)]) }
        case .array(let items): items.indices.flatMap { index in [at + [.item(index)]] + places(items[index], at + [.item(index)]) }
        default: []
        }
    }

    static func value(_ document: JSON, _ steps: [JSON.Step]) -> JSON? {
        steps.reduce(document) { value, step in
            switch step {
            case .member(let name): value?[name]
            case .item(let index): value.flatMap { $0.items.indices.contains(index) ? $0.items[index] : nil }
            }
        }
    }

    private static let texts = [
        "", " ", "*", "**", "a:*", "a:**", ":", "0", "-0", "0.00", "-1", "9223372036854775807", "-9223372036854775808", "9999999999999999999999", "0.0001",
        "-10000", "10000.0001", "1e3", "EUR", "JPY", "2026-01-01", "9999-12-31", "1000-01-01", "0001-01-01", "2026-01-01T00:00:00Z", "credit", "volume", "whole",
        "ledger.reversed", "card.*", "a\u{301}", "\u{0}", "东京", "half-even", "x:\u{301}:y", "*:\u{301}",
    ]

    static func random(_ random: inout Seeded) -> JSON {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .integer(random.integer())
        case 3: return .integer(Int64.random(in: -11_000...11_000, using: &random))
        case 4: return .number(Decimal(string: "\(Int.random(in: -11_000...11_000, using: &random)).\(Int.random(in: 0...99_999, using: &random))")!)
        case 5: return .array([])
        case 6: return .object([:])
        default: return .string(texts.randomElement(using: &random)!)
        }
    }

    /// One to three values are replaced, removed, or become what stands elsewhere.
    static func mutated(_ document: JSON, _ random: inout Seeded) -> JSON {
        var document = document
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let all = places(document)
            guard let place = all.randomElement(using: &random), let other = all.randomElement(using: &random) else { return document }
            let new: JSON? =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: nil
                case 1: value(document, other)
                default: Self.random(&random)
                }
            document = document.setting(place[...], to: new) ?? .null
        }
        return document
    }

    /// What is read is read again the same from what is kept, is valid by the schema, and prices any amount or says why not.
    private func check(_ schedule: FeeSchedule, _ document: JSON, _ schema: JSONSchema, _ random: inout Seeded) {
        let problems = schema.problems(document)
        #expect(problems.isEmpty, "it is taken, and the schema refuses it: \(problems), \(document.text)")
        let again = try? FeeSchedule(schedule.document, currencies: Currency.iso, zone: TimeZone(secondsFromGMT: -7 * 3600)!)
        #expect(again == schedule, "what is kept reads otherwise: \(document.text)")
        for rule in schedule.rules {
            _ = rule.kinds.contains { $0.matches("card.charged") } && rule.accounts.contains { $0.matches("merchants:bob") }
            for price in Array(rule.prices.values) + [rule.otherPrice].compactMap({ $0 }) {
                for _ in 0..<4 {
                    let amount = Int128(max(1, random.integer())), volume = Int128(random.integer()) - Int128(random.integer())
                    let waived = rule.waivers.randomElement(using: &random)?.basisPoints
                    let fee = price.fee(amount, volume: volume, waived: waived)
                    #expect(price.tiers == nil || fee.slices.reduce(0) { $0 + $1.amount } == amount)
                    #expect(price.maximum.map { fee.fee <= $0 } ?? true && price.minimum.map { fee.fee + fee.waived >= $0 } ?? true)
                    #expect(abs(fee.rounding) < 100_000_000 && abs(fee.waivedRounding) < 100_000_000)
                }
            }
        }
    }

    @Test(arguments: 1...8) func `a document with mistakes is read or refused`(seed: UInt64) throws {
        var random = Seeded(seed)
        let sound = BrokenSchedules.soundDocument
        let schema = try FeeSchemaTests.schema()
        var taken = 0, refused = 0
        for _ in 0..<400 {
            let document = Self.mutated(sound, &random)
            do throws(LedgerError) {
                let schedule = try FeeScheduleTests.read(document, zone: TimeZone(secondsFromGMT: 3600)!)
                taken += 1
                check(schedule, document, schema, &random)
            } catch {
                refused += 1
                #expect(error.message.hasPrefix("fee schedule"), "\(error.message)")
            }
        }
        #expect(taken >= 20 && refused >= 200, "seed \(seed): \(taken) taken, \(refused) refused")
    }

    @Test(arguments: 1...4) func `bytes that are wrong are read or refused`(seed: UInt64) throws {
        var random = Seeded(seed &* 7919)
        let schema = try FeeSchemaTests.schema()
        let sound = Array(BrokenSchedules.sound.utf8)
        var refused = 0
        for _ in 0..<300 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(bytes.randomElement(using: &random)!, at: place)
                case 2: bytes[place] = UInt8.random(in: 32...126, using: &random)
                default: bytes[place] = UInt8.random(in: 0...255, using: &random)
                }
            }
            do throws(LedgerError) {
                let document = try JSON(parsing: String(decoding: bytes, as: UTF8.self))
                check(try FeeScheduleTests.read(document), document, schema, &random)
            } catch { refused += 1 }
        }
        #expect(refused >= 100, "seed \(seed)")
    }
}
