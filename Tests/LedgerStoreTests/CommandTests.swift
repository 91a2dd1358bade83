import Indelible
import IndelibleTesting
import Testing

@Suite struct CommandTests {
    @Test func `a command is an entry with its subject, priority and the sender's time, and the same id again is the same`() async throws {
        try await CommandSupport.withBook { book in
            let id = EntryID(key: "request-1")
            let sentAt = try SentTime("2026-11-21T10:00:00.000+01:00")
            let command = ReserveName(member: "ann", name: "annie", urgency: 7)
            let receipt = try await book.ledger.enqueue(command, id: id, sentAt: sentAt)
            let payload = try JSON(parsing: try #require(try await book.ledger.entry(id)?.payload))
            #expect(payload["member"] == "ann" && payload["name"] == "annie" && payload["urgency"] == 7)
            #expect(payload["ledger"]?["version"] == 1)
            #expect(payload["ledger"]?["command"] == ["subject": "member:ann", "priority": 7, "sent_at": "2026-11-21T10:00:00.000+01:00"])
            // Sent again later: the same command.
            let again = try await book.ledger.enqueue(command, id: id)
            #expect(again.isRepeat && again.position == receipt.position)
            let other = await #expect(throws: LedgerError.self) { try await book.ledger.enqueue(ReserveName(member: "ann", name: "other"), id: id) }
            #expect(other?.code == .conflict)
            #expect(try await book.ledger.outcome(of: id) == .undecided)
            try await book.decide()
            guard case .done(let done) = try await book.ledger.outcome(of: id) else { throw TestProblem("it is not done") }
            #expect(done.position > receipt.position && done.id == .outcome(of: id))
            let after = try await book.ledger.enqueue(command, id: id)
            #expect(after.isRepeat && after.position == receipt.position)
            try await book.decide()
            #expect(try await book.outcomes().count == 1)
            let unknown = await #expect(throws: LedgerError.self) { try await book.ledger.outcome(of: EntryID(key: "nobody")) }
            #expect(unknown?.code == .unknownEntry)
            let noCommand = await #expect(throws: LedgerError.self) { try await book.ledger.outcome(of: .outcome(of: id)) }
            #expect(noCommand?.message.contains("is no command") == true)
        }
    }

    @Test func `a handler refuses, and nothing of what it recorded stands`() async throws {
        try await CommandSupport.withBook { book in
            let handler = CommandHandler(for: OpenStory.self) { command, unit in
                try unit.append(StoryOpened(title: command.title), to: command.story, expecting: .none)
                throw CommandRefusal("not today")
            }
            let receipt = try await book.ledger.enqueue(OpenStory(story: "1", title: "Ledgers"))
            try await book.decide([handler])
            guard case .refused(let refused) = try await book.ledger.outcome(of: receipt.id) else { throw TestProblem("it is not refused") }
            #expect(refused.reason == "not today" && refused.winner == nil && refused.code == nil)
            #expect(try await book.entries("story.opened").isEmpty)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `a slot that is taken is a refusal that names the winner`() async throws {
        try await CommandSupport.withBook { book in
            let ledger = book.ledger
            var pairs: [(EntryID, EntryID)] = []
            for number in 0..<5 {
                let first = try await ledger.enqueue(ReserveName(member: "a\(number)", name: "name-\(number)"))
                let second = try await ledger.enqueue(ReserveName(member: "b\(number)", name: "name-\(number)"))
                pairs.append((first.id, second.id))
                let (one, two) = (try await ledger.enqueue(PlaceOrder(number: "\(number)")), try await ledger.enqueue(PlaceOrder(number: "\(number)", units: 2)))
                pairs.append((one.id, two.id))
                let (open, late) = (
                    try await ledger.enqueue(OpenStory(story: "\(number)", title: "one")), try await ledger.enqueue(OpenStory(story: "\(number)", title: "two"))
                )
                pairs.append((open.id, late.id))
            }
            try await book.decide()
            for (index, pair) in pairs.enumerated() {
                let outcomes = [try await ledger.outcome(of: pair.0), try await ledger.outcome(of: pair.1)]
                let refused = outcomes.compactMap { if case .refused(let refused) = $0 { refused } else { nil } }
                #expect(refused.count == 1 && outcomes.contains { $0.state == .done })
                let winner = try #require(refused.first?.winner)
                let entry = try #require(try await ledger.entry(winner.id))
                #expect(entry.position == winner.position)
                let kinds: [EntryKind] = ["ledger.claimed", "order.placed", "story.opened"]
                #expect(entry.kind == kinds[index % 3])
                let codes: [LedgerError.Code] = [.claimTaken, .conflict, .revisionConflict]
                #expect(refused.first?.code == codes[index % 3])
                if index % 3 == 0 { #expect(winner.holder == "member:\(outcomes[0].state == .done ? "a" : "b")\(index / 3)") }
            }
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }

    @Test func `what the book's rules refuse is a refusal with their code`() async throws {
        try await CommandSupport.withBook { book in
            try await book.ledger.openAccount("poor", in: .eur, type: .liability, limits: .noOverdraft)
            let handler = CommandHandler(for: PlaceOrder.self) { command, unit in
                try unit.post(
                    Entry(kind: "order.placed", postings: [Posting(debit: "poor", credit: "merchants:bob", amount: Amount(minorUnits: command.units, .eur))]))
            }
            let receipt = try await book.ledger.enqueue(PlaceOrder(number: "1"))
            try await book.decide([handler])
            guard case .refused(let refused) = try await book.ledger.outcome(of: receipt.id) else { throw TestProblem("it is not refused") }
            #expect(refused.code == .limitExceeded && refused.winner == nil)
        }
    }

    @Test func `a command that nobody has a handler for waits, and a processor that has one decides it`() async throws {
        try await CommandSupport.withBook { book in
            let unknown = try await book.ledger.enqueue(OpenStory(story: "1", title: "Ledgers"))
            let known = try await book.ledger.enqueue(ReserveName(member: "ann", name: "annie"))
            try await book.decide([CommandSupport.handlers[0]])
            #expect(try await book.ledger.outcome(of: unknown.id) == .undecided)
            #expect(try await book.ledger.outcome(of: known.id).state == .done)
            var query = CommandQuery()
            query.state = .waiting
            #expect(try await book.ledger.commands(query).map(\.id) == [unknown.id])
            // Nothing in the journal is new.
            try await book.decide()
            #expect(try await book.ledger.outcome(of: unknown.id).state == .done)
            #expect(try await book.ledger.commands(query).isEmpty)
        }
    }

    @Test func `an outcome is waited for`() async throws {
        try await CommandSupport.withBook { book in
            let receipt = try await book.ledger.enqueue(OpenStory(story: "1", title: "Ledgers"))
            #expect(try await book.ledger.outcome(of: receipt.id, waiting: .milliseconds(20)) == .undecided)
            async let outcome = book.ledger.outcome(of: receipt.id, waiting: .seconds(60))
            try await book.decide()
            #expect(try await outcome.state == .done)
        }
    }

    @Test func `a command fires the next one, three in a row`() async throws {
        try await CommandSupport.withBook { book in
            try await Trace.withCorrelation("request-17") {
                for number in 0..<3 { try await book.ledger.enqueue(FirstLink(number: number), id: EntryID(key: "chain-\(number)")) }
            }
            try await book.decide()
            for number in 0..<3 {
                let first = EntryID(key: "chain-\(number)")
                let story = try await Units(book.ledger).begin().load(Story.self, "\(number)")
                #expect(story.state.comments == ["first", "second", "last"])
                let second = try #require(try await book.ledger.commands().first { $0.name == "chain.second" && $0.subject.text == "chain:\(number)" })
                let trace = try await book.ledger.command(second.id).command.trace
                #expect(trace.causation == first.description && trace.correlation == "request-17")
            }
            #expect(try await book.ledger.commands().allSatisfy { $0.state == .done })
            #expect(try await book.outcomes().count == 9)
            try await book.project()
            #expect(try await book.reconcile().verdict == .clean)
        }
    }
}

struct TestProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
