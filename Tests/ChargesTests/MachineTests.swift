import Charges
import Testing

/// The small machines by themselves: every state, every step.
@Suite struct MachineTests {
    /// The rows of a table: cells are kept apart by two spaces or more.
    private static func rows(_ table: String) -> [[String]] {
        table.split(separator: "\n").map { line in
            line.split(separator: "  ").map { $0.drop { $0 == " " }.split(separator: " ").joined(separator: " ") }.filter { !$0.isEmpty }
        }
    }

    private static func number(_ text: String) -> Int64 { text.split(separator: " ").last.flatMap { Int64($0) } ?? 0 }

    // MARK: - Authorisation

    private static let authorisations: [String: Authorisation] = [
        "none": .none, "held 10": .held(10), "captured 4 of 10": .captured(4, of: 10),
        "captured 10 of 10": .captured(10, of: 10), "voided 10": .voided(10),
    ]

    @Test(arguments: rows("""
        none              authorise 10   held 10
        none              authorise 0    notPositive
        none              authorise -1   notPositive
        none              capture 1      notAuthorised
        none              void           notAuthorised
        held 10           authorise 10   alreadyAuthorised
        held 10           capture 4      captured 4 of 10
        held 10           capture 10     captured 10 of 10
        held 10           capture 11     aboveHold
        held 10           capture 0      notPositive
        held 10           capture -4     notPositive
        held 10           void           voided 10
        captured 4 of 10  authorise 10   alreadyAuthorised
        captured 4 of 10  capture 4      alreadyCaptured
        captured 4 of 10  capture 6      alreadyCaptured
        captured 4 of 10  void           alreadyCaptured
        voided 10         authorise 10   alreadyAuthorised
        voided 10         capture 4      alreadyVoided
        voided 10         void           alreadyVoided
        """))
    func `an authorisation is held, and then captured or voided, once`(_ row: [String]) throws {
        let before = try #require(Self.authorisations[row[0]])
        let number = Self.number(row[1])
        let step: Authorisation.Step =
            row[1] == "void" ? .void : row[1].hasPrefix("capture") ? .capture(number) : .authorise(number)
        if let refusal = before.refusal(of: step) {
            #expect(refusal.rawValue == row[2])
        } else {
            let after = before.after(step)
            #expect(after == (try #require(Self.authorisations[row[2]])))
            #expect(after.authorised == 10)
        }
    }

    @Test func `only what is captured counts as captured`() {
        let captured = Self.authorisations.mapValues(\.captured)
        #expect(captured == ["none": 0, "held 10": 0, "captured 4 of 10": 4, "captured 10 of 10": 10, "voided 10": 0])
    }

    // MARK: - Refunds

    @Test(arguments: rows("""
        b 6   6   yes
        b 1   6   yes
        b 7   6   aboveRest
        b 0   6   notPositive
        b -1  6   notPositive
        b 1   0   aboveRest
        a 5   6   refundDiffers
        """))
    func `refunds are given up to the rest, each name once`(_ row: [String]) throws {
        let before = Refunds().after("a", 4)
        let name = String(row[0].prefix(1))
        let (amount, rest) = (Self.number(row[0]), Self.number(row[1]))
        #expect(!before.has(name, amount))
        if let refusal = before.refusal(of: name, amount, rest: rest) {
            #expect(refusal.rawValue == row[2])
        } else {
            #expect(row[2] == "yes")
            let after = before.after(name, amount)
            #expect(after.total == 4 + amount)
            #expect(after.has(name, amount))
            #expect(after.has("a", 4))
        }
    }

    // MARK: - Dispute

    private static let disputes: [String: Dispute] = ["none": .none, "open 4": .open(4), "won 4": .won(4), "lost 4": .lost(4)]

    @Test(arguments: rows("""
        none    open 4   open 4
        none    open 11  aboveRest
        none    open 0   notPositive
        none    open -1  notPositive
        none    win      noDispute
        none    lose     noDispute
        open 4  open 4   disputeIsOpen
        open 4  win      won 4
        open 4  lose     lost 4
        won 4   open 4   disputeHasEnded
        won 4   win      disputeHasEnded
        won 4   lose     disputeHasEnded
        lost 4  open 4   disputeHasEnded
        lost 4  win      disputeHasEnded
        lost 4  lose     disputeHasEnded
        """))
    func `a dispute is opened, and then won or lost, once`(_ row: [String]) throws {
        let before = try #require(Self.disputes[row[0]])
        let step: Dispute.Step = row[1] == "win" ? .win : row[1] == "lose" ? .lose : .open(Self.number(row[1]))
        if let refusal = before.refusal(of: step, rest: 10) {
            #expect(refusal.rawValue == row[2])
        } else {
            #expect(before.after(step) == (try #require(Self.disputes[row[2]])))
        }
    }

    @Test func `what is open or lost is withheld`() {
        #expect(Self.disputes.mapValues(\.withheld) == ["none": 0, "open 4": 4, "won 4": 0, "lost 4": 4])
        #expect(Self.disputes.mapValues(\.amount) == ["none": 0, "open 4": 4, "won 4": 4, "lost 4": 4])
    }

    // MARK: - Payouts

    @Test(arguments: rows("""
        none       request  requested
        none       send     notRequested
        none       fail     notRequested
        requested  request  alreadyRequested
        requested  send     sent
        requested  fail     failed
        sent       request  alreadyRequested
        sent       send     alreadySent
        sent       fail     alreadySent
        failed     request  alreadyRequested
        failed     send     alreadyFailed
        failed     fail     alreadyFailed
        """))
    func `a payout is requested, and then sent or fails, once`(_ row: [String]) throws {
        let before = try #require(Payout.Status(rawValue: row[0]))
        let step = try #require(Payout.Status.Step.allCases.first { "\($0)" == row[1] })
        #expect((before.refusal(of: step)?.rawValue ?? before.after(step).rawValue) == row[2])
    }
}
