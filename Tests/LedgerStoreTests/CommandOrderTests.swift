import Foundation
import Indelible
import IndelibleTesting
import Synchronization
import Testing

@testable import LedgerModel
@testable import LedgerStore

/// In which order commands are decided.
@Suite struct CommandOrderTests {
    private static func command(_ position: UInt64, _ subject: String, _ priority: Int, _ sentAt: String) throws -> StoredCommand {
        StoredCommand(
            id: EntryID(key: "\(position)"), position: Position(position), name: "thing.do",
            header: CommandHeader(subject: try StreamName("thing", subject), priority: priority, sentAt: try SentTime(sentAt)),
            recordedAt: Timestamp(microseconds: 0), payload: "{}")
    }

    /// position subject priority sent → the order, one at a time.
    static let tables: [(String, [UInt64])] = [
        ("""
        1 a 0 2026-01-01T10:00:00Z
        2 b 0 2026-01-01T09:00:00Z
        3 c 0 2026-01-01T09:00:00Z
        4 d 5 2026-01-01T11:00:00Z
        """, [4, 2, 3, 1]),
        // An hour in another zone is the same instant.
        ("""
        1 a 0 2026-01-01T10:00:00+01:00
        2 b 0 2026-01-01T09:00:00Z
        3 c 0 2026-01-01T08:59:59.999Z
        """, [3, 1, 2]),
        ("""
        1 a -1 2026-01-01T10:00:00Z
        2 a 0 2026-01-01T10:00:00Z
        3 a 1 2026-01-01T10:00:00Z
        """, [3, 2, 1]),
    ]

    @Test(arguments: tables.indices) func `priority first, then the sender's time, then the journal's order`(index: Int) throws {
        let (table, order) = Self.tables[index]
        var queue = CommandQueue(
            try table.split(separator: "\n").map { line in
                let words = line.split(separator: " ").map(String.init)
                return try Self.command(UInt64(words[0])!, words[1], Int(words[2])!, words[3])
            })
        var taken: [UInt64] = []
        while let next = queue.next() {
            taken.append(next.position.number)
            queue.decided(next)
        }
        #expect(taken == order)
    }

    @Test func `no subject has two under way, and the others do not wait for it`() throws {
        let sent = "2026-01-01T10:00:00Z"
        var queue = CommandQueue([
            try Self.command(1, "a", 9, sent), try Self.command(2, "a", 8, sent), try Self.command(3, "b", 7, sent), try Self.command(4, "a", 6, sent),
        ])
        let (first, other, none) = (queue.next(), queue.next(), queue.next())
        #expect(first?.position.number == 1 && other?.position.number == 3 && none == nil && !queue.isEmpty)
        queue.decided(try #require(first))
        let (second, stillNone) = (queue.next(), queue.next())
        #expect(second?.position.number == 2 && stillNone == nil)
        queue.decided(try #require(second))
        let last = queue.next()
        #expect(last?.position.number == 4)
        #expect(queue.isEmpty)
    }

    @Test func `commands that wait together are decided by rank, those of one subject never in parallel`() async throws {
        try await CommandSupport.withBook { book in
            struct Seen {
                var order: [Int] = []
                var busy: Set<String> = []
                var overlaps = 0
                var most = 0
            }
            let seen = Mutex(Seen())
            let handler = CommandHandler(for: ReserveName.self) { command, unit in
                seen.withLock {
                    if !$0.busy.insert(command.member).inserted { $0.overlaps += 1 }
                    $0.most = max($0.most, $0.busy.count)
                    $0.order.append(command.urgency)
                }
                try unit.claim("name", command.name, for: command.member)
                seen.withLock { _ = $0.busy.remove(command.member) }
            }
            for number in 0..<60 {
                try await book.ledger.enqueue(ReserveName(member: "m\(number % 3)", name: "n\(number)", urgency: (number * 7) % 60))
            }
            try await book.decide([handler], subjectsMax: 1)
            #expect(seen.withLock { $0.order } == (0..<60).reversed())
            for number in 60..<120 { try await book.ledger.enqueue(ReserveName(member: "m\(number % 3)", name: "n\(number)", urgency: number)) }
            try await book.decide([handler], subjectsMax: 8)
            #expect(seen.withLock { $0.overlaps } == 0)
            for member in 0..<3 {
                let own = seen.withLock { $0.order }.dropFirst(60).filter { $0 % 3 == member }
                #expect(own == own.sorted().reversed() && own.count == 20)
            }
        }
    }

    @Test func `the sender's time keeps its offset`() throws {
        let instant = try Timestamp("2026-11-21T09:00:00.123456Z")
        #expect(SentTime(instant).text == "2026-11-21T09:00:00.123Z")
        #expect(SentTime(instant, in: try #require(.init(identifier: "Europe/Berlin"))).text == "2026-11-21T10:00:00.123+01:00")
        #expect(SentTime(instant, in: try #require(.init(identifier: "America/St_Johns"))).text == "2026-11-21T05:30:00.123-03:30")
        #expect(SentTime(instant).timestamp == (try Timestamp("2026-11-21T09:00:00.123Z")))
        #expect(try SentTime("2026-11-21T10:00:00.000+01:00").text == "2026-11-21T10:00:00.000+01:00")
        #expect(throws: LedgerError.self) { try SentTime("2026-11-21") }
        #expect(throws: LedgerError.self) { try SentTime("soon") }
    }
}
