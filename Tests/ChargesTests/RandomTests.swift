import Charges
import Indelible
import IndelibleTesting
import Testing

/// A charge that is too simple to be wrong: four numbers and the names of refunds.
private struct SimpleCharge {
    var held: Int64?
    var captured: Int64?
    var isVoided = false
    var refunds: [String: Int64] = [:]
    /// Of the dispute, and how it went: nil while it is open.
    var disputed: Int64?
    var isWon: Bool?

    /// What the merchant has.
    var balance: Int64 {
        let withheld: Int64 = isWon == true ? 0 : disputed ?? 0
        return (captured ?? 0) - refunds.values.reduce(0, +) - withheld
    }
}

/// What accounts have, by adding up what events move.
private struct Sums {
    var posted: [AccountPath: Int64] = [:]
    var pending: [AccountPath: Int64] = [:]
    var holds: [EntryID: [Posting]] = [:]

    mutating func add(_ movement: Movement, _ identity: EventIdentity) {
        switch movement {
        case .none: break
        case .post(let postings): Self.add(postings, 1, &posted)
        case .hold(let postings, _):
            Self.add(postings, 1, &pending)
            if case .once(let id) = identity { holds[id] = postings }
        case .capture(let hold, let amounts):
            let postings = holds.removeValue(forKey: hold) ?? []
            Self.add(postings, -1, &pending)
            let captured = zip(postings, amounts ?? postings.map(\.amount)).map { Posting(debit: $0.debit, credit: $0.credit, amount: $1) }
            Self.add(captured, 1, &posted)
        case .void(let hold): Self.add(holds.removeValue(forKey: hold) ?? [], -1, &pending)
        }
    }

    private static func add(_ postings: [Posting], _ sign: Int64, _ sums: inout [AccountPath: Int64]) {
        for posting in postings {
            sums[posting.debit, default: 0] += sign * posting.amount.minorUnits
            sums[posting.credit, default: 0] -= sign * posting.amount.minorUnits
        }
    }
}

/// Random commands, beside the simple charge and beside what the events move.
@Suite struct RandomTests {
    /// One random command: what the charge answers, and whether the simple charge would do it.
    private static func step(
        _ charge: Charge, _ simple: inout SimpleCharge, _ random: inout Seeded
    ) -> (event: () throws -> (any DomainEvent<Charge>)?, isDone: Bool) {
        let amount = Int64.random(in: -2...12, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
            guard simple.held == nil, amount > 0 else { return ({ try charge.authorise(merchant: "bob", amount: eur(amount)) }, false) }
            simple.held = amount
            return ({ try charge.authorise(merchant: "bob", amount: eur(amount)) }, true)
        case 1:
            guard let held = simple.held, simple.captured == nil, !simple.isVoided, amount > 0, amount <= held else {
                return ({ try charge.capture(eur(amount)) }, false)
            }
            simple.captured = amount
            return ({ try charge.capture(eur(amount)) }, true)
        case 2:
            // Rarely, or most charges would be.
            guard amount == 1 else { return ({ nil }, true) }
            guard simple.held != nil, simple.captured == nil, !simple.isVoided else { return ({ try charge.void() }, false) }
            simple.isVoided = true
            return ({ try charge.void() }, true)
        case 3, 4:
            let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
            if simple.captured != nil, simple.refunds[name] == amount { return ({ try charge.refund(name, eur(amount)) }, true) }
            guard simple.captured != nil, simple.refunds[name] == nil, amount > 0, amount <= simple.balance else {
                return ({ try charge.refund(name, eur(amount)) }, false)
            }
            simple.refunds[name] = amount
            return ({ try charge.refund(name, eur(amount)) }, true)
        case 5:
            guard simple.captured != nil, simple.disputed == nil, amount > 0, amount <= simple.balance else {
                return ({ try charge.openDispute(eur(amount)) }, false)
            }
            simple.disputed = amount
            return ({ try charge.openDispute(eur(amount)) }, true)
        default:
            let wins = Bool.random(using: &random)
            let command: () throws -> (any DomainEvent<Charge>)? = { wins ? try charge.winDispute() : try charge.loseDispute() }
            guard simple.disputed != nil, simple.isWon == nil else { return (command, false) }
            simple.isWon = wins
            return (command, true)
        }
    }

    @Test func `whatever is asked in whatever order, the money is where a too simple charge says`() throws {
        var random = Seeded(20_260_101)
        var ends: Set<String> = []
        for number in 0..<400 {
            var scenario = Scenario(Charge.self, "c\(number)")
            var (simple, sums) = (SimpleCharge(), Sums())
            for _ in 0..<40 {
                var (charge, command): (Charge?, (event: () throws -> (any DomainEvent<Charge>)?, isDone: Bool)?)
                scenario.when { _ in nil }.thenState { charge = $0 }
                let before = try #require(charge)
                command = Self.step(before, &simple, &random)
                let (event, isDone) = try #require(command)
                let outcome = scenario.when { _ in try event() }
                if isDone, let event = try event() {
                    outcome.then(event)
                    sums.add(try event.movement, event.identity)
                    scenario = scenario.given(event)
                } else if isDone {
                    outcome.thenNothing()
                } else {
                    outcome.thenThrows(ChargeError.self)
                }
                try Self.compare(scenario, simple, sums)
            }
            ends.insert("\(simple.isVoided) \(simple.captured != nil) \(simple.refunds.isEmpty) \(String(describing: simple.isWon)) \(simple.balance == 0)")
        }
        // Enough of what can become of a charge has come about.
        #expect(ends.count >= 8, "\(ends.sorted())")
    }

    private static func compare(_ scenario: Scenario<Charge>, _ simple: SimpleCharge, _ sums: Sums) throws {
        scenario.when { _ in nil }.thenState { charge in
            #expect(charge.rest == simple.balance)
            #expect(charge.rest >= 0)
            func posted(_ path: AccountPath) -> Int64 { sums.posted[path] ?? 0 }
            // Credits are less than zero here.
            #expect(posted("merchants:bob") == -simple.balance)
            let disputed = simple.disputed ?? 0
            let open: Int64 = simple.isWon == nil ? disputed : 0
            let lost: Int64 = simple.isWon == false ? disputed : 0
            #expect(posted("disputes") == -open)
            let owed: Int64 = (simple.captured ?? 0) - simple.refunds.values.reduce(0, +) - lost
            #expect(posted("acquirer:receivable") == owed)
            let net: Int64 = sums.posted.values.reduce(0, +)
            #expect(net == 0)
            let held: Int64 = simple.captured == nil && !simple.isVoided ? simple.held ?? 0 : 0
            let pending: Int64 = sums.pending["merchants:bob"] ?? 0
            #expect(pending == -held)
        }
    }
}
