import Foundation
import Indelible
import IndelibleTesting
import Testing

/// A member wants a name that only one may have.
struct ReserveName: Command {
    static let name: EntryKind = "name.reserve"
    let member: String
    let name: String
    var urgency = 0
    var subject: StreamName { get throws { try StreamName("member", member) } }
    var priority: Int { urgency }
}

/// Opens a story, if nobody has opened it.
struct OpenStory: Command {
    static let name: EntryKind = "story.open"
    let story: String
    let title: String
    var subject: StreamName { get throws { try StreamName("story", story) } }
}

/// An order, by a number that only one may have, with a payment.
struct PlaceOrder: Command {
    static let name: EntryKind = "order.place"
    let number: String
    var units: Int64 = 1
    var subject: StreamName { get throws { try StreamName("order", number) } }
}

/// Enqueues the next one.
struct FirstLink: Command {
    static let name: EntryKind = "chain.first"
    let number: Int
    var subject: StreamName { get throws { try StreamName("chain", String(number)) } }
}

struct SecondLink: Command {
    static let name: EntryKind = "chain.second"
    let number: Int
    var subject: StreamName { get throws { try StreamName("chain", String(number)) } }
}

struct LastLink: Command {
    static let name: EntryKind = "chain.last"
    let number: Int
    var subject: StreamName { get throws { try StreamName("chain", String(number)) } }
}

enum CommandSupport {
    static let handlers = [
        CommandHandler(for: ReserveName.self) { command, unit in
            if command.name.isEmpty { throw CommandRefusal("the name is empty") }
            try unit.claim("name", command.name, for: "member:\(command.member)")
        },
        CommandHandler(for: OpenStory.self) { command, unit in
            try unit.append(StoryOpened(title: command.title), to: command.story, expecting: .none)
        },
        CommandHandler(for: PlaceOrder.self) { command, unit in
            try unit.post(
                Entry(
                    id: EntryID(key: "order-\(command.number)"), kind: "order.placed", reference: command.number,
                    postings: [
                        Posting(debit: "customers:alice", credit: "merchants:bob", amount: Amount(minorUnits: command.units, .eur))
                    ]))
        },
        CommandHandler(for: FirstLink.self) { command, unit in
            try unit.append(CommentAdded(text: "first"), to: "\(command.number)", expecting: .any)
            try unit.enqueue(SecondLink(number: command.number))
        },
        CommandHandler(for: SecondLink.self) { command, unit in
            try unit.append(CommentAdded(text: "second"), to: "\(command.number)", expecting: .any)
            try unit.enqueue(LastLink(number: command.number))
        },
        CommandHandler(for: LastLink.self) { command, unit in
            try unit.append(CommentAdded(text: "last"), to: "\(command.number)", expecting: .any)
        },
    ]

    /// A book that decides commands, with two accounts.
    static func withBook<T>(_ body: (TestBook) async throws -> T) async throws -> T {
        try await StreamAppendTests.withUnits { book, _ in
            try await BookOwner(book.owner).createCommands()
            return try await body(book)
        }
    }
}

extension TestBook {
    /// Decides everything that waits, as one worker that begins anew.
    @discardableResult
    func decide(
        _ handlers: [CommandHandler] = CommandSupport.handlers, subjectsMax: Int = 32, positionsMax: UInt64? = nil
    ) async throws -> Position {
        try await withCommands(handlers, subjectsMax: subjectsMax, positionsMax: positionsMax) { try await $0.catchUp().through }
    }

    func withCommands<T>(
        _ handlers: [CommandHandler] = CommandSupport.handlers, subjectsMax: Int = 32, positionsMax: UInt64? = nil, _ body: (Projector) async throws -> T
    ) async throws -> T {
        let projector = Projector(location, jobs: [CommandProcessor(ledger, handlers, subjectsMax: subjectsMax)], positionsMax: positionsMax)
        do {
            let result = try await body(projector)
            await projector.close()
            return result
        } catch {
            await projector.close()
            throw error
        }
    }

    /// Outcomes in the order of the journal, by the command that they are of.
    func outcomes() async throws -> [(command: EntryID, entry: JournalEntry, payload: JSON)] {
        var found: [(command: EntryID, entry: JournalEntry, payload: JSON)] = []
        for kind in [EntryKind.commandDone, .commandRefused, .commandResolved] {
            for entry in try await entries(kind) {
                let payload = try JSON(parsing: try #require(entry.payload))
                found.append((try #require(payload["command"]?.string.flatMap(EntryID.init(hex:))), entry, payload))
            }
        }
        return found.sorted { $0.entry.position < $1.entry.position }
    }
}
